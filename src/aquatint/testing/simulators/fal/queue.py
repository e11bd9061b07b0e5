"""The fake's queue: jobs that wait, run and end, and the routes that tell of them. Source: fal-client 1.0.3."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from aquatint.domain.errors import AquatintError
from aquatint.testing.simulators.desk import Desk, SeenCall, cut, drop
from aquatint.testing.simulators.fal import failures, models
from aquatint.testing.simulators.fal.callbacks import Callbacks
from aquatint.testing.simulators.fal.failures import Failure
from aquatint.testing.simulators.faults import Faults

PROVIDER = "fal"
MOUNT = "/fal"

_JWKS = "/.well-known/jwks.json"
_QUEUED = 0.3  # of a job's time
_NAMESPACES = ("workflows", "comfy")
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class _Job:
    call: SeenCall
    order: models.Order
    wrong: Faults
    app: str  # owner and app, without the path below
    webhook: str | None
    start_timeout: float  # seconds that it may be queued
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    state: str = "IN_QUEUE"
    queued_until: float = 0.0
    readable_from: float = 0.0
    seconds: float = 0.0
    result: dict[str, Any] | None = None
    failure: Failure | None = None
    task: asyncio.Task[None] | None = None


class Queue:
    """All jobs of one simulator."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._jobs: dict[str, _Job] = {}
        self._callbacks = Callbacks()

    async def life(self, app: web.Application) -> Any:
        """aiohttp's cleanup context: a client for callbacks, and the end of all jobs."""
        await self._callbacks.open()
        yield
        running = [job.task for job in self._jobs.values() if job.task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._callbacks.close()

    async def jwks(self, request: web.Request) -> web.Response:
        return web.json_response(self._callbacks.jwks())

    async def submit(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["model"].strip("/")
        model = models.find(path)
        if model is None:
            name = "/".join(path.split("/")[:2])
            return failures.of_platform(404, f'Application "{name}" not found').answer()
        try:
            body = await request.json()
        except ValueError:
            return failures.of_platform(400, "The body is not JSON", "bad_request").answer()
        if not isinstance(body, dict):
            return failures.of_model([failures.complain("dict_type", (), "Input should be an object")]).answer()
        order, complaints = models.read(model, body)
        prompt = str(body.get("prompt", ""))
        call = self._desk.arrived(PROVIDER, prompt, order.images, body)
        try:
            wrong = self._desk.faults(PROVIDER, prompt)
            start_timeout = float(request.headers.get("X-Fal-Request-Timeout", "inf"))
        except ValueError as error:
            return failures.of_platform(400, str(error), "bad_request").answer()
        refused = _refused(request, wrong, start_timeout)
        if refused is not None:
            return refused
        parts = path.split("/")
        app = "/".join(parts[: 3 if parts[0] in _NAMESPACES else 2])
        job = _Job(call, order, wrong, app, request.query.get("fal_webhook"), start_timeout)
        if complaints:
            job.failure = failures.of_model(complaints)
        elif wrong.fail:
            job.failure = failures.of_job(wrong.fail)
        elif _made(job) == 0:
            job.failure = failures.of_job("no_media_generated")
        else:
            self._desk.charge(call, _made(job))
        return await self._take(request, job, at_once=bool(complaints))

    async def status(self, request: web.Request) -> web.Response:
        job = self._jobs.get(request.match_info["id"])
        if job is None:
            return failures.of_platform(404, "Request not found").answer()
        answer = {"status": job.state, "request_id": job.id, **self._urls(job)}
        logs: list[dict[str, str]] | None = None
        if request.query.get("logs", "").lower() in ("1", "true"):
            logs = [{"timestamp": "2026-11-22T00:00:00", "level": "INFO", "source": "run", "message": "painting"}]
        if job.state == "IN_QUEUE":
            answer["queue_position"] = max(0, math.ceil(job.queued_until - time.monotonic()))
            return web.json_response(answer, status=202)
        answer["logs"] = logs
        if job.state == "IN_PROGRESS":
            return web.json_response(answer, status=202)
        job.call.told()
        answer["metrics"] = {"inference_time": job.seconds}
        if job.failure is not None and job.failure.kind is not None:  # models' complaints are only in the result
            answer["error"] = job.failure.body["detail"]
            answer["error_type"] = job.failure.kind
        return web.json_response(answer)

    async def result(self, request: web.Request) -> web.Response:
        job = self._jobs.get(request.match_info["id"])
        if job is None or (job.state == "COMPLETED" and time.monotonic() < job.readable_from):
            return failures.of_platform(404, "Request not found").answer()
        if job.state != "COMPLETED":
            return failures.of_platform(400, "Request is still in progress").answer()
        if job.failure is not None:
            return job.failure.answer()
        return web.json_response(job.result, headers={"x-fal-billable-units": str(_made(job))})

    async def cancel(self, request: web.Request) -> web.Response:
        job = self._jobs.get(request.match_info["id"])
        if job is None:
            return web.json_response({"status": "NOT_FOUND"}, status=404)
        if job.state == "COMPLETED":
            return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
        if job.state == "IN_QUEUE":
            job.call.charged = 0  # nothing was made
        job.state, job.failure = "COMPLETED", failures.of_job("client_cancelled")
        if job.task is not None:
            job.task.cancel()
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)

    async def _take(self, request: web.Request, job: _Job, *, at_once: bool) -> web.StreamResponse:
        self._jobs[job.id] = job
        length = 0.0 if at_once else job.wrong.sleep or self._desk.work_seconds
        job.task = asyncio.create_task(self._work(job, length))
        if job.wrong.drop:
            return drop(request)
        answer = {
            "status": "IN_QUEUE",
            "request_id": job.id,
            "gateway_request_id": job.id,
            "queue_position": 0,
            **self._urls(job),
        }
        if job.wrong.cut:
            return await cut(request, json.dumps(answer).encode())
        return web.json_response(answer, headers={"x-fal-request-id": job.id})

    async def _work(self, job: _Job, length: float) -> None:
        began = time.monotonic()
        job.queued_until = began + length * _QUEUED
        await asyncio.sleep(min(length * _QUEUED, job.start_timeout))
        if length * _QUEUED > job.start_timeout:
            job.call.charged = 0
            job.failure = failures.of_platform(
                504, "Request timed out", "request_timeout", **{"X-Fal-Request-Timeout-Type": "user"}
            )
        else:
            job.state = "IN_PROGRESS"
            await asyncio.sleep(length * (1 - _QUEUED))
        if job.failure is None:
            try:
                job.result = await self._painted(job)
            except AquatintError:
                job.call.charged = 0
                job.failure = failures.of_job("internal_server_error")
        job.order = replace(job.order, references=())  # jobs are kept, their pictures are not
        job.seconds = time.monotonic() - began
        job.readable_from = time.monotonic() + job.wrong.late
        job.state = "COMPLETED"
        job.call.done()
        if job.webhook is not None:
            await self._callbacks.tell(job.webhook, job.id, _letter(job), job.wrong)

    async def _painted(self, job: _Job) -> dict[str, Any]:
        order, images = job.order, []
        for number in range(1, order.images + 1):
            if number in job.wrong.partial:
                continue
            data = await self._desk.paint(
                job.call.prompt,
                order.references,
                order.width,
                order.height,
                order.seed + number - 1,
                "png",
                job.wrong,
            )
            if order.inline:
                url = f"data:image/png;base64,{base64.b64encode(data).decode('ascii')}"
            else:
                url = self._desk.publish(data, "png", job.wrong)
            images.append(
                {
                    "url": url,
                    "content_type": "image/png",
                    "file_name": f"{number}.png",
                    "file_size": len(data),
                    "width": order.width,
                    "height": order.height,
                }
            )
        return {"images": images, "seed": order.seed}

    def _urls(self, job: _Job) -> dict[str, Any]:
        base = f"{self._desk.origin}{MOUNT}/{job.app}/requests/{job.id}"
        return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}


