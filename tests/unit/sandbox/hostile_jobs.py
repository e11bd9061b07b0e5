"""Jobs that misbehave in every way a native library or a hostile picture can make one misbehave."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from aquatint.sandbox.errors import Refused

Progress = Callable[[float, str], None]


def echo(request: bytes, progress: Progress) -> bytes:
    return request


def report_steps(request: bytes, progress: Progress) -> bytes:
    for step in range(4):
        progress(step / 4, f"step {step}")
        time.sleep(0.08)
    progress(1.0, "done")
    return b"ok"


def flood_progress(request: bytes, progress: Progress) -> bytes:
    for step in range(200_000):
        progress(step / 200_000, "busy")
    return b"ok"


def refuse(request: bytes, progress: Progress) -> bytes:
    raise Refused("the picture shows a Monday")


def raise_error(request: bytes, progress: Progress) -> bytes:
    raise ZeroDivisionError("a secret path /etc/passwd")


def leave(request: bytes, progress: Progress) -> bytes:
    sys.exit(3)


def leave_at_once(request: bytes, progress: Progress) -> bytes:
    os._exit(7)


def abort(request: bytes, progress: Progress) -> bytes:
    os.abort()


def segfault(request: bytes, progress: Progress) -> bytes:
    ctypes.string_at(1)
    return b""


def allocate(request: bytes, progress: Progress) -> bytes:
    return bytes(int(request))


def spin(request: bytes, progress: Progress) -> bytes:
    while True:
        pass


def sleep(request: bytes, progress: Progress) -> bytes:
    time.sleep(float(request))
    return b"slept"


def print_much(request: bytes, progress: Progress) -> bytes:
    print("x" * 100_000, flush=True)
    os.write(1, b"\x00\x00\x00\x00" * 1000)  # what a native library prints
    return sys.stdin.read().encode() + b"clean"


def write_nonsense(request: bytes, progress: Progress) -> bytes:
    """Find the frames' pipe and break the conversation, as a memory fault might."""
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, b"\xff" * 64)
        except OSError:
            continue
    time.sleep(30)
    return b""


def start_a_child(request: bytes, progress: Progress) -> bytes:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    progress(1.0, str(child.pid))
    time.sleep(60)
    return b""


def look_around(request: bytes, progress: Progress) -> bytes:
    """What a worker can see of the server."""
    descriptors = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    return json.dumps(
        {
            "environment": dict(os.environ),
            "open": [number for number in descriptors if Path(f"/proc/self/fd/{number}").exists()],
            "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
            "files": resource.getrlimit(resource.RLIMIT_NOFILE)[0],
            "pid": os.getpid(),
            "modules": sorted(sys.modules),
        }
    ).encode()


def use_cpu(request: bytes, progress: Progress) -> bytes:
    end = time.process_time() + float(request)
    while time.process_time() < end:
        pass
    return b"worked"
