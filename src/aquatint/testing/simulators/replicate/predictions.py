"""The fake's predictions and the routes that tell of them. Source: Replicate's HTTP API, replicate 1.0.7."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from aquatint.domain.errors import AquatintError
from aquatint.testing.simulators.desk import Desk, SeenCall, bearer, cut, drop, shorten
from aquatint.testing.simulators.faults import Faults
from aquatint.testing.simulators.replicate import models
from aquatint.testing.simulators.replicate.callbacks import Callbacks
from aquatint.testing.simulators.replicate.problems import at_create, invalid, problem, text_of

PROVIDER = "replicate"
MOUNT = "/replicate"
PAGE = 100  # predictions of one list

_STARTING = 0.3  # of a prediction's time
_LONGEST_WAIT = 60.0  # seconds of `Prefer: wait`
_EVENTS = ("start", "output", "logs", "completed")
_ENDED = ("succeeded", "failed", "canceled", "aborted")
_WAIT = re.compile(r"\s*wait(?:=(\d+))?\s*")
_DEADLINE = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class _Prediction:
    call: SeenCall
    model: models.Model
    official: bool
    order: models.Order
    input: Any
    wrong: Faults
    webhook: str | None
    events: tuple[str, ...]
    id: str = field(default_factory=lambda: "".join(secrets.choice(_LETTERS) for _ in range(26)))
    status: str = "starting"
    output: list[str] | str | None = None
    error: str | None = None
    logs: str = ""
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    completed_at: float | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None


class Predictions:
    """All predictions of one simulator."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._all: dict[str, _Prediction] = {}
        self._callbacks = Callbacks()

    async def life(self, app: web.Application) -> Any:
        """aiohttp's cleanup context: a client for webhooks, and the end of all predictions."""
        await self._callbacks.open()
        yield
        running = [made.task for made in self._all.values() if made.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._callbacks.close()

    async def create_official(self, request: web.Request) -> web.StreamResponse:
        model = models.MODELS.get(f"{request.match_info['owner']}/{request.match_info['name']}")
        return problem(404) if model is None else await self._create(request, model)

    async def create(self, request: web.Request) -> web.StreamResponse:
        return await self._create(request, None)

    async def get(self, request: web.Request) -> web.Response:
        made = self._all.get(request.match_info["id"])
        if made is None:
            return problem(404)
        if made.status in _ENDED:
            made.call.told()
        return web.json_response(self._view(made))

    async def cancel(self, request: web.Request) -> web.Response:
        made = self._all.get(request.match_info["id"])
        if made is None:
            return problem(404)
        if made.status not in _ENDED:
            if made.status == "starting":
                made.call.charged = 0  # nothing ran
            if made.task is not None:
                made.task.cancel()
            self._end(made, "canceled")
            made.task = asyncio.create_task(self._tell(made, "completed"))
        return web.json_response(self._view(made))

    async def list(self, request: web.Request) -> web.Response:
        """Newest first; a cursor is where the page begins."""
        cursor = request.query.get("cursor", "0")
        if not cursor.isdecimal():
            return problem(400, "The cursor is not one of ours.")
        first = int(cursor)
        newest = list(reversed(self._all.values()))
        here = f"{self._desk.origin}{MOUNT}/v1/predictions?cursor="
        return web.json_response(
            {
                "previous": f"{here}{max(0, first - PAGE)}" if first else None,
                "next": f"{here}{first + PAGE}" if first + PAGE < len(newest) else None,
                "results": [self._view(made) for made in newest[first : first + PAGE]],
            }
        )

    async def secret(self, request: web.Request) -> web.Response:
        return web.json_response({"key": self._callbacks.secret})

    async def _create(self, request: web.Request, model: models.Model | None) -> web.StreamResponse:
        official = model is not None
        try:
            body = await request.json()
        except ValueError:
            body = None
        if not isinstance(body, dict) or not isinstance(body.get("input"), dict):
            return problem(422, "- input is required")
        if model is None:
            version = str(body.get("version", "")).rpartition(":")[2]
            model = models.VERSIONS.get(version)
            if model is None:
                text = "The specified version does not exist (or perhaps you don't have permission to use it?)"
                return problem(422, text, title="Invalid version or not permitted")
        order, mistakes = models.read(model, body["input"])
        prompt = str(body["input"].get("prompt", ""))
        call = self._desk.arrived(PROVIDER, prompt, order.images, body)
        try:
            wrong = self._desk.faults(PROVIDER, prompt)
            webhook, events = _webhook(body)
            deadline = _deadline(request.headers.get("Cancel-After", ""))
        except ValueError as error:
            return problem(400, str(error))
        refused = _refused(request, wrong)
        if refused is not None:
            return refused
        if mistakes:
            return invalid(mistakes)
        if wrong.partial and self._nth(call) in wrong.partial:
            wrong = replace(wrong, fail="E6716")
        made = _Prediction(call, model, official, order, shorten(body["input"]), wrong, webhook, events)
        if not wrong.fail:
            self._desk.charge(call, order.images)
        return await self._take(request, made, deadline)

    def _nth(self, call: SeenCall) -> int:
        """Which prediction of its prompt this is: callers buy one image a prediction, so this counts their images."""
        return sum(1 for seen in self._desk.calls if (seen.provider, seen.prompt) == (PROVIDER, call.prompt))

    async def _take(self, request: web.Request, made: _Prediction, deadline: float | None) -> web.StreamResponse:
        self._all[made.id] = made
        made.task = asyncio.create_task(self._work(made, made.wrong.sleep or self._desk.work_seconds, deadline))
        if made.wrong.drop:
            return drop(request)
        wait = _WAIT.fullmatch(request.headers.get("Prefer", ""))
        if wait is not None:
            patience = min(_LONGEST_WAIT, float(wait[1] or _LONGEST_WAIT))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(made.ended.wait(), patience)
        view = self._view(made)
        if made.wrong.cut:
            return await cut(request, json.dumps(view).encode())
        return web.json_response(view, status=201 if made.status in _ENDED else 202)

    async def _work(self, made: _Prediction, length: float, deadline: float | None) -> None:
        try:
            async with asyncio.timeout(deadline):
                await asyncio.sleep(length * _STARTING)
                made.status, made.started_at = "processing", time.time()
                await self._tell(made, "start")
                await asyncio.sleep(length * (1 - _STARTING))
                await self._run(made)
        except TimeoutError:
            if made.started_at is None:
                made.call.charged = 0
            self._end(made, "aborted" if made.started_at is None else "canceled")
        await self._tell(made, "completed")

    async def _run(self, made: _Prediction) -> None:
        """Paint, or fail as the faults want."""
        code = made.wrong.fail
        if code in ("canceled", "aborted"):
            if code == "aborted":
                made.started_at = None
            self._end(made, code)
        elif code:
            self._end(made, "failed", text_of(code))
        else:
            try:
                urls = [await self._painted(made, number) for number in range(1, made.order.images + 1)]
            except AquatintError:
                made.call.charged = 0
                self._end(made, "failed", text_of("E6716"))
                return
            made.output = urls if made.model.many else urls[0]
            made.logs = "Generating\n100%|##########| 1/1 [00:01<00:00,  1.00s/it]"
            self._end(made, "succeeded")

    async def _painted(self, made: _Prediction, number: int) -> str:
        order = made.order
        seed = made.call.number + number
        data = await self._desk.paint(
            made.call.prompt, order.references, order.width, order.height, seed, "jpeg", made.wrong
        )
        return self._desk.publish(data, "jpeg", made.wrong)

    def _end(self, made: _Prediction, status: str, error: str | None = None) -> None:
        made.status, made.error, made.completed_at = status, error, time.time()
        made.order = replace(made.order, references=())  # predictions are kept, their pictures are not
        made.call.done()
        made.ended.set()

    async def _tell(self, made: _Prediction, event: str) -> None:
        if made.webhook is not None and event in made.events:
            await self._callbacks.tell(made.webhook, self._view(made), made.wrong)

    def _view(self, made: _Prediction) -> dict[str, Any]:
        """The prediction as Replicate shows it; an hour after its end without its files."""
        gone = made.completed_at is not None and time.time() - made.completed_at > self._desk.link_seconds
        base = f"{self._desk.origin}{MOUNT}/v1/predictions/{made.id}"
        metrics = {}
        if made.started_at is not None and made.completed_at is not None:
            metrics = {"predict_time": made.completed_at - made.started_at}
        return {
            "id": made.id,
            "model": made.model.name,
            "version": "hidden" if made.official else made.model.version,
            "status": made.status,
            "input": {} if gone else made.input,
            "output": None if gone else made.output,
            "error": made.error,
            "logs": "" if gone else made.logs,
            "metrics": metrics,
            "data_removed": gone,
            "source": "api",
            "created_at": _time(made.created_at),
            "started_at": _time(made.started_at),
            "completed_at": _time(made.completed_at),
            "urls": {"get": base, "cancel": f"{base}/cancel", "web": f"https://replicate.com/p/{made.id}"},
        }


def build(desk: Desk) -> web.Application:
    predictions = Predictions(desk)

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        return await handler(request) if bearer(request) == desk.key else problem(401)

    app = web.Application(middlewares=[guard])
    app.cleanup_ctx.append(predictions.life)
    app.add_routes(
        [
            web.post("/v1/models/{owner}/{name}/predictions", predictions.create_official),
            web.post("/v1/predictions", predictions.create),
            web.get("/v1/predictions", predictions.list),
            web.get("/v1/predictions/{id}", predictions.get),
            web.post("/v1/predictions/{id}/cancel", predictions.cancel),
            web.get("/v1/webhooks/default/secret", predictions.secret),
        ]
    )
    return app


def _refused(request: web.Request, wrong: Faults) -> web.Response | None:
    """What the create itself refuses, before there is a prediction."""
    if wrong.refuse:
        return drop(request)
    if wrong.http:
        return problem(wrong.http, retry_after=wrong.retry_after)
    return at_create(wrong.fail)


def _webhook(body: dict[str, Any]) -> tuple[str | None, tuple[str, ...]]:
    """Where to, and for which events. Raises ValueError."""
    url, events = body.get("webhook"), body.get("webhook_events_filter")
    if url is not None and not (isinstance(url, str) and url.startswith(("https://", "http://"))):
        raise ValueError("webhook must be a URL")  # the real one wants https
    if events is None:
        events = list(_EVENTS)
    if not isinstance(events, list) or not set(events) <= set(_EVENTS):
        raise ValueError(f"webhook_events_filter holds events of {', '.join(_EVENTS)}")
    return url, tuple(events)


def _deadline(text: str) -> float | None:
    """Seconds of `Cancel-After`, such as 90s or 1m30s. Raises ValueError."""
    if not text:
        return None
    found = _DEADLINE.fullmatch(text.strip())
    seconds = (
        sum(int(part or 0) * unit for part, unit in zip(found.groups(), (3600, 60, 1), strict=True)) if found else 0
    )
    if seconds < 5:
        raise ValueError("Cancel-After must be a duration of at least 5 seconds")
    return float(seconds)


def _time(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
