"""Numbered migrations, safe while other processes run: expand first, contract in a later release."""

from __future__ import annotations

import re
from importlib import resources

from aquatint.domain.errors import ConfigurationError
from aquatint.store.postgres.pool import Pool

_LOCK = 0x6171746D  # "aqtm": one process migrates, the others wait for it
_NEEDS = re.compile(r"^-- needs: (\d+)$", re.MULTILINE)


def migrations() -> list[tuple[int, str]]:
    """Number and SQL of each migration, in order."""
    folder = resources.files("aquatint.store.postgres").joinpath("migrations")
    files = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return [(int(name.split("_")[0]), folder.joinpath(name).read_text(encoding="utf-8")) for name in files]


def needs(number: int, sql: str) -> int:
    """The oldest schema that a running version may know to work with this migration: `-- needs: N` in its file."""
    found = _NEEDS.search(sql)
    return int(found[1]) if found else number


async def migrate(pool: Pool) -> None:
    """Bring the database to the newest schema, each migration in its own transaction.

    A database that a newer version has expanded is taken as it is, as long as that version says that ours may still
    work with it. Raises ConfigurationError when it says no.
    """
    known = migrations()
    newest = known[-1][0]
    async with pool.transaction() as db:
        await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        await db.execute(
            "CREATE TABLE IF NOT EXISTS schema_version (number INTEGER PRIMARY KEY, needs INTEGER NOT NULL)"
        )
    for number, sql in known:
        async with pool.transaction() as db:
            await db.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
            version = await db.fetchval("SELECT coalesce(max(number), 0) FROM schema_version")
            if version < number:
                await db.execute(sql)
                await db.execute(
                    "INSERT INTO schema_version (number, needs) VALUES ($1, $2)", number, needs(number, sql)
                )
    async with pool.connection() as db:
        version, least = await db.fetchrow("SELECT max(number), max(needs) FROM schema_version")
    if version > newest and least > newest:
        raise ConfigurationError([f"the database has schema {version}; this version knows {newest}"])
