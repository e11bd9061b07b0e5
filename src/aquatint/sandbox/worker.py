"""The child: `python -m aquatint.sandbox.worker`, one job at a time, until its input ends."""

from __future__ import annotations

import contextlib
import faulthandler
import fcntl
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from aquatint.sandbox.errors import Refused
from aquatint.sandbox.limits import allow_cpu, die_with_parent, limit_process, return_free_memory
from aquatint.sandbox.protocol import (
    PREFIX,
    Declined,
    Done,
    Failed,
    Job,
    Progress,
    Ready,
    Reply,
    frame_start,
    read_job,
    read_lengths,
)

JobFunction = Callable[[bytes, Callable[[float, str], None]], bytes]

_MAX_DETAIL = 16_000  # characters of a traceback
_PROGRESS_PAUSE = 0.05  # seconds between two progress frames
_F_SETPIPE_SZ = 1031
_PIPE_BYTES = 1 << 20


class _Line:
    """The frames' way out. Several threads of a job may report progress at once, hence the lock."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, head: Reply, body: bytes = b"") -> None:
        with self._lock:
            self._write(frame_start(head, len(body)))
            if body:
                self._write(body)

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def main() -> None:
    """Take the frames' pipes for ourselves, put the limits on, warm up, then serve."""
    setup = json.loads(sys.argv[1])
    frames_in, line = _take_pipes()
    die_with_parent(setup["parent"])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which drains first
    faulthandler.enable()
    limit_process(setup["address_space"])
    for module in setup["warm"]:
        importlib.import_module(module)
    jobs: queue.SimpleQueue[tuple[Job, bytes]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(frames_in, jobs), daemon=True).start()
    line.send(Ready())
    while True:
        job, request = jobs.get()
        _serve(job, request, line)
        del request
        return_free_memory()


def _take_pipes() -> tuple[BinaryIO, _Line]:
    """Keep stdin and stdout for frames; whatever a library prints goes to stderr, and it can read nothing.

    Not every event loop closes what a child should not inherit, so the child does: a socket of the server held open
    here would outlive the server's own closing of it.
    """
    for entry in tuple(Path("/dev/fd").iterdir()):
        if int(entry.name) > 2:
            with contextlib.suppress(OSError):  # the listing's own is gone already
                os.close(int(entry.name))
    frames_in, frames_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    for descriptor in (frames_in, frames_out):
        with contextlib.suppress(OSError):  # without it, only slower
            fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _PIPE_BYTES)
    return os.fdopen(frames_in, "rb"), _Line(frames_out)


def _listen(frames: BinaryIO, jobs: queue.SimpleQueue[tuple[Job, bytes]]) -> None:
    """Read jobs; when the server is gone or speaks nonsense, end the process whatever it is doing."""
    try:
        while prefix := frames.read(PREFIX.size):
            head_bytes, body_bytes = read_lengths(prefix)
            jobs.put((read_job(frames.read(head_bytes)), frames.read(body_bytes)))
    finally:
        os._exit(0)


def _serve(job: Job, request: bytes, line: _Line) -> None:
    allow_cpu(job.cpu_seconds)
    try:
        result = _function(job.target)(request, _reporter(job.number, line))
        reply: Reply = Done(job.number)
    except Refused as refusal:
        reply, result = Declined(job.number, refusal.message), b""
    except BaseException as error:  # noqa: BLE001 - the wall: nothing a job raises may end the conversation
        # Short of memory, or told to exit, the worker's own state is in doubt: let it be replaced.
        usable = isinstance(error, Exception) and not isinstance(error, MemoryError)
        reply, result = Failed(job.number, traceback.format_exc()[-_MAX_DETAIL:], usable), b""
    line.send(reply, result)


def _function(target: str) -> JobFunction:
    module, _, name = target.partition(":")
    function: JobFunction = getattr(importlib.import_module(module), name)
    return function


def _reporter(number: int, line: _Line) -> Callable[[float, str], None]:
    last = 0.0

    def report(fraction: float, stage: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PROGRESS_PAUSE or fraction >= 1.0:
            last = now
            line.send(Progress(number, min(max(float(fraction), 0.0), 1.0), str(stage)))

    return report


if __name__ == "__main__":
    main()
