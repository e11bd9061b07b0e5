"""Numbered migrations and how a connection is set up."""

from __future__ import annotations

import sqlite3
from importlib import resources
from pathlib import Path

from aquatint.domain.errors import ConfigurationError


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection with explicit transactions. WAL, and every commit is on the disk before it returns."""
    connection = sqlite3.connect(path, timeout=0.02, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA wal_autocheckpoint=4000")
    connection.execute("PRAGMA cache_size=-32000")
    connection.execute("PRAGMA temp_store=MEMORY")
    if read_only:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("PRAGMA cache_size=-64000")  # queries of any age in a large file keep coming back to pages
    return connection


def migrations() -> list[tuple[int, str]]:
    """Number and SQL of each migration, in order."""
    folder = resources.files("aquatint.store.sqlite").joinpath("migrations")
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [(int(name.split("_")[0]), folder.joinpath(name).read_text(encoding="utf-8")) for name in files]


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to the newest schema, each migration in its own transaction.

    Raises ConfigurationError when a newer Aquatint wrote this database.
    """
    connection.execute("PRAGMA busy_timeout=10000")
    known = migrations()
    for number, sql in known:
        connection.execute("BEGIN IMMEDIATE")
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > known[-1][0]:
                raise ConfigurationError([f"the database has schema {version}; this version knows {known[-1][0]}"])
            if version < number:
                for statement in _statements(sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number}")
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
    connection.execute("PRAGMA busy_timeout=20")


def _statements(sql: str) -> list[str]:
    found, current = [], ""
    for line in sql.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            found.append(current)
            current = ""
    return found