def build(desk: Desk) -> web.Application:
    queue = Queue(desk)

    @web.middleware
    async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
        """fal wants `Authorization: Key <key>`, not Bearer."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        public = request.path == f"{MOUNT}{_JWKS}"
        if not public and (scheme != "Key" or key.strip() != desk.key):
            return failures.of_platform(401, "No user found for Key ID and Secret").answer()
        return await handler(request)

    app = web.Application(middlewares=[guard])
    app.cleanup_ctx.append(queue.life)
    app.on_response_prepare.append(_name)
    app.add_routes(
        [
            web.get(_JWKS, queue.jwks),
            web.get("/{app:.+}/requests/{id}/status", queue.status),
            web.get("/{app:.+}/requests/{id}", queue.result),
            web.put("/{app:.+}/requests/{id}/cancel", queue.cancel),
            web.post("/{model:.+}", queue.submit),
        ]
    )
    return app


async def _name(request: web.Request, response: web.StreamResponse) -> None:
    """Every answer names itself; by this header fal's client tells fal from a proxy."""
    response.headers.setdefault("x-fal-request-id", str(uuid.uuid4()))


def _refused(request: web.Request, wrong: Faults, start_timeout: float) -> web.Response | None:
    """What the submit itself refuses, before there is a job."""
    if wrong.refuse:
        return drop(request)
    if start_timeout <= 1:
        return failures.of_platform(400, "The request timeout must be more than a second", "bad_request").answer()
    at_submit = failures.at_submit(wrong.fail)
    if at_submit is not None:
        return at_submit.answer()
    if not wrong.http:
        return None
    headers = {} if wrong.retry_after is None else {"Retry-After": f"{wrong.retry_after:g}"}
    return failures.of_platform(wrong.http, f"This is a scripted answer {wrong.http}", **headers).answer()


def _made(job: _Job) -> int:
    return sum(1 for number in range(1, job.order.images + 1) if number not in job.wrong.partial)


def _letter(job: _Job) -> dict[str, Any]:
    common = {"request_id": job.id, "gateway_request_id": job.id}
    if job.failure is None:
        return {**common, "status": "OK", "payload": job.result, "error": None}
    error = f"Invalid status code: {job.failure.status}"
    return {**common, "status": "ERROR", "payload": dict(job.failure.body), "error": error}
