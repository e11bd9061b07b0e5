"""One sandbox for all tests of this folder, and parts that live as long as a test. All share the session's loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from scripted_remote import FileServer, ScriptedRemote, Shop, keep_of, open_door, opened_store, shop_of

from aquatint.assets.disk import DiskAssets
from aquatint.net.http import HttpDoor
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.services import keep, track
from aquatint.store.sqlite.store import SqliteStore

WARM = ("aquatint.sandbox.refit", "aquatint.sandbox.intake")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sandbox() -> AsyncIterator[Sandbox]:
    opened = Sandbox(1, Limits(address_space=3 << 29, cpu_seconds=10), warm=WARM)
    await opened.open()
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def shared_store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = await opened_store(tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
def assets(tmp_path: Path) -> DiskAssets:
    return DiskAssets(tmp_path / "assets")


@pytest_asyncio.fixture(loop_scope="session")
async def door() -> AsyncIterator[HttpDoor]:
    """It may reach the loopback."""
    async with open_door("127.0.0.0/8") as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def files() -> AsyncIterator[FileServer]:
    async with FileServer.serving() as server:
        yield server


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions after jobs and second downloads come soon."""
    monkeypatch.setattr(track, "SHORTEST", 0.01)
    monkeypatch.setattr(keep, "FIRST_WAIT", 0.01)


@pytest.fixture
def open_shop(
    quick: None, shared_store: SqliteStore, assets: DiskAssets, door: HttpDoor, sandbox: Sandbox
) -> Callable[..., Shop]:
    """`open_shop(resend_safe=True)`: a shop whose provider is described so."""

    def make(**spec: Any) -> Shop:
        return shop_of(shared_store, assets, keep_of(assets, door, sandbox), ScriptedRemote(**spec))

    return make
