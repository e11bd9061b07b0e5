"""Files: where the bytes behind a public URL are, while it lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.domain.errors import Gone, NotFound
from aquatint.domain.task import Micros
from aquatint.services.tools import PRIVATE_LINKS, Clock
from aquatint.store.base import Store


@dataclass(frozen=True, slots=True)
class FoundFile:
    """Where the bytes are: in a local file, at another address, or (neither) with the asset store."""

    digest: str
    media_type: str
    bytes: int
    expires_at: Micros
    path: str | None = None
    elsewhere: str | None = None


class FileService:
    def __init__(self, store: Store, assets: AssetStore, clock: Clock) -> None:
        self._store = store
        self._assets = assets
        self._clock = clock

    async def __call__(self, token: str, name: str) -> FoundFile:
        """The file behind a URL's token and name. Raises NotFound, or Gone once it has expired."""
        link = await self._store.link(token)
        if link is None or link.name != name or link.name in PRIVATE_LINKS:
            raise NotFound("there is no such file")
        if link.expires_at <= self._clock.now():
            raise Gone("this file has expired")
        path = self._assets.path(link.digest)
        elsewhere = await self._assets.link(link.digest) if path is None else None
        return FoundFile(link.digest, link.media_type, link.bytes, link.expires_at, path, elsewhere)

    async def pieces(self, file: FoundFile) -> AsyncIterator[bytes]:
        """The bytes of a file that is with the asset store. Raises Gone."""
        try:
            return await self._assets.stream(file.digest)
        except NotFound:
            raise Gone("this file has expired") from None
