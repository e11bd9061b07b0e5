"""Does a back-up restore? Tries it aside: `python tools/backup_restore_check.py BACKUP --assets FOLDER`.

BACKUP is a copy of aquatint.db, or a dump of `pg_dump --format=custom`; that one needs --scratch, the URL of an empty
database that the dump is restored into. Afterwards the scratch database can be dropped. Without --assets, the storage
of the settings in force is looked at (AQUATINT_ASSETS__URL and so on). What is looked at: this version of Aquatint
can open the database and migrate it; no task is half written; no hold is left open; every result and upload that a
living URL leads to is there, under its own digest. Exit codes: 0 nothing is wrong, 1 something is, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from aquatint import bootstrap, settings
from aquatint.assets.base import AssetStore
from aquatint.assets.disk import DiskAssets
from aquatint.bootstrap.parts import open_assets
from aquatint.domain.errors import AquatintError, NotFound
from aquatint.domain.task import TERMINAL, Result

Select = Callable[[str], Awaitable[list[tuple[object, ...]]]]
ENDED = ", ".join(f"'{status}'" for status in sorted(TERMINAL))
TABLES = ("task", "attempt", "event", "call", "delivery", "link", "ledger", "key")

# Each finds tasks or rows that no transaction of ours ever leaves behind.
WRONG = {
    "tasks that are finished without an end": f"SELECT id FROM task WHERE phase = 2 AND status NOT IN ({ENDED})",  # noqa: S608
    "tasks that ended and still wait or run": f"SELECT id FROM task WHERE phase < 2 AND status IN ({ENDED})",  # noqa: S608
    "tasks that succeeded without a result": "SELECT id FROM task WHERE status = 'SUCCESS' AND result IS NULL",
    "ended tasks without the callback that they owe": "SELECT id FROM task"
    " WHERE phase = 2 AND callback_url IS NOT NULL"
    " AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.task_no = task.no)",
    "tasks without an event": "SELECT id FROM task WHERE NOT EXISTS (SELECT 1 FROM event WHERE task_no = task.no)",
    "holds that an ended task has left open": "SELECT id FROM task JOIN ledger l ON l.task_no = task.no"
    " WHERE phase = 2 AND l.kind = 'hold' AND NOT EXISTS (SELECT 1 FROM ledger m WHERE m.task_no = task.no"
    " AND m.kind IN ('capture', 'release'))",
    "calls of tasks that are gone": "SELECT key FROM call"
    " WHERE NOT EXISTS (SELECT 1 FROM task WHERE no = call.task_no)",
}


async def look(select: Select, assets: AssetStore) -> list[str]:
    """Everything that is wrong with a restored database and its assets."""
    problems = []
    for table in TABLES:
        ((count,),) = await select(f"SELECT count(*) FROM {table}")  # noqa: S608  # a constant of ours
        print(f"{count:>10} {table}")
    for words, statement in WRONG.items():
        if found := await select(f"{statement} LIMIT 5"):
            problems.append(f"{words}: {', '.join(str(row[0]) for row in found)}")
    problems += await _results(select)
    problems += await _files(select, assets)
    return problems


async def _results(select: Select) -> list[str]:
    """Results that name a URL of which nothing is known."""
    known = {row[0] for row in await select("SELECT token FROM link")}
    lost = []
    for task, stored in await select("SELECT id, result FROM task WHERE status = 'SUCCESS'"):
        images = msgspec.json.decode(stored, type=Result).images if isinstance(stored, bytes) else ()
        if any(image.token not in known for image in images):
            lost.append(str(task))
    return [f"results without a URL: {', '.join(lost[:5])}"] if lost else []


async def _files(select: Select, assets: AssetStore) -> list[str]:
    """Living URLs whose bytes are missing or are others."""
    now = time.time_ns() // 1000
    living = await select(f"SELECT DISTINCT digest FROM link WHERE NOT expired AND expires_at > {now}")  # noqa: S608
    problems = []
    for (digest,) in living:
        try:
            data = await assets.read(str(digest))
        except NotFound:
            problems.append(f"a living URL leads to nothing: {digest}")
            continue
        if hashlib.sha256(data).hexdigest() != digest:
            problems.append(f"other bytes than its name says: {digest}")
    print(f"{len(living):>10} files behind living URLs, all read")
    return problems


async def of_sqlite(backup: Path, assets: AssetStore) -> list[str]:
    """Look at a copy, so that migrating it changes nothing of the back-up."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "aquatint.db"
        shutil.copy(backup, copy)
        await _open(f"sqlite:///{copy}")
        connection = sqlite3.connect(copy)
        connection.execute("PRAGMA query_only=ON")
        ((verdict,),) = connection.execute("PRAGMA integrity_check")
        problems = [] if verdict == "ok" else [f"SQLite finds the file damaged: {verdict}"]

        async def select(statement: str) -> list[tuple[object, ...]]:
            return connection.execute(statement).fetchall()

        try:
            return problems + await look(select, assets)
        finally:
            connection.close()


async def of_postgres(dump: Path, scratch: str, assets: AssetStore) -> list[str]:
    """Restore into the scratch database and look there. Raises SystemExit when it is not empty."""
    import asyncpg

    connection = await asyncpg.connect(scratch)
    try:
        if await connection.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"):
            raise SystemExit("the scratch database is not empty; nothing was touched")
        restore = ["pg_restore", "--no-owner", "--exit-on-error", f"--dbname={scratch}", str(dump)]
        done = subprocess.run(restore, capture_output=True, text=True, check=False)  # noqa: S603, ASYNC221
        if done.returncode:
            return [f"pg_restore: {done.stderr.strip()}"]
        await _open(scratch)

        async def select(statement: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in await connection.fetch(statement)]

        return await look(select, assets)
    finally:
        await connection.close()


async def _open(url: str) -> None:
    """As a server does at its start: with every migration that this version knows."""
    store = bootstrap.open_store(settings.load({"AQUATINT_DATABASE__URL": url}))
    await store.open()
    await store.close()


async def check(backup: Path, scratch: str, folder: Path | None) -> list[str]:
    assets = DiskAssets(folder) if folder is not None else open_assets(settings.load(os.environ))
    await assets.open()
    try:
        return await (of_postgres(backup, scratch, assets) if scratch else of_sqlite(backup, assets))
    finally:
        await assets.close()


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("backup", type=Path, help="a copy of aquatint.db, or a dump in pg_dump's custom format")
    options.add_argument(
        "--scratch", default="", metavar="URL", help="an empty database for a dump to be restored into"
    )
    options.add_argument("--assets", type=Path, metavar="FOLDER", help="the copy of the assets folder")
    given = options.parse_args()
    if not given.backup.is_file() or (given.assets is not None and not given.assets.is_dir()):
        options.error("the back-up or the folder of its assets is not there")
    dumped = given.backup.read_bytes()[:5] == b"PGDMP"
    if dumped != bool(given.scratch):
        options.error("a dump of PostgreSQL needs --scratch, a copy of SQLite none")
    try:
        problems = asyncio.run(check(given.backup, given.scratch, given.assets))
    except (AquatintError, OSError, sqlite3.Error) as error:
        problems = [f"it cannot be opened: {error}"]
    for problem in problems:
        print(f"WRONG: {problem}")
    if not problems:
        print("nothing is wrong with this back-up")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
