"""What the remote engines share: how an exchange ended, as one of our errors, in words that a caller may read.

A provider's own text never reaches a caller: it goes into `detail`, shortened, for the operator's log.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from aquatint.domain.errors import (
    BalanceExhausted,
    Broken,
    ContentRefused,
    EngineRateLimited,
    InputRefused,
    Misconfigured,
    OutcomeUnknown,
    Unavailable,
)
from aquatint.engines.base import ReferenceImage
from aquatint.engines.remote import AskAgain
from aquatint.net.errors import AnswerLost, BadUrl, NotSent, TooManyBytes
from aquatint.net.provider import Reply

_CODE = re.compile(r"[^A-Za-z0-9_.:/-]")
DETAIL = 500  # characters of a provider's own text that the operator's log keeps
_LONGEST_WAIT = 3600.0  # seconds of a Retry-After that we believe


@asynccontextmanager
async def paying() -> AsyncIterator[None]:
    """Around a paid request: what the network did, in terms of money."""
    try:
        yield
    except NotSent as error:
        raise Unavailable("the provider could not be reached", detail=error.message) from error
    except AnswerLost as error:
        status = f" after HTTP {error.status}" if error.status is not None else ""
        raise unknown(f"{error.message}{status}") from error
    except TooManyBytes as error:
        raise unknown(error.message) from error


@asynccontextmanager
async def asking() -> AsyncIterator[None]:
    """Around a free request: it can be asked again."""
    try:
        yield
    except (AnswerLost, TooManyBytes, BadUrl) as error:
        raise ask_again(error.message) from error


def ask_again(detail: str, retry_after: float | None = None) -> AskAgain:
    """Nothing was learnt about the job, which goes on."""
    return AskAgain("the provider did not say how the job is doing", detail=detail[:DETAIL], retry_after=retry_after)


def unknown(detail: str) -> OutcomeUnknown:
    """A call that was sent and whose fate nobody knows."""
    return OutcomeUnknown(
        "the provider took the request and its answer was lost; it may have been billed, so it is not sent again",
        detail=detail,
        charged=True,
    )


def content(code: str, detail: str) -> ContentRefused:
    message = "the provider does not make this picture: it refused the content"
    return ContentRefused(message, code=plain_code(code), detail=detail[:DETAIL])


def bad_input(code: str, detail: str) -> InputRefused:
    message = "the provider cannot use a parameter or a reference of this task"
    return InputRefused(message, code=plain_code(code), detail=detail[:DETAIL])


def balance(code: str, detail: str) -> BalanceExhausted:
    message = "the account behind this model has nothing left"
    return BalanceExhausted(message, code=plain_code(code), detail=detail[:DETAIL])


def misconfigured(code: str, detail: str) -> Misconfigured:
    message = "this server's access to the provider does not work"
    return Misconfigured(message, code=plain_code(code), detail=detail[:DETAIL])


def no_model(code: str, detail: str) -> Misconfigured:
    """The provider does not know the model, or does not open it to this key; its other models are not concerned."""
    message = "the provider does not offer this model to this server"
    return Misconfigured(message, code=plain_code(code), detail=detail[:DETAIL], about_account=False)


def slow_down(code: str, detail: str, retry_after: float | None = None) -> EngineRateLimited:
    message = "the provider asks to slow down"
    return EngineRateLimited(message, code=plain_code(code), detail=detail[:DETAIL], retry_after=retry_after)


def passing(code: str, detail: str, retry_after: float | None = None) -> Unavailable:
    """The provider failed in a way that passes; it said so itself, so nothing was billed."""
    message = "the provider failed for a passing reason"
    return Unavailable(message, code=plain_code(code), detail=detail[:DETAIL], retry_after=retry_after)


def broken(code: str, detail: str, *, charged: bool = False) -> Broken:
    """The provider answered something that makes no sense."""
    message = "the provider's answer could not be used"
    return Broken(message, code=plain_code(code), detail=detail[:DETAIL], charged=charged)


def plain_code(code: object) -> str:
    """A provider's error code without anything that is not a code."""
    return _CODE.sub("", str(code))[:80]


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of `Retry-After` or `retry-after-ms` (lower-case names); None when absent, absurd or a date."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        if 0 <= seconds <= _LONGEST_WAIT:
            return seconds
    return None


def without_key(reply: Reply, key: str) -> Reply:
    """The answer with our key blotted out, should the provider repeat it: it must reach no log and no journal."""
    return replace(reply, body=reply.body.replace(key.strip().encode(), b"***")) if key.strip() else reply


def data_url(reference: ReferenceImage) -> str:
    """The reference as providers take it inside JSON."""
    return f"data:{reference.media_type};base64,{base64.b64encode(reference.data).decode('ascii')}"


def image_bytes(text: object) -> bytes:
    """The bytes of an image that came as base64. Raises Broken: it was paid and cannot be read."""
    try:
        if not isinstance(text, str) or not text:
            raise ValueError
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise broken("", "the base64 of an image is broken", charged=True) from error
