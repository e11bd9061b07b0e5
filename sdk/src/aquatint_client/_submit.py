"""Submit, so that nothing is ever bought twice.

Every submit carries an Idempotency-Key, the same one on each repeat. What was refused with nothing done (no
connection, 429, 503 with Retry-After) is sent again anywhere. What may have been taken is sent again only to a server
that is known to honour the header: an Aquatint, which is asked to prove it first. Elsewhere it is SubmitUnknown.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from aquatint_client import _json
from aquatint_client._actions import Answer, Flow, Trouble, call, pause
from aquatint_client._answers import data_of, envelope_of
from aquatint_client._core import MAX_ANSWER, Core, again, fetch
from aquatint_client._images import ImageSource, references
from aquatint_client._json import JsonObject, JsonValue
from aquatint_client._tasks import get
from aquatint_client.errors import ApiError, AquatintError, ConnectionFailed, Misuse, SubmitUnknown
from aquatint_client.values import Submitted, Task, TaskLike, id_of

_SHORTENED = re.compile(r'"data:[^"]{0,100};base64,…\(\d+ bytes\)"')  # what is left of a data URL in an echo


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be submitted. `fields` go into `input`, `task_fields` beside it; None is left out."""

    prompt: str
    images: tuple[ImageSource, ...]
    model: str
    callback_url: str | None = None
    idempotency_key: str | None = None
    fields: Mapping[str, JsonValue] = field(default_factory=dict)
    task_fields: Mapping[str, JsonValue] = field(default_factory=dict)


def submit(core: Core, order: Order) -> Flow[Submitted]:
    """Raises Misuse, ApiError, ConnectionFailed, SubmitUnknown."""
    key = order.idempotency_key or str(uuid.uuid4())
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Misuse("idempotency_key must be 1 to 255 printable ASCII characters")
    urls = yield from references(core, order.images)
    return (yield from send(core, body_of(order, urls), key))


def rerun(core: Core, task: TaskLike, changes: Mapping[str, JsonValue], callback_url: str | None) -> Flow[Submitted]:
    """Submit a task's input again. Raises Misuse where the server kept only a part of it."""
    shown = task if isinstance(task, Task) else (yield from get(core, id_of(task)))
    given = {name: value for name, value in shown.input.items() if name != "model"}
    if shown.model is None or shown.prompt is None:
        raise Misuse(f"the server does not tell what task {shown.id} was made from")
    if _SHORTENED.search(_json.write(given)):
        raise Misuse(f"images of task {shown.id} came inside its submit, and the server does not tell them again")
    given |= {name: value for name, value in changes.items() if value is not None}
    body: JsonObject = {"model": shown.model, "input": given}
    if callback_url is not None:
        body["callBackUrl"] = callback_url
    return (yield from send(core, body, str(uuid.uuid4())))


def body_of(order: Order, urls: list[str]) -> JsonObject:
    """The JSON of a submit."""
    given: JsonObject = {"prompt": order.prompt}
    if urls:
        given["imageUrls"] = list(urls)
    given |= {name: value for name, value in order.fields.items() if value is not None}
    body: JsonObject = {"model": order.model, "input": given}
    if order.callback_url is not None:
        body["callBackUrl"] = order.callback_url
    return body | {name: value for name, value in order.task_fields.items() if value is not None}


def send(core: Core, body: JsonObject, key: str) -> Flow[Submitted]:
    """Send one submit, and again where that cannot buy twice."""
    request = core.request("POST", "/api/v1/task/submit", body=body, headers={"idempotency-key": key})
    unknown = ""  # why an earlier try may have been taken
    attempt = 0
    while True:
        reply = yield from call(request, MAX_ANSWER)
        doubt = _doubt(reply)
        if not doubt and isinstance(reply, Answer):
            try:
                return _submitted(reply, key)
            except ApiError as error:
                wait = again(core, reply, attempt, repeatable=False)
                if wait is None:
                    raise (_lost(unknown, key) if unknown and error.code in (429, 503) else error) from None
        else:
            if doubt:
                unknown = doubt
                if not (yield from _honours_keys(core)):
                    raise _lost(doubt, key)
            wait = again(core, reply, attempt, repeatable=bool(doubt))
            if wait is None and doubt and attempt < core.patience.retries:
                wait = core.patience.delay(attempt)  # such as a page of HTML with 200
            if wait is None:
                why = reply.why if isinstance(reply, Trouble) else ""
                raise _lost(unknown, key) if unknown else ConnectionFailed(f"cannot reach {core.url}: {why}")
        yield from pause(wait)
        attempt += 1


def _doubt(reply: Answer | Trouble) -> str:
    """Why nobody can say whether the server took it; empty when it is clear."""
    if isinstance(reply, Trouble):
        return reply.why if reply.sent else ""
    if 300 <= reply.status < 500:
        return ""
    envelope = envelope_of(reply)
    if envelope is None:
        proxy_refused = reply.status == 503 and "retry-after" in reply.headers
        return "" if proxy_refused else f"an answer with status {reply.status} that is not the API's"
    if reply.status in (500, 502, 504):
        return f"status {reply.status}: {_json.text(envelope, 'msg') or ''}"
    if reply.status < 300 and envelope.get("code") == 0:
        return "" if _task_id(envelope) else "a success without the id of a task"
    return ""


def _submitted(answer: Answer, key: str) -> Submitted:
    data_of(answer)  # raises for a refusal
    task_id = _task_id(envelope_of(answer) or {})
    return Submitted(task_id, key, answer.headers.get("idempotency-replayed", "").lower() == "true")


def _task_id(envelope: JsonObject) -> str:
    return _json.text(_json.as_object(envelope.get("data")), "taskId") or ""


def _lost(why: str, key: str) -> SubmitUnknown:
    return SubmitUnknown(
        f"the submit was sent, and nobody can say whether the server took it ({why}). It was not sent again, so that"
        " nothing is bought twice: look for the task there first",
        key,
    )


def _honours_keys(core: Core) -> Flow[bool]:
    """Whether the server is an Aquatint, which honours Idempotency-Key. Strict mode never asks: it is told not to."""
    if core.strict:
        return False
    if core.honours_keys is None:
        try:
            account = yield from fetch(core, core.request("GET", "/api/v1/account"))
        except ApiError:
            core.honours_keys = False
        except AquatintError:
            return False  # not reachable now; the next time it may be
        else:
            core.honours_keys = "key_id" in account
    return core.honours_keys
