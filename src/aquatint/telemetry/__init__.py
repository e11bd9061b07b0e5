"""Telemetry: logs, metrics and traces. What a process says about itself, and never about anybody's prompt or key."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint.telemetry.logs import Logger, about, configure, logger, names
from aquatint.telemetry.metrics import Metrics, Survey
from aquatint.telemetry.tracing import Facts, NullTracer, Span, Tracer

__all__ = [
    "Facts",
    "Logger",
    "Metrics",
    "NullTracer",
    "Span",
    "Survey",
    "Telemetry",
    "Tracer",
    "about",
    "configure",
    "logger",
    "names",
]


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What services are given to tell what happens."""

    metrics: Metrics
    tracer: Tracer

    @classmethod
    def silent(cls) -> Telemetry:
        """Traces nothing, and counts for itself alone."""
        return cls(Metrics(), NullTracer())
