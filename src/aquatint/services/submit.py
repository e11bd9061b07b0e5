"""Submit: check what was sent, write the task durably, wake the runner."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import msgspec

from aquatint.assets.base import AssetStore
from aquatint.catalog.load import Catalog
from aquatint.domain import fair
from aquatint.domain.errors import Forbidden, InvalidInput
from aquatint.domain.key import Key
from aquatint.domain.task import Micros, Moment, Reference, StoredReference, TaskInput, UrlReference
from aquatint.net.errors import BadUrl
from aquatint.net.guard import GuardPolicy
from aquatint.net.url import SplitUrl, check_url
from aquatint.services.accepted import Accepted
from aquatint.services.route import Need, RouteService
from aquatint.services.signals import Signals
from aquatint.services.tools import INLINE, SECOND, Clock, new_id, new_token
from aquatint.store.base import Store
from aquatint.store.records import Idempotency, Link, NewTask, Submitted
from aquatint.telemetry import Telemetry

OUTPUT_FORMATS = ("png", "jpeg", "webp")
LOOPBACK = (IPv4Address("127.0.0.1"), IPv6Address("::1"))


class SubmitRequest(msgspec.Struct, frozen=True):
    """A submit with its types checked. References are URLs, or the bytes of a data URL."""

    model: str
    callback_url: str | None
    user_id: str | None
    prompt: str
    references: Sequence[str | bytes]
    ratio: str | None
    resolution: str | None
    n: int
    seed: int | None
    fallback: bool
    options: dict[str, object]
    echo: bytes
    priority: int | None = None  # None: 0, or what the key may have where that is less
    batch: bool = False
    start_by: Moment | None = None
    finish_by: Moment | None = None
    idempotency_key: str | None = None
    body_hash: bytes = b""
    traceparent: str = ""  # as the caller sent it


@dataclass(frozen=True, slots=True)
class SubmitRules:
    """The operator's limits on submits. Times in seconds."""

    deadline: float
    batch_deadline: float  # of tasks that run when nothing else waits
    idempotency_ttl: float
    max_pending: int
    retention: float
    reject_private_callbacks: bool


