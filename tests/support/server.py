"""A real `aquatint serve` process on a free port with a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from support.client import Client
from support.ports import free_port

KEY = "test-secret-0123456789abcdef"
COMMAND = (sys.executable, "-c", "from aquatint.cli import main; main()")
START_SECONDS = 60.0
STOP_SECONDS = 40.0
LOG_LINES = 60

NULL_ENGINE = {"AQUATINT_ENGINES__ALLOW_TESTING": "true", "AQUATINT_ENGINES__ROUTE_ALL_TO": "null"}
FAST = {
    "AQUATINT_NET__ALLOW": "127.0.0.0/8",
    "AQUATINT_WEBHOOKS__FIRST_DELAY": "0s",
    "AQUATINT_WEBHOOKS__JITTER": "0",
    "AQUATINT_TASKS__RETRY_WAIT": "100ms",
}


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without any setting of Aquatint, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AQUATINT_")}
    return {**kept, **(extra or {})}


def run_cli(
    *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 60.0, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one `aquatint` command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=clean_environment({"COLUMNS": "200", **(env or {})}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class Server:
    """One server. `start`, `stop` and `kill` may follow each other on the same folder: tasks survive.

    `env` are settings as environment variables; the null engine and quick callbacks are only a matter of those:
    `Server(tmp_path, {**NULL_ENGINE, **FAST})`. The key `KEY` is always valid.
    """

    arguments: tuple[str, ...] = ()  # of `aquatint serve`, besides port and folder

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
        data_dir: Path | None = None,
    ) -> None:
        self.folder = folder
        self.data_dir = data_dir or folder / "data"
        self.env = {"AQUATINT_API_KEY": KEY, **(env or {})}
        self.port = port or free_port()
        self.log_path = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def client(self, key: str | None = KEY) -> Client:
        """A client of this server; close it or use it as a context manager."""
        return Client(self.base_url, key)

    def start(self, *, wait: bool = True) -> Self:
        """Start the process; `wait` until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*COMMAND, "serve", "--port", str(self.port), "--data-dir", str(self.data_dir), *self.arguments],
                env=clean_environment(self.env),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            self.wait_until_healthy()
        return self

    def wait_until_healthy(self, timeout: float = START_SECONDS) -> None:
        """Raise AssertionError with the log when the server ends or does not answer in time."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            assert self._process is not None, "the server was not started"
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended with {self._process.returncode}:\n{self.log_tail()}")
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.base_url}/healthz", timeout=2.0).status_code == 200:
                    return
            time.sleep(0.03)
        raise AssertionError(f"the server did not answer within {timeout} s:\n{self.log_tail()}")

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def processes(self) -> list[psutil.Process]:
        """The server and every process below it that is alive."""
        try:
            main = psutil.Process(self.pid)
            return [main, *main.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def stop(self, timeout: float = STOP_SECONDS) -> int:
        """SIGTERM, as an operator does it; the exit code. Raises AssertionError when it does not end in time."""
        if not self.running():
            return self._process.returncode if self._process is not None else 0
        processes = self.processes()
        os.kill(self.pid, signal.SIGTERM)
        return self._wait(processes, timeout)

    def kill(self, *, workers: bool = True) -> None:
        """SIGKILL at once; `workers` says whether the processes below die by it, too."""
        processes = self.processes()
        for process in processes if workers else processes[:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._wait(processes, 10.0)

    def _wait(self, processes: Sequence[psutil.Process], timeout: float) -> int:
        assert self._process is not None
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._finish(processes)
            raise AssertionError(f"the server did not end within {timeout} s:\n{self.log_tail()}") from None
        _, alive = psutil.wait_procs(processes, timeout=10.0)
        if alive:
            self._finish(alive)
            raise AssertionError(f"the server left {len(alive)} processes behind")
        return code

    def _finish(self, processes: Sequence[psutil.Process]) -> None:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.wait(10.0)

    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self, lines: int = LOG_LINES) -> str:
        return "\n".join(self.log().splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self if self.running() else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._finish(self.processes())
        else:
            self.stop()


class ServerSet:
    """The servers that one test started; all end with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.servers: list[Server] = []

    def start(self, *, fast: bool = True, null: bool = True, public: bool = False, **env: str) -> Server:
        """Start one; `public` tells it the address under which others reach it."""
        settings: Mapping[str, str] = {**(NULL_ENGINE if null else {}), **(FAST if fast else {}), **env}
        server = Server(self._folder / f"server-{len(self.servers)}", settings)
        if public:
            server.env["AQUATINT_ASSETS__PUBLIC_URL"] = server.base_url
        self.servers.append(server)
        return server.start()

    def __enter__(self) -> ServerSet:
        return self

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            server.stop()


ServerFactory = Callable[..., Server]  # ServerSet.start, as tests are given it
