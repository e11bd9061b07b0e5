"""How fal says no, as our errors. Source: fal.ai's pages on model errors and request errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aquatint.domain.errors import EngineError
from aquatint.engines import words
from aquatint.net.provider import Reply

_CONTENT = "content_policy_violation"
_BALANCE = re.compile(r"balance|user is locked|top up|billing", re.IGNORECASE)
_OF_THE_INPUT = frozenset((400, 413, 422))
_PASSING_STATUS = frozenset((408, 409, 499))
_PASSING = frozenset(
    (
        "generation_timeout",
        "request_timeout",
        "startup_timeout",
        "internal_server_error",
        "internal_error",
        "downstream_service_error",
        "downstream_service_unavailable",
        "no_media_generated",
        "client_cancelled",
        "client_disconnected",
    )
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """An answer in fal's own error shape. `kinds` are its machine-readable types, in fal's order."""

    status: int
    kinds: tuple[str, ...]
    text: str

    @property
    def code(self) -> str:
        return self.kinds[0] if self.kinds else f"http_{self.status}"

    @property
    def passes(self) -> bool:
        """fal, its runner or the model's maker failed; the request itself is good."""
        kind = self.kinds[0] if self.kinds else ""
        known = kind in _PASSING or kind.startswith("runner_")
        return known or self.status >= 500 or self.status in _PASSING_STATUS


def complaint(reply: Reply) -> Complaint | None:
    """What fal complains of; None for an answer that is not its own, such as a proxy's."""
    body = reply.json()
    if not isinstance(body, dict) or "detail" not in body:
        return None
    detail = body["detail"]
    if isinstance(detail, list):  # a model's complaints, one a field
        found = [item for item in detail if isinstance(item, dict)]
        return Complaint(reply.status, tuple(str(item.get("type", "")) for item in found), _told(found))
    kind = body.get("error_type") or reply.headers.get("x-fal-error-type")
    return Complaint(reply.status, (str(kind),) if kind else (), str(detail))


def not_taken(reply: Reply) -> EngineError:
    """Why a submit got no job."""
    said = complaint(reply)
    if said is None:
        if not 400 <= reply.status < 500:
            return words.unknown(f"HTTP {reply.status} that is not fal's")
        said = Complaint(reply.status, (), "")
    if said.passes:
        return words.passing(said.code, said.text, words.retry_after(reply.headers))
    if said.status == 429:
        return words.slow_down(said.code, said.text, words.retry_after(reply.headers))
    return _refusal(said)


def job_failed(said: Complaint, reply: Reply) -> EngineError:
    """Why a job that was taken made nothing.

    fal does not bill its own failures; where a model began before it refused, a header tells the units billed.
    """
    error = _verdict(said)
    error.charged = _billed(reply)
    return error


def told_by_status(status: Mapping[str, object]) -> EngineError:
    """The failure that a status names, where the result cannot be read."""
    kind = str(status.get("error_type") or "error")
    return _verdict(Complaint(500, (kind,), str(status.get("error"))))


def _verdict(said: Complaint) -> EngineError:
    if said.passes and _CONTENT not in said.kinds:
        return words.passing(said.code, said.text)
    return _refusal(said)


def _refusal(said: Complaint) -> EngineError:
    """A no that asking again does not change."""
    if _CONTENT in said.kinds:
        return words.content(_CONTENT, said.text)
    if said.status == 402 or (said.status == 403 and _BALANCE.search(said.text)):
        return words.balance(said.code, said.text)
    if said.status in _OF_THE_INPUT:
        return words.bad_input(said.code, said.text)
    return words.no_model(said.code, said.text) if said.status == 404 else words.misconfigured(said.code, said.text)


def _billed(reply: Reply) -> bool:
    try:
        return float(reply.headers.get("x-fal-billable-units", "0")) > 0
    except ValueError:
        return False


def _told(found: list[dict[str, Any]]) -> str:
    """The complaints without `input`, which repeats the caller's prompt and pictures."""
    return "; ".join(f"{item.get('type')} at {item.get('loc')}: {item.get('msg')}" for item in found)
