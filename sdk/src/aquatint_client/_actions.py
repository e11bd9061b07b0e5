"""What the core asks a shell to do. All logic is written once, as flows of these actions, and does no I/O itself.

A flow is a generator: it yields an action, and the shell sends back what came of it. `sync_driver` and `async_driver`
are the two that carry actions out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `patience` is how many seconds of silence its answer may have, None: the client's."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    patience: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names are lower-case. Of a stream that was opened `body` is empty, and `streaming` is true."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""
    streaming: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """No answer, or not the whole of it. Not `sent`: nothing of the request has left this machine."""

    why: str
    sent: bool = True
    silent: bool = False  # nothing came within the patience


@dataclass(frozen=True, slots=True)
class Call:
    """Send a request and read its answer whole, up to `limit` bytes."""

    request: Request
    limit: int


@dataclass(frozen=True, slots=True)
class Open:
    """Send a request and leave its body to `Read`. One stream is open at a time; `Open` closes the one before."""

    request: Request


@dataclass(frozen=True, slots=True)
class Read:
    """The next bytes of the open stream, None at its end."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the open stream, if there is one."""


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Work:
    """Something that blocks on this machine, such as a file. What it raises is raised in the flow."""

    run: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Tell:
    """A value for whoever listens to the flow."""

    value: object


Action = Call | Open | Read | Close | Pause | Work | Tell
Flow = Generator[Action, object, T]


def call(request: Request, limit: int) -> Flow[Answer | Trouble]:
    return cast(Answer | Trouble, (yield Call(request, limit)))


def open_stream(request: Request) -> Flow[Answer | Trouble]:
    return cast(Answer | Trouble, (yield Open(request)))


def read() -> Flow[bytes | Trouble | None]:
    return cast(bytes | Trouble | None, (yield Read()))


def close() -> Flow[None]:
    yield Close()


def pause(seconds: float) -> Flow[None]:
    yield Pause(seconds)


def work(run: Callable[[], T]) -> Flow[T]:
    return cast(T, (yield Work(run)))


def tell(value: object) -> Flow[None]:
    yield Tell(value)
