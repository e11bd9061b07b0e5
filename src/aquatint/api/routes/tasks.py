"""Tasks: submit, query, list, cancel, explain."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response

from aquatint.api import bodies, promises, waiting
from aquatint.api.auth import Authenticator
from aquatint.api.operations import STRICT, TASK_ID, Operation, Parameter
from aquatint.api.problems import answering, envelope
from aquatint.api.shown import Shown, is_strict
from aquatint.domain.errors import InvalidInput
from aquatint.domain.task import Status, Task, TaskFilter
from aquatint.services.cancel import CancelService
from aquatint.services.delete import DeleteService
from aquatint.services.place import PlaceService
from aquatint.services.query import QueryService, cursor
from aquatint.services.submit import SubmitRequest, SubmitService
from aquatint.services.trace import TraceService, advice_of
from aquatint.services.wait import WaitService
from aquatint.wire import answers, requests, times, traces

BIG = 256 * 1024  # bytes of a body that is parsed in a thread
PAGE_MAX = 100
PAGE_DEFAULT = 20
WORDS_MAX = 200  # characters of a search


@dataclass(frozen=True, slots=True)
class TaskRoutes:
    """The handlers; `traced` says whether a caller's traceparent is read."""

    submit_task: SubmitService
    query_task: QueryService
    cancel_task: CancelService
    delete_task: DeleteService
    trace_task: TraceService
    place: PlaceService
    wait: WaitService
    auth: Authenticator
    shown: Shown
    max_body: int
    max_inline: int
    traced: bool = False

    async def submit(self, request: Request) -> Response:
        key = await self.auth(request)
        self.auth.spend(key)
        body = await bodies.read(request, self.max_body)
        idempotency_key = promises.idempotency_key(request)
        traceparent = request.headers.get("traceparent", "") if self.traced else ""
        if len(body) > BIG:
            wanted = await asyncio.to_thread(_submit_request, body, self.max_inline, idempotency_key, traceparent)
        else:
            wanted = _submit_request(body, self.max_inline, idempotency_key, traceparent)
        submitted = await self.submit_task(wanted, key)
        headers = {"idempotency-replayed": "true"} if submitted.replayed else {}
        data: object = answers.SubmitData(submitted.task_id)
        if (seconds := waiting.preferred(request)) is not None:
            task = await waiting.ended(request, self.wait, submitted.task_id, key.id, seconds)
            if task is not None:
                headers |= waiting.applied(seconds)
                data = data if is_strict(request) else await self._data(task)
        return envelope(answers.ok(data), headers=headers)

    async def query(self, request: Request) -> Response:
        key = await self.auth(request)
        task_id, headers = request.path_params["taskId"], None
        task = None
        if (seconds := waiting.preferred(request)) is not None:
            task = await waiting.ended(request, self.wait, task_id, key.id, seconds)
            headers = waiting.applied(seconds) if task is not None else None
        if task is None:
            task = await self.query_task(task_id, key.id)
        return envelope(answers.ok(await self._data(task, strict=is_strict(request))), headers=headers)

    async def _data(self, task: Task, *, strict: bool = False) -> answers.TaskData:
        return self.shown(task, strict=strict, place=None if strict else await self.place(task))

    async def listing(self, request: Request) -> Response:
        key = await self.auth(request)
        tasks, next_cursor = await self.query_task.page(_filter(request, key.id))
        shown = [self.shown(task) for task in tasks]
        return envelope(answers.ok({"tasks": shown, "next_cursor": next_cursor}))

    async def cancel(self, request: Request) -> Response:
        key = await self.auth(request)
        task = await self.cancel_task(request.path_params["taskId"], key.id)
        return envelope(answers.ok(self.shown(task)))

    async def delete(self, request: Request) -> Response:
        key = await self.auth(request)
        await self.delete_task(request.path_params["taskId"], key.id)
        return envelope(answers.ok({}))

    async def trace(self, request: Request) -> Response:
        key = await self.auth(request)
        found = await self.trace_task(request.path_params["taskId"], key.id)
        data = traces.trace_data(found.task, found.attempts, found.calls, found.events, found.cost, advice_of)
        return envelope(answers.ok(data))


def _submit_request(body: bytes, max_inline: int, idempotency_key: str | None, traceparent: str) -> SubmitRequest:
    draft = requests.parse_submit(body, max_inline)
    references = [ref.data if isinstance(ref, requests.InlineImage) else ref for ref in draft.references]
    return SubmitRequest(
        model=draft.model,
        callback_url=draft.callback_url,
        user_id=draft.user_id,
        prompt=draft.prompt,
        references=references,
        ratio=draft.ratio,
        resolution=draft.resolution,
        n=draft.n,
        seed=draft.seed,
        fallback=draft.fallback,
        options=draft.options,
        echo=draft.echo,
        priority=draft.priority,
        batch=draft.batch,
        start_by=draft.start_by,
        finish_by=draft.finish_by,
        idempotency_key=idempotency_key,
        body_hash=hashlib.sha256(requests.canonical(body)).digest() if idempotency_key is not None else b"",
        traceparent=traceparent,
    )


