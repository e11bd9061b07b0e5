"""A real receiver of OTLP over HTTP: what `telemetry.otlp_endpoint` sends to it, as plain spans."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.receiver import ThreadedReceiver


@dataclass(frozen=True, slots=True)
class Exported:
    """One span. Ids are hexadecimal; `parent` is empty for the first of a trace; times are nanoseconds since 1970."""

    name: str
    trace: str
    id: str
    parent: str
    kind: int
    error: str | None
    attributes: dict[str, Any]
    instance: str  # the process that made it
    start: int
    end: int


class Collector:
    """Listens on the loopback while its `with` block lasts; `endpoint` is what the setting takes."""

    def __init__(self) -> None:
        self._receiver = ThreadedReceiver()

    @property
    def endpoint(self) -> str:
        return self._receiver.origin

    def spans(self) -> list[Exported]:
        """Everything that has come so far."""
        return [
            span for letter in self._receiver.letters if letter.path == "/v1/traces" for span in _read(letter.body)
        ]

    def raw(self) -> bytes:
        """Every byte that has come so far."""
        return b"".join(letter.body for letter in self._receiver.letters)

    def wait(self, holds: Callable[[Sequence[Exported]], bool], timeout: float = 15.0) -> list[Exported]:
        """Wait until `holds` says so of the spans, and answer them."""
        end = time.monotonic() + timeout
        while not holds(found := self.spans()):
            assert time.monotonic() < end, f"after {timeout} s there are {[span.name for span in found]}"
            time.sleep(0.05)
        return found

    def __enter__(self) -> Self:
        self._receiver.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._receiver.__exit__(kind, error, trace)


def _read(body: bytes) -> list[Exported]:
    request = ExportTraceServiceRequest.FromString(body)
    return [
        _exported(span, _facts(resource.resource.attributes)["service.instance.id"])
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def _exported(span: Any, instance: str) -> Exported:
    return Exported(
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=span.kind,
        error=span.status.message if span.status.code == span.status.STATUS_CODE_ERROR else None,
        attributes=_facts(span.attributes),
        instance=instance,
        start=span.start_time_unix_nano,
        end=span.end_time_unix_nano,
    )


def _facts(attributes: Any) -> dict[str, Any]:
    return {item.key: getattr(item.value, item.value.WhichOneof("value")) for item in attributes}
