"""The engine port: what an engine receives, what it gives back, and how it says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from aquatint.sandbox.pool import Sandbox

Mode = Literal["text_to_image", "image_to_image"]

# Called with the fraction done of the whole job (0..1) and a short stage name. Must be cheap; never raises.
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class ReferenceImage:
    """One reference, already fetched, checked, oriented and free of metadata. sRGB."""

    data: bytes
    media_type: str  # image/jpeg, image/png or image/webp
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class GenerationJob:
    """Everything an engine may know about a task: plain values and bytes, no key, no URL of ours, no row."""

    model: str  # public model name, such as seedream-4.5
    remote_model: str  # what the route calls it on the engine's side; may be empty
    mode: Mode
    prompt: str
    references: tuple[ReferenceImage, ...]
    width: int  # pixels that every image must have
    height: int
    ratio: str | None  # such as 16:9; None: the caller left it to the references. width and height hold either way
    resolution: str  # the tier that width and height belong to, such as 2k
    count: int  # images wanted, >= 1
    seed: int | None  # None: the engine chooses; either way GeneratedImage.seed reports it
    time_left: float  # seconds until the task's deadline
    options: Mapping[str, object] = field(default_factory=dict)  # further input fields, such as output_format
    route: Mapping[str, object] = field(default_factory=dict)  # what the catalog's route says for this engine alone


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """One encoded picture in memory."""

    data: bytes
    media_type: str  # image/png, image/jpeg or image/webp
    width: int
    height: int
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """What came out: at least one image, in generation order, and what the caller should know about it."""

    images: tuple[GeneratedImage, ...]
    warnings: tuple[str, ...] = ()  # words not understood, parameters approximated


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """What an engine is, for `aquatint engines`, the model list and routing."""

    name: str
    title: str  # one line for people, says plainly what it is and is not
    version: str
    local: bool  # generates on this machine, without a key or a network
    concurrency: int  # jobs it can run at once; the runner never gives it more
    deterministic: bool = False  # same job and seed give the same bytes on the same version
    testing_only: bool = False  # refuses to load unless the operator allows engines for benchmarks and tests


class Engine(Protocol):
    """An engine is opened once, used concurrently, closed once.

    `generate` raises only `domain.errors.EngineError`; cancelling its asyncio task must stop the work within a
    second. `open` raises `Misconfigured` when it cannot work here.
    """

    @property
    def spec(self) -> EngineSpec: ...

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def generate(self, job: GenerationJob, progress: Progress) -> Generation: ...


@dataclass(frozen=True, slots=True)
class EngineContext:
    """What an engine is given when it is built: the entry point is `build(context) -> Engine`."""

    sandbox: Sandbox  # worker processes with limits, shared by the local engines
    settings: Mapping[str, object]  # this engine's own section of the settings
    concurrency: int  # how many jobs the operator lets run at once
