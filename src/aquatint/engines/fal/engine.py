"""fal.ai's queue: submit, look at the status, fetch the result. Source: fal.ai's queue API, fal-client 1.0.3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

from aquatint import __version__
from aquatint.domain.errors import EngineError
from aquatint.engines import words
from aquatint.engines.base import GenerationJob
from aquatint.engines.fal.callbacks import Signatures
from aquatint.engines.fal.inputs import body_of, refuse, schema_of
from aquatint.engines.fal.verdicts import complaint, job_failed, not_taken, told_by_status
from aquatint.engines.remote import (
    Accepted,
    AskAgain,
    Call,
    Done,
    Notify,
    ReferenceLimits,
    RemoteImage,
    RemoteSpec,
    Working,
)
from aquatint.engines.remote_settings import RemoteSettings
from aquatint.net.provider import ProviderDoor, Reply, origin_of

_NAMESPACES = ("workflows", "comfy")  # model ids that have a word before owner and app
_SHORTEST_TIMEOUT = 1.5  # seconds; fal refuses X-Fal-Request-Timeout of a second or less


class FalEngine:
    """Buys from the models on fal.ai; each job lies in fal's queue, so a restart of ours loses nothing."""

    def __init__(self, section: Mapping[str, object]) -> None:
        self._settings = settings = RemoteSettings.of(section)
        self._door = ProviderDoor(
            settings.base_url, {"Authorization": f"Key {settings.api_key}"}, connect_seconds=settings.connect_timeout
        )
        self._signatures = (
            Signatures(str(section["jwks_url"]), connect_seconds=settings.connect_timeout)
            if section["callbacks"]
            else None
        )
        self._origin = origin_of(settings.base_url)
        self._spec = RemoteSpec(
            name="fal",
            title="fal.ai: Seedream and other models of several makers, paid by the image, from fal's queue",
            version=__version__,
            local=False,
            concurrency=settings.limits.in_flight or 64,
            account=settings.account("fal"),
            limits=settings.limits,
            references=ReferenceLimits(max_bytes=5_000_000),  # all of them ride in one JSON body
            call_seconds=settings.call_timeout,
            trusted_origins=(self._origin,),
            calls_back=self._signatures is not None,
        )

    @property
    def spec(self) -> RemoteSpec:
        return self._spec

    async def open(self) -> None:
        """Make the connections' pools; nothing is contacted."""
        await self._door.open()
        if self._signatures is not None:
            await self._signatures.open()

    async def close(self) -> None:
        if self._signatures is not None:
            await self._signatures.close()
        await self._door.close()

    def plan(self, job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        """As many images a call as the model makes. Raises InputRefused, and Misconfigured for a wrong route."""
        schema = schema_of(job)
        refuse(job, schema)
        most = schema.most_images
        return [tuple(images[first : first + most]) for first in range(0, len(images), most)]

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Accepted:
        """Put the call into fal's queue."""
        path = "/" + quote(job.remote_model.strip("/"))
        if call.callback_url is not None:
            path += "?" + urlencode({"fal_webhook": call.callback_url})
        patience = {"X-Fal-Request-Timeout": f"{max(_SHORTEST_TIMEOUT, job.time_left):.1f}"}
        async with words.paying():
            reply = await self._door.pay(
                "POST",
                path,
                body=body_of(job, call.images),
                headers=patience,
                seconds=self._settings.call_timeout,
            )
        if not 200 <= reply.status < 300:
            raise not_taken(self._clean(reply))
        return self._accepted(job.remote_model, reply)

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        """The status, and once it is COMPLETED the result: only that tells whether there are pictures."""
        async with words.asking():
            reply = self._clean(await self._door.ask("GET", handle["status_url"]))
        status = _status(reply)
        if status["status"] != "COMPLETED":
            return _working(status)
        async with words.asking():
            result = self._clean(await self._door.ask("GET", handle["response_url"]))
        if result.status != 200:
            raise _no_result(result, status)
        return _done(call, result, handle["request_id"])

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        """fal takes a job out of its queue, and asks a runner to stop."""
        async with words.asking():
            reply = await self._door.ask("PUT", handle["cancel_url"])
        return 200 <= reply.status < 300

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """The request id of a callback that fal signed."""
        return None if self._signatures is None else await self._signatures.request_id(headers, body, now)

    def _clean(self, reply: Reply) -> Reply:
        return words.without_key(reply, self._settings.api_key)

    def _accepted(self, model: str, reply: Reply) -> Accepted:
        taken = reply.json()
        request_id = taken.get("request_id") if isinstance(taken, dict) else None
        if not isinstance(request_id, str) or not request_id:
            raise words.broken("", "fal took a request and named no request_id", charged=True)
        parts = model.strip("/").split("/")
        app = "/".join(parts[: 3 if parts[0] in _NAMESPACES else 2])
        ours = f"{self._settings.base_url}/{quote(app)}/requests/{quote(request_id, safe='')}"
        handle = {"request_id": request_id}
        for name, end in (("status_url", "/status"), ("response_url", ""), ("cancel_url", "/cancel")):
            given = taken.get(name)
            # A URL that leads elsewhere would take our key there.
            own = isinstance(given, str) and origin_of(given) == self._origin
            handle[name] = given if own else ours + end
        return Accepted(request_id, handle, reply.headers.get("x-fal-request-id", request_id))


def _status(reply: Reply) -> Mapping[str, object]:
    """The parsed status. Raises AskAgain."""
    status = reply.json()
    if reply.status not in (200, 202) or not isinstance(status, dict) or not isinstance(status.get("status"), str):
        raise _not_said(reply)
    return status


def _working(status: Mapping[str, object]) -> Working:
    if status["status"] == "IN_QUEUE":
        return Working("queued", 0.0)
    return Working("generating")


def _not_said(reply: Reply) -> AskAgain:
    """An answer that is not about the job, such as one about our key. The job goes on and is paid: ask again."""
    said = complaint(reply)
    return words.ask_again(
        f"HTTP {reply.status} {said.text if said else ''}".rstrip(), words.retry_after(reply.headers)
    )


def _no_result(result: Reply, status: Mapping[str, object]) -> EngineError:
    """Why a job that is COMPLETED has no pictures, or that its result is not there yet."""
    said = complaint(result)
    if said is not None and result.status not in (401, 402, 403, 404, 429):
        return job_failed(said, result)
    if status.get("error"):  # the result cannot be read, but the status has told
        return told_by_status(status)
    return _not_said(result)


def _done(call: Call, result: Reply, request_id: str) -> Done:
    output = result.json()
    if not isinstance(output, dict):
        raise words.broken("", "fal's result is no JSON object", charged=True)
    if output.get("error") and not output.get("images"):
        raise told_by_status(output)
    pictures = output.get("images") or ([output["image"]] if output.get("image") else [])
    urls = [p["url"] for p in pictures if isinstance(p, dict) and isinstance(p.get("url"), str) and p["url"]]
    if not urls:
        raise words.broken("", "fal's result names no images", charged=True)
    seed = output.get("seed")
    images = tuple(
        RemoteImage(index, url=url, seed=seed if isinstance(seed, int) else None)
        for index, url in zip(call.images, urls, strict=False)
    )
    missing = call.images[len(images) :]
    refusals = tuple(words.passing("no_media_generated", "fal made fewer images than asked") for _ in missing)
    return Done(images, refusals, request_id)
