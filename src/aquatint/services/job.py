"""Job: a claimed task as an engine is given it, and the record of the attempt that runs it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from aquatint.catalog.models import ModelSpec, Route
from aquatint.domain.call import KeptImage
from aquatint.domain.errors import EngineError
from aquatint.domain.size import Size
from aquatint.domain.task import AttemptLog, ClaimedTask, Micros
from aquatint.engines.base import EngineSpec, GenerationJob, ReferenceImage
from aquatint.services.route import Need
from aquatint.services.tools import SECOND
from aquatint.telemetry import NullTracer, Tracer


class Made(msgspec.Struct, frozen=True):
    """What an attempt has to show: images in the order of the task, and what keeps the rest from being made."""

    images: tuple[KeptImage, ...]
    warnings: tuple[str, ...] = ()
    errors: tuple[EngineError, ...] = ()


class Run:
    """What is known while an attempt runs: who serves it, how far it is, and where its time went."""

    __slots__ = (
        "_spent",
        "bytes_in",
        "bytes_out",
        "claimed",
        "engine",
        "model",
        "progress",
        "queued",
        "remote_model",
        "route",
        "tracer",
        "updated_at",
    )

    def __init__(self, claimed: ClaimedTask, now: Micros, tracer: Tracer | None = None) -> None:
        self.tracer = tracer or NullTracer()
        self.claimed = claimed
        self.model: ModelSpec | None = None
        self.route: Route | None = None
        self.engine: str | None = None
        self.remote_model = ""
        self.progress = claimed.progress
        self.updated_at = now
        self.queued = max(0.0, (now - claimed.due_at) / SECOND)
        self.bytes_in = 0
        self.bytes_out = 0
        self._spent = {"references": 0.0, "wait": 0.0, "run": 0.0, "store": 0.0}

    @contextmanager
    def spending(self, on: str) -> Iterator[None]:
        """Count the time of the block as spent on references, wait, run or store."""
        started = time.monotonic()
        try:
            with self.tracer.span(f"attempt.{on}", self.claimed.trace):
                yield
        finally:
            self._spent[on] += time.monotonic() - started

    def spent(self) -> list[tuple[str, float]]:
        """Seconds of each phase; `queue` is from when the task could have been claimed to when it was."""
        return [("queue", self.queued), *self._spent.items()]

    def log(self, error: EngineError | None = None) -> AttemptLog:
        """What the attempt says of itself when it ends."""
        spent = {name: round(seconds * 1000) for name, seconds in self._spent.items()}
        return AttemptLog(
            engine=self.engine,
            remote_model=self.remote_model,
            references_ms=spent["references"],
            wait_ms=spent["wait"],
            run_ms=spent["run"],
            store_ms=spent["store"],
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            failure=error.kind if error is not None else "",
            advice=error.advice if error is not None else "",
            code=error.code if error is not None else "",
        )


def need_of(claimed: ClaimedTask) -> Need:
    """What the task asks of a route."""
    return Need(claimed.input.mode, claimed.input.resolution, len(claimed.input.references))


def engine_name(spec: EngineSpec, remote_model: str) -> str:
    """How a task names what served it: `studio/0.1.0`, or `modelark/seedream-4-5-251128`."""
    return f"{spec.name}/{remote_model or spec.version}"


def build(
    claimed: ClaimedTask, model: ModelSpec, route: Route, references: tuple[ReferenceImage, ...], now: Micros
) -> GenerationJob:
    """The job. Its pixels are those that the route asks for, which may be more than were promised."""
    wanted = claimed.input
    first = Size(references[0].width, references[0].height) if references else None
    size = model.size_at(route, wanted.ratio, wanted.resolution, first)
    return GenerationJob(
        model=model.name,
        remote_model=route.remote(wanted.mode),
        mode=wanted.mode,
        prompt=wanted.prompt,
        references=references,
        width=size.width,
        height=size.height,
        ratio=wanted.ratio,
        resolution=route.tiers.get(wanted.resolution, wanted.resolution),
        count=wanted.n,
        seed=wanted.seed,
        time_left=(claimed.deadline_at - now) / SECOND,
        options=wanted.options,
        route=route.options,
    )
