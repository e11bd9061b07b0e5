"""Both stores, each on a real database, and what only one of them needs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aquatint.store.base import Store
from aquatint.store.postgres.store import PostgresStore
from aquatint.store.sqlite.store import SqliteStore
from support.postgres import Postgres, apart


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "aquatint.db"


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """Name of a database with our tables and nobody connected: new ones are copied from it."""

    async def migrate(url: str) -> None:
        store = PostgresStore(url)
        await store.open()
        await store.close()

    url = postgres.database()
    apart(migrate(url))
    return url.rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres: Postgres, template: str) -> str:
    """A database of this test alone, with our tables."""
    return postgres.database(template)


@pytest.fixture(params=["sqlite", "postgresql"])
async def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    """Each store in turn: what a test says of one it says of the other."""
    opened: Store
    if request.param == "sqlite":
        opened = SqliteStore(request.getfixturevalue("path"))
    else:
        monkeypatch.setattr("aquatint.store.postgres.store.FRESH", -1.0)  # counts are read each time
        opened = PostgresStore(request.getfixturevalue("postgres_url"))
    await opened.open()
    yield opened
    await opened.close()
