"""Events: the history of tasks as server-sent events (HTML standard, section 9.2)."""

from __future__ import annotations

import msgspec

from aquatint.domain.errors import InvalidInput
from aquatint.domain.task import Status
from aquatint.wire.answers import FullTaskData, QueueData

RETRY = b"retry: 1000\n\n"  # milliseconds after which a client that lost the stream comes back
SILENT = b": \n\n"  # keeps the connection from looking dead


class EventData(msgspec.Struct, frozen=True):
    """One line of a task's history. `task` is what a query would answer now; strict mode leaves fields out."""

    taskId: str  # noqa: N815  # the contract's spelling
    at: str
    name: str
    detail: str
    task: FullTaskData


class ProgressData(msgspec.Struct, frozen=True):
    """How an unfinished task stands between two events."""

    taskId: str  # noqa: N815  # the contract's spelling
    status: str
    progress: float
    queue: QueueData | None  # only while it waits, and only on the task's own stream


_encoder = msgspec.json.Encoder()


def event(name: str, data: object, number: int | None = None) -> bytes:
    """One server-sent event; `number` is what a client that comes back sends as Last-Event-ID."""
    head = f"id: {number}\nevent: {name}\n" if number is not None else f"event: {name}\n"
    return b"%b\ndata: %b\n\n" % (head.encode().rstrip(), _encoder.encode(data))


def status_word(status: Status, failure_word: str) -> str:
    return failure_word if status is Status.FAILURE else str(status)


def last_event(header: str | None, parameter: str | None) -> int | None:
    """The event after which to go on, None from the beginning or from now on. Raises InvalidInput.

    The header wins: a browser that comes back sends the address of old and the new header.
    """
    for name, text in (("Last-Event-ID", header), ("lastEventId", parameter)):
        if text:
            if not (text.isascii() and text.isdigit() and len(text) <= 18):
                raise InvalidInput(name, "is not an id that this server gave")
            return int(text)
    return None
