"""The composition root: settings to tools, tools to services, services to the application and its loops."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.applications import Starlette

from aquatint import __version__
from aquatint.api.app import Routes
from aquatint.api.app import build as build_app
from aquatint.api.auth import Authenticator
from aquatint.api.routes.callbacks import CallbackRoutes
from aquatint.api.routes.catalog import CatalogRoutes
from aquatint.api.routes.files import FileRoutes
from aquatint.api.routes.tasks import TaskRoutes
from aquatint.assets.disk import DiskAssets
from aquatint.bootstrap.life import Life
from aquatint.bootstrap.parts import (
    build_door,
    build_engines,
    build_sender,
    callback_urls,
    cores,
    fetch_rules,
    load_models,
    open_store,
    public_urls,
    sandbox_of,
)
from aquatint.catalog.load import Catalog
from aquatint.domain.provider import CircuitRules
from aquatint.domain.task import Task
from aquatint.engines.registry import AnyEngine
from aquatint.engines.remote import RemoteEngine
from aquatint.net.guard import GuardPolicy
from aquatint.net.http import HttpDoor
from aquatint.net.results import ResultDoor
from aquatint.sandbox.images import IntakeLimits
from aquatint.sandbox.pool import Sandbox
from aquatint.services.accepted import Accepted
from aquatint.services.buy import BuyService
from aquatint.services.cancel import CancelService
from aquatint.services.claim import DeliveryClaims, Leases, TaskClaims
from aquatint.services.deliver import DeliverService, RedeliverService
from aquatint.services.files import FileService
from aquatint.services.keep import KeepRules, KeepService
from aquatint.services.keys import KeyService
from aquatint.services.models import ModelService
from aquatint.services.nudge import NudgeService
from aquatint.services.paint import PaintService
from aquatint.services.prepare import PrepareService
from aquatint.services.purchase import Tools
from aquatint.services.query import QueryService
from aquatint.services.references import ReferenceService
from aquatint.services.route import RouteRules, RouteService
from aquatint.services.run import RunRules, RunService
from aquatint.services.settle import SettleService
from aquatint.services.signals import Signals
from aquatint.services.submit import SubmitRules, SubmitService
from aquatint.services.sweep import SweepService
from aquatint.services.tools import SECOND, Clock, new_id
from aquatint.services.trace import TraceService
from aquatint.services.track import Tracker
from aquatint.services.upload import UploadService
from aquatint.settings import Settings
from aquatint.store.base import Store
from aquatint.telemetry import logger
from aquatint.worker.dispatcher import Dispatcher
from aquatint.worker.keeper import Keeper
from aquatint.worker.loop import Loop
from aquatint.worker.runner import Drain, Runner
from aquatint.worker.sweeper import Sweeper


@dataclass(frozen=True, slots=True)
class House:
    """Everything that one server process is made of, built but not yet open."""

    settings: Settings
    store: Store
    keys: KeyService
    catalog: Catalog
    engines: dict[str, AnyEngine]
    sandbox: Sandbox
    door: HttpDoor
    app: Starlette
    loops: tuple[Loop, ...]


def build(settings: Settings, *, clock: Clock | None = None) -> House:
    """Put the house together. Raises ConfigurationError with every mistake found."""
    clock = clock or Clock()
    owner = new_id()
    log = logger()
    store = open_store(settings)
    assets = DiskAssets(settings.server.data_dir / "assets")
    catalog = load_models(settings)
    sandbox = sandbox_of(settings, settings.sandbox.workers or cores())
    engines = build_engines(settings, catalog, sandbox)
    policy = GuardPolicy(settings.net.allow)
    door = build_door(settings)
    urls = public_urls(settings)
    signals = Signals()
    intake = IntakeLimits(
        max_bytes=settings.limits.upload,
        max_pixels=settings.limits.pixels,
        extra_formats=settings.limits.extra_formats,
    )
    accepted = Accepted(clock, settings.webhooks.first_delay)
    settle = SettleService(store, urls, signals, clock, accepted, settings.webhooks.first_delay)
    query = QueryService(store)
    keys = KeyService(store, clock, settings.server.api_key)
    auth = Authenticator(keys, settings.limits.requests_per_minute)
    route = RouteService(engines, RouteRules(settings.routing.fallback, settings.routing.fallback_to_studio))
    fetch = fetch_rules(settings)
    references = ReferenceService(door, assets, store, sandbox, intake, urls, clock, fetch)
    results = ResultDoor(door, connect_seconds=settings.net.connect_timeout)
    keep = KeepService(assets, results, sandbox, KeepRules(settings.net.result_attempts, settings.net.fetch_timeout))
    tracker = Tracker(log)
    buy = BuyService(
        Tools(
            store=store,
            keep=keep,
            tracker=tracker,
            clock=clock,
            rules=CircuitRules(settings.routing.circuit_failures, int(settings.routing.circuit_wait * SECOND)),
            callback_url=callback_urls(settings),
            log=log,
        ),
        engines,
    )
    run = RunService(
        store,
        catalog,
        engines,
        PrepareService(references, clock, signals),
        route,
        PaintService(keep),
        buy,
        settle,
        clock,
        RunRules(settings.tasks.max_attempts, settings.tasks.retry_wait, settings.assets.retention),
        log,
        signals,
    )
    sender = build_sender(settings, door)
    deliver = DeliverService(store, sender, clock, settings.webhooks.schedule, settings.webhooks.jitter, log)
    submit_rules = SubmitRules(
        deadline=settings.tasks.image_deadline,
        idempotency_ttl=settings.tasks.idempotency_ttl,
        max_pending=settings.limits.max_pending,
        retention=settings.assets.retention,
        reject_private_callbacks=settings.webhooks.private_target == "reject",
    )
    routes = Routes(
        tasks=TaskRoutes(
            submit_task=SubmitService(catalog, store, assets, policy, signals, clock, submit_rules, accepted, route),
            query_task=query,
            cancel_task=CancelService(query, settle, signals),
            trace_task=TraceService(query, store, catalog),
            redeliver=RedeliverService(query, store, signals, clock),
            auth=auth,
            urls=urls,
            max_body=settings.limits.body,
            max_inline=settings.limits.upload,
            failure_word=settings.compat.failure_word,
        ),
        files=FileRoutes(
            upload_file=UploadService(store, assets, sandbox, intake, urls, clock, settings.assets.retention),
            find_file=FileService(store, assets, clock),
            auth=auth,
            max_upload=settings.limits.upload,
        ),
        catalog=CatalogRoutes(ModelService(catalog, route), keys, auth),
        callbacks=CallbackRoutes(NudgeService(engines, tracker, clock)),
    )
    webhooks = settings.webhooks
    drain = Drain(settings.worker.drain, settings.worker.drain_paid)
    runners = [
        Runner(
            TaskClaims(store, clock, owner, name),
            run,
            signals,
            engine.spec.concurrency,
            drain,
            log,
            remote=isinstance(engine, RemoteEngine),
        )
        for name, engine in engines.items()
    ]

    def relane(task: Task) -> str:
        serving = route.serving(catalog.find(task.model))
        return serving.name if serving is not None else next(iter(engines))

    sweep = SweepService(store, assets, settle, signals, clock, log, relane, tuple(engines), fetch.keep)
    loops: tuple[Loop, ...] = (
        *runners,
        Keeper(Leases(store, clock, owner), runners, log),
        Dispatcher(
            DeliveryClaims(store, clock, owner), deliver, signals, webhooks.concurrency, webhooks.per_host, log
        ),
        Sweeper(sweep, log),
    )
    closers = (buy.close, tracker.close, results.close)
    parts = Life(settings, store, sandbox, door, engines, loops, closers, clock, owner)
    app = build_app(routes, parts.alive, settings.server.cors_origins, __version__)
    return House(settings, store, keys, catalog, engines, sandbox, door, app, loops)
