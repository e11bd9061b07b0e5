"""Tracing: one trace from submit to webhook. The port, and the tracer that traces nothing and costs nothing.

A trace travels between processes as its `traceparent` (https://www.w3.org/TR/trace-context/): in the task's row, and
in the header of the same name.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, Protocol

Kind = Literal["internal", "server", "client"]
Fact = str | int | float | bool
Facts = dict[str, Fact | None]


class Span(Protocol):
    """One stretch of a task's life."""

    @property
    def traceparent(self) -> str:
        """What carries the trace on from here; empty when nothing is traced."""
        ...

    def note(self, **facts: Fact | None) -> None:
        """Say more about it. Never prompts, keys, or URLs: they may hold tokens."""
        ...

    def fail(self, why: str) -> None:
        """It ended badly; `why` is a class of errors or a reason, never somebody's text."""
        ...


class Tracer(Protocol):
    on: bool

    def begin(self, name: str, parent: str, **facts: Fact | None) -> AbstractContextManager[Span]:
        """Time the block, as part of a caller's trace, or as the first span of a new one.

        `parent` is what the caller sent; what is no traceparent counts as nothing.
        """
        ...

    def span(
        self, name: str, parent: str, kind: Kind = "internal", /, **facts: Fact | None
    ) -> AbstractContextManager[Span]:
        """Time the block, below the span around it if that is of the same trace, else below `parent`.

        Without a `parent` the task is not traced, and nothing happens.
        """
        ...

    def past(self, name: str, parent: str, seconds: float, **facts: Fact | None) -> None:
        """A span that has just ended, after so many seconds. Without a `parent` nothing happens."""
        ...

    def close(self) -> None:
        """Send what is still here; blocks for some seconds where nobody takes it."""
        ...


class NullTracer:
    """Traces nothing."""

    on = False

    def begin(self, name: str, parent: str, **facts: Fact | None) -> NullSpan:
        return NULL_SPAN

    def span(self, name: str, parent: str, kind: Kind = "internal", /, **facts: Fact | None) -> NullSpan:
        return NULL_SPAN

    def past(self, name: str, parent: str, seconds: float, **facts: Fact | None) -> None:
        pass

    def close(self) -> None:
        pass


class NullSpan:
    """Holds nothing, so that one serves everybody."""

    __slots__ = ()
    traceparent = ""

    def note(self, **facts: Fact | None) -> None:
        pass

    def fail(self, why: str) -> None:
        pass

    def __enter__(self) -> NullSpan:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


NULL_SPAN = NullSpan()


def trace_id(traceparent: str) -> str:
    """The part of a traceparent that all spans of a trace share: 32 hexadecimal digits."""
    return traceparent[3:35]
