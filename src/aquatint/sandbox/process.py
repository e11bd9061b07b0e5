"""One worker process as the server sees it: started, given jobs, killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path

from aquatint.sandbox.errors import SandboxCrashed, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.limits import Limits
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
    read_lengths,
    read_reply,
)

OnProgress = Callable[[float, str], None]

_START_SECONDS = 60.0
_READ_BUFFER = 1 << 20
_WRITE_PIECE = 1 << 20
_LAST_WORDS = 8192  # bytes of stderr kept for the log

# Nothing else of the server's environment reaches a worker: it holds keys and passwords.
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "PYTHONHOME")
_FIXED = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",  # every arena reserves 64 MB of the address space
    "OPENCV_IO_MAX_IMAGE_PIXELS": "67108864",
    "PYTHONHASHSEED": "0",  # same input and seed, same bytes: not even set order may differ
    "PYTHONUNBUFFERED": "1",
}


def worker_environment(search_path: tuple[str, ...]) -> dict[str, str]:
    """The environment of a worker; `search_path` is put before the server's own PYTHONPATH."""
    package_home = str(Path(__file__).resolve().parents[2])
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    paths = [*search_path, *inherited, package_home]
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed_on | _FIXED | {"PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in paths)}


class WorkerProcess:
    """A warm child and its pipes. One job at a time; after a failure that is not `worker_usable`, kill it."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise ValueError("a worker needs pipes for stdin, stdout and stderr")
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout
        self._last_words = bytearray()
        self._stderr_reader = asyncio.create_task(self._keep_last_words(process.stderr))
        self.jobs = 0

    @classmethod
    async def start(cls, limits: Limits, warm: tuple[str, ...], search_path: tuple[str, ...]) -> WorkerProcess:
        """Spawn a worker and wait until it is warm. Raises SandboxCrashed."""
        setup = {"parent": os.getpid(), "address_space": limits.address_space, "warm": list(warm)}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "aquatint.sandbox.worker", json.dumps(setup)),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            limit=_READ_BUFFER,
            env=worker_environment(search_path),
            cwd=os.sep,
            start_new_session=True,  # signals of the terminal are the server's to handle
        )
        worker = cls(process)
        try:
            async with asyncio.timeout(_START_SECONDS):
                reply, _ = await worker._read()
            if not isinstance(reply, Ready):
                raise SandboxCrashed("a worker did not start properly")
        except TimeoutError as error:
            await worker.kill_and_wait()
            raise SandboxCrashed("a worker did not start in time") from error
        except BaseException:
            await worker.kill_and_wait()
            raise
        return worker

    @property
    def alive(self) -> bool:
        """Whether the process is still there."""
        return self._process.returncode is None

    async def run(self, target: str, request: bytes, cpu_seconds: int, on_progress: OnProgress | None) -> bytes:
        """Run one job. Raises SandboxRefused, SandboxCrashed, SandboxTimedOut (CPU seconds used up)."""
        self.jobs += 1
        self._last_words.clear()
        try:
            self._stdin.write(frame_start(Job(self.jobs, target, cpu_seconds), len(request)))
            await self._write(request)
        except (ConnectionError, RuntimeError) as error:  # uvloop says RuntimeError for a closed pipe
            raise await self._post_mortem() from error
        while True:
            reply, body = await self._read()
            match reply:
                case Progress(number, fraction, stage):
                    if on_progress is not None and number == self.jobs:
                        on_progress(fraction, stage)
                case Done(number) if number == self.jobs:
                    return body
                case Declined(number, message) if number == self.jobs:
                    raise SandboxRefused(message)
                case Failed(number, detail, usable) if number == self.jobs:
                    raise SandboxCrashed("the work failed", detail=detail, worker_usable=usable)
                case _:
                    raise SandboxCrashed("a worker answered out of turn", detail=repr(reply))

    def kill(self) -> None:
        """SIGKILL to the worker and whatever it started, now."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def kill_and_wait(self) -> None:
        """Kill, and return when the process is gone and its pipes are closed."""
        self.kill()
        await self._process.wait()
        self._stdin.close()
        await self._stderr_reader

    async def _write(self, data: bytes) -> None:
        """In pieces, so that a large request never holds the event loop for long."""
        view = memoryview(data)
        for start in range(0, len(view), _WRITE_PIECE):
            self._stdin.write(view[start : start + _WRITE_PIECE])
            await self._stdin.drain()

    async def _read(self) -> tuple[Reply, bytes]:
        try:
            head_bytes, body_bytes = read_lengths(await self._stdout.readexactly(PREFIX.size))
            reply = read_reply(await self._stdout.readexactly(head_bytes))
            return reply, await self._stdout.readexactly(body_bytes) if body_bytes else b""
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise await self._post_mortem() from error
        except ValueError as error:
            raise SandboxCrashed("a worker spoke nonsense", detail=str(error)) from error

    async def _post_mortem(self) -> SandboxCrashed | SandboxTimedOut:
        """Why the worker is gone, for the one whose job it took along."""
        self.kill()  # its pipe may be closed while a thread of it lives on
        status = await self._process.wait()
        await self._stderr_reader
        if status == -signal.SIGXCPU:
            return SandboxTimedOut("the work took more processor time than allowed")
        cause = signal.Signals(-status).name if status < 0 else f"status {status}"
        words = self._last_words.decode("utf-8", "replace")
        return SandboxCrashed("the work ended abruptly", detail=f"worker ended with {cause}\n{words}".strip())

    async def _keep_last_words(self, stderr: asyncio.StreamReader) -> None:
        while piece := await stderr.read(_LAST_WORDS):
            self._last_words += piece
            del self._last_words[:-_LAST_WORDS]
