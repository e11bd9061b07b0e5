"""Submit: check what was sent, write the task durably, wake the runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

import msgspec

from aquatint.assets.base import AssetStore
from aquatint.catalog.load import Catalog
from aquatint.domain.errors import Forbidden, InvalidInput
from aquatint.domain.key import Key
from aquatint.domain.task import Micros, Reference, StoredReference, TaskInput, UrlReference
from aquatint.net.errors import BadUrl
from aquatint.net.guard import GuardPolicy
from aquatint.net.url import SplitUrl, check_url
from aquatint.services.accepted import Accepted
from aquatint.services.route import Need, RouteService
from aquatint.services.signals import Signals
from aquatint.services.tools import INLINE, SECOND, Clock, new_id, new_token
from aquatint.store.base import Idempotency, Link, NewTask, Store, Submitted

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
    idempotency_key: str | None = None
    body_hash: bytes = b""


@dataclass(frozen=True, slots=True)
class SubmitRules:
    """The operator's limits on submits. Times in seconds."""

    deadline: float
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
    ) -> None:
        self._catalog = catalog
        self._route = route
        self._store = store
        self._assets = assets
        self._policy = policy
        self._signals = signals
        self._clock = clock
        self._rules = rules
        self._accepted = accepted

    async def __call__(self, request: SubmitRequest, key: Key) -> Submitted:
        """Store the task; when this returns it survives anything.

        Raises InvalidInput, UnknownModel, Forbidden, QuotaExceeded, Conflict, RateLimited.
        """
        model = self._catalog.find(request.model)
        if not key.may_use(model.name):
            raise Forbidden(f"this key may not use {model.name}")
        notes = [f"{model.name} takes no {name}; it was ignored" for name in model.ignores if getattr(request, name)]
        ratio = None if "ratio" in model.ignores else request.ratio
        resolution = None if "resolution" in model.ignores else request.resolution
        model.check(ratio=ratio, resolution=resolution, n=request.n, references=len(request.references))
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
            deadline_at=now + int(self._rules.deadline * SECOND),
            lane=lane,
            points=model.points * request.n if key.points is not None else 0,
            idempotency=self._idempotency(request, now),
            links=links,
        )
        submitted = await self._store.submit(task, self._rules.max_pending)
        self._accepted.note(submitted.task_id)
        if not submitted.replayed:
            self._signals.work(lane)
        return submitted

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
