"""References: from what the caller named to clean bytes that an engine may see, each fetched once."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.domain.errors import InputRefused, NotFound, Unavailable
from aquatint.domain.task import Micros, Reference, StoredReference
from aquatint.engines.base import ReferenceImage
from aquatint.engines.remote import ReferenceLimits
from aquatint.net.errors import BadUrl, BlockedAddress, FetchFailed, FetchTimedOut, TooManyBytes
from aquatint.net.http import HttpDoor
from aquatint.sandbox.errors import SandboxCrashed, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.images import IntakeLimits, clean_image
from aquatint.sandbox.pool import Sandbox
from aquatint.sandbox.results import ReferenceBox, fit_reference
from aquatint.services.tools import ESCROW, SECOND, Clock, PublicUrls, new_token
from aquatint.store.base import Store
from aquatint.store.records import Escrowed, Link

AT_ONCE = 4  # downloads of one task side by side
MARGIN = 3600 * SECOND  # cleaned bytes outlive the last moment at which a task may take them


@dataclass(frozen=True, slots=True)
class FetchRules:
    """Limits of one download; times in seconds."""

    max_bytes: int
    deadline: float
    attempts: int
    wait: float = 0.5  # before the second attempt; doubles
    fresh: float = 600.0  # a URL fetched so recently is not fetched again
    keep: float = 604800.0  # how long the cleaned bytes live; longer than `fresh` and a task's run


class ReferenceUnavailable(Unavailable):
    """A reference's host does not give it at the moment; no other engine would get it either."""


class ReferenceService:
    """Fetches through the guard, reads our own files directly, and cleans everything in the sandbox.

    What was cleaned is stored by its digest. Whoever asks for the same source meanwhile waits for the same download,
    and whoever asks within its freshness takes what is there.
    """

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
        self._underway: dict[str, asyncio.Task[Escrowed]] = {}

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
        except* (InputRefused, ReferenceUnavailable) as errors:
            raise errors.exceptions[0] from None
        return tuple(task.result() for task in tasks)

    async def fitted(
        self, references: tuple[ReferenceImage, ...], limits: ReferenceLimits
    ) -> tuple[ReferenceImage, ...]:
        """The references as a provider takes them: written anew only where its limits ask for it.

        Raises InputRefused naming the item that cannot be made to fit.
        """
        return tuple([await self._fitted(i, reference, limits) for i, reference in enumerate(references)])

    async def _fitted(self, index: int, reference: ReferenceImage, limits: ReferenceLimits) -> ReferenceImage:
        width, height = reference.width, reference.height
        if (
            len(reference.data) <= limits.max_bytes
            and reference.media_type in limits.media_types
            and width * height <= limits.max_pixels
            and limits.min_side <= min(width, height)
            and max(width, height) <= min(limits.max_side, limits.max_aspect * min(width, height))
        ):
            return reference
        box = ReferenceBox(
            limits.max_bytes,
            limits.media_types,
            limits.max_pixels,
            limits.min_side,
            limits.max_side,
            limits.max_aspect,
        )
        try:
            fitted = await fit_reference(self._sandbox, reference.data, box)
        except (SandboxRefused, SandboxCrashed, SandboxTimedOut) as error:
            raise InputRefused(f"input.imageUrls[{index}]: {error}") from None
        return ReferenceImage(fitted.data, fitted.media_type, fitted.width, fitted.height)

    async def _one(self, path: str, reference: Reference) -> ReferenceImage:
        source = _source_of(reference)
        window = self._rules.keep if isinstance(reference, StoredReference) else self._rules.fresh
        found = await self._store.escrowed(source, self._clock.now() - int(window * SECOND))
        try:
            found = found or await self._taken_once(path, reference, source)
            return await self._read(found)
        except NotFound:
            pass  # its bytes are gone: a row alone must not keep anybody from fetching it again
        try:
            return await self._read(await self._taken_once(path, reference, source))
        except NotFound:
            raise ReferenceUnavailable(f"{path}: the stored image has just expired") from None

    async def _read(self, found: Escrowed) -> ReferenceImage:
        data = await self._assets.read(found.digest)
        return ReferenceImage(data, found.media_type, found.width, found.height)

    async def _taken_once(self, path: str, reference: Reference, source: str) -> Escrowed:
        """The cleaned reference, from the work that is under way for it or from new work."""
        work = self._underway.get(source)
        if work is None:
            work = asyncio.create_task(self._take(reference, source), name="reference")
            self._underway[source] = work
            work.add_done_callback(lambda done: self._taken(source, done))
        try:
            # Shielded: others may wait for the same download when this task is cancelled.
            return await asyncio.shield(work)
        except _Unusable as error:
            raise InputRefused(f"{path}: {error}") from None
        except _NotNow as error:
            raise ReferenceUnavailable(f"{path}: {error}") from None

    def _taken(self, source: str, work: asyncio.Task[Escrowed]) -> None:
        self._underway.pop(source, None)
        if not work.cancelled():
            work.exception()  # looked at, also when everybody who waited is gone

    async def _take(self, reference: Reference, source: str) -> Escrowed:
        data = await self._bytes(reference)
        try:
            clean = await clean_image(self._sandbox, data, self._intake)
        except SandboxRefused as error:
            raise _Unusable(str(error)) from None
        except (SandboxCrashed, SandboxTimedOut):
            raise _Unusable("the image could not be decoded within its limits") from None
        digest = await self._assets.put(clean.data)
        now = self._clock.now()
        found = Escrowed(digest, clean.media_type, clean.width, clean.height, len(clean.data), now)
        expires_at = now + int(self._rules.keep * SECOND) + MARGIN
        link = Link(new_token(), ESCROW, digest, clean.media_type, len(clean.data), expires_at)
        await self._store.escrow(source, found, link)
        return found

    async def _bytes(self, reference: Reference) -> bytes:
        try:
            if isinstance(reference, StoredReference):
                return await self._assets.read(reference.digest)
            token = self._urls.token_of(reference.url)
            if token is not None:
                return await self._assets.read(await self._living(token, self._clock.now()))
        except NotFound:
            raise _Unusable("this file is no longer kept here") from None
        return await self._fetch(reference.url)

    async def _living(self, token: str, now: Micros) -> str:
        link = await self._store.link(token)
        if link is None or link.expires_at <= now:
            raise NotFound("this file is no longer kept")
        return link.digest

    async def _fetch(self, url: str) -> bytes:
        wait = self._rules.wait
        started = self._clock.now()
        for attempt in range(1, self._rules.attempts + 1):
            try:
                fetched = await self._door.fetch(url, max_bytes=self._rules.max_bytes, deadline=self._rules.deadline)
            except (BadUrl, BlockedAddress, TooManyBytes) as error:
                raise _Unusable(str(error)) from None
            except FetchFailed as error:
                if error.permanent:
                    raise _Unusable(str(error)) from None
                last = str(error)
            except FetchTimedOut as error:
                last = str(error)
            else:
                return fetched.data
            if attempt < self._rules.attempts:
                await asyncio.sleep(wait)
                wait *= 2
        took = (self._clock.now() - started) / SECOND
        raise _NotNow(f"{last} ({self._rules.attempts} tries in {took:.0f} s)")


class _Unusable(Exception):
    """No further try can make a picture of it."""


class _NotNow(Exception):
    """Its host does not give it at the moment."""


def _source_of(reference: Reference) -> str:
    text = f"stored:{reference.digest}" if isinstance(reference, StoredReference) else f"url:{reference.url}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
