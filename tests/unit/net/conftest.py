"""Doors for the tests: one that may reach the loopback, one as it is by default."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from aquatint.net.guard import GuardPolicy
from aquatint.net.http import DoorLimits, HttpDoor


@pytest.fixture
async def door() -> AsyncIterator[HttpDoor]:
    door = HttpDoor(GuardPolicy.from_cidrs(["127.0.0.0/8"]), limits=DoorLimits(silent_seconds=0.5, connect_seconds=2))
    await door.open()
    yield door
    await door.close()


@pytest.fixture
async def closed_door() -> AsyncIterator[HttpDoor]:
    """Nothing private is allowed."""
    door = HttpDoor(GuardPolicy(), limits=DoorLimits(connect_seconds=2))
    await door.open()
    yield door
    await door.close()
