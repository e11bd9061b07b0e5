"""Looking into the database of a server under measurement, and setting it up, whichever it is."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import Any

from bench.postgres import Cluster
from bench.subjects import Aquatint, Site


async def rows(site: Site, sql: str) -> list[Any]:
    """What a query finds. The SQL must be one that both databases understand."""
    cluster, name = _where(site)
    if cluster is not None:
        return await cluster.run(sql, database=name)
    return await asyncio.to_thread(_sqlite, site, sql)


async def number(site: Site, sql: str) -> int:
    found = await rows(site, sql)
    return int(found[0][0] or 0)


async def write(site: Site, sql: str) -> None:
    """One statement, or several with semicolons."""
    cluster, name = _where(site)
    if cluster is not None:
        await cluster.run(sql, database=name)
        return
    with contextlib.closing(sqlite3.connect(_file(site), timeout=10)) as db:
        db.executescript(sql)


def _where(site: Site) -> tuple[Cluster | None, str]:
    subject = site.subject
    if not isinstance(subject, Aquatint) or subject.cluster is None:
        return None, ""
    return subject.cluster, subject.database or (site.folder / "database").read_text()


def _file(site: Site) -> str:
    return str(site.folder / "data" / "aquatint.db")


def _sqlite(site: Site, sql: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(_file(site), timeout=10)) as db:
        return db.execute(sql).fetchall()
