"""Receivers of callbacks that do not answer as they should, each on a loopback address of its own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.procs import free_port

KINDS = ("hangs", "refuses", "fails", "slow")
SLOW_SECONDS = 5.0
FAILED = b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Dead:
    """One of them. They share a port, so `host` is what tells them apart."""

    kind: str
    host: str
    port: int


class _Call(asyncio.Protocol):
    """A connection that reads, and answers by its kind."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if b"POST " not in data:
            return  # the rest of a request whose head came before
        if self._kind == "fails":
            self._answer(FAILED)
        elif self._kind == "slow":
            asyncio.get_running_loop().call_later(SLOW_SECONDS, self._answer, OK)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)  # type: ignore[attr-defined]  # uvloop's only looks like one


@asynccontextmanager
async def dead_receivers(count: int) -> AsyncIterator[Sequence[Dead]]:
    """So many of them, of each kind as many; of those that refuse nobody listens."""
    loop = asyncio.get_running_loop()
    port = free_port()
    made, servers = [], []
    for index, kind in zip(range(count), itertools.cycle(KINDS)):
        dead = Dead(kind, f"127.0.{1 + index // 250}.{1 + index % 250}", port)
        made.append(dead)
        if kind != "refuses":
            servers.append(await loop.create_server(lambda kind=kind: _Call(kind), dead.host, port, backlog=256))
    try:
        yield made
    finally:
        for server in servers:
            server.close()
