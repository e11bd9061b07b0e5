"""Keep-alive connections that send prebuilt requests one at a time, and the receiver of callbacks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Self, cast

import httptools

HOST = "127.0.0.1"
SIGNATURE = b"webhook-signature:"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
now = time.perf_counter

OnAnswer = Callable[["Lane", int, bytes], None]


class Lane(asyncio.Protocol):
    """One connection. `answered(lane, status, body)` is called for each answer; status 0: the connection broke.

    No futures, no tasks, no queues: the generator shares its cores with the server under measurement.
    """

    __slots__ = ("_body", "_parser", "_raw", "_transport", "answered", "n", "port", "sent_at")

    def __init__(self, port: int, answered: OnAnswer) -> None:
        self.port = port
        self.answered = answered
        self.n = 0  # number of the request under way
        self.sent_at = 0.0
        self._transport: asyncio.Transport | None = None
        self._raw: bytes | None = None  # what waits for its answer

    async def open(self) -> Self:
        await asyncio.get_running_loop().create_connection(lambda: self, HOST, self.port)
        return self

    def close(self) -> None:
        self.answered = _nobody
        if self._transport is not None:
            self._transport.close()

    def send(self, raw: bytes, n: int) -> None:
        """Send; a connection that the server closed is opened again first, and that time counts."""
        self.n, self._raw, self.sent_at = n, raw, now()
        if self._transport is None:
            asyncio.get_running_loop().create_task(self._reopen())
        else:
            self._transport.write(raw)

    async def _reopen(self) -> None:
        try:
            await self.open()
        except OSError:
            self._end(0, b"")
            return
        if self._transport is not None and self._raw is not None:
            self._transport.write(self._raw)

    def _end(self, status: int, body: bytes) -> None:
        if self._raw is not None:
            self._raw = None
            self.answered(self, status, body)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's only looks like one
        self._parser, self._body = httptools.HttpResponseParser(self), b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        status, body = self._parser.get_status_code(), self._body
        self._body = b""
        if not self._parser.should_keep_alive() and self._transport is not None:
            self._transport.close()
            self._transport = None
        self._end(status, body)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._end(0, b"")


def _nobody(lane: Lane, status: int, body: bytes) -> None:
    """Where answers go that nobody waits for any more."""


class Receiver:
    """Answers 200 to POST /h/<n> and remembers when the first call of each n came."""

    def __init__(self) -> None:
        self.arrived: dict[int, float] = {}
        self.twice = 0
        self.unsigned = 0
        self.listener: Callable[[int], None] | None = None
        self.reader: Callable[[int, bytes], None] | None = None  # is given the first body of each n
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Call(self), HOST, 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def forget(self) -> None:
        """Start the next measure with nothing remembered."""
        self.arrived, self.twice, self.unsigned, self.listener = {}, 0, 0, None

    def came(self, url: bytes, signed: bool, body: bytes) -> None:
        n = int(url.rsplit(b"/", 1)[1])
        if not signed:
            self.unsigned += 1
        if n in self.arrived:
            self.twice += 1
            return
        self.arrived[n] = now()
        if self.reader is not None:
            self.reader(n, body)
        if self.listener is not None:
            self.listener(n)


class _Call(asyncio.Protocol):
    """One connection of a server that calls back."""

    __slots__ = ("_body", "_parser", "_receiver", "_signed", "_transport", "_url")

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._signed = False
        self._url = self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's only looks like one
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        if SIGNATURE in data or SIGNATURE in data.lower():
            self._signed = True
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        url, signed, body = self._url, self._signed, self._body
        self._url, self._signed, self._body = b"", False, b""
        self._transport.write(OK)
        if not self._parser.should_keep_alive():
            self._transport.close()
        self._receiver.came(url, signed, body)
