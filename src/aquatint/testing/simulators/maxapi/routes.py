"""The routes: who may enter, what is refused at the door, and the envelope around everything."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator

from aiohttp import web
from aiohttp.typedefs import Handler

from aquatint.catalog.load import load as load_catalog
from aquatint.domain.errors import CallerError, Conflict, InvalidInput, NotFound, TooLarge, Unauthenticated
from aquatint.net.errors import BadUrl
from aquatint.net.url import check_url
from aquatint.testing.simulators.desk import Desk, bearer, cut, drop
from aquatint.testing.simulators.faults import Faults
from aquatint.testing.simulators.maxapi.work import FAILS, Task, Workshop
from aquatint.wire import answers, hygiene, requests

NAME = "maxapi"
MAX_BODY = 48_000_000
MAX_REFERENCE = 20_000_000
FORMS = ("png", "jpeg", "webp")
REFUSED_AT_SUBMIT = "moderation"  # of `[[fail:…]]`; the others end the task
CATEGORIES = (
    *("harassment", "harassment/threatening", "sexual", "sexual/minors", "hate", "hate/threatening"),
    *("illicit", "illicit/violent", "self-harm", "self-harm/intent", "self-harm/instructions"),
    *("violence", "violence/graphic"),
)

_REPLAY_CONFLICT = "this idempotency key was used with another body"
_WORDS = {
    401: "unauthorized",
    402: "the balance does not cover this task",
    403: "this key may not use this model",
    404: "there is nothing at this path",
    409: _REPLAY_CONFLICT,
    413: "the body is too large",
    429: "too many requests",
}


def build(desk: Desk) -> web.Application:
    """The application that hangs below /maxapi."""
    return _Server(desk).application()


class _Server:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._catalog = load_catalog("", {}, "")
        self._workshop = Workshop(desk)

    def application(self) -> web.Application:
        app = web.Application(middlewares=[self._envelopes])
        app.add_routes(
            [
                web.post("/api/v1/task/submit", self._submit),
                web.get("/api/v1/task/{id}", self._query),
                web.post("/api/v1/task/{id}/cancel", self._cancel),
            ]
        )
        app.cleanup_ctx.append(self._alive)
        return app

    async def _alive(self, app: web.Application) -> AsyncIterator[None]:
        await self._workshop.open()
        yield
        await self._workshop.close()

    @web.middleware
    async def _envelopes(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Nobody gets further without the key, and every refusal wears the envelope."""
        try:
            if bearer(request) != self._desk.key:
                raise Unauthenticated
            return await handler(request)
        except CallerError as error:
            return _refusal(error.status, error.message)
        except web.HTTPException as error:
            return _refusal(error.status, _WORDS.get(error.status, error.reason))

    async def _submit(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if len(body) > MAX_BODY:
            raise TooLarge(f"the body is larger than {MAX_BODY} bytes")
        draft = requests.parse_submit(body, MAX_REFERENCE)
        model = self._catalog.find(draft.model)
        model.check(ratio=draft.ratio, resolution=draft.resolution, n=draft.n, references=len(draft.references))
        _check(draft)
        call = self._desk.arrived(NAME, draft.prompt, draft.n, json.loads(body))
        key, digest = request.headers.get("Idempotency-Key", ""), _digest(body)
        if known := self._workshop.known(key):
            # Answered whatever the switches say: what a lost answer hid is found again.
            if known.digest != digest:
                raise Conflict(_REPLAY_CONFLICT)
            return _ok({"taskId": known.id}, {"Idempotency-Replayed": "true"})
        wrong = self._wrong(draft.prompt)
        if wrong.refuse:
            return drop(request)
        if wrong.http:
            return _refusal(wrong.http, _WORDS.get(wrong.http, "the simulator was told to fail"), wrong.retry_after)
        if wrong.fail == REFUSED_AT_SUBMIT:
            return _moderated()
        seconds = wrong.sleep or self._desk.work_seconds
        task = self._workshop.begin(Task(draft, model, call, wrong, seconds, key=key, digest=digest))
        if wrong.drop:
            return drop(request)
        if wrong.cut:
            return await cut(request, answers.ok({"taskId": task.id}))
        return _ok({"taskId": task.id})

    async def _query(self, request: web.Request) -> web.StreamResponse:
        return _ok(self._workshop.shown(self._found(request)))

    async def _cancel(self, request: web.Request) -> web.StreamResponse:
        task = self._found(request)
        if task.ended and task.status != "CANCELLED":
            raise Conflict("the task has already ended")
        self._workshop.cancel(task)
        return _ok(self._workshop.shown(task))

    def _found(self, request: web.Request) -> Task:
        task = self._workshop.find(request.match_info["id"])
        if task is None:
            raise NotFound("task not found")
        return task

    def _wrong(self, prompt: str) -> Faults:
        try:
            wrong = self._desk.faults(NAME, prompt)
        except ValueError as error:
            raise InvalidInput("input.prompt", str(error)) from None
        if wrong.fail and wrong.fail not in (*FAILS, REFUSED_AT_SUBMIT):
            known = ", ".join((*FAILS, REFUSED_AT_SUBMIT))
            raise InvalidInput("input.prompt", f"the task API has no failure {wrong.fail}; there are {known}")
        return wrong


def _check(draft: requests.Draft) -> None:
    """What the parser leaves to others. Raises InvalidInput."""
    wanted = draft.options.get("output_format")
    if wanted is not None and wanted not in FORMS:
        raise InvalidInput("input.output_format", f"must be one of {', '.join(FORMS)}")
    urls = {f"input.imageUrls[{i}]": item for i, item in enumerate(draft.references) if isinstance(item, str)}
    if draft.callback_url is not None:
        urls["callBackUrl"] = draft.callback_url
    for path, url in urls.items():
        try:
            check_url(url)
        except BadUrl as error:
            raise InvalidInput(path, error.message) from None


def _digest(body: bytes) -> bytes:
    """The same for every spelling of the same JSON."""
    return hashlib.sha256(requests.canonical(body)).digest()


def _ok(data: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=answers.ok(data), content_type="application/json", headers=headers)


def _refusal(status: int, message: str, retry_after: float | None = None) -> web.Response:
    headers = {"Retry-After": f"{retry_after:g}"} if retry_after is not None else None
    body = answers.failure(status, hygiene.tidy(message))
    return web.Response(body=body, status=status, content_type="application/json", headers=headers)


def _moderated() -> web.Response:
    data = {"flagged": True, "categories": {name: name == "violence" for name in CATEGORIES}}
    return web.json_response({"code": 400, "msg": hygiene.MODERATION, "data": data}, status=400)
