"""Metrics: what this process counts, by the names of docs/reference/metrics.md."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping

import msgspec
from prometheus_client import GCCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import CollectorRegistry

from aquatint.domain.lane import LaneState
from aquatint.domain.provider import ProviderState
from aquatint.domain.task import Micros
from aquatint.telemetry.instruments import Counter, CountOf, Durations, Gauge, Histogram

SECOND = 1_000_000  # microseconds

_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_TASK = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400)
_PHASE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 3600)
_FIRST = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Survey(msgspec.Struct, frozen=True):
    """What the database says of everybody's work, at one moment."""

    at: Micros
    lanes: tuple[LaneState, ...]
    providers: tuple[ProviderState, ...]
    unknown_calls: Mapping[str, int]  # by engine


class Metrics:
    """Counters of one process. Methods say what happened; only the event loop may call them."""

    def __init__(self, version: str = "") -> None:
        registry = self.registry = CollectorRegistry()
        self._request_seconds = Histogram(
            registry,
            "aquatint_http_request_seconds",
            "From a request to the beginning of its answer.",
            ("route", "method", "status"),
            _REQUEST,
        )
        CountOf(registry, "aquatint_http_requests_total", "HTTP requests answered.", self._request_seconds)
        self._submitted = Counter(
            registry, "aquatint_tasks_submitted_total", "Tasks accepted; replays are none.", ("model", "class")
        )
        self._settled = Counter(
            registry, "aquatint_tasks_settled_total", "Tasks that ended.", ("engine", "status", "reason")
        )
        self._task_seconds = Histogram(
            registry, "aquatint_task_seconds", "From submit to the end of a task.", ("engine", "status"), _TASK
        )
        self._requeued = Counter(
            registry, "aquatint_tasks_requeued_total", "Attempts that ended without an outcome.", ("engine", "reason")
        )
        self._attempt_seconds = Histogram(
            registry, "aquatint_attempt_seconds", "Where attempts spend their time.", ("engine", "phase"), _PHASE
        )
        self._calls = Counter(
            registry, "aquatint_calls_total", "Paid calls that this process saw end.", ("engine", "outcome")
        )
        self._deliveries = Counter(registry, "aquatint_deliveries_total", "Tries to make a callback.", ("outcome",))
        self._first_delivery = Histogram(
            registry,
            "aquatint_delivery_first_seconds",
            "From the end of a task to the first try of its callback.",
            (),
            _FIRST,
        )
        self._waiting = Gauge(registry, "aquatint_lane_waiting", "Tasks that wait, of all processes.", ("lane",))
        self._running = Gauge(registry, "aquatint_lane_running", "Tasks that run, of all processes.", ("lane",))
        self._oldest = Gauge(
            registry, "aquatint_lane_oldest_seconds", "Age of the longest waiting task; 0 when none waits.", ("lane",)
        )
        self._workers = Gauge(registry, "aquatint_lane_workers", "Processes that take tasks of the lane.", ("lane",))
        self._paused = Gauge(registry, "aquatint_lane_paused", "1 while the lane is paused.", ("lane",))
        self._resting = Gauge(
            registry, "aquatint_provider_resting", "1 while the account rests after failures.", ("account",)
        )
        self._unknown = Gauge(
            registry, "aquatint_calls_unknown", "Paid calls whose fate nobody knows, of all processes.", ("engine",)
        )
        self._database = Gauge(registry, "aquatint_database_up", "1 when the database answered the last look.")
        build = Gauge(registry, "aquatint_build_info", "Which Aquatint this is.", ("version", "python"))
        build.set({(version, platform.python_version()): 1})
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

    def requests(self, route: str, method: str, status: str) -> Durations:
        """Where requests of this kind are counted; `route` is the template of the path, never the path itself."""
        return self._request_seconds.of(route, method, status)

    def submitted(self, model: str, batch: bool) -> None:
        self._submitted.add(model, "batch" if batch else "standard")

    def settled(self, engine: str, status: str, reason: str | None, seconds: float) -> None:
        self._settled.add(engine, status, reason or "none")
        self._task_seconds.observe(seconds, engine, status)

    def requeued(self, engine: str, reason: str) -> None:
        self._requeued.add(engine, reason)

    def attempted(self, engine: str, spent: Iterable[tuple[str, float]]) -> None:
        """An attempt has ended; seconds of each of its phases. What it had no need of does not count as quick."""
        for phase, seconds in spent:
            if seconds > 0:
                self._attempt_seconds.observe(seconds, engine, phase)

    def called(self, engine: str, outcome: str) -> None:
        """A paid call has ended; `outcome` is unknown, or a word of domain/call.py."""
        self._calls.add(engine, outcome.replace(" ", "_"))

    def tried(self, outcome: str, since_end: float | None) -> None:
        """One try of a callback; for the first of all, how many seconds after the task's end it began."""
        self._deliveries.add(outcome)
        if since_end is not None:
            self._first_delivery.observe(since_end)

    def surveyed(self, survey: Survey | None) -> None:
        """What the database says; None when it does not answer: then nothing is claimed about it."""
        self._database.set({(): 0.0 if survey is None else 1.0})
        lanes = survey.lanes if survey is not None else ()
        now = survey.at if survey is not None else 0
        self._waiting.set({(lane.name,): lane.waiting for lane in lanes})
        self._running.set({(lane.name,): lane.running for lane in lanes})
        self._workers.set({(lane.name,): lane.workers for lane in lanes})
        self._paused.set({(lane.name,): float(lane.paused) for lane in lanes})
        self._oldest.set(
            {
                (lane.name,): max(0.0, (now - lane.oldest_at) / SECOND) if lane.oldest_at is not None else 0.0
                for lane in lanes
            }
        )
        providers = survey.providers if survey is not None else ()
        self._resting.set({(state.account,): float(state.resting_until > now) for state in providers})
        unknown = survey.unknown_calls if survey is not None else {}
        engines = {lane.name: 0 for lane in lanes} | dict(unknown)
        self._unknown.set({(engine,): count for engine, count in engines.items()})

    def render(self, accept: str) -> tuple[bytes, str]:
        """All of it in the format that the reader prefers, and the format's media type."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type
