"""fal's ways to fail. Source: fal.ai's pages on model errors and request errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Complaint = dict[str, Any]  # one entry of a model's `detail`

# A model's own types that are not 422. fal does not publish all of these statuses.
_MODEL = {
    "internal_server_error": 500,
    "generation_timeout": 504,
    "downstream_service_error": 400,
    "downstream_service_unavailable": 500,
}
_REQUEST = {
    "request_timeout": 504,
    "startup_timeout": 504,
    "runner_scheduling_failure": 503,
    "runner_connection_timeout": 503,
    "runner_connection_refused": 503,
    "runner_connection_error": 503,
    "runner_disconnected": 503,
    "runner_incomplete_response": 502,
    "runner_server_error": 500,
    "client_disconnected": 499,
    "client_cancelled": 499,
    "bad_request": 400,
    "internal_error": 500,
}
# Codes of `[[fail:…]]` that already the submit answers; fal has no machine-readable word for them.
_SUBMIT = {
    "exhausted_balance": (
        403,
        "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai/dashboard/billing.",
    ),
    "forbidden": (403, "You do not have access to this application."),
    "unauthorized": (401, "No user found for Key ID and Secret"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is no result."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str | None:
        return self.headers.get("X-Fal-Error-Type")

    def answer(self) -> web.Response:
        return web.json_response(dict(self.body), status=self.status, headers=self.headers)


def complain(kind: str, where: tuple[str | int, ...], message: str, **context: object) -> Complaint:
    entry: Complaint = {
        "loc": ["body", *where],
        "msg": message,
        "type": kind,
        "url": f"https://docs.fal.ai/errors#{kind}",
    }
    return {**entry, "ctx": context} if context else entry


def of_model(complaints: list[Complaint], status: int = 422) -> Failure:
    return Failure(status, {"detail": complaints}, {"X-Fal-Retryable": "true" if status >= 500 else "false"})


def of_platform(status: int, text: str, kind: str | None = None, **headers: str) -> Failure:
    if kind is None:
        return Failure(status, {"detail": text}, headers)
    return Failure(status, {"detail": text, "error_type": kind}, {"X-Fal-Error-Type": kind, **headers})


def at_submit(code: str) -> Failure | None:
    """The failure that a submit answers for this code of `[[fail:…]]`, if it is one of the submit's."""
    if code not in _SUBMIT:
        return None
    status, text = _SUBMIT[code]
    return of_platform(status, text)


def of_job(code: str) -> Failure:
    """What the result of a job says that fails with this type."""
    if code in _REQUEST:
        return of_platform(_REQUEST[code], f"The request failed: {code}", code)
    message = "The content was flagged by a content checker." if code == "content_policy_violation" else "It failed."
    where: tuple[str, ...] = ("prompt",) if code == "content_policy_violation" else ()
    return of_model([complain(code, where, message)], _MODEL.get(code, 422))
