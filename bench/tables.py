"""Fills a database with finished tasks by copying one that a real server has finished, row by row in every table.

What must differ between tasks is made anew: numbers, ids, keys, tokens, digests, times. The rest is what the server
wrote, column by column, so that copies stay like real rows when the schema changes. All of it is made in the order
of the indexes, which is quick; later rows fall among these as they would among real ones.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.postgres import Cluster

STEP = 10_000  # microseconds between two tasks
CHUNK = 50_000  # tasks of one statement
ALPHABET = (
    "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"  # of tokens, in the order of their bytes
)
SPREAD = 64**3
TIMES = (
    *("not_before", "deadline_at", "start_by", "created_at", "updated_at", "started_at", "finished_at", "due_at"),
    *("at", "expires_at"),
)

# How the rows of the one finished task are found, in the order in which they are copied.
SEEDS: Mapping[str, str] = {
    "task": "phase = 2",
    "attempt": "task_no = (SELECT no FROM task)",
    "event": "task_no = (SELECT no FROM task)",
    "idempotency": "task_id = (SELECT id FROM task)",
    "delivery": "task_no = (SELECT no FROM task)",
    "delivery_attempt": "delivery_no = (SELECT no FROM delivery)",
    "link": "name <> ''",
}


@dataclass(frozen=True, slots=True)
class Words:
    """The same thing in the words of either database."""

    series: str  # numbers from {first} to {last} as s(n)
    hex: str  # {width} hexadecimal digits of {number}


SQLITE = Words(
    "(WITH RECURSIVE c(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM c WHERE n < {last}) SELECT n FROM c) s",
    "printf('%0{width}x', {number})",
)
POSTGRES = Words(
    "generate_series({first}::bigint, {last}::bigint) s(n)",
    "lpad(to_hex(({number})::bigint), {width}, '0')",
)


@dataclass(frozen=True, slots=True)
class Seed:
    """What is known of the one task that is copied."""

    created_at: int
    columns: Mapping[str, Sequence[str]]  # by table
    rows: Mapping[str, int]  # how many rows it has, by table
    top: Mapping[str, int]  # the highest number that is taken, by table
    expires_at: int  # of its link


@dataclass(frozen=True, slots=True)
class Marks:
    """Where the copies end: whatever is above came later."""

    task: int
    event: int
    promise: int
    delivery: int
    expires_at: int

    def forget(self) -> str:
        """SQL that takes away whatever came later."""
        return (
            f"DELETE FROM delivery_attempt WHERE delivery_no > {self.delivery};"
            f"DELETE FROM delivery WHERE no > {self.delivery};"
            f"DELETE FROM idempotency WHERE no > {self.promise};"
            f"DELETE FROM event WHERE id > {self.event};"
            f"DELETE FROM attempt WHERE task_no > {self.task};"
            f"DELETE FROM link WHERE expires_at > {self.expires_at};"
            f"DELETE FROM task WHERE no > {self.task};"
        )


class Copier:
    """The SQL of `total` copies; the last of them is as old as the seed, the others are older."""

    def __init__(self, words: Words, seed: Seed, total: int) -> None:
        self._words = words
        self._seed = seed
        self._total = total
        self._shift = f"((s.n - {total}) * {STEP})"

    def seeds(self) -> list[str]:
        """Statements that lay the seed's rows aside, for this connection."""
        return [
            f"CREATE TEMP TABLE seed_{table} AS SELECT *, row_number() OVER () AS rank FROM {table} WHERE {where}"
            for table, where in SEEDS.items()
        ]

    def copies(self) -> Iterator[str]:
        for table in SEEDS:
            for first in range(1, self._total + 1, CHUNK):
                yield self._copy(table, first, min(self._total, first + CHUNK - 1))

    def marks(self) -> Marks:
        top, rows = self._seed.top, self._seed.rows
        return Marks(
            top["task"] + self._total,
            top["event"] + self._total * rows["event"],
            top["idempotency"] + self._total,
            top["delivery"] + self._total,
            self._seed.expires_at,
        )

    def _copy(self, table: str, first: int, last: int) -> str:
        columns = self._seed.columns[table]
        made = self._made(table)
        values = [
            made.get(column) or (f"t.{column} + {self._shift}" if column in TIMES else f"t.{column}")
            for column in columns
        ]
        numbers = self._words.series.format(first=first, last=last)
        names = ", ".join(columns)
        return f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} FROM {numbers} CROSS JOIN seed_{table} t"

    def _made(self, table: str) -> Mapping[str, str]:
        """What is not as in the seed."""
        top, rows = self._seed.top, self._seed.rows
        task, delivery = f"{top['task']} + s.n", f"{top['delivery']} + s.n"
        return {
            "task": {"no": task, "id": self._uuid("a")},
            "attempt": {"task_no": task},
            "event": {"id": f"{top['event']} + (s.n - 1) * {rows['event']} + t.rank", "task_no": task},
            "idempotency": {
                "no": f"{top['idempotency']} + s.n",
                "key": f"'grown-' || {self._hex(10, 's.n')}",
                "task_id": self._uuid("a"),
            },
            "delivery": {"no": delivery, "id": self._uuid("b"), "task_no": task},
            "delivery_attempt": {"delivery_no": delivery},
            "link": {"token": self._token(), "digest": self._digest()},
        }[table]

    def _hex(self, width: int, number: str) -> str:
        return self._words.hex.format(width=width, number=number)

    def _uuid(self, mark: str) -> str:
        """A UUID of version 7 of the time at which the copy was made."""
        time = self._hex(12, f"({self._seed.created_at} + {self._shift}) / 1000")
        return f"substr({time}, 1, 8) || '-' || substr({time}, 9, 4) || '-7{mark}00-8000-' || {self._hex(12, 's.n')}"

    def _token(self) -> str:
        """Its first letters run evenly through all that there are."""
        place = f"(s.n * {SPREAD - 1} / {self._total})"
        letters = [f"substr('{ALPHABET}', ({place} / {64**power} % 64 + 1)::int, 1)" for power in (2, 1, 0)]
        if self._words is SQLITE:
            letters = [letter.replace("::int", "") for letter in letters]
        return " || ".join([*letters, self._hex(12, "s.n"), "'_copied'"])

    def _digest(self) -> str:
        return f"{self._hex(8, f's.n * {2**32 - 1} / {self._total}')} || {self._hex(12, 's.n')} || '{'c0' * 22}'"


