"""One durable row per request: a writer thread commits whatever queued while it was committing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from pathlib import Path
from typing import NamedTuple

import uuid_utils

SCHEMA = """CREATE TABLE task(
  id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, model TEXT NOT NULL, status TEXT NOT NULL,
  input BLOB NOT NULL, callback TEXT, created REAL NOT NULL)"""
INSERT = "INSERT INTO task(id, owner, model, status, input, callback, created) VALUES(?, ?, ?, ?, ?, ?, ?)"


class Row(NamedTuple):
    id: str
    owner: str
    model: str
    status: str
    input: bytes
    callback: str | None
    created: float


def new_row(model: str, callback: str | None, input_: bytes) -> Row:
    return Row(str(uuid_utils.uuid7()), "k1", model, "PENDING", input_, callback, time.time())


class NoStore:
    """Keeps nothing: what HTTP and parsing cost alone."""

    async def add(self, row: Row) -> None:
        return None


class GroupStore:
    """SQLite, WAL, synchronous=FULL, group commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: list[Row] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._lock = threading.Lock()
        self._wake = threading.Semaphore(0)
        self._idle = True
        self._loop: asyncio.AbstractEventLoop | None = None
        threading.Thread(target=self._write, daemon=True).start()

    def add(self, row: Row) -> asyncio.Future[None]:
        """Resolved when the row is on the disk."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        future = self._loop.create_future()
        with self._lock:
            self._rows.append(row)
            self._waiting.append(future)
            wake, self._idle = self._idle, False
        if wake:
            self._wake.release()
        return future

    def _write(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(SCHEMA)
        while True:
            self._wake.acquire()
            while taken := self._take():
                rows, futures = taken
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany(INSERT, rows)
                connection.execute("COMMIT")
                assert self._loop is not None
                self._loop.call_soon_threadsafe(self._done, futures)

    def _take(self) -> tuple[list[Row], list[asyncio.Future[None]]] | None:
        with self._lock:
            if not self._rows:
                self._idle = True
                return None
            taken = self._rows, self._waiting
            self._rows, self._waiting = [], []
            return taken

    @staticmethod
    def _done(futures: list[asyncio.Future[None]]) -> None:
        for future in futures:
            if not future.done():
                future.set_result(None)
