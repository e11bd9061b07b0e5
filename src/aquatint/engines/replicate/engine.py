"""Replicate's predictions: create, get, cancel. Source: Replicate's HTTP API, replicate 1.0.7."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from aquatint import __version__
from aquatint.domain.errors import InputRefused
from aquatint.domain.size import nearest_ratio
from aquatint.engines import words
from aquatint.engines.base import GenerationJob
from aquatint.engines.remote import (
    Accepted,
    Call,
    Done,
    Notify,
    ReferenceLimits,
    RemoteImage,
    RemoteSpec,
    Working,
)
from aquatint.engines.remote_settings import RemoteSettings
from aquatint.engines.replicate.callbacks import Signatures
from aquatint.engines.replicate.verdicts import not_made, not_said, not_taken
from aquatint.net.provider import ProviderDoor, Reply, origin_of

_RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9")
_LONGEST_PROMPT = 4000  # characters
_MODEL = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?::(?P<version>\w+))?")
_STAGES = {"starting": "queued", "processing": "generating"}
_ENDED = frozenset(("failed", "canceled", "aborted"))


class ReplicateEngine:
    """Buys Seedream on Replicate, one image a prediction; a prediction goes on whatever happens to us."""

    def __init__(self, section: Mapping[str, object]) -> None:
        self._settings = settings = RemoteSettings.of(section)
        self._door = ProviderDoor(
            settings.base_url,
            {"Authorization": f"Bearer {settings.api_key}"},
            connect_seconds=settings.connect_timeout,
        )
        self._signatures = Signatures(self._door)
        self._origin = origin_of(settings.base_url)
        self._spec = RemoteSpec(
            name="replicate",
            title="Replicate: Seedream and other hosted models, paid by the image or the second",
            version=__version__,
            local=False,
            concurrency=settings.limits.in_flight or 64,
            account=settings.account("replicate"),
            limits=settings.limits,
            references=ReferenceLimits(max_bytes=1_000_000),  # what Replicate recommends for a data URI
            exact_size=False,  # it takes a ratio and a size word
            call_seconds=settings.call_timeout,
            trusted_origins=(self._origin,),
            calls_back=bool(section["callbacks"]),
        )

    @property
    def spec(self) -> RemoteSpec:
        return self._spec

    async def open(self) -> None:
        """Make the connections' pools; nothing is contacted."""
        await self._door.open()

    async def close(self) -> None:
        await self._door.close()

    def plan(self, job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        """One image a prediction. Raises InputRefused, and Misconfigured for a wrong route."""
        name = _parts(job.remote_model)[1]
        most = 10 if name == "seedream-4" else 14
        if len(job.references) > most:
            raise InputRefused(f"this model takes at most {most} reference images here")
        if len(job.prompt) > _LONGEST_PROMPT:
            raise InputRefused(f"this model takes a prompt of at most {_LONGEST_PROMPT} characters here")
        return [(index,) for index in images]

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Accepted:
        """Create the prediction. No `Prefer: wait`: whoever polls can be killed at no cost."""
        owner, name, version = _parts(job.remote_model)
        body: dict[str, object] = {"input": _input(job)}
        path = "/v1/predictions"
        if version:
            body["version"] = version
        else:
            path = f"/v1/models/{owner}/{name}/predictions"
        if call.callback_url is not None:
            body["webhook"] = call.callback_url
            body["webhook_events_filter"] = ["completed"]
        async with words.paying():
            reply = await self._door.pay("POST", path, body=body, seconds=self._settings.call_timeout)
        if not 200 <= reply.status < 300:
            raise not_taken(self._clean(reply))
        return self._accepted(reply, official=not version)

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        """The prediction as it is now."""
        async with words.asking():
            reply = self._clean(await self._door.ask("GET", handle["get_url"]))
        prediction = reply.json()
        if reply.status != 200 or not isinstance(prediction, dict) or not isinstance(prediction.get("status"), str):
            raise not_said(reply)
        status = str(prediction["status"])
        if status in _ENDED:
            raise not_made(prediction, official=handle.get("official") == "yes")
        if status != "succeeded":
            return Working(_STAGES.get(status, status))
        output = prediction.get("output")
        urls = [output] if isinstance(output, str) else output
        if not isinstance(urls, list) or not urls or not (isinstance(urls[0], str) and urls[0]):
            raise words.broken("", "a prediction succeeded and names no file; files live an hour", charged=True)
        return Done((RemoteImage(call.images[0], url=urls[0]),), request_id=handle["id"])

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        """Whether the prediction is stopped now or about to be."""
        async with words.asking():
            reply = await self._door.ask("POST", handle["cancel_url"])
        prediction = reply.json()
        if not 200 <= reply.status < 300 or not isinstance(prediction, dict):
            return False
        return prediction.get("status") not in ("succeeded", "failed")

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """The prediction id of a callback that Replicate signed."""
        return await self._signatures.prediction_id(headers, body, now)

    def _clean(self, reply: Reply) -> Reply:
        return words.without_key(reply, self._settings.api_key)

    def _accepted(self, reply: Reply, *, official: bool) -> Accepted:
        taken = reply.json()
        name = taken.get("id") if isinstance(taken, dict) else None
        if not isinstance(name, str) or not name:
            raise words.broken("", "Replicate took a request and named no id", charged=True)
        given = taken.get("urls")
        urls = given if isinstance(given, dict) else {}
        ours = f"{self._settings.base_url}/v1/predictions/{quote(name, safe='')}"
        return Accepted(
            name,
            {
                "id": name,
                "get_url": self._own(urls.get("get"), ours),
                "cancel_url": self._own(urls.get("cancel"), f"{ours}/cancel"),
                "official": "yes" if official else "no",
            },
            name,
        )

    def _own(self, given: object, ours: str) -> str:
        """The URL as Replicate gave it, unless it leads elsewhere and would take our key there."""
        return given if isinstance(given, str) and origin_of(given) == self._origin else ours


def _parts(model: str) -> tuple[str, str, str]:
    """Owner, name and version (empty for an official model) of a model id. Raises Misconfigured."""
    found = _MODEL.fullmatch(model)
    if found is None:
        raise words.misconfigured("model", f"{model!r} is not a Replicate model: owner/name or owner/name:version")
    return found["owner"], found["name"], found["version"] or ""


def _input(job: GenerationJob) -> dict[str, object]:
    body: dict[str, object] = {
        "prompt": job.prompt,
        "size": job.resolution.upper(),
        "aspect_ratio": _aspect_ratio(job),
    }
    if job.references:
        body["image_input"] = [words.data_url(reference) for reference in job.references]
    return body


def _aspect_ratio(job: GenerationJob) -> str:
    if job.ratio is None and job.references:
        return "match_input_image"
    return job.ratio if job.ratio in _RATIOS else nearest_ratio(job.width, job.height, _RATIOS)
