"""What the other server answers, read: tasks, pictures, and refusals as our errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aquatint.domain.errors import EngineError
from aquatint.engines import words
from aquatint.engines.remote import Call, Done, RemoteImage
from aquatint.net.provider import Reply

MODERATION = "content rejected by moderation"  # fixed by the API, the one text that says it


class Answer:
    """One answer in the envelope `{code, msg, data}`, or whatever came instead."""

    def __init__(self, reply: Reply, key: str) -> None:
        """`key` is ours: it is blotted out of every text, should the server repeat it."""
        envelope = reply.json()
        fields: dict[str, Any] = envelope if isinstance(envelope, dict) else {}
        code, data = fields.get("code"), fields.get("data")
        self._key = key
        self._reply = reply
        self._ok = 200 <= reply.status < 300
        self._code: int | None = code if isinstance(code, int) and not isinstance(code, bool) else None
        self._message = str(fields.get("msg", ""))
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}

    def task_id(self, *, keyed: bool) -> str:
        """The id in the answer to a submit; `keyed` says that it carried an idempotency key. Raises EngineError."""
        if self._ok and self._code is None:
            raise words.broken("", f"{self._detail()} is no answer to a submit", charged=True)
        if self._ok and self._code == 0:
            task_id = self._data.get("taskId")
            if not isinstance(task_id, str) or not task_id:
                raise words.broken("", "the submit was accepted without a taskId", charged=True)
            return task_id
        if self._reply.status >= 500 and self._code is None:
            raise words.unknown(f"{self._detail()} is not in the shape of the API")
        raise self._refusal(keyed)

    def task(self) -> dict[str, Any]:
        """The task in the answer to a query. Raises AskAgain, and Misconfigured for a key that is refused."""
        if self._ok and self._code == 0 and self._data:
            return self._data
        status, wait = self._status(), words.retry_after(self._reply.headers)
        if status in (401, 403):
            refused = words.misconfigured(str(status), self._detail())
            refused.charged = True  # the task was taken: whoever buys it again pays twice
            raise refused
        # Nothing else is an end, a 404 neither: right after a submit a server may not know its own task yet.
        raise words.ask_again(self._detail(), wait)

    def failure(self, status: str, task: Mapping[str, Any]) -> EngineError:
        """Why a task ended without pictures; this API does not bill such a task."""
        detail = self._clean(str(task.get("failure_message") or "no reason given"))
        if status in ("TIMEOUT", "CANCELLED"):
            return words.passing(status, detail)
        match task.get("failure_reason"):
            case "CONTENT_MODERATION" as reason:
                return words.content(reason, detail)
            case "INVALID_PARAMETERS" as reason:
                return words.bad_input(reason, detail)
            case "INSUFFICIENT_POINTS" as reason:
                return words.balance(reason, detail)
            case reason:
                return words.passing(str(reason or status), detail)

    def cancelled(self) -> bool:
        """Whether the server says that it stopped the task."""
        return self._ok and self._code == 0 and self._data.get("status") == "CANCELLED"

    def _refusal(self, keyed: bool) -> EngineError:
        """A refusal of a submit that the server itself states: nothing was billed, but for the exceptions here."""
        status, detail, wait = self._status(), self._detail(), words.retry_after(self._reply.headers)
        code = str(status)
        match status:
            case 400 if self._message.strip().lower() == MODERATION:
                return words.content(code, f"{detail} {self._flagged()}")
            case 400 | 413 | 422:
                return words.bad_input(code, detail)
            case 404:
                return words.no_model(code, detail)
            case 401 | 403 | 405:
                return words.misconfigured(code, detail)
            case 402:
                return words.balance(code, detail)
            case 425 | 429:
                return words.slow_down(code, detail, wait)
            case 409:
                # The key is known with another body: an earlier sending of this very call was taken.
                return words.broken(code, detail, charged=keyed)
            case _ if 300 <= status < 400:
                return words.misconfigured(code, f"{detail} (base_url leads to a redirect)")
            case _ if status == 408 or 500 <= status < 600:
                return words.passing(code, detail, wait)
            case _:
                return words.broken(code, detail, charged="taskId" in self._data)

    def _status(self) -> int:
        """The HTTP status, or the code that stands in for it where the server refuses with a 200."""
        return self._code if self._ok and self._code else self._reply.status

    def _detail(self) -> str:
        said = self._message or self._reply.body[:1000].decode("utf-8", "replace")
        return f"HTTP {self._reply.status}: {self._clean(said)}"

    def _flagged(self) -> str:
        categories = self._data.get("categories")
        hits = [str(name) for name, hit in categories.items() if hit is True] if isinstance(categories, dict) else []
        return f"({', '.join(hits)})"

    def _clean(self, text: str) -> str:
        return text.replace(self._key, "***")[:400]


def ended(call: Call, task: Mapping[str, Any]) -> Done:
    """The pictures of a task that succeeded, in their order, and an error for each that is missing."""
    result = task.get("result")
    urls = result.get("urls") if isinstance(result, dict) else None
    known = task.get("images")
    images = [
        RemoteImage(index, url=url, seed=_seed(known, place))
        for place, (index, url) in enumerate(zip(call.images, urls if isinstance(urls, list) else [], strict=False))
        if isinstance(url, str) and url
    ]
    if not images:
        raise words.broken("SUCCESS", "the task succeeded without a picture", charged=True)
    short = f"the task made {len(images)} of {len(call.images)} pictures"
    refusals = tuple(words.passing("SUCCESS", short) for _ in range(len(call.images) - len(images)))
    # The other server's words stay out of what callers read, but that there were some is theirs to know.
    remarks = task.get("warnings")
    count = len(remarks) if isinstance(remarks, list) else 0
    warnings = (f"the server behind this model had remarks on this task ({count})",) if count else ()
    return Done(tuple(images), refusals, warnings=warnings)


def _seed(known: object, place: int) -> int | None:
    """The seed in Aquatint's additive `images`."""
    entry = known[place] if isinstance(known, list) and place < len(known) else None
    seed = entry.get("seed") if isinstance(entry, dict) else None
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else None