NUMBERED = {"task": "no", "event": "id", "idempotency": "no", "delivery": "no"}


def fill_sqlite(file: Path, total: int) -> Marks:
    """Fill the database of a server that is not running."""
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as db:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
            db.execute(f"PRAGMA {pragma}")
        columns = {t: [row[1] for row in db.execute(f"PRAGMA table_info({t})")] for t in SEEDS}
        copier = Copier(SQLITE, _sqlite_seed(db, columns), total)
        for statement in (*copier.seeds(), "BEGIN", *copier.copies(), "COMMIT", "PRAGMA journal_mode=WAL"):
            db.execute(statement)
        return copier.marks()


def _sqlite_seed(db: sqlite3.Connection, columns: Mapping[str, Sequence[str]]) -> Seed:
    def one(sql: str) -> Any:
        return db.execute(sql).fetchone()[0]

    return Seed(
        one("SELECT created_at FROM task"),
        columns,
        {table: one(f"SELECT count(*) FROM {table} WHERE {where}") for table, where in SEEDS.items()},
        {table: one(f"SELECT max({column}) FROM {table}") for table, column in NUMBERED.items()},
        one("SELECT max(expires_at) FROM link"),
    )


async def fill_postgres(cluster: Cluster, database: str, total: int) -> Marks:
    """Fill a database that nobody uses. Indexes that can be made afterwards are; that is twice as quick."""
    for setting in ("max_wal_size = '4GB'", "autovacuum = off"):
        await cluster.run(f"ALTER SYSTEM SET {setting}")
    await cluster.run("SELECT pg_reload_conf()")
    try:
        return await _fill_postgres(cluster, database, total)
    finally:
        await cluster.run("ALTER SYSTEM RESET ALL")
        await cluster.run("SELECT pg_reload_conf()")


async def _fill_postgres(cluster: Cluster, database: str, total: int) -> Marks:
    async with cluster.connection(database) as db:
        columns: dict[str, list[str]] = {table: [] for table in SEEDS}
        for row in await db.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            " AND table_name = ANY($1) ORDER BY ordinal_position",
            list(SEEDS),
        ):
            columns[row[0]].append(row[1])
        seed = Seed(
            await db.fetchval("SELECT created_at FROM task"),
            columns,
            {table: await db.fetchval(f"SELECT count(*) FROM {table} WHERE {w}") for table, w in SEEDS.items()},
            {table: await db.fetchval(f"SELECT max({column}) FROM {table}") for table, column in NUMBERED.items()},
            await db.fetchval("SELECT max(expires_at) FROM link"),
        )
        copier = Copier(POSTGRES, seed, total)
        indexes = await db.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = ANY($1)"
            " AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            list(SEEDS),
        )
        for setting in ("synchronous_commit = off", "maintenance_work_mem = '512MB'"):
            await db.execute(f"SET {setting}")
        drops, makes = [f"DROP INDEX {index[0]}" for index in indexes], [index[1] for index in indexes]
        for statement in (*copier.seeds(), *drops, *copier.copies(), *makes):
            await db.execute(statement)
        for table, column in NUMBERED.items():
            await db.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', '{column}'), (SELECT max({column}) FROM {table}))"
            )
    await settle_postgres(cluster, database)
    return copier.marks()


async def settle_postgres(cluster: Cluster, database: str) -> None:
    """What autovacuum would have done by and by, so that it does not do it while something is measured."""
    async with cluster.connection(database) as db:
        await db.execute("VACUUM (ANALYZE)")
        await db.execute("CHECKPOINT")
