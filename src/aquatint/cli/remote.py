"""What the commands share that talk to a server: where it is, with which key, and what its errors mean to a shell."""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn
from urllib.parse import urlsplit

import typer

from aquatint.cli.words import clean
from aquatint_client import (
    ApiError,
    Aquatint,
    AquatintError,
    BadAnswer,
    ConnectionFailed,
    Forbidden,
    InvalidInput,
    Misuse,
    OutOfPoints,
    RateLimited,
    ServerError,
    SubmitUnknown,
    TaskTimeout,
    TooLarge,
    Unauthorized,
    WaitTimedOut,
)

DEFAULT_URL = "http://127.0.0.1:8000"  # where `aquatint serve` listens when nobody says otherwise
FAILED, USAGE, UNREACHABLE, TIMED_OUT, LATER, UNKNOWN, INTERRUPTED = 1, 2, 3, 4, 5, 6, 130
MAX_KEY_FILE = 4096  # bytes

Url = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="AQUATINT_URL", help="The server.", show_default=DEFAULT_URL, rich_help_panel="Server"
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar=["AQUATINT_API_KEY", "AQUATINT_KEY"],
        help="The API key; better in the variable, where other users of this machine do not see it.",
        show_default=False,
        rich_help_panel="Server",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", help="A file with the API key.", show_default=False, rich_help_panel="Server"),
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout, everything else on stderr.")]

_CODES: tuple[tuple[type[AquatintError], int], ...] = (
    (SubmitUnknown, UNKNOWN),
    (WaitTimedOut, TIMED_OUT),
    (TaskTimeout, TIMED_OUT),
    (ConnectionFailed, UNREACHABLE),
    (BadAnswer, UNREACHABLE),
    (Unauthorized, UNREACHABLE),
    (Forbidden, UNREACHABLE),
    (OutOfPoints, LATER),
    (RateLimited, LATER),
    (ServerError, LATER),
    (InvalidInput, USAGE),
    (TooLarge, USAGE),
    (Misuse, USAGE),
)


def stop(message: str, code: int) -> NoReturn:
    """Say why on stderr, and end with that exit code."""
    typer.echo(f"aquatint: {message}", err=True)
    raise typer.Exit(code)


@contextlib.contextmanager
def connected(url: str | None, key: str | None, key_file: Path | None, *, strict: bool = False) -> Iterator[Aquatint]:
    """A client for one command. Errors end it with words and an exit code, SIGTERM ends it as Ctrl-C does."""
    where = url or DEFAULT_URL
    try:
        client = Aquatint(where, _secret(key, key_file), strict=strict)
    except Misuse as error:
        stop(clean(str(error)), USAGE)
    with client, _ended_politely():
        try:
            _knock(where)
            yield client
        except AquatintError as error:
            stop(clean(str(error)) + _advice(error, where, assumed=url is None), exit_code(error))
        except FileExistsError as error:
            stop(clean(str(error)), FAILED)
        except OSError as error:
            stop(f"{clean(str(error.filename or ''))}: {error.strerror or error}", FAILED)
        except KeyboardInterrupt:
            stop("stopped", INTERRUPTED)


def _knock(where: str) -> None:
    """Look whether anybody listens, where that can be told at once: on this machine. Raises ConnectionFailed."""
    parts = urlsplit(where)
    if parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        return
    try:
        socket.create_connection((parts.hostname, parts.port or {"https": 443}.get(parts.scheme, 80)), 5).close()
    except OSError as error:
        raise ConnectionFailed(f"no server answers at {where} ({error.strerror or error})") from None


def exit_code(error: AquatintError) -> int:
    """What a script is told of this error."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), FAILED)


def _secret(key: str | None, key_file: Path | None) -> str:
    """The key: of the file, which somebody has just named, before that of the environment."""
    if key_file is not None:
        try:
            with key_file.open("rb") as file:
                key = file.read(MAX_KEY_FILE).decode("utf-8", "replace").strip()
        except OSError as error:
            stop(f"{key_file} cannot be read: {error.strerror}", USAGE)
    if not key:
        stop(
            "there is no API key. `aquatint serve` prints one at its first start, and `aquatint keys create NAME`"
            " makes another; then\n\n    export AQUATINT_API_KEY=aq_…\n",
            UNREACHABLE,
        )
    return key


def _advice(error: AquatintError, where: str, *, assumed: bool) -> str:
    """What to type next, where there is something."""
    match error:
        case ConnectionFailed() if assumed:
            return (
                "\n\nStart a server here with\n\n    aquatint serve\n\nor say where yours is:\n\n"
                "    export AQUATINT_URL=https://images.example.com\n"
            )
        case Unauthorized():
            return f"\n\n{where} does not know this key; `aquatint keys create NAME` beside the server makes one"
        case SubmitUnknown():
            return "\n\n`aquatint tasks list` shows whether it is there"
        case ApiError(request_id=str(request_id)) if isinstance(error, ServerError):
            return f" (request id {clean(request_id)})"
    return ""


@contextlib.contextmanager
def _ended_politely() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def on_terminal() -> bool:
    return sys.stdout.isatty()
