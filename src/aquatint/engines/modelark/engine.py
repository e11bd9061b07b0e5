"""Ark behind the port of remote engines: one synchronous call for each image, or one stream for a group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aquatint import __version__
from aquatint.domain.errors import ConfigurationError, EngineError, OutcomeUnknown
from aquatint.engines.base import EngineContext, GenerationJob
from aquatint.engines.modelark.answer import Answer, StreamReader
from aquatint.engines.modelark.errors import failure
from aquatint.engines.modelark.models import family_of, remote_id
from aquatint.engines.modelark.payload import payload, seed_of, split, warnings
from aquatint.engines.remote import Call, Done, Notify, ReferenceLimits, RemoteSpec, Working
from aquatint.engines.remote_settings import RemoteSettings
from aquatint.engines.words import broken, paying
from aquatint.net.provider import ProviderDoor, origin_of

_NAME = "modelark"
_PATH = "/images/generations"
_GROUP_TIME = 2  # a group may take so many times what one image may take


class ModelArkEngine:
    """Sends, reads, and forgets. Ark knows no idempotency keys and no jobs, so what is lost once is lost."""

    def __init__(self, settings: RemoteSettings, *, watermark: bool = False) -> None:
        self._settings = settings
        self._watermark = watermark
        self._door = ProviderDoor(
            settings.base_url,
            {"Authorization": f"Bearer {settings.api_key}"},
            connect_seconds=settings.connect_timeout,
            user_agent=f"Aquatint/{__version__}",
        )
        self._spec = RemoteSpec(
            name=_NAME,
            title="BytePlus ModelArk and Volcengine Ark: ByteDance's own Seedream, paid for by each image",
            version=__version__,
            local=False,
            concurrency=settings.limits.in_flight or 64,
            account=settings.account(_NAME),
            limits=settings.limits,
            references=ReferenceLimits(max_bytes=10_000_000),  # newer pages say 30 MB, older ones 10
            call_seconds=settings.call_timeout,
            trusted_origins=(origin_of(settings.base_url),),
        )

    @property
    def spec(self) -> RemoteSpec:
        return self._spec

    async def open(self) -> None:
        """Nothing is contacted: Ark has no free request that would tell whether the key works."""
        await self._door.open()

    async def close(self) -> None:
        await self._door.close()

    def plan(self, job: GenerationJob, images: Sequence[int]) -> list[tuple[int, ...]]:
        """Raises InputRefused, and Misconfigured when the route's model or family is none."""
        return split(job, images, family_of(job.remote_model, job.route.get("family")))

    async def send(self, job: GenerationJob, call: Call, notify: Notify) -> Done:
        try:
            done = await (self._single(job, call) if len(call.images) == 1 else self._group(job, call, notify))
        except EngineError as error:
            self._hide_key(error)
            raise
        for refusal in done.refusals:
            self._hide_key(refusal)
        return done

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done | Working:
        raise broken("", "Ark answers at once: there are no jobs to ask after")

    async def cancel(self, handle: Mapping[str, str]) -> bool:
        return False

    async def verify(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        return None

    async def _single(self, job: GenerationJob, call: Call) -> Done:
        answer, body = self._prepared(job, call)
        async with paying():
            reply = await self._door.pay(
                "POST", _PATH, body=body, headers=_names(call), seconds=self._settings.call_timeout
            )
        if not _is_success(reply.status):
            raise failure(reply.status, reply.body, reply.headers)
        answer.take_body(reply.body)
        return self._summed(answer, job, reply.headers)

    async def _group(self, job: GenerationJob, call: Call, notify: Notify) -> Done:
        answer, body = self._prepared(job, call)
        headers: Mapping[str, str] = {}
        seconds = _GROUP_TIME * self._settings.call_timeout
        notify(0.0, "generating")
        try:
            async with (
                paying(),
                self._door.pay_stream("POST", _PATH, body=body, headers=_names(call), seconds=seconds) as stream,
            ):
                headers = stream.headers
                if not _is_success(stream.status):
                    raw = b"".join([chunk async for chunk in stream.chunks])
                    raise failure(stream.status, raw, headers)
                reader = StreamReader(answer)
                async for chunk in stream.chunks:
                    reader.feed(chunk)
                    notify(answer.fraction, "generating")
                    if answer.over:
                        break
                reader.end()
        except OutcomeUnknown as loss:
            answer.lose(loss)  # what came before it counts
        return self._summed(answer, job, headers)

    def _prepared(self, job: GenerationJob, call: Call) -> tuple[Answer, dict[str, object]]:
        family = family_of(job.remote_model, job.route.get("family"))
        model_id = remote_id(self._settings.base_url, job.remote_model)
        body = payload(job, call, family, model_id, watermark=self._watermark)
        return Answer(call, seed_of(job, call, family)), body

    def _summed(self, answer: Answer, job: GenerationJob, headers: Mapping[str, str]) -> Done:
        family = family_of(job.remote_model, job.route.get("family"))
        return answer.done(headers.get("x-request-id", ""), warnings(job, family))

    def _hide_key(self, error: EngineError) -> None:
        """Whoever answers may repeat what was sent, and details go into logs."""
        error.detail = error.detail.replace(self._settings.api_key, "***")
        error.code = error.code.replace(self._settings.api_key, "***")


def build(context: EngineContext) -> ModelArkEngine | None:
    """None without a key. Raises ConfigurationError for a key or an address that cannot be one."""
    settings = RemoteSettings.of(context.settings)
    if not settings.api_key:
        return None
    problems = []
    # A header cannot hold it, and the library's words for that would repeat the key.
    if not (settings.api_key.isascii() and settings.api_key.isprintable()) or " " in settings.api_key:
        problems.append("modelark.api_key holds spaces or signs that no key has")
    if not origin_of(settings.base_url).startswith(("http://", "https://")):
        problems.append("modelark.base_url is not a URL, such as https://ark.ap-southeast.bytepluses.com/api/v3")
    if problems:
        raise ConfigurationError(problems)
    return ModelArkEngine(settings, watermark=bool(context.settings.get("watermark", False)))


def _names(call: Call) -> dict[str, str] | None:
    """A name by which the provider's support finds the call; it does not keep Ark from billing it twice."""
    return {"X-Client-Request-Id": call.key} if call.key else None


def _is_success(status: int) -> bool:
    return 200 <= status < 300