class SubmitService:
    def __init__(
        self,
        catalog: Catalog,
        store: Store,
        assets: AssetStore,
        policy: GuardPolicy,
        signals: Signals,
        clock: Clock,
        rules: SubmitRules,
        accepted: Accepted,
        route: RouteService,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._telemetry = telemetry or Telemetry.silent()
        self._catalog = catalog
        self._route = route
        self._store = store
        self._assets = assets
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._rules = rules
        self._accepted = accepted

    def __call__(self, request: SubmitRequest, key: Key) -> Awaitable[Submitted]:
        """Store the task; when this returns it survives anything.

        Raises InvalidInput, UnknownModel, Forbidden, QuotaExceeded, Conflict, RateLimited.
        """
        return self._traced(request, key) if self._telemetry.tracer.on else self._submit(request, key, "")

    async def _traced(self, request: SubmitRequest, key: Key) -> Submitted:
        with self._telemetry.tracer.begin("task.submit", request.traceparent) as span:
            submitted = await self._submit(request, key, span.traceparent)
            span.note(task=submitted.task_id, model=request.model, replayed=submitted.replayed)
            return submitted

    async def _submit(self, request: SubmitRequest, key: Key, traceparent: str) -> Submitted:
        model = self._catalog.find(request.model)
        if not key.may_use(model.name):
            raise Forbidden(f"this key may not use {model.name}")
        notes = [f"{model.name} takes no {name}; it was ignored" for name in model.ignores if getattr(request, name)]
        ratio = None if "ratio" in model.ignores else request.ratio
        resolution = None if "resolution" in model.ignores else request.resolution
        model.check(ratio=ratio, resolution=resolution, n=request.n, references=len(request.references))
        if request.priority is not None and request.priority > key.priority_max:
            raise Forbidden(f"this key may use priorities up to {key.priority_max}")
        self._check_options(request.options)
        if request.callback_url is not None:
            self._check_callback(request.callback_url)
        need = Need(
            "image_to_image" if request.references else "text_to_image",
            resolution or model.default_resolution,
            len(request.references),
        )
        lane = self._route.lane(model, need)
        now = self._clock.now()
        deadline_at, start_by = self._times(request, now)
        references, links = await self._references(request.references, now)
        input_ = TaskInput(
            prompt=request.prompt,
            references=references,
            ratio=ratio,
            resolution=resolution or model.default_resolution,
            n=request.n,
            seed=request.seed,
            fallback=request.fallback,
            options=request.options,
            notes=tuple(notes),
        )
        task = NewTask(
            id=new_id(),
            key_id=key.id,
            user_id=request.user_id,
            model=model.name,
            mode=input_.mode,
            echo=request.echo,
            input=input_,
            callback_url=request.callback_url,
            created_at=now,
            deadline_at=deadline_at,
            lane=lane,
            points=model.points * request.n if key.points is not None else 0,
            batch=request.batch,
            priority=min(0, key.priority_max) if request.priority is None else request.priority,
            start_by=start_by,
            cost=fair.cost(request.n, key.weight),
            max_pending=key.max_pending,
            idempotency=self._idempotency(request, now),
            links=links,
            trace=traceparent,
        )
        submitted = await self._store.submit(task, self._rules.max_pending)
        self._accepted.note(submitted.task_id)
        if not submitted.replayed:
            self._telemetry.metrics.submitted(model.name, request.batch)
            self._signals.work(lane)
            self._signals.history()
        return submitted

    def _times(self, request: SubmitRequest, now: Micros) -> tuple[Micros, Micros | None]:
        """When the task must have ended, and when it must have started. Raises InvalidInput for what has passed."""
        longest = self._rules.batch_deadline if request.batch else self._rules.deadline
        deadline_at = now + int(longest * SECOND)
        if request.finish_by is not None:
            finish_by = request.finish_by.resolve(now)
            if finish_by <= now:
                raise InvalidInput("finishBy", "has already passed")
            deadline_at = min(deadline_at, finish_by)
        start_by = request.start_by.resolve(now) if request.start_by is not None else None
        if start_by is not None and start_by <= now:
            raise InvalidInput("startBy", "has already passed")
        return deadline_at, start_by

    def _idempotency(self, request: SubmitRequest, now: Micros) -> Idempotency | None:
        if request.idempotency_key is None:
            return None
        expires_at = now + int(self._rules.idempotency_ttl * SECOND)
        return Idempotency(request.idempotency_key, request.body_hash, expires_at)

    def _check_options(self, options: dict[str, object]) -> None:
        wanted = options.get("output_format")
        if wanted is not None and wanted not in OUTPUT_FORMATS:
            raise InvalidInput("input.output_format", f"must be one of {', '.join(OUTPUT_FORMATS)}")

    def _check_callback(self, url: str) -> None:
        target = _checked("callBackUrl", url)
        if self._rules.reject_private_callbacks and not self._may_be_public(target):
            raise InvalidInput("callBackUrl", "leads to a private address")

    def _may_be_public(self, target: SplitUrl) -> bool:
        if target.host == "localhost" or target.host.endswith(".localhost"):
            return any(self._policy.permits(address) for address in LOOPBACK)
        return target.address is None or self._policy.permits(target.address)

    async def _references(
        self, sent: Sequence[str | bytes], now: Micros
    ) -> tuple[tuple[Reference, ...], tuple[Link, ...]]:
        """URLs are only checked for syntax here; inline bytes are stored before the task that needs them."""
        references: list[Reference] = []
        links: list[Link] = []
        for index, item in enumerate(sent):
            if isinstance(item, str):
                _checked(f"input.imageUrls[{index}]", item)
                references.append(UrlReference(item))
                continue
            digest = await self._assets.put(item)
            references.append(StoredReference(digest))
            expires_at = now + int(self._rules.retention * SECOND)
            links.append(Link(new_token(), INLINE, digest, "application/octet-stream", len(item), expires_at))
        return tuple(references), tuple(links)


def _checked(path: str, url: str) -> SplitUrl:
    try:
        return check_url(url)
    except BadUrl as error:
        raise InvalidInput(path, str(error)) from None
