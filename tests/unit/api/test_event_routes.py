"""A stream ends when it may not go on: its key is revoked, its task deleted, its store gone."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.requests import Request

from aquatint.api.observed import ID
from aquatint.api.routes import events
from aquatint.api.routes.events import EventRoutes
from aquatint.domain.errors import NotFound, StoreUnavailable, Unauthenticated
from aquatint.services.story import Part


class Door:
    """Lets in so many times."""

    def __init__(self, times: int) -> None:
        self._left = times

    async def __call__(self, request: Request) -> object:
        self._left -= 1
        if self._left < 0:
            raise Unauthenticated
        return object()


async def pieces(door: Any, story: AsyncGenerator[Part, None]) -> list[bytes]:
    request = Request({"type": "http", "headers": [], ID: b"r-1"})
    unused: Any = None
    routes = EventRoutes(unused, unused, door, unused)
    return [piece async for piece in routes._pieces(request, story)]


async def silence(count: int, error: Exception | None = None) -> AsyncGenerator[Part, None]:
    for _ in range(count):
        yield None
    if error is not None:
        raise error


async def test_a_revoked_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at again and again, and what belongs to it is told no more."""
    monkeypatch.setattr(events, "RECHECK", -1.0)
    assert await pieces(Door(3), silence(100)) == [b"retry: 1000\n\n", *[b": \n\n"] * 3]


@pytest.mark.parametrize("error", [NotFound("task not found"), StoreUnavailable("no")])
async def test_a_story_that_breaks_off(error: Exception) -> None:
    """The stream just ends; its client comes back and is told why in the envelope."""
    assert await pieces(Door(9), silence(2, error)) == [b"retry: 1000\n\n", *[b": \n\n"] * 2]
