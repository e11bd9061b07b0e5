"""References: from what the caller named to clean bytes that an engine may see."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.domain.errors import InputRefused, NotFound, Unavailable
from aquatint.domain.task import Micros, Reference, StoredReference
from aquatint.engines.base import ReferenceImage
from aquatint.net.errors import BadUrl, BlockedAddress, FetchFailed, FetchTimedOut, TooManyBytes
from aquatint.net.http import HttpDoor
from aquatint.sandbox.errors import SandboxCrashed, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.images import IntakeLimits, clean_image
from aquatint.sandbox.pool import Sandbox
from aquatint.services.tools import Clock, PublicUrls
from aquatint.store.base import Store

AT_ONCE = 4  # downloads of one task side by side


@dataclass(frozen=True, slots=True)
class FetchRules:
    """Limits of one download; times in seconds."""

    max_bytes: int
    deadline: float
    attempts: int
    wait: float = 0.5  # before the second attempt; doubles


class ReferenceService:
    """Fetches through the guard, reads our own files directly, and cleans everything in the sandbox."""

    def __init__(
        self,
        door: HttpDoor,
        assets: AssetStore,
        store: Store,
        sandbox: Sandbox,
        intake: IntakeLimits,
        urls: PublicUrls,
        clock: Clock,
        rules: FetchRules,
    ) -> None:
        self._door = door
        self._assets = assets
        self._store = store
        self._sandbox = sandbox
        self._intake = intake
        self._urls = urls
        self._clock = clock
        self._rules = rules

    async def __call__(self, references: tuple[Reference, ...]) -> tuple[ReferenceImage, ...]:
        """All references in order.

        Raises InputRefused naming the item and the cause when another try cannot help, Unavailable otherwise.
        """
        room = asyncio.Semaphore(AT_ONCE)

        async def one(index: int, reference: Reference) -> ReferenceImage:
            async with room:
                return await self._one(f"input.imageUrls[{index}]", reference)

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(i, reference)) for i, reference in enumerate(references)]
        except* (InputRefused, Unavailable) as errors:
            raise errors.exceptions[0] from None
        return tuple(task.result() for task in tasks)

    async def _one(self, path: str, reference: Reference) -> ReferenceImage:
        data = await self._bytes(path, reference)
        try:
            clean = await clean_image(self._sandbox, data, self._intake)
        except SandboxRefused as error:
            raise InputRefused(f"{path}: {error}") from None
        except (SandboxCrashed, SandboxTimedOut):
            raise InputRefused(f"{path}: the image could not be decoded within its limits") from None
        return ReferenceImage(clean.data, clean.media_type, clean.width, clean.height)

    async def _bytes(self, path: str, reference: Reference) -> bytes:
        try:
            if isinstance(reference, StoredReference):
                return await self._assets.read(reference.digest)
            token = self._urls.token_of(reference.url)
            if token is not None:
                return await self._assets.read(self._living(token, self._clock.now()))
        except NotFound:
            raise InputRefused(f"{path}: this file is no longer kept here") from None
        return await self._fetch(path, reference.url)

    def _living(self, token: str, now: Micros) -> str:
        link = self._store.link(token)
        if link is None or link.expires_at <= now:
            raise NotFound("this file is no longer kept")
        return link.digest

    async def _fetch(self, path: str, url: str) -> bytes:
        wait = self._rules.wait
        for attempt in range(1, self._rules.attempts + 1):
            try:
                fetched = await self._door.fetch(url, max_bytes=self._rules.max_bytes, deadline=self._rules.deadline)
            except (BadUrl, BlockedAddress, TooManyBytes) as error:
                raise InputRefused(f"{path}: {error}") from None
            except FetchFailed as error:
                if error.permanent:
                    raise InputRefused(f"{path}: {error}") from None
                last = str(error)
            except FetchTimedOut as error:
                last = str(error)
            else:
                return fetched.data
            if attempt < self._rules.attempts:
                await asyncio.sleep(wait)
                wait *= 2
        raise Unavailable(f"{path}: {last}")
