"""Files: where the bytes behind a public URL are, while it lives."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.domain.errors import Gone, NotFound
from aquatint.services.tools import PRIVATE_LINKS, Clock
from aquatint.store.base import Store


@dataclass(frozen=True, slots=True)
class LocalFile:
    path: str
    media_type: str


class FileService:
    def __init__(self, store: Store, assets: AssetStore, clock: Clock) -> None:
        self._store = store
        self._assets = assets
        self._clock = clock

    async def __call__(self, token: str, name: str) -> LocalFile:
        """The file behind a URL's token and name. Raises NotFound, or Gone once it has expired."""
        link = await self._store.link(token)
        if link is None or link.name != name or link.name in PRIVATE_LINKS:
            raise NotFound("there is no such file")
        path = self._assets.path(link.digest) if link.expires_at > self._clock.now() else None
        if path is None:
            raise Gone("this file has expired")
        return LocalFile(path, link.media_type)
