"""How Replicate says no, as our errors. Source: Replicate's HTTP API and its page on prediction statuses."""

from __future__ import annotations

import re
from collections.abc import Mapping

from aquatint.domain.errors import EngineError
from aquatint.engines import words
from aquatint.engines.remote import AskAgain
from aquatint.net.provider import Reply

_RESETS = re.compile(r"resets? in ~?\s*(\d+(?:\.\d+)?)\s*s", re.IGNORECASE)
_CONTENT = re.compile(r"\bE005\b|flagged as sensitive|nsfw|content policy", re.IGNORECASE)
_INPUT = re.compile(r"\s*input validation error", re.IGNORECASE)
_CODE = re.compile(r"\bE\d{3,5}\b")


def not_taken(reply: Reply) -> EngineError:
    """Why a create got no prediction."""
    said = _problem(reply)
    if said is None and not 400 <= reply.status < 500:
        return words.unknown(f"HTTP {reply.status} that is not Replicate's")
    if reply.status >= 500 or reply.status in (408, 409):
        return words.passing(_http(reply), said or "", words.retry_after(reply.headers))
    return _refusal(reply, said or "")


def not_said(reply: Reply) -> AskAgain:
    """An answer that is not about the prediction, such as one about our key. It goes on and is paid: ask again."""
    said = _problem(reply) or ""
    return words.ask_again(f"HTTP {reply.status} {said}".rstrip(), words.retry_after(reply.headers) or _resets(said))


def not_made(prediction: Mapping[str, object], *, official: bool) -> EngineError:
    """Why a prediction ended without pictures.

    An official model is paid by the picture, so its failures are free; others are paid by the second that they ran.
    """
    status, text = str(prediction["status"]), str(prediction.get("error") or "")
    ran = status == "failed" or (status == "canceled" and prediction.get("started_at") is not None)
    error = _verdict(status, text)
    # A canceled run is billed for the time that it took; whether an official model's is too, nobody says.
    error.charged = ran and (not official or status == "canceled")
    return error


def _verdict(status: str, text: str) -> EngineError:
    found = _CODE.search(text)
    code = found.group() if found else status
    if status == "failed" and _CONTENT.search(text):
        return words.content(code, text)
    if status == "failed" and _INPUT.match(text):
        return words.bad_input("input_validation", text)
    return words.passing(code, text)


def _refusal(reply: Reply, said: str) -> EngineError:
    """A 4xx. Replicate answers a version that does not exist with 422 too, which the caller cannot mend."""
    code = _http(reply)
    match reply.status:
        case 402:
            return words.balance(code, said)
        case 429:
            return words.slow_down(code, said, words.retry_after(reply.headers) or _resets(said))
        case 400 | 413 | 422 if not said.startswith("Invalid version"):
            return words.bad_input(code, said)
        case 404 | 422:
            return words.no_model(code, said)
        case _:
            return words.misconfigured(code, said)


def _problem(reply: Reply) -> str | None:
    """Title and detail of Replicate's own error; None for an answer that is not its own, such as a proxy's."""
    body = reply.json()
    if not isinstance(body, dict) or not ("detail" in body or "title" in body):
        return None
    return ": ".join(str(body[name]) for name in ("title", "detail") if body.get(name))


def _resets(said: str) -> float | None:
    found = _RESETS.search(said)
    return float(found.group(1)) if found else None


def _http(reply: Reply) -> str:
    return f"http_{reply.status}"
