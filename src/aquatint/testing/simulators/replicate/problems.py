"""Replicate's ways to fail. Source: Replicate's HTTP API; RFC 7807 bodies."""

from __future__ import annotations

from typing import Any

from aiohttp import web

_TITLES = {
    400: ("Bad request", "The request could not be read."),
    401: ("Unauthenticated", "You did not pass a valid authentication token"),
    402: (
        "Insufficient credit",
        "You have insufficient credit to run this model. Go to the billing page to add some.",
    ),
    403: ("Forbidden", "You do not have permission to do this."),
    404: ("Not found", "The requested resource could not be found."),
    422: ("Input validation failed", "- input: it cannot be used"),
    429: ("Too many requests", "Request was throttled. Your rate limit resets in ~{reset:g}s."),
}
_SENSITIVE = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
_FAILURES = {
    "E005": _SENSITIVE,
    "NSFW": "NSFW content detected. Try running it again, or try a different prompt.",
    "input": "Input validation error: image_input could not be read",
    "content_policy": "The request was rejected by the content policy of the model's maker.",
}


def problem(status: int, detail: str = "", *, title: str = "", retry_after: float | None = None) -> web.Response:
    """An error in Replicate's shape."""
    known_title, known_detail = _TITLES.get(status, ("Server error", "Something went wrong."))
    reset = 10.0 if retry_after is None else retry_after
    body = {
        "type": f"https://replicate.com/problems/{status}",
        "title": title or known_title,
        "detail": detail or known_detail.format(reset=reset),
        "status": status,
    }
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after:g}"}
    return web.json_response(body, status=status, headers=headers, content_type="application/problem+json")


def invalid(found: list[tuple[str, str]]) -> web.Response:
    """422 for input fields: pairs of a field and what is wrong with it."""
    fields: list[dict[str, Any]] = [
        {"type": "invalid", "field": f"input.{name}", "description": text} for name, text in found
    ]
    body = {
        "title": "Input validation failed",
        "detail": "\n".join(f"- input.{name}: {text}" for name, text in found),
        "status": 422,
        "invalid_fields": fields,
    }
    return web.json_response(body, status=422, content_type="application/problem+json")


def at_create(code: str) -> web.Response | None:
    """What the create itself answers for a code of `[[fail:…]]` that is an HTTP status."""
    return problem(int(code)) if code.isdecimal() and len(code) == 3 else None


def text_of(code: str) -> str:
    """`error` of a prediction that fails with this code."""
    return _FAILURES.get(code, f"Error: the model failed ({code})")
