"""The port of engines that buy pictures from a provider: one paid call at a time, and how each of them ended.

A remote engine only translates: a job into the provider's request, the provider's answer into our words. It keeps
no state, repeats nothing, waits for nothing and sees no row: the journal of paid calls, limits, circuit breakers,
retries, polling, downloads and the decision to send anything again live in one place, services/buy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from aquatint.domain.errors import EngineError, Unavailable
from aquatint.domain.provider import ProviderLimits
from aquatint.engines.base import EngineSpec, GenerationJob


@dataclass(frozen=True, slots=True)
class Call:
    """One paid request: which images of the job it buys (indices from 0), and a name that is its alone.

    `key` is the same whenever this very call is sent, after a crash too; providers that know idempotency keys get it.
    """

    images: tuple[int, ...]
    key: str = ""
    callback_url: str | None = None  # where the provider may tell us that it is done; None: we only poll


@dataclass(frozen=True, slots=True)
class RemoteImage:
    """One image that the provider made: its bytes, or where it keeps them for now."""

    index: int  # which image of the job
    data: bytes | None = None
    url: str | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The provider has finished the call: at least one image, and an error for each that it did not make."""

    images: tuple[RemoteImage, ...]
    refusals: tuple[EngineError, ...] = ()
    request_id: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has taken the call as a job of its own. `handle` is all that `look` and `cancel` need.

    It is stored before anybody waits, so that a crash costs nothing: it may hold ids and URLs, never a key.
    """

    remote_id: str  # the provider's name for the job; its callbacks are recognised by it
    handle: Mapping[str, str]
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Working:
    """The job is not done. `progress` is 0..1 where the provider says it."""

    stage: str = ""
    progress: float | None = None


class AskAgain(Unavailable):
    """`look` did not learn how the job is doing; that says nothing about the job. `retry_after` may say when."""


@dataclass(frozen=True, slots=True)
class ReferenceLimits:
    """What the provider takes as a reference; what exceeds it is re-encoded by the house before the call."""

    max_bytes: int = 10_000_000
    media_types: tuple[str, ...] = ("image/jpeg", "image/png", "image/webp")
    max_pixels: int = 36_000_000
    min_side: int = 15  # pixels
    max_side: int = 100_000  # pixels
    max_aspect: float = 16.0  # longer side by shorter side


@dataclass(frozen=True, slots=True)
class RemoteSpec(EngineSpec):
    """What the house must know of a remote engine besides what it is."""

    account: str = ""  # names provider and key without showing the key; limits and circuits belong to it
    limits: ProviderLimits = field(default_factory=ProviderLimits)
    references: ReferenceLimits = field(default_factory=ReferenceLimits)
    exact_size: bool = True  # False: the provider chooses the pixels, and what it chose is reported
    resend_safe: bool = False  # the provider recognises Call.key, so that a repeated call is billed once
    call_seconds: float = 600.0  # how long one paid call may take until its answer, or until the job is taken
    trusted_origins: tuple[str, ...] = ()  # result URLs of these origins may be private: the operator named them
    calls_back: bool = False  # the provider can call Call.callback_url, and `verify` can tell a true call


Notify = Callable[[float, str], None]  # fraction of this call that is done (0..1) and a short stage name


@runtime_checkable
class RemoteEngine(Protocol):
    """Opened once, used concurrently, closed once.

    Whatever `send`, `look` and `cancel` raise is an EngineError. One that `send` raises with `charged` False means
    that this call was surely not billed; OutcomeUnknown is for everything else. Cancelling their asyncio task stops
    them at once.
    """

    @property
    def spec(self) -> RemoteSpec: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    def plan(self, job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        """Split the wanted images into paid calls: each tuple is bought by one.

        Raises InputRefused for whatever this provider cannot be told, before any money is spent.
        """
        ...

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        """Make the paid call, once."""
        ...

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        """Ask after a job that was taken; free of charge. Raises AskAgain, or the error that the job ended by."""
        ...

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        """Ask the provider to stop a job; True when it said that it will."""
        ...

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """The `remote_id` that a provider's callback speaks of, when its signature is true; else None.

        `headers` have lower-case names; `now` is seconds since 1970.
        """
        ...
