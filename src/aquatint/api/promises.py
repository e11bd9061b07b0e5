"""The caller's promise that a repeated request is the same request."""

from __future__ import annotations

from starlette.requests import Request

from aquatint.domain.errors import InvalidInput


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key of a request. Raises InvalidInput."""
    value = request.headers.get("idempotency-key")
    if value is not None and not (0 < len(value) <= 255 and value.isascii() and value.isprintable()):
        raise InvalidInput("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
    return value
