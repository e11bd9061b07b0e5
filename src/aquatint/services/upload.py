"""Upload: keep a reference image and give it a URL that `imageUrls` understands."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.domain.errors import InvalidInput
from aquatint.domain.task import Micros
from aquatint.sandbox.errors import SandboxCrashed, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.images import IntakeLimits, clean_image
from aquatint.sandbox.pool import Sandbox
from aquatint.services.tools import SECOND, Clock, PublicUrls, new_token
from aquatint.store.base import Store
from aquatint.store.records import Link


@dataclass(frozen=True, slots=True)
class StoredFile:
    url: str
    media_type: str
    width: int
    height: int
    bytes: int
    expires_at: Micros


class UploadService:
    """`retention` is in seconds."""

    def __init__(
        self,
        store: Store,
        assets: AssetStore,
        sandbox: Sandbox,
        intake: IntakeLimits,
        urls: PublicUrls,
        clock: Clock,
        retention: float,
    ) -> None:
        self._store = store
        self._assets = assets
        self._sandbox = sandbox
        self._intake = intake
        self._urls = urls
        self._clock = clock
        self._retention = retention

    async def __call__(self, data: bytes) -> StoredFile:
        """Check, clean and store one image. Raises InvalidInput."""
        try:
            image = await clean_image(self._sandbox, data, self._intake)
        except SandboxRefused as error:
            raise InvalidInput("file", str(error)) from None
        except (SandboxCrashed, SandboxTimedOut):
            raise InvalidInput("file", "the image could not be decoded within its limits") from None
        digest = await self._assets.put(image.data)
        extension = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}[image.media_type]
        expires_at = self._clock.now() + int(self._retention * SECOND)
        link = Link(new_token(), f"image.{extension}", digest, image.media_type, len(image.data), expires_at)
        await self._store.add_link(link)
        return StoredFile(
            url=self._urls.file(link.token, link.name),
            media_type=image.media_type,
            width=image.width,
            height=image.height,
            bytes=link.bytes,
            expires_at=expires_at,
        )
