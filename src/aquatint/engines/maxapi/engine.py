"""The engine: a task submitted, asked after, cancelled, and its callback believed only when it is signed.

Source: the public task API (submit-task, query-task, webhook), and Aquatint's own extensions of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from aquatint import __version__
from aquatint.domain.errors import ConfigurationError
from aquatint.engines import words
from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.maxapi import signature
from aquatint.engines.maxapi.answers import Answer, ended
from aquatint.engines.remote import (
    Accepted,
    Call,
    Done,
    Notify,
    ReferenceLimits,
    RemoteEngine,
    RemoteSpec,
    Working,
)
from aquatint.engines.remote_settings import RemoteSettings
from aquatint.net.provider import ProviderDoor, origin_of

# Fourteen references as data URLs still fit the 48 MB that an Aquatint takes as one submit.
REFERENCES = ReferenceLimits(max_bytes=2_500_000)

_RUNNING = frozenset({"PENDING", "PROCESSING", "SUBMITTED"})
_IDEMPOTENCY_KEY = "Idempotency-Key"


def build(context: EngineContext) -> RemoteEngine | None:
    """The engine, or None without a key. Raises ConfigurationError for a webhook secret that cannot be read."""
    settings = RemoteSettings.of(context.settings)
    if not settings.api_key:
        return None
    try:
        webhook_key = signature.read_secret(str(context.settings.get("webhook_secret", "")))
    except ValueError as error:
        raise ConfigurationError([f"maxapi.webhook_secret: {error}"]) from None
    return MaxApiEngine(
        settings,
        webhook_key=webhook_key,
        callbacks=bool(context.settings.get("callbacks", False)),
        idempotent=bool(context.settings.get("idempotent", False)),
    )


class MaxApiEngine:
    """Submits one task for all images of a call and asks after it."""

    def __init__(
        self, settings: RemoteSettings, *, webhook_key: bytes = b"", callbacks: bool = False, idempotent: bool = False
    ) -> None:
        """`webhook_key` proves callbacks, empty: none is believed; `idempotent`: the server knows Idempotency-Key."""
        self._key = settings.api_key
        self._webhook_key = webhook_key
        self._door = ProviderDoor(
            settings.base_url,
            {"Authorization": f"Bearer {settings.api_key}"},
            connect_seconds=settings.connect_timeout,
            user_agent=f"Aquatint/{__version__}",
        )
        self._spec = RemoteSpec(
            name="maxapi",
            title="another server of this same API: what its model is, and whether it paints, is its own matter",
            version=__version__,
            local=False,
            concurrency=settings.limits.in_flight or 64,
            account=settings.account("maxapi"),
            limits=settings.limits,
            references=REFERENCES,
            exact_size=True,
            resend_safe=idempotent,
            call_seconds=settings.call_timeout,
            trusted_origins=(origin_of(settings.base_url),),
            calls_back=callbacks and bool(webhook_key),
        )

    @property
    def spec(self) -> RemoteSpec:
        return self._spec

    async def open(self) -> None:
        await self._door.open()

    async def close(self) -> None:
        await self._door.close()

    def plan(self, job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        """One task makes them all, for `n` is part of the API; with a seed, one for each run of neighbours.

        A task counts its seeds up from the one it is given, so only neighbours get the seeds that are theirs.
        """
        if job.seed is None:
            return [tuple(images)] if images else []
        runs: list[list[int]] = []
        for image in sorted(images):
            if runs and image == runs[-1][-1] + 1:
                runs[-1].append(image)
            else:
                runs.append([image])
        return [tuple(run) for run in runs]

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Done | Accepted:
        """Submit one task; sent again with the same `call.key`, it is billed once where the server minds it."""
        headers = {_IDEMPOTENCY_KEY: call.key} if call.key and self._spec.resend_safe else {}
        body: dict[str, object] = {"model": job.remote_model or job.model, "input": _input(job, call)}
        if call.callback_url:
            body["callBackUrl"] = call.callback_url
        async with words.paying():
            reply = await self._door.pay(
                "POST", "/api/v1/task/submit", body=body, headers=headers, seconds=self._spec.call_seconds
            )
        task_id = Answer(reply, self._key).task_id(keyed=bool(headers))
        return Accepted(task_id, {"task_id": task_id}, reply.headers.get("x-request-id", ""))

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        """Query the task."""
        async with words.asking():
            reply = await self._door.ask("GET", _path(handle))
        answer = Answer(reply, self._key)
        task = answer.task()
        status = str(task.get("status", "")).upper()
        if status == "SUCCESS":
            return ended(call, task)
        if status in ("FAILURE", "FAILED", "TIMEOUT", "CANCELLED"):
            raise answer.failure(status, task)
        # A status that this version does not know is no end that anybody could act on; the deadline is.
        return Working(status.lower() if status in _RUNNING else "", _progress(task.get("progress")))

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        """Aquatint's extension; the hosted server has no such route."""
        async with words.asking():
            reply = await self._door.ask("POST", f"{_path(handle)}/cancel")
        return Answer(reply, self._key).cancelled()

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """Standard Webhooks, as Aquatint signs; without a secret nothing is believed."""
        if not self._webhook_key or not signature.holds(headers, body, self._webhook_key, now):
            return None
        try:
            task_id = json.loads(body)["data"]["taskId"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return task_id if isinstance(task_id, str) else None


def _input(job: GenerationJob, call: Call) -> dict[str, object]:
    """The route's option `omit` names fields that the model behind it refuses."""
    fields: dict[str, object] = {
        "prompt": job.prompt,
        "imageUrls": [words.data_url(reference) for reference in job.references] or None,
        "ratio": job.ratio,
        "resolution": job.resolution or None,
        "n": len(call.images),
        "seed": job.seed + call.images[0] if job.seed is not None else None,
        "output_format": job.options.get("output_format"),
    }
    omitted = job.route.get("omit", ())
    left_out = omitted if isinstance(omitted, list | tuple) else ()
    return {name: value for name, value in fields.items() if value is not None and name not in left_out}


def _path(handle: Mapping[str, str]) -> str:
    return f"/api/v1/task/{quote(handle['task_id'], safe='')}"


def _progress(value: object) -> float | None:
    """Aquatint's additive field."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    return None
