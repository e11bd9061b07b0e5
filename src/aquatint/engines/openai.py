"""OpenAI's image models: up to ten pictures of one prompt in one call, as base64 in the answer itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from math import log, sqrt
from typing import Any

from aquatint import __version__
from aquatint.domain.errors import Broken, ConfigurationError, EngineError, InputRefused
from aquatint.domain.size import nearest_ratio
from aquatint.engines import words
from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.remote import Call, Done, Notify, ReferenceLimits, RemoteImage, RemoteSpec, Working
from aquatint.engines.remote_settings import RemoteSettings
from aquatint.net.provider import ProviderDoor, Reply, origin_of

_DEFAULT_MODEL = "gpt-image-2"
_IMAGES_PER_CALL = 10
_MOST_REFERENCES = 16
_LONGEST_PROMPT = 32_000  # characters
_PICTURE_BYTES = 40_000_000  # base64 of one picture
_FRAME_BYTES = 1 << 16  # what an answer holds besides its pictures

_FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
_QUALITIES = ("auto", "low", "medium", "high", "xhigh", "max")
_NEW_QUALITIES = ("xhigh", "max")  # of gpt-image-2.5 and later
_MODERATIONS = ("auto", "low")

_OLD_MODELS = ("gpt-image-1", "chatgpt-image", "dall-e")  # name prefixes: models with three sizes
_OLD_SIZES = {"1:1": (1024, 1024), "3:2": (1536, 1024), "2:3": (1024, 1536)}
_STEP = 16  # later models take any size of such multiples within these bounds
_LONGEST_SIDE = 3840
_STEEPEST = 3.0  # longer side by shorter side
_PIXELS = (655_360, 8_294_400)

_BALANCE_CODES = frozenset(("insufficient_quota", "billing_hard_limit_reached", "billing_not_active"))
_ACCESS_CODES = frozenset(("invalid_api_key", "model_not_found"))


def build(context: EngineContext) -> OpenAIEngine | None:
    """The engine, or None without a key. Raises ConfigurationError for settings that OpenAI would refuse."""
    settings = RemoteSettings.of(context.settings)
    if not settings.api_key:
        return None
    problems = [
        f"openai.{name} must be one of {', '.join(legal)}"
        for name, legal in (("quality", _QUALITIES), ("moderation", _MODERATIONS))
        if str(context.settings.get(name) or "auto") not in legal
    ]
    if problems:
        raise ConfigurationError(problems)
    return OpenAIEngine(settings, context.settings)


class OpenAIEngine:
    """Translates jobs for /images/generations and /images/edits."""

    def __init__(self, settings: RemoteSettings, section: Mapping[str, object]) -> None:
        self._settings = settings
        self._quality = str(section.get("quality") or "auto")
        self._moderation = str(section.get("moderation") or "auto")
        headers = {"Authorization": f"Bearer {settings.api_key}"}
        for name, header in (("organization", "OpenAI-Organization"), ("project", "OpenAI-Project")):
            if value := str(section.get(name) or ""):
                headers[header] = value
        self._door = ProviderDoor(settings.base_url, headers, connect_seconds=settings.connect_timeout)
        self._spec = RemoteSpec(
            name="openai",
            title="OpenAI GPT Image: remote models, paid by the token on your own key",
            version=__version__,
            local=False,
            concurrency=settings.limits.in_flight or 64,
            account=settings.account("openai"),
            limits=settings.limits,
            references=ReferenceLimits(max_bytes=10_000_000),
            exact_size=False,  # "auto" and the older models choose their pixels
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
        if len(job.prompt) > _LONGEST_PROMPT:
            raise InputRefused(f"this model takes prompts of at most {_LONGEST_PROMPT} characters")
        _output_format(job.options)
        return [tuple(images[at : at + _IMAGES_PER_CALL]) for at in range(0, len(images), _IMAGES_PER_CALL)]

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Done:
        fields, warnings = self._fields(job, len(call.images))
        notify(0.0, "generating")
        most = len(call.images) * _PICTURE_BYTES + _FRAME_BYTES
        seconds = self._settings.call_timeout
        async with words.paying():
            if job.references:
                form = {name: str(value) for name, value in fields.items()}
                files = [
                    ("image[]", (f"image-{number}.{r.media_type.rpartition('/')[2]}", r.data, r.media_type))
                    for number, r in enumerate(job.references, 1)
                ]
                reply = await self._door.pay(
                    "POST", "/images/edits", form=form, files=files, seconds=seconds, max_bytes=most
                )
            else:
                reply = await self._door.pay(
                    "POST", "/images/generations", body=fields, seconds=seconds, max_bytes=most
                )
        if not 200 <= reply.status < 300:
            raise self._failure(reply)
        return await asyncio.to_thread(_done, reply, call, warnings)  # between two pictures the loop gets its turn

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        raise words.broken("", "this provider answers at once and has no jobs")

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        return False

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        return None

    def _fields(self, job: GenerationJob, count: int) -> tuple[dict[str, object], tuple[str, ...]]:
        """What is asked, without the references, and what the caller should know about it."""
        model = job.remote_model or _DEFAULT_MODEL
        size, size_warning = _size(job, model)
        quality, quality_warning = self._quality_of(job, model)
        chosen = {"quality": quality, "moderation": self._moderation}
        fields = {
            "model": model,
            "prompt": job.prompt,
            "n": count,
            "size": size,
            "output_format": _output_format(job.options),
            # "auto" is what silence means, and compatible servers may not know the fields.
            **{name: value for name, value in chosen.items() if value != "auto"},
        }
        return fields, tuple(warning for warning in (size_warning, quality_warning) if warning)

    def _quality_of(self, job: GenerationJob, model: str) -> tuple[str, str]:
        wanted = str(job.options.get("quality") or self._quality).lower()
        quality = wanted if wanted in _QUALITIES else self._quality
        if quality in _NEW_QUALITIES and f"{model}-".startswith((*_OLD_MODELS, "gpt-image-2-")):
            quality = "high"
        return quality, "" if quality == wanted else f"quality is {quality}: this model has no other of that name"

    def _failure(self, reply: Reply) -> EngineError:
        """Our error for an answer that is no success."""
        said = reply.json()
        error = said.get("error") if isinstance(said, dict) else None
        if not isinstance(error, dict):
            if reply.status >= 500:
                return words.unknown(self._detail(reply, None))  # a proxy spoke, the call may go on behind it
            error = {}
        status = reply.status
        code = self._scrubbed(str(error.get("code") or error.get("type") or f"http_{status}"))
        # OpenAI quotes a part of a wrong key, which nobody needs to read in a log.
        detail = self._detail(reply, "the key was not accepted" if status == 401 else error.get("message"))
        if code == "moderation_blocked" or code.endswith("content_policy_violation") or "moderation_details" in error:
            return words.content(code, detail)
        if code in _BALANCE_CODES or status == 402:
            return words.balance(code, detail)
        if status == 429:
            return words.slow_down(code, detail, words.retry_after(reply.headers))
        if status in (408, 409) or status >= 500:
            return words.passing(code, detail, words.retry_after(reply.headers))
        if status in (400, 413, 422) and code not in _ACCESS_CODES and error.get("param") != "model":
            return words.bad_input(code, detail)
        if status == 404 or error.get("param") == "model":
            return words.no_model(code, detail)
        return words.misconfigured(code, detail)

    def _detail(self, reply: Reply, text: object) -> str:
        said = text if isinstance(text, str) and text else reply.body[:200].decode("utf-8", "replace")
        request = reply.headers.get("x-request-id", "no request id")
        return self._scrubbed(f"HTTP {reply.status} ({request}): {said}")[:400]

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._settings.api_key, "(key)")


def _done(reply: Reply, call: Call, warnings: tuple[str, ...]) -> Done:
    """The pictures of a success. Raises Broken when it holds none: it was paid."""
    said = reply.json()
    data = said.get("data") if isinstance(said, dict) else None
    if not isinstance(data, list) or not data:
        raise words.broken("", f"a success of {len(reply.body)} bytes without pictures", charged=True)
    images: list[RemoteImage] = []
    refusals: list[EngineError] = []
    for index, item in zip(call.images, data, strict=False):
        try:
            images.append(_image(index, item))
        except Broken as error:
            refusals.append(error)
    missing = len(call.images) - len(data)
    refusals += [words.broken("missing_image", "OpenAI made fewer pictures than asked") for _ in range(missing)]
    if not images:
        raise refusals[0]
    return Done(tuple(images), tuple(refusals), reply.headers.get("x-request-id", ""), warnings)


def _image(index: int, item: Any) -> RemoteImage:
    fields = item if isinstance(item, dict) else {}
    url = fields.get("url")
    if not fields.get("b64_json") and isinstance(url, str) and url:
        return RemoteImage(index, url=url)  # OpenAI gives none, some compatible servers do
    return RemoteImage(index, data=words.image_bytes(fields.get("b64_json")))


def _output_format(options: Mapping[str, object]) -> str:
    wanted = options.get("output_format") or "png"
    if not isinstance(wanted, str) or wanted.lower() not in _FORMATS:
        raise InputRefused(f"output_format must be one of {', '.join(sorted(set(_FORMATS.values())))}")
    return _FORMATS[wanted.lower()]


def _size(job: GenerationJob, model: str) -> tuple[str, str]:
    """The size to ask for, and a warning when it is not the job's."""
    if job.ratio is None and job.mode == "image_to_image":
        return "auto", ""
    if model.startswith(_OLD_MODELS):
        width, height = _OLD_SIZES[nearest_ratio(job.width, job.height, tuple(_OLD_SIZES))]
    else:
        width, height = _legal_size(job.width, job.height)
    if (width, height) == (job.width, job.height):
        return f"{width}x{height}", ""
    return f"{width}x{height}", f"this model makes {width}x{height} where {job.width}x{job.height} was wanted"


def _legal_size(width: int, height: int) -> tuple[int, int]:
    """The size itself when a free-size model takes it, else the one that keeps its ratio, then its area, best."""
    if _is_legal(width, height):
        return width, height
    ratio = min(max(width / height, 1 / _STEEPEST), _STEEPEST)
    area = min(max(width * height, _PIXELS[0]), _PIXELS[1], _LONGEST_SIDE**2 / max(ratio, 1 / ratio))
    near = range(-2, 3)
    columns = [_STEP * (round(sqrt(area * ratio) / _STEP) + step) for step in near]
    rows = [_STEP * (round(sqrt(area / ratio) / _STEP) + step) for step in near]

    def distance(size: tuple[int, int]) -> float:
        return 4 * abs(log(size[0] / size[1] / ratio)) + abs(log(size[0] * size[1] / area))

    return min((size for size in product(columns, rows) if _is_legal(*size)), key=distance)


def _is_legal(width: int, height: int) -> bool:
    longer, shorter = max(width, height), min(width, height)
    return (
        width % _STEP == height % _STEP == 0
        and shorter > 0
        and longer <= min(_LONGEST_SIDE, _STEEPEST * shorter)
        and _PIXELS[0] <= width * height <= _PIXELS[1]
    )