def _filter(request: Request, key_id: str) -> TaskFilter:
    query = request.query_params
    status = query.get("status")
    if status is not None and status.upper() not in Status.__members__:
        raise InvalidInput("status", f"must be one of {', '.join(Status)}")
    limit = query.get("limit", str(PAGE_DEFAULT))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE_MAX):
        raise InvalidInput("limit", f"must be between 1 and {PAGE_MAX}")
    moments = {
        name: times.parse(name, unquote(query[name]).replace(" ", "+")) if name in query else None
        for name in ("createdAfter", "createdBefore", "updatedAfter")
    }
    return TaskFilter(
        key_id=key_id,
        status=Status(status.upper()) if status is not None else None,
        model=query.get("model"),
        user_id=query.get("userId"),
        created_after=moments["createdAfter"],
        created_before=moments["createdBefore"],
        updated_after=moments["updatedAfter"],
        before=cursor(query["cursor"]) if "cursor" in query else None,
        limit=int(limit),
        words=_words(query.get("q", "")),
    )


def _words(text: str) -> str | None:
    text = text.strip()
    if len(text) > WORDS_MAX:
        raise InvalidInput("q", f"must have at most {WORDS_MAX} characters")
    return text or None


_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "header",
    "The same key with the same body within 24 h answers the same taskId and buys nothing twice.",
    {"type": "string", "minLength": 1, "maxLength": 255},
)
_PREFER = Parameter(
    "Prefer",
    "header",
    "`wait=N`: answer once the task has ended, or after N seconds, 60 at most. `Preference-Applied` says so.",
    {"type": "string"},
)
_FILTERS = (
    Parameter("status", "query", "Only tasks in this status.", {"type": "string", "enum": list(Status)}),
    Parameter("model", "query", "Only tasks of this model.", _TEXT),
    Parameter("q", "query", "Only tasks whose prompt holds this; among the key's newest 10 000.", _TEXT),
    Parameter("userId", "query", "Only tasks submitted with this user_id.", _TEXT),
    Parameter("createdAfter", "query", "Only tasks created at or after this time.", _TIME),
    Parameter("createdBefore", "query", "Only tasks created at or before this time.", _TIME),
    Parameter("updatedAfter", "query", "Only tasks whose status changed at or after this time.", _TIME),
    Parameter("limit", "query", "Tasks a page.", {"type": "integer", "minimum": 1, "maximum": PAGE_MAX}),
    Parameter("cursor", "query", "`next_cursor` of the page before.", _TEXT),
)
_SUBMIT_EXAMPLE = {
    "model": "seedream-4.5",
    "input": {
        "prompt": "Transform to watercolor style",
        "imageUrls": ["https://example.com/photo.jpg"],
        "ratio": "16:9",
        "resolution": "2k",
    },
    "callBackUrl": "https://example.com/callback",
}


def operations(routes: TaskRoutes) -> list[Operation]:
    """Every operation on tasks."""
    return [
        Operation(
            "POST",
            "/api/v1/task/submit",
            "submitTask",
            "Submit a task",
            answering(routes.submit),
            answers.SubmitData,
            "Stores the task durably and answers its id; nothing is fetched or painted before the answer. With"
            " `Prefer: wait=N` the answer comes once the task has ended, and `data` is the whole task object.",
            extension=False,
            parameters=(_IDEMPOTENCY, _PREFER),
            body={
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/SubmitRequest"},
                    "example": _SUBMIT_EXAMPLE,
                }
            },
            errors=(400, 401, 402, 403, 409, 413, 429, 503),
        ),
        Operation(
            "GET",
            "/api/v1/task/{taskId}",
            "queryTask",
            "Query a task",
            answering(routes.query),
            answers.FullTaskData,
            "A failed task answers 200 with code 0, too: its status and failure_reason tell.",
            extension=False,
            parameters=(TASK_ID, STRICT, _PREFER),
            errors=(401, 404),
        ),
        Operation(
            "POST",
            "/api/v1/task/{taskId}/cancel",
            "cancelTask",
            "Cancel a task",
            answering(routes.cancel),
            answers.FullTaskData,
            "Ends a waiting or running task at once; the engine stops and the callback is sent.",
            parameters=(TASK_ID,),
            errors=(401, 404, 409, 503),
        ),
        Operation(
            "DELETE",
            "/api/v1/task/{taskId}",
            "deleteTask",
            "Delete a task",
            answering(routes.delete),
            {},
            "For tasks that have ended. Its input, result links and callbacks are removed and it answers 404 from"
            " here on; what was charged stays booked.",
            parameters=(TASK_ID,),
            errors=(401, 404, 409, 503),
        ),
        Operation(
            "GET",
            "/api/v1/task/{taskId}/trace",
            "traceTask",
            "Explain what happened to a task",
            answering(routes.trace),
            traces.TraceData,
            "Each attempt with its engine, its waits and its times, each paid call with the provider's ids, and why"
            " something failed with what to do about it: retry, fix, top up or stop.",
            parameters=(TASK_ID,),
            errors=(401, 404),
        ),
        Operation(
            "GET",
            "/api/v1/tasks",
            "listTasks",
            "List tasks",
            answering(routes.listing),
            answers.TaskPage,
            "The key's own tasks, newest first.",
            parameters=_FILTERS,
            errors=(400, 401),
        ),
    ]
