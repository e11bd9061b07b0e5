"""Spans through the OpenTelemetry SDK, sent as OTLP over HTTP. Needs the extra `aquatint[otel]`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from types import TracebackType

from opentelemetry import trace as api
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from aquatint.telemetry.logs import logger
from aquatint.telemetry.tracing import NULL_SPAN, Fact, Kind, Span, trace_id

PREFIX = "aquatint."
QUEUE = 32_768  # spans kept while the collector is slow; more are dropped
BATCH = 2048
EVERY_MS = 1000
EXPORT_SECONDS = 5.0
CLOSE_MS = 3000

_KINDS = {"internal": api.SpanKind.INTERNAL, "server": api.SpanKind.SERVER, "client": api.SpanKind.CLIENT}
_propagator = TraceContextTextMapPropagator()


class OtelTracer:
    """Implements telemetry.tracing.Tracer."""

    on = True

    def __init__(self, endpoint: str, service: str, version: str, instance: str, sample: float) -> None:
        """`endpoint` is the collector's base, such as http://127.0.0.1:4318; `sample` the share of traces to keep.

        A trace that a caller began is kept as the caller says.
        """
        _listen()
        resource = Resource.create(
            {"service.name": service, "service.version": version, "service.instance.id": instance}
        )
        self._provider = TracerProvider(
            resource=resource, sampler=ParentBased(TraceIdRatioBased(sample)), shutdown_on_exit=False
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter, max_queue_size=QUEUE, schedule_delay_millis=EVERY_MS, max_export_batch_size=BATCH
            )
        )
        self._tracer = self._provider.get_tracer("aquatint", version)

    def begin(self, name: str, parent: str, **facts: Fact | None) -> AbstractContextManager[Span]:
        return self._timed(name, _remote(parent), "server", facts)

    def span(
        self, name: str, parent: str, kind: Kind = "internal", /, **facts: Fact | None
    ) -> AbstractContextManager[Span]:
        return self._timed(name, _context(parent), kind, facts) if parent else NULL_SPAN

    def _timed(self, name: str, context: Context | None, kind: Kind, facts: Mapping[str, Fact | None]) -> _Timed:
        return _Timed(self._tracer.start_span(name, context, _KINDS[kind], _attributes(facts)))

    def past(self, name: str, parent: str, seconds: float, **facts: Fact | None) -> None:
        if not parent:
            return
        end = time.time_ns()
        start = end - int(max(0.0, seconds) * 1e9)
        span = self._tracer.start_span(
            name, context=_context(parent), attributes=_attributes(facts), start_time=start
        )
        span.end(end)

    def close(self) -> None:
        self._provider.force_flush(CLOSE_MS)
        self._provider.shutdown()


class _Complaints(logging.Handler):
    """What the SDK says when spans cannot be sent, in our log and in its form."""

    def emit(self, record: logging.LogRecord) -> None:
        logger().warning("trace.unsent", why=record.getMessage())


def _listen() -> None:
    source = logging.getLogger("opentelemetry")
    source.propagate = False
    source.handlers = [_Complaints(logging.WARNING)]


class _Timed:
    """A span that has begun; it ends with its block, and inside the block others go below it.

    Written out, not with the SDK's own context managers: those also record an error's text, which may hold what no
    span may, and take three times as long.
    """

    __slots__ = ("_span", "_token")

    def __init__(self, span: api.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        about = self._span.get_span_context()
        if not about.is_valid:  # the operator has switched the SDK off
            return ""
        return f"00-{about.trace_id:032x}-{about.span_id:016x}-{about.trace_flags:02x}"

    def note(self, **facts: Fact | None) -> None:
        self._span.set_attributes(_attributes(facts))

    def fail(self, why: str) -> None:
        self._span.set_status(api.StatusCode.ERROR, why)

    def __enter__(self) -> _Timed:
        self._token = attach(api.set_span_in_context(self._span))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.fail(kind.__name__)
        detach(self._token)
        self._span.end()


def _context(parent: str) -> Context | None:
    """Where a span belongs: None is below the span around it."""
    around = api.get_current_span().get_span_context()
    if around.is_valid and trace_id(parent) == api.format_trace_id(around.trace_id):
        return None
    return _remote(parent)


def _remote(parent: str) -> Context:
    """Below a span of another process; what is no traceparent leads nowhere."""
    return _propagator.extract({"traceparent": parent}, context=Context()) if parent else Context()


def _attributes(facts: Mapping[str, Fact | None]) -> dict[str, Fact]:
    return {f"{PREFIX}{name}": value for name, value in facts.items() if value is not None}
