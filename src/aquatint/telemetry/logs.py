"""Logs: how they look, and what every line says of its task."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import structlog

from aquatint.telemetry.tracing import trace_id

Logger = structlog.stdlib.BoundLogger

_ABOUT: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039  # nobody changes it in place


def configure(level: str, form: str) -> None:
    """Log to stderr: text on a terminal, one JSON object a line otherwise. Prompts, keys and URLs stay out."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            say_about,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def logger() -> Logger:
    """The log of this process."""
    log: Logger = structlog.get_logger()
    return log


@contextmanager
def about(task: str, traceparent: str) -> Iterator[None]:
    """Whatever is logged inside, by whichever room, names the task, and its trace where there is one."""
    token = _ABOUT.set(names(task, traceparent))
    try:
        yield
    finally:
        _ABOUT.reset(token)


def names(task: str, traceparent: str) -> dict[str, str]:
    """How a line that is written outside of `about` names its task."""
    return {"task": task, "trace": trace_id(traceparent)} if traceparent else {"task": task}


def say_about(_log: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """structlog processor: add what the surrounding `about` says; the line's own words win."""
    return {**_ABOUT.get(), **event}
