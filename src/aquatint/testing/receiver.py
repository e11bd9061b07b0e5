"""A small real HTTP server that receives webhooks: for tests, the demo and people who try things out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

MAX_LETTER_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. Header names are lower-case; `at` is the event loop's clock in seconds."""

    method: str
    path: str  # path and query, byte for byte
    headers: Mapping[str, str]
    body: bytes
    at: float

    def json(self) -> object:
        """The parsed body. Raises ValueError."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the receiver says, after `delay` seconds."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay: float = 0.0


class WebhookReceiver:
    """Listens on a free port of the loopback while its `async with` block lasts.

    `answer` decides each answer from the request and may be replaced at any time:
    `receiver.answer = lambda letter: Answer(status=503)`.
    """

    def __init__(
        self, answer: Callable[[Received], Answer] | None = None, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.answer: Callable[[Received], Answer] = answer or (lambda _: Answer())
        self.letters: list[Received] = []
        self._host = host
        self._port = port
        self._runner: web.ServerRunner | None = None
        self._arrived = asyncio.Condition()

    @property
    def origin(self) -> str:
        """Such as `http://127.0.0.1:40123`, without a slash at the end."""
        return f"http://{self._host}:{self._port}"

    @property
    def url(self) -> str:
        """A callback URL that leads here."""
        return f"{self.origin}/hook"

    async def wait_for(self, count: int, timeout: float = 10.0) -> list[Received]:
        """Wait until `count` letters have arrived in all and return them. Raises TimeoutError."""
        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(lambda: len(self.letters) >= count)
        return list(self.letters)

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._receive), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=1024)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        letter = Received(
            request.method,
            request.raw_path if isinstance(request, web.Request) else request.path_qs,
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
            asyncio.get_running_loop().time(),
        )
        answer = self.answer(letter)
        async with self._arrived:
            self.letters.append(letter)
            self._arrived.notify_all()
        if answer.delay:
            await asyncio.sleep(answer.delay)
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
