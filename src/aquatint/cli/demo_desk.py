"""The demo's desk: a small local server that hands out the photograph and takes the callback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import web

LARGEST_LETTER = 1 << 20  # bytes of a callback


@dataclass(frozen=True, slots=True)
class Letter:
    """One callback as it came."""

    envelope: dict[str, Any]
    signed: bool  # its Standard Webhooks signature holds


class Desk:
    """Listens on a free port of the loopback while its `async with` block lasts."""

    def __init__(self, photo: Path) -> None:
        self.secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self._photo = photo
        self._letters: asyncio.Queue[Letter] = asyncio.Queue()
        self._runner: web.AppRunner | None = None
        self._origin = ""

    @property
    def photo_url(self) -> str:
        return f"{self._origin}/{self._photo.name}"

    @property
    def callback_url(self) -> str:
        return f"{self._origin}/callback"

    async def letter(self, timeout: float) -> Letter:
        """The next callback. Raises TimeoutError."""
        async with asyncio.timeout(timeout):
            return await self._letters.get()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=LARGEST_LETTER)
        app.router.add_get(f"/{self._photo.name}", self._hand_out)
        app.router.add_post("/callback", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _hand_out(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._photo)

    async def _take(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        headers = request.headers
        signed = f"{headers.get('webhook-id', '')}.{headers.get('webhook-timestamp', '')}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        genuine = hmac.compare_digest(expected, headers.get("webhook-signature", ""))
        self._letters.put_nowait(Letter(json.loads(body), genuine))
        return web.Response(text="thank you")
