"""Keep: one image of an engine into our own storage, checked; nothing counts as made before that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.domain.call import KeptImage
from aquatint.domain.errors import Broken, StoreUnavailable, Unavailable
from aquatint.engines.base import GeneratedImage
from aquatint.net.errors import BadUrl, BlockedAddress, FetchFailed, FetchTimedOut, TooManyBytes
from aquatint.net.results import ResultDoor
from aquatint.sandbox.errors import SandboxCrashed, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.pool import Sandbox
from aquatint.sandbox.results import CheckedImage, ResultWish, check_result

MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp")
MAX_BYTES = 128 << 20  # one result; a 4k PNG has about 40 MB
FIRST_WAIT = 0.5  # seconds before the second download; doubles
LONGEST_WAIT = 8.0
_SOON = frozenset((403, 404))  # some stores answer so for a moment after the link was made
PUT_TRIES = 6  # to keep what was paid, while the storage refuses


class ResultWaits(Unavailable):
    """A paid result could not be fetched yet. It lies with the provider, so the task waits for it uncounted."""


@dataclass(frozen=True, slots=True)
class KeepRules:
    """`deadline` is for one download, in seconds."""

    attempts: int
    deadline: float


class KeepService:
    def __init__(self, assets: AssetStore, door: ResultDoor, sandbox: Sandbox, rules: KeepRules) -> None:
        self._assets = assets
        self._door = door
        self._sandbox = sandbox
        self._rules = rules

    async def own(self, index: int, image: GeneratedImage) -> KeptImage:
        """An image of an engine of this machine, which is trusted to say what it made. Raises Broken."""
        if image.media_type not in MEDIA_TYPES:
            raise Broken("the engine gave something that is no image", detail=image.media_type)
        digest = await self._assets.put(image.data)
        return KeptImage(index, digest, image.media_type, image.width, image.height, len(image.data), image.seed)

    async def bought(self, index: int, data: bytes, seed: int | None, wish: ResultWish) -> KeptImage:
        """Bytes of a provider.

        Raises Broken, charged, when they are no picture, and ResultWaits while there is no room to keep them.
        """
        try:
            checked = await self._check(data, wish)
        except SandboxRefused as error:
            raise _unusable(str(error)) from error
        except (SandboxCrashed, SandboxTimedOut) as error:
            raise _unusable("it could not be decoded within its limits") from error
        digest = await self._put(checked.data)
        return KeptImage(index, digest, checked.media_type, checked.width, checked.height, len(checked.data), seed)

    async def _check(self, data: bytes, wish: ResultWish) -> CheckedImage:
        try:
            return await check_result(self._sandbox, data, wish)
        except SandboxCrashed:
            # Once more: it is paid, and a worker may also die of something else than the picture.
            return await check_result(self._sandbox, data, wish)

    async def _put(self, data: bytes) -> str:
        wait = FIRST_WAIT
        for _ in range(PUT_TRIES - 1):
            try:
                return await self._assets.put(data)
            except (OSError, StoreUnavailable):
                await asyncio.sleep(wait)
                wait *= 2
        try:
            return await self._assets.put(data)
        except (OSError, StoreUnavailable) as error:
            raise ResultWaits("the result cannot be kept at the moment", detail=str(error)) from error

    async def fetch(self, url: str, trusted: tuple[str, ...]) -> bytes:
        """Download a result. Raises ResultWaits when another run may get it, Broken (charged) when none can.

        `trusted` are origins that the operator named himself; everything else must be public.
        """
        wait = FIRST_WAIT
        for attempt in range(1, self._rules.attempts + 1):
            last = attempt == self._rules.attempts
            try:
                return await self._door.fetch(url, trusted, max_bytes=MAX_BYTES, deadline=self._rules.deadline)
            except (BadUrl, BlockedAddress, TooManyBytes) as error:
                raise _gone(error.message) from error
            except FetchFailed as error:
                soon = error.status is None or error.status in _SOON
                if error.permanent and (last or not soon):
                    raise _gone(error.message) from error
                why = error.message
            except FetchTimedOut as error:
                why = error.message
            if not last:
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
        raise ResultWaits("the provider's result cannot be fetched at the moment", detail=why)


def _unusable(why: str) -> Broken:
    return Broken("the provider's result is no usable picture", detail=why, charged=True)


def _gone(why: str) -> Broken:
    return Broken("the provider's result can no longer be fetched", detail=why, charged=True)
