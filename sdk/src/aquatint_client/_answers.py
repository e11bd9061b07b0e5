"""What an answer means: the data in its envelope, or the error that it is."""

from __future__ import annotations

import email.utils
import re
from datetime import UTC, datetime

from aquatint_client import _json
from aquatint_client._actions import Answer
from aquatint_client._json import JsonObject
from aquatint_client.errors import ApiError, BadAnswer, api_error

SHOWN = 300  # characters of a text that is not the API's


def data_of(answer: Answer) -> JsonObject:
    """`data` of a success. Raises ApiError."""
    envelope = envelope_of(answer)
    if envelope is None:
        raise refusal(answer)
    code = envelope.get("code")
    if 200 <= answer.status < 300 and code == 0:
        return _json.as_object(envelope.get("data"))
    raise refusal(answer)


def envelope_of(answer: Answer) -> JsonObject | None:
    """The API's envelope, or None where the answer is something else."""
    try:
        value = _json.parse(answer.body)
    except ValueError:
        return None
    return value if isinstance(value, dict) and isinstance(value.get("code"), int) else None


def refusal(answer: Answer) -> ApiError:
    """The error that an answer without success is."""
    request_id = answer.headers.get("x-request-id")
    envelope = envelope_of(answer)
    if envelope is None:
        if 300 <= answer.status < 400:
            to = answer.headers.get("location", "nowhere")[:SHOWN]
            return BadAnswer(
                answer.status, f"the server redirects to {to}; the key is not sent there: correct the URL", request_id
            )
        if answer.status < 400:
            return BadAnswer(answer.status, f"that is no answer of this API: {_excerpt(answer)}", request_id)
        return api_error(answer.status, _excerpt(answer), request_id, retry_after(answer))
    code = envelope["code"]
    status = answer.status if answer.status >= 400 else code if isinstance(code, int) and code >= 400 else 0
    message = (_json.text(envelope, "msg") or _json.text(envelope, "message") or "no reason given").strip()
    if not status:
        return BadAnswer(answer.status, f"code {code}: {message}", request_id)
    categories = _json.as_object(_json.as_object(envelope.get("data")).get("categories"))
    found = tuple(name for name, flagged in categories.items() if flagged is True)
    return api_error(status, message, request_id, retry_after(answer), found)


def _excerpt(answer: Answer) -> str:
    """A few words of something that is not JSON, without the tags of a page."""
    text = answer.body[:20_000].decode("utf-8", "replace")
    text = re.sub(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", " ", text, flags=re.DOTALL | re.IGNORECASE)
    text = " ".join(text.split())
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return text[:SHOWN] or f"an empty answer of type {kind or 'unknown'}"


def retry_after(answer: Answer) -> float | None:
    """Seconds that the server asks to wait: a number, or a date (RFC 9110, 10.2.3)."""
    value = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())
