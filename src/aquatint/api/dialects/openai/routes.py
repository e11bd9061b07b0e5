"""Images and models in OpenAI's spelling: a request makes a task, waits for it and answers its pictures."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from aquatint.api.auth import Authenticator
from aquatint.api.dialects.openai import bodies, pictures
from aquatint.api.dialects.openai.problems import ANSWERED, INVALID, answer, failed, task_header
from aquatint.api.observed import WAITED
from aquatint.api.problems import STORE_RETRY_AFTER
from aquatint.api.promises import idempotency_key
from aquatint.api.stream import gone
from aquatint.domain.errors import RateLimited, StoreUnavailable, UnknownModel
from aquatint.domain.key import Key
from aquatint.domain.task import TERMINAL, Status, Task
from aquatint.services.choose import GPT_IMAGE, ChooseService
from aquatint.services.models import ModelService
from aquatint.services.outcome import OutcomeService
from aquatint.services.pictures import PictureService
from aquatint.services.resend import Attempt, ResendService
from aquatint.services.submit import SubmitRequest, SubmitService
from aquatint.services.tools import PublicUrls
from aquatint.wire import preferences, requests
from aquatint.wire.openai import answers
from aquatint.wire.openai.orders import ImageOrder, echo

COUNT = "x-stainless-retry-count"  # the how manieth try it is, from OpenAI's own libraries
PATIENCE = "x-stainless-read-timeout"  # seconds
BROWSER_HEADERS = (  # what OpenAI's library sends from a browser
    *("openai-organization", "openai-project", COUNT, PATIENCE, "x-stainless-timeout", "x-stainless-lang"),
    *("x-stainless-package-version", "x-stainless-os", "x-stainless-arch"),
    *("x-stainless-runtime", "x-stainless-runtime-version", "x-stainless-helper-method"),
)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
DEFAULT_PATIENCE = 600.0  # seconds, as those libraries have it


@dataclass(frozen=True, slots=True)
class OpenAIRoutes:
    """`wait` is how long an answer may take, in seconds; `traced` whether a caller's traceparent is read."""

    submit_task: SubmitService
    choose: ChooseService
    resend: ResendService
    outcome: OutcomeService
    pictures: PictureService
    list_models: ModelService
    auth: Authenticator
    urls: PublicUrls
    limits: bodies.BodyLimits
    wait: float
    traced: bool = False

    async def generate(self, request: Request) -> Response:
        return await self._images(request, edit=False)

    async def edit(self, request: Request) -> Response:
        return await self._images(request, edit=True)

    async def models(self, request: Request) -> Response:
        listed = self._models(await self.auth(request))
        return Response(answers.models(list(listed.values())), media_type="application/json")

    async def model(self, request: Request) -> Response:
        key = await self.auth(request)
        name = request.path_params["model"]
        found = self._models(key).get(name)
        if found is None:
            chosen = self.choose(name).model  # a name that images may be asked of, although no list holds it
            if not key.may_use(chosen):
                raise UnknownModel(f"this key may not use {chosen}")
            found = answers.model(name, self._models(key)[chosen].owned_by)
        return Response(answers.one_model(found), media_type="application/json")

    def _models(self, key: Key) -> dict[str, answers.OpenAIModel]:
        owners = {model.name: model.engine.name if model.engine else model.family for model in self.list_models(key)}
        return {name: answers.model(name, owners[model]) for name, model in self.choose.names(key).items()}

    async def _images(self, request: Request, *, edit: bool) -> Response:
        key = await self.auth(request)
        order = await bodies.read(request, self.limits, edit=edit)
        if await request.is_disconnected():
            return Response(status_code=400)  # who has gone before anything was bought buys nothing
        attempt = _attempt(request, key, order)
        task_id, replayed = await self._task(request, key, order, attempt, edit=edit)
        request.scope[ANSWERED] = task_id
        prefer = request.headers.getlist("prefer")
        at_once = preferences.respond_async(prefer)
        seconds = min(float(preferences.wait(prefer) or 0), self.wait) if at_once else self.wait
        task = await self._ended(request, task_id, key, seconds)
        if attempt is not None:
            self.resend.answered(task_id, attempt, lost=task is None)
        if task is None:
            return Response(status_code=400)  # nobody is there to read it; the task goes on
        headers = task_header(request) | ({"idempotency-replayed": "true"} if replayed else {})
        if at_once and task.status not in TERMINAL:
            headers |= {"preference-applied": "respond-async", "location": f"/api/v1/task/{task_id}"}
            return Response(answers.waiting(task), 202, headers, media_type="application/json")
        if task.status is not Status.SUCCESS:
            return failed(request, task)
        return await pictures.success(
            task,
            self.pictures,
            self.urls.image,
            urls=order.response_format != "b64_json",
            whole=order.response_format == "b64_json"
            or (order.response_format is None and order.model.startswith(GPT_IMAGE)),
            headers=headers,
        )

    async def _task(
        self, request: Request, key: Key, order: ImageOrder, attempt: Attempt | None, *, edit: bool
    ) -> tuple[str, bool]:
        """The id of the task that this request makes, or made when it came before."""
        if attempt is None:
            self.auth.spend(key)
            submitted = await self.submit_task(self._wanted(request, order, idempotency_key(request), edit=edit), key)
            return submitted.task_id, submitted.replayed
        earlier = await self.resend(attempt)
        if earlier is not None:
            return earlier, True
        with self.resend.submitting(attempt):
            try:
                self.auth.spend(key)
                promise = self.resend.promise(attempt)
                submitted = await self.submit_task(self._wanted(request, order, promise, edit=edit), key)
            except RateLimited as error:
                self.resend.refused(attempt, error.retry_after)
                raise
            except StoreUnavailable:
                self.resend.refused(attempt, STORE_RETRY_AFTER)
                raise
            self.resend.taken(submitted.task_id, attempt)
        return submitted.task_id, False

    def _wanted(self, request: Request, order: ImageOrder, promise: str | None, *, edit: bool) -> SubmitRequest:
        choice = self.choose(order.model, order.size, edit=edit)
        ratio, resolution = order.ratio or choice.ratio, order.resolution or choice.resolution
        return SubmitRequest(
            model=choice.model,
            callback_url=None,
            user_id=order.user_id,
            prompt=order.prompt,
            references=[ref.data if isinstance(ref, requests.InlineImage) else ref for ref in order.references],
            ratio=ratio,
            resolution=resolution,
            n=order.n,
            seed=order.seed,
            fallback=order.fallback,
            options=order.options,
            echo=echo(order, choice.model, ratio, resolution),
            idempotency_key=promise,
            body_hash=order.digest if promise is not None else b"",
            traceparent=request.headers.get("traceparent", "") if self.traced else "",
        )

    async def _ended(self, request: Request, task_id: str, key: Key, seconds: float) -> Task | None:
        """The task when it has ended or the time is over, None when the caller has gone."""
        began = time.perf_counter()
        waiting = asyncio.create_task(self.outcome(task_id, key.id, seconds))
        going = asyncio.create_task(gone(request.receive))
        try:
            await asyncio.wait((waiting, going), return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()
            going.cancel()
            await asyncio.gather(waiting, going, return_exceptions=True)
            request.scope[WAITED] = time.perf_counter() - began  # the engine's time and not ours


async def nothing_here(request: Request) -> Response:
    """Other paths below /v1, so that a library says what is wrong."""
    message = f"Aquatint has no {request.method} {request.url.path}; of OpenAI's API it speaks images and models."
    return answer(request, 404, message, INVALID, "unknown_url")


def _attempt(request: Request, key: Key, order: ImageOrder) -> Attempt | None:
    """Which try this is, where the caller counts them and has no Idempotency-Key."""
    count = request.headers.get(COUNT, "")
    if "idempotency-key" in request.headers or not (count.isascii() and count.isdigit() and len(count) <= 3):
        return None
    try:
        patience = float(request.headers.get(PATIENCE, ""))
    except ValueError:
        patience = DEFAULT_PATIENCE
    if not (math.isfinite(patience) and patience > 0):
        patience = DEFAULT_PATIENCE
    return Attempt(key.id, order.digest, int(count), patience)
