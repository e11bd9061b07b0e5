"""Many processes on one PostgreSQL: servers that only answer, workers, a database that dies, cut networks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from support.ports import free_port
from support.postgres import Postgres
from support.server import COMMAND, Server, clean_environment


class ApiServer(Server):
    """`aquatint serve --no-worker`."""

    arguments = ("--no-worker",)


class Worker:
    """`aquatint worker`. `start`, `stop` and `kill` may follow each other."""

    def __init__(self, folder: Path, data_dir: Path, env: Mapping[str, str], *arguments: str) -> None:
        self.port = free_port()
        self.log_path = folder / f"worker-{self.port}.log"
        self._env = dict(env)
        self._command = [*COMMAND, "worker", "--data-dir", str(data_dir), "--port", str(self.port), *arguments]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the worker was not started"
        return self._process.pid

    def start(self) -> Self:
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=clean_environment(self._env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL, with every process below."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.wait(10.0)

    def stop(self, timeout: float = 40.0) -> int:
        if not self.running():
            return self._process.returncode if self._process is not None else 0
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the worker did not end within {timeout} s:\n{self.log_tail()}") from None

    def rlimit(self, kind: int, soft: int | None) -> None:
        """Set a limit of the running processes, such as the size of the files they may write; None: as before."""
        for process in self._family():
            with contextlib.suppress(psutil.NoSuchProcess):
                _, hard = process.rlimit(kind)
                process.rlimit(kind, (hard if soft is None else soft, hard))

    def _family(self) -> list[psutil.Process]:
        if not self.running():
            return []
        with contextlib.suppress(psutil.NoSuchProcess):
            main = psutil.Process(self.pid)
            return [main, *main.children(recursive=True)]
        return []

    def log_tail(self, lines: int = 40) -> str:
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])


class Wire:
    """A TCP connection through which everything passes, until it is cut: then packets vanish, as on a dead network.

    Nobody is told: no end, no reset. Connections that were cut stay dead when the wire is mended, as they would be
    after a firewall has forgotten them.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._cut = False
        self._generation = 0
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10.0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        self._loop.close()

    def cut(self) -> None:
        self._cut = True
        self._generation += 1

    def mend(self) -> None:
        self._cut = False

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def _close(self) -> None:
        self._server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        await asyncio.sleep(0)  # transports close in the round after

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        generation = self._generation
        while self._cut:
            await asyncio.sleep(0.1)  # a connection that is being made: no answer
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(
                self._pass(reader, far_writer, generation),
                self._pass(far_reader, writer, generation),
                return_exceptions=True,
            )
        finally:
            for side in (writer, far_writer):
                side.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, generation: int) -> None:
        while data := await reader.read(1 << 16):
            if self._cut or generation != self._generation:
                await asyncio.sleep(3600)  # gone, and this connection with it
            writer.write(data)
            await writer.drain()
        writer.close()


class Cluster:
    """Servers and workers of one test on one database, with one folder of assets."""

    def __init__(self, folder: Path, postgres: Postgres, env: Mapping[str, str]) -> None:
        self.folder = folder
        self.postgres = postgres
        self.url = postgres.database()
        self.data_dir = folder / "data"
        self.env = {**env, "AQUATINT_DATABASE__URL": self.url}
        self.servers: list[ApiServer] = []
        self.workers: list[Worker] = []

    def server(self) -> ApiServer:
        made = ApiServer(self.folder / f"server-{len(self.servers)}", self.env, data_dir=self.data_dir)
        if self.servers:
            made.env["AQUATINT_ASSETS__PUBLIC_URL"] = self.servers[0].base_url
        self.servers.append(made)
        return made

    def worker(self, *arguments: str, env: Mapping[str, str] | None = None) -> Worker:
        made = Worker(self.folder, self.data_dir, {**self.env, **(env or {})}, *arguments)
        self.workers.append(made)
        return made

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        return self.postgres.sql(statement, self.url)

    def count(self, statement: str) -> int:
        return int(str(self.sql(statement)[0][0]))

    def wait_until_ended(self, timeout: float) -> None:
        """Until every task has ended and every callback was taken."""
        end = time.monotonic() + timeout
        while True:
            open_tasks = self.count("SELECT count(*) FROM task WHERE phase < 2")
            due = self.count("SELECT count(*) FROM delivery WHERE state = 'pending'")
            if not open_tasks and not due:
                return
            assert time.monotonic() < end, (
                f"{open_tasks} tasks and {due} callbacks never ended\n{self.workers[0].log_tail(15)}"
            )
            time.sleep(0.3)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with ExitStack() as stack:
            for process in [*self.servers, *self.workers]:
                stack.callback(process.kill if error is not None else process.stop)


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """A process that does nothing for a while, and does not know it."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
