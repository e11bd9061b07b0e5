"""Thumbs: a small picture of a result or an upload, made once and kept as long as the large one."""

from __future__ import annotations

import asyncio
import hashlib

import msgspec

from aquatint.assets.base import AssetStore
from aquatint.sandbox.errors import SandboxCrashed, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.pool import Sandbox
from aquatint.sandbox.thumbs import MEDIA_TYPE, SECONDS, SHRINK, ThumbRequest
from aquatint.services.files import FileService, FoundFile
from aquatint.services.tools import ESCROW, Clock, new_token
from aquatint.store.base import Store
from aquatint.store.records import Escrowed, Link

WIDTHS = (640, 1280)  # few, so that nobody makes the server fill its disk with others
AT_ONCE = 2  # the painters use the same processes


class ThumbService:
    """Kept in the table of cleaned references, which says where the bytes that came from others are."""

    def __init__(self, files: FileService, store: Store, assets: AssetStore, sandbox: Sandbox, clock: Clock) -> None:
        self._files = files
        self._store = store
        self._assets = assets
        self._sandbox = sandbox
        self._clock = clock
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, token: str, name: str, width: int) -> FoundFile:
        """The file itself where it cannot be made smaller. Raises NotFound, Gone."""
        large = await self._files(token, name)
        source = hashlib.sha256(f"thumb {width} {large.digest}".encode()).hexdigest()
        small = await self._known(source)
        if small is None:
            async with self._turns:
                small = await self._known(source) or await self._make(source, large, width)
        if small is None:
            return large
        return FoundFile(
            small.digest, small.media_type, small.bytes, large.expires_at, self._assets.path(small.digest)
        )

    async def _known(self, source: str) -> Escrowed | None:
        found = await self._store.escrowed(source, 0)
        # Its bytes live as long as a link to them, which ends with the picture that was asked for first.
        return found if found is not None and not await self._store.unclaimed([found.digest]) else None

    async def _make(self, source: str, large: FoundFile, width: int) -> Escrowed | None:
        try:
            data = await self._bytes(large)
            request = msgspec.msgpack.encode(ThumbRequest(data, width))
            made = await self._sandbox.run(SHRINK, request, wall_limit=SECONDS)
        except (SandboxRefused, SandboxCrashed, SandboxTimedOut):
            return None
        digest = await self._assets.put(made)
        small = Escrowed(digest, MEDIA_TYPE, width, 0, len(made), self._clock.now())
        link = Link(new_token(), ESCROW, digest, MEDIA_TYPE, len(made), large.expires_at)
        await self._store.escrow(source, small, link)
        return small

    async def _bytes(self, large: FoundFile) -> bytes:
        return b"".join([piece async for piece in await self._files.pieces(large)])
