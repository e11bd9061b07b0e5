"""Ark's error codes as our errors. Codes grow at the end (`InvalidParameter.X`), so their start is what counts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aquatint.domain.errors import EngineError
from aquatint.engines import words

_OWN_CODE = re.compile(r"[A-Z][A-Za-z0-9]*(\.[A-Za-z0-9_]+)*")  # gateways that speak OpenAI's shape write snake_case
_CONTENT = ("SensitiveContentDetected", "RiskDetection")  # anywhere in the code
_INPUT = (
    "MissingParameter",
    "InvalidParameter",
    "InvalidArgumentError",
    "InvalidImageURL",
    "OutofContextError",
    "RequestTooLarge",
    "RequestBodyTooLarge",
    "BadRequest",
)
_BALANCE = (
    "AccountOverdueError",
    "OperationDenied.ServiceOverdue",
    "InvalidSubscription",
    "SetLimitExceeded",
    "ModelQuotaExhausted",
    "AccountQuotaExceeded",
)
_SETUP = (
    "AuthenticationError",
    "InvalidAccountStatus",
    "AccessDenied",
    "OperationDenied",
    "InvalidEndpoint",
    "ModelNotOpen",
    "UnsupportedModel",
    "NotFound",
    "Unauthorized",
    "Forbidden",
)
_PASSING = ("InvalidEndpoint.ClosedEndpoint", "ContentSecurityDetectionError", "Internal")
_RATE = ("RequestBurstTooFast", "ServerOverloaded", "InflightBatchsizeExceeded", "TooManyRequests")
_RATE_ANYWHERE = "RateLimitExceeded"
# QuotaExceeded has two meanings. This one does not pass by itself: the free trial, or what a subscription holds.
_USED_UP = re.compile(r"free|trial|exhausted|usage quota|免费|耗尽|消耗", re.IGNORECASE)
_MOVED = frozenset((301, 302, 307, 308))
_EXCERPT = 300


@dataclass(frozen=True, slots=True)
class Said:
    """An error in Ark's own words: `{"code", "message", "param", "type"}`."""

    code: str
    message: str
    param: str = ""

    @property
    def own(self) -> bool:
        """The code is spelled as Ark spells its codes, so that nobody in between has made it up."""
        return _OWN_CODE.fullmatch(self.code) is not None

    @classmethod
    def of(cls, error: object) -> Said | None:
        """None when this is not an error object."""
        if not isinstance(error, dict):
            return None
        code, message, param = (error.get(name) for name in ("code", "message", "param"))
        if not (isinstance(code, str) and code) and not (isinstance(message, str) and message):
            return None
        return cls(*(text if isinstance(text, str) else "" for text in (code, message, param)))


def stops_group(said: Said) -> bool:
    """A fault of the service ends a group; one image that is refused does not."""
    return said.code.startswith("Internal")


def refusal(said: Said, status: int, wait: float | None = None) -> EngineError:
    """What Ark itself says went wrong; nothing of it is billed. `status` is 200 for errors inside an answer."""
    code, detail = said.code, f"HTTP {status} {said.code}: {said.message}"
    if any(word in code for word in _CONTENT):
        return words.content(code, detail)
    if code.startswith(_BALANCE) or (code.startswith("QuotaExceeded") and _USED_UP.search(said.message)):
        return words.balance(code, detail)
    if code.startswith(_PASSING):
        return words.passing(code, detail, wait)
    if code.startswith((*_RATE, "QuotaExceeded")) or _RATE_ANYWHERE in code:
        return words.slow_down(code, detail, wait)
    # The model is the operator's choice, whatever the code: a caller could not mend it.
    if code.startswith(_SETUP) or status in (401, 403, 404) or said.param == "model":
        model = status == 404 or said.param == "model"
        return words.no_model(code, detail) if model else words.misconfigured(code, detail)
    if code.startswith(_INPUT):
        return words.bad_input(code, detail)
    return _by_status(status, code, detail, wait)


def failure(status: int, raw: bytes, headers: Mapping[str, str]) -> EngineError:
    """What an answer means that is no success. `headers` have lower-case names."""
    body = parsed(raw)
    said = Said.of(body.get("error")) if body is not None else None
    wait = words.retry_after(headers)
    # Somebody between us and Ark gave up first, and Ark may go on and bill: its own 5xx says that it has stopped.
    if status == 499 or (said is not None and said.code == "RequestCanceled"):
        return words.unknown(f"HTTP {status}: the request was cancelled on its way")
    if said is not None and (status < 500 or said.own):
        return refusal(said, status, wait)
    request_id = headers.get("x-request-id", "none")
    detail = f"HTTP {status} (request id: {request_id}), not in Ark's own words: {excerpt(raw)}"
    if status in _MOVED:
        return words.misconfigured("", f"{detail}; base_url leads elsewhere")
    if not 400 <= status < 500:
        return words.unknown(detail)
    if status in (402, 408, 409, 413, 425, 429):
        return _by_status(status, "", detail, wait)
    return words.misconfigured("", detail)


def parsed(raw: bytes | str) -> dict[str, Any] | None:
    """The JSON object that this is, or None."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def excerpt(raw: bytes) -> str:
    text = " ".join(raw[:_EXCERPT].decode("utf-8", "replace").split())
    return text or "an empty body"


def _by_status(status: int, code: str, detail: str, wait: float | None) -> EngineError:
    match status:
        case 402:
            return words.balance(code, detail)
        case 429:
            return words.slow_down(code, detail, wait)
        case 408 | 409 | 425:
            return words.passing(code, detail, wait)
        case _ if status >= 500:
            return words.passing(code, detail, wait)
        case _ if status >= 400:
            return words.bad_input(code, detail)
        case _:
            return words.broken(code, detail)
