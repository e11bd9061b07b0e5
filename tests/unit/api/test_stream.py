"""A response that goes on ends by itself, with its client, or when its client does not read; then it lets go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, MutableMapping
from typing import Any

import pytest

from aquatint.api import stream
from aquatint.api.observed import ID
from aquatint.api.stream import EventStream

Message = MutableMapping[str, Any]


class Caller:
    """What a server gives an application: it stops reading after so many messages, and leaves when told to."""

    def __init__(self, method: str = "GET", reads: int = 10**6) -> None:
        self.scope: Message = {"type": "http", "method": method, "path": "/", ID: b"r-1"}
        self.sent: list[Message] = []
        self.left = asyncio.Event()
        self._reads = reads

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if len(self.sent) >= self._reads:
            await asyncio.Event().wait()
        self.sent.append(message)


class Source:
    """Pieces, and whether they were let go."""

    def __init__(self, count: int | None = None) -> None:
        self._count = count
        self.closed = False
        self.leaves = 0

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        number = 0
        try:
            while self._count is None or number < self._count:
                yield b"%d\n" % number
                number += 1
                await asyncio.sleep(0.001)
        finally:
            self.closed = True

    def leave(self) -> None:
        self.leaves += 1

    async def serve(self, caller: Caller) -> None:
        async with asyncio.timeout(5):
            await EventStream(self.pieces(), self.leave)(caller.scope, caller.receive, caller.send)


async def test_to_the_end() -> None:
    """All pieces, then a proper end; nothing says how long it is."""
    caller, source = Caller(), Source(3)
    await source.serve(caller)
    assert [message.get("body") for message in caller.sent] == [None, b"0\n", b"1\n", b"2\n", b""]
    assert [message.get("more_body", False) for message in caller.sent[1:]] == [True, True, True, False]
    headers = dict(caller.sent[0]["headers"])
    assert headers[b"content-type"] == b"text/event-stream"
    assert headers[b"cache-control"] == b"no-store"
    assert b"content-length" not in headers
    assert (source.closed, source.leaves) == (True, 1)


async def test_a_client_that_leaves() -> None:
    """Nothing stays behind."""
    caller, source = Caller(), Source()
    serving = asyncio.create_task(source.serve(caller))
    await asyncio.sleep(0.05)
    caller.left.set()
    await serving
    assert (source.closed, source.leaves) == (True, 1)


async def test_a_client_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while it is cut off: no proper end, so that nobody takes what came for all there is."""
    monkeypatch.setattr(stream, "PATIENCE", 0.05)
    caller, source = Caller(reads=5), Source()
    await source.serve(caller)
    assert len(caller.sent) == 5
    assert all(message["more_body"] for message in caller.sent[1:])
    assert (source.closed, source.leaves) == (True, 1)


async def test_a_server_that_ends() -> None:
    """When the task is cancelled, it lets go as well."""
    caller, source = Caller(), Source()
    serving = asyncio.create_task(source.serve(caller))
    await asyncio.sleep(0.05)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert (source.closed, source.leaves) == (True, 1)


async def test_a_source_that_breaks() -> None:
    """The error goes to whoever serves, as any other."""

    async def broken() -> AsyncGenerator[bytes, None]:
        yield b"0"
        raise ZeroDivisionError

    caller, source = Caller(), Source()
    with pytest.raises(ZeroDivisionError):
        await EventStream(broken(), source.leave)(caller.scope, caller.receive, caller.send)
    assert source.leaves == 1


async def test_head() -> None:
    """Only the head, at once."""
    caller, source = Caller("HEAD"), Source()
    await source.serve(caller)
    assert [message["type"] for message in caller.sent] == ["http.response.start", "http.response.body"]
    assert source.leaves == 1
