"""Pictures: the bytes of a result, for answers that carry them."""

from __future__ import annotations

from aquatint.assets.base import AssetStore
from aquatint.domain.errors import Gone, NotFound
from aquatint.domain.task import ResultImage


class PictureService:
    def __init__(self, assets: AssetStore) -> None:
        self._assets = assets

    async def __call__(self, image: ResultImage) -> bytes:
        """Raises Gone once its bytes are not kept any more."""
        try:
            return await self._assets.read(image.digest)
        except NotFound:
            raise Gone("this picture has expired") from None
