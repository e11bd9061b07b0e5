"""Google's Gemini image models (Nano Banana): one picture a call, at a size that the model chooses."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from aquatint import __version__
from aquatint.domain.errors import ConfigurationError, EngineError, InputRefused
from aquatint.domain.size import nearest_ratio
from aquatint.engines import words
from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.remote import Call, Done, Notify, ReferenceLimits, RemoteImage, RemoteSpec, Working
from aquatint.engines.remote_settings import RemoteSettings
from aquatint.net.provider import ProviderDoor, Reply, origin_of

_DEFAULT_MODEL = "gemini-nano-banana-2.1"
_MOST_REFERENCES = 14
_ANSWER_BYTES = 128_000_000  # a 4K picture as base64, and the drafts of a model that thinks
_LONGEST_PAUSE = 3600.0  # seconds of a retryDelay that we believe

_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_STEEP_RATIOS = ("1:4", "4:1", "1:8", "8:1")
_WITHOUT_STEEP = ("gemini-2.5-", "gemini-3-pro-")  # name prefixes: models without the steep ratios
_ONLY_1K = ("gemini-2.5-flash-image", "gemini-3.1-flash-lite-image")
_SIZES = {"1k": "1K", "2k": "2K", "4k": "4K"}

_OWN_FIELDS = frozenset(("candidates", "promptFeedback", "usageMetadata"))  # an answer without any is not Gemini's
_CONTENT = frozenset(
    (
        "SAFETY",
        "IMAGE_SAFETY",
        "PROHIBITED_CONTENT",
        "IMAGE_PROHIBITED_CONTENT",
        "BLOCKLIST",
        "SPII",
        "RECITATION",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
    )
)
_ACCESS = re.compile("api.?key|model name|response modalities", re.IGNORECASE)
# Not "check your plan and billing details": that ends the text of every rate limit.
_BALANCE = re.compile(
    r"credits? (is|are|has|have)|prepa(id|yment)|spend(ing)? (cap|limit)"
    r"|enable billing|billing (account|is|has|to be)|billing_(disabled|not_enabled)|billed users",
    re.IGNORECASE,
)
_RETRY_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")


def build(context: EngineContext) -> GeminiEngine | None:
    """The engine, or None without a key. Raises ConfigurationError for an API version that does not exist."""
    settings = RemoteSettings.of(context.settings)
    if not settings.api_key:
        return None
    version = str(context.settings.get("api_version") or "v1beta")
    if version not in ("v1", "v1beta"):
        raise ConfigurationError(["gemini.api_version must be v1 or v1beta"])
    return GeminiEngine(settings, version)


class GeminiEngine:
    """Translates jobs for models/{model}:generateContent."""

    def __init__(self, settings: RemoteSettings, api_version: str) -> None:
        self._settings = settings
        self._version = api_version
        headers = {"x-goog-api-key": settings.api_key}
        self._door = ProviderDoor(settings.base_url, headers, connect_seconds=settings.connect_timeout)
        self._spec = RemoteSpec(
            name="gemini",
            title="Google Gemini (Nano Banana): remote models, paid by the token on your own key",
            version=__version__,
            local=False,
            concurrency=settings.limits.in_flight or 64,
            account=settings.account("gemini"),
            limits=settings.limits,
            references=ReferenceLimits(max_bytes=5_000_000),  # 14 of them, as base64, stay under 100 MB
            exact_size=False,
            call_seconds=settings.call_timeout,
            trusted_origins=(origin_of(settings.base_url),),
        )

    @property
    def spec(self) -> RemoteSpec:
        return self._spec

    async def open(self) -> None:
        await self._door.open()

    async def close(self) -> None:
        await self._door.close()

    def plan(self, job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        if len(job.references) > _MOST_REFERENCES:
            raise InputRefused(f"this model takes at most {_MOST_REFERENCES} reference images")
        return [(index,) for index in images]

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Done:
        index = call.images[0]
        model = job.remote_model or _DEFAULT_MODEL
        # Seeds are 32 bits wide, and each picture of a task needs its own to differ from the others.
        seed = (job.seed + index) % (1 << 31) if job.seed is not None else None
        body, warnings = _body(job, model, seed)
        path = f"/{self._version}/models/{quote(model, safe='')}:generateContent"
        notify(0.0, "generating")
        async with words.paying():
            reply = await self._door.pay(
                "POST", path, body=body, seconds=self._settings.call_timeout, max_bytes=_ANSWER_BYTES
            )
        if not 200 <= reply.status < 300:
            raise self._failure(reply)
        return await asyncio.to_thread(self._done, reply, index, seed, warnings)

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        raise words.broken("", "this provider answers at once and has no jobs")

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        return False

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        return None

    def _done(self, reply: Reply, index: int, seed: int | None, warnings: tuple[str, ...]) -> Done:
        """The picture of an answer. Raises our error for one without: blocks come as HTTP 200 too."""
        said = reply.json()
        if not isinstance(said, dict) or not said.keys() & _OWN_FIELDS:
            raise words.broken("", f"a success of {len(reply.body)} bytes that is not Gemini's", charged=True)
        candidates = [item for item in _list(said.get("candidates")) if isinstance(item, dict)]
        blocked = _dict(said.get("promptFeedback")).get("blockReason")
        if blocked and not candidates:
            raise words.content(str(blocked), self._detail(reply, "the prompt was blocked"))
        for part in (part for candidate in candidates for part in _parts(candidate)):
            picture = _dict(part.get("inlineData") or part.get("inline_data"))
            if picture and not part.get("thought"):
                image = RemoteImage(index, data=words.image_bytes(picture.get("data")), seed=seed)
                return Done((image,), request_id=str(said.get("responseId") or ""), warnings=warnings)
        raise self._pictureless(reply, said, candidates)

    def _pictureless(self, reply: Reply, said: dict[str, Any], candidates: list[dict[str, Any]]) -> EngineError:
        first = candidates[0] if candidates else {}
        reason = str(first.get("finishReason") or "no_candidates")
        texts = [part["text"] for part in _parts(first) if isinstance(part.get("text"), str)]
        detail = self._detail(reply, " ".join([str(first.get("finishMessage") or ""), *texts]))
        if reason in _CONTENT:
            error: EngineError = words.content(reason, detail)
        elif reason == "LANGUAGE":
            error = words.bad_input(reason, detail)
        elif reason == "PUP_LIMITED_DISABLED":  # the account itself was shut for what it asked before
            error = words.misconfigured(reason, detail)
        else:
            error = words.broken(reason, detail)
            error.about_account = False  # an odd prompt, not an odd account
        # Text costs next to nothing. Should the bill name a picture that did not come, nobody buys another.
        bill = _list(_dict(said.get("usageMetadata")).get("candidatesTokensDetails"))
        error.charged = any(_dict(item).get("modality") == "IMAGE" and item.get("tokenCount") for item in bill)
        return error

    def _failure(self, reply: Reply) -> EngineError:
        """Our error for an answer that is no success."""
        said = reply.json()
        if isinstance(said, list) and len(said) == 1:
            said = said[0]
        error = said.get("error") if isinstance(said, dict) else None
        if not isinstance(error, dict):
            if reply.status >= 500:
                return words.unknown(self._detail(reply, ""))  # a proxy spoke, the call may go on behind it
            error = {}
        status = reply.status
        code = self._scrubbed(str(error.get("status") or f"http_{status}"))
        details = [item for item in _list(error.get("details")) if isinstance(item, dict)]
        text = " ".join([str(error.get("message") or ""), *(str(item.get("reason") or "") for item in details)])
        detail = self._detail(reply, text)
        if status in (400, 402, 403, 429) and (status == 402 or _BALANCE.search(text)):
            return words.balance(code, detail)
        if status == 429:
            return words.slow_down(code, detail, _retry_after(reply, details))
        if status in (408, 409, 499) or status >= 500:
            return words.passing(code, detail, _retry_after(reply, details))
        if status in (400, 413, 422) and code != "FAILED_PRECONDITION" and not _ACCESS.search(text):
            return words.bad_input(code, detail)
        return words.no_model(code, detail) if status == 404 else words.misconfigured(code, detail)

    def _detail(self, reply: Reply, text: str) -> str:
        said = text.strip() or reply.body[:200].decode("utf-8", "replace")
        return self._scrubbed(f"HTTP {reply.status}: {said}")[:400]

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._settings.api_key, "(key)")


def _body(job: GenerationJob, model: str, seed: int | None) -> tuple[dict[str, object], tuple[str, ...]]:
    """The request, and what the caller should know about it."""
    warnings: list[str] = []
    picture: dict[str, str] = {}
    ratio = _ratio(job, model)
    if ratio is not None:
        picture["aspectRatio"] = ratio
        if job.ratio not in (None, ratio):
            warnings.append(f"this model makes {ratio} where {job.ratio} was wanted")
    resolution = job.resolution.lower()
    if model.startswith(_ONLY_1K):
        if resolution not in ("", "1k"):
            warnings.append("this model makes pictures of 1k only")
    elif resolution in _SIZES:
        picture["imageSize"] = _SIZES[resolution]
    config: dict[str, object] = {"responseModalities": ["IMAGE"]}
    if picture:
        config["imageConfig"] = picture
    if seed is not None:
        config["seed"] = seed
    parts: list[dict[str, object]] = [
        {"inlineData": {"mimeType": r.media_type, "data": base64.b64encode(r.data).decode("ascii")}}
        for r in job.references
    ]
    parts.append({"text": job.prompt})
    return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}, tuple(warnings)


def _ratio(job: GenerationJob, model: str) -> str | None:
    """The ratio to ask for; None leaves it to the references."""
    if job.ratio is None and job.references:
        return None
    ratios = _RATIOS if model.startswith(_WITHOUT_STEEP) else (*_RATIOS, *_STEEP_RATIOS)
    return job.ratio if job.ratio in ratios else nearest_ratio(job.width, job.height, ratios)


def _retry_after(reply: Reply, details: list[dict[str, Any]]) -> float | None:
    """Seconds of google.rpc.RetryInfo, or of the header."""
    for item in details:
        if found := _RETRY_DELAY.fullmatch(str(item.get("retryDelay") or "")):
            return min(float(found[1]), _LONGEST_PAUSE)
    return words.retry_after(reply.headers)


def _parts(candidate: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (part for part in _list(_dict(candidate.get("content")).get("parts")) if isinstance(part, dict))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
