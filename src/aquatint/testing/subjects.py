"""The subject of a conformance check: an engine, jobs that it must take, and for a remote one its provider's fake."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from PIL import Image

from aquatint.catalog.load import Catalog
from aquatint.catalog.models import ModelSpec, Route
from aquatint.domain.size import Size, ratio_value
from aquatint.domain.task import Mode
from aquatint.engines.base import Generation, GenerationJob, Progress, ReferenceImage
from aquatint.engines.registry import AnyEngine
from aquatint.engines.remote import RemoteEngine
from aquatint.testing import remote

PROMPT = "a red flower in a vase"
EDIT = "oil painting"
SHAPES = ((320, 192), (512, 216), (216, 512), (321, 203))  # plain, wide, tall, odd
LARGE = (4096, 2304)


class Build(Protocol):
    """Makes the engine anew, not yet open, with these settings changed."""

    def __call__(self, **changes: object) -> RemoteEngine: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Words that make the provider's fake fail. The defaults are switches of Aquatint's own simulators."""

    content: str  # it refuses the content
    input: str  # it refuses a parameter
    balance: str  # the account is empty
    key: str  # the key is not accepted
    passing: str = "[[http:503]]"  # it failed, says so itself, and another try may work
    slow_down: str = "[[http:429]] [[retry-after:3]]"  # too many requests: wait so many seconds
    slow_down_seconds: float = 3.0
    drop: str = "[[drop]]"  # bills, and cuts the connection before the answer
    cut: str = "[[cut]]"  # bills, and cuts it in the middle of the answer
    slow: str = "[[sleep:20]]"  # takes so long that it can be cancelled


@dataclass(frozen=True, slots=True, kw_only=True)
class Fake:
    """The provider's fake as the checks need it. Nobody else may use it meanwhile."""

    key: str  # the only key that it accepts; nothing else in a test may look like it
    build: Build
    calls: Callable[[], int]  # paid requests that have arrived so far
    billed: Callable[[], int]  # images billed so far
    prompts: Prompts


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An open engine and jobs that are legal for it."""

    engine: AnyEngine
    jobs: tuple[GenerationJob, ...]  # from words, in several shapes; the first is the plain one
    edit: GenerationJob | None  # from a photo; None: the engine takes no references
    slow: GenerationJob  # takes longer than a moment
    fake: Fake | None = None

    @property
    def plain(self) -> GenerationJob:
        return self.jobs[0]

    async def generate(self, job: GenerationJob, progress: Progress | None = None) -> Generation:
        """The job's images, whichever port the engine has."""
        progress = progress or (lambda fraction, stage: None)
        if isinstance(self.engine, RemoteEngine):
            return await remote.generate(self.engine, job, progress)
        return await self.engine.generate(job, progress)

    @classmethod
    def local(cls, engine: AnyEngine, *, edits: bool = True) -> Subject:
        """An engine of this machine, which makes whatever size it is asked for."""
        jobs = tuple(_job(PROMPT, width=width, height=height) for width, height in SHAPES)
        edit = _job(EDIT, references=(photo(),), mode="image_to_image") if edits else None
        slow = replace(jobs[0], width=LARGE[0], height=LARGE[1], count=4)
        return cls(engine=engine, jobs=jobs, edit=edit, slow=slow)

    @classmethod
    def routed(cls, engine: AnyEngine, catalog: Catalog, *models: str, fake: Fake | None = None) -> Subject:
        """An engine that makes the sizes of a catalog's models, the smallest that it has a route for.

        Without names the first models are taken that the engine serves from words, and from references.
        """
        found = [catalog.find(name) for name in models] or catalog.models()
        jobs = _first(engine, found, "text_to_image")
        if not jobs:
            raise ValueError(f"no model of the catalog has a route to {engine.spec.name} for words alone")
        edits = _first(engine, found, "image_to_image")
        slow = replace(jobs[0], count=1)
        if fake is not None:
            slow = replace(slow, prompt=f"{PROMPT} {fake.prompts.slow}")
        return cls(engine=engine, jobs=jobs, edit=edits[0] if edits else None, slow=slow, fake=fake)


def photo(width: int = 360, height: int = 240) -> ReferenceImage:
    """A reference that any engine must take: a smooth coloured gradient with a dark shape in it."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    image.paste((40, 60, 120), (width // 3, height // 3, 2 * width // 3, 2 * height // 3))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return ReferenceImage(buffer.getvalue(), "image/png", width, height)


def _first(engine: AnyEngine, models: list[ModelSpec], mode: Mode) -> tuple[GenerationJob, ...]:
    """Jobs of the first model that the engine serves in this mode."""
    for model in models:
        references = 1 if mode == "image_to_image" else 0
        if not model.references_min <= references <= model.references_max:
            continue
        for route in model.routes:
            tiers = [tier for tier in model.resolutions if route.fits(mode, tier, references)]
            if route.engine == engine.spec.name and tiers:
                return _of_route(model, route, mode, tiers)
    return ()


def _of_route(model: ModelSpec, route: Route, mode: Mode, tiers: list[str]) -> tuple[GenerationJob, ...]:
    """One job a shape, at the tier that has the smallest pictures: built as services/job builds them."""

    def size(ratio: str | None, tier: str, first: Size | None = None) -> Size:
        return model.size_at(route, ratio, tier, first)

    def pixels(tier: str) -> int:
        plain = size(next(iter(model.sizes[tier])), tier)
        return plain.width * plain.height

    tier = min(tiers, key=pixels)
    ratios = sorted(model.sizes[tier], key=ratio_value)
    plain = model.default_ratio if model.default_ratio in ratios else ratios[len(ratios) // 2]
    common = {
        "model": model.name,
        "remote_model": route.remote(mode),
        "mode": mode,
        "resolution": route.tiers.get(tier, tier),
        "route": route.options,
    }
    if mode == "image_to_image":
        reference = photo()
        wanted = size(None, tier, Size(reference.width, reference.height))
        made = _job(EDIT, **common, references=(reference,), width=wanted.width, height=wanted.height, ratio=None)
        return (made,)
    jobs = []
    for ratio in dict.fromkeys((plain, ratios[-1], ratios[0])):
        wanted = size(ratio, tier)
        jobs.append(_job(PROMPT, **common, width=wanted.width, height=wanted.height, ratio=ratio))
    return tuple(jobs)


def _job(prompt: str, **changes: object) -> GenerationJob:
    fields: dict[str, object] = {
        "model": "seedream-4.5",
        "remote_model": "",
        "mode": "text_to_image",
        "prompt": prompt,
        "references": (),
        "width": SHAPES[0][0],
        "height": SHAPES[0][1],
        "ratio": None,
        "resolution": "",
        "count": 1,
        "seed": 7,
        "time_left": 120.0,
    }
    return GenerationJob(**{**fields, **changes})  # type: ignore[arg-type]  # the fields above, by name
