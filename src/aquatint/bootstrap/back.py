"""The back of the house: the loops that run tasks, send callbacks and sweep."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aquatint.bootstrap.parts import build_sender, callback_urls, fetch_rules
from aquatint.bootstrap.role import Role
from aquatint.bootstrap.tools import HouseTools
from aquatint.domain.errors import ConfigurationError, UnknownModel
from aquatint.domain.provider import CircuitRules
from aquatint.domain.task import Task
from aquatint.engines.remote import RemoteEngine
from aquatint.net.results import ResultDoor
from aquatint.services.attend import AttendService
from aquatint.services.buy import BuyService
from aquatint.services.claim import DeliveryClaims, Leases, TaskClaims
from aquatint.services.deliver import DeliverService
from aquatint.services.keep import KeepRules, KeepService
from aquatint.services.paint import PaintService
from aquatint.services.prepare import PrepareService
from aquatint.services.purchase import Tools
from aquatint.services.run import RunRules, RunService
from aquatint.services.sweep import SweepService
from aquatint.services.tools import SECOND
from aquatint.worker.dispatcher import Dispatcher
from aquatint.worker.herald import Herald
from aquatint.worker.hosts import Hosts
from aquatint.worker.keeper import Keeper
from aquatint.worker.loop import Loop
from aquatint.worker.runner import Drain, Runner
from aquatint.worker.sweeper import Sweeper

Closers = Sequence[Callable[[], Awaitable[object]]]


def build_loops(tools: HouseTools, role: Role) -> tuple[tuple[Loop, ...], Closers]:
    """The loops, and what is to be closed after them. Raises ConfigurationError for a role that nobody can play."""
    unknown = [name for name in role.engines if name not in tools.engines]
    unknown += [name for name in role.models if not _offered(tools, name)]
    if unknown:
        raise ConfigurationError([f"there is no engine or model {name} to work for here" for name in unknown])
    settings, log = tools.settings, tools.log
    results = ResultDoor(tools.door, connect_seconds=settings.net.connect_timeout)
    rules = KeepRules(settings.net.result_attempts, settings.net.fetch_timeout)
    keep = KeepService(tools.assets, results, tools.sandbox, rules)
    buy = _buy(tools, keep)
    run = RunService(
        tools.store,
        tools.catalog,
        tools.engines,
        PrepareService(tools.references, tools.clock, tools.signals),
        tools.route,
        PaintService(keep),
        buy,
        tools.settle,
        tools.clock,
        RunRules(settings.tasks.max_attempts, settings.tasks.retry_wait, settings.assets.retention),
        log,
        tools.signals,
        tools.telemetry,
    )
    runners = _runners(tools, role, run)
    lease = settings.worker.lease
    dispatcher = _dispatcher(tools)
    loops: tuple[Loop, ...] = (
        *runners,
        Keeper(Leases(tools.store, tools.clock, tools.owner, lease), runners, dispatcher, lease, log),
        dispatcher,
        Sweeper(_sweep(tools), lease, log),
    )
    return loops, (buy.close, tools.tracker.close, results.close)


def build_herald(tools: HouseTools, role: Role) -> Loop:
    """What tells other processes that this one is there."""
    works = _served(tools, role) if role.work else ()
    return Herald(AttendService(tools.store, tools.clock, tools.owner, tuple(tools.engines), works), tools.log)


def _served(tools: HouseTools, role: Role) -> tuple[str, ...]:
    """The engines whose tasks this process takes."""
    return tuple(name for name in tools.engines if not role.engines or name in role.engines)


def _offered(tools: HouseTools, name: str) -> bool:
    try:
        tools.catalog.find(name)
    except UnknownModel:
        return False
    return True


def _buy(tools: HouseTools, keep: KeepService) -> BuyService:
    settings = tools.settings
    purchase = Tools(
        store=tools.store,
        keep=keep,
        tracker=tools.tracker,
        clock=tools.clock,
        rules=CircuitRules(settings.routing.circuit_failures, int(settings.routing.circuit_wait * SECOND)),
        callback_url=callback_urls(settings),
        log=tools.log,
        metrics=tools.telemetry.metrics,
    )
    return BuyService(purchase, tools.engines)


def _runners(tools: HouseTools, role: Role, run: RunService) -> list[Runner]:
    """One for each engine that this process works for."""
    settings = tools.settings
    limits = {model.name: model.concurrency for model in tools.catalog.models() if model.concurrency}
    drain = Drain(settings.worker.drain, settings.worker.drain_paid)
    return [
        Runner(
            TaskClaims(tools.store, tools.clock, tools.owner, name, settings.worker.lease, role.models, limits),
            run,
            tools.signals,
            tools.engines[name].spec.concurrency,
            drain,
            tools.log,
            remote=isinstance(tools.engines[name], RemoteEngine),
        )
        for name in _served(tools, role)
    ]


def _dispatcher(tools: HouseTools) -> Dispatcher:
    webhooks = tools.settings.webhooks
    deliver = DeliverService(
        tools.store,
        build_sender(tools.settings, tools.door),
        tools.clock,
        webhooks.schedule,
        webhooks.jitter,
        tools.log,
        tools.telemetry,
    )
    claims = DeliveryClaims(tools.store, tools.clock, tools.owner, tools.settings.worker.lease)
    hosts = Hosts(webhooks.per_host, webhooks.circuit_failures, webhooks.circuit_wait)
    return Dispatcher(claims, deliver, tools.signals, webhooks.concurrency, hosts, tools.log)


def _sweep(tools: HouseTools) -> SweepService:
    def relane(task: Task) -> str:
        serving = tools.route.serving(tools.catalog.find(task.model))
        return serving.name if serving is not None else next(iter(tools.engines))

    return SweepService(
        tools.store,
        tools.assets,
        tools.settle,
        tools.signals,
        tools.clock,
        tools.log,
        relane,
        tuple(tools.engines),
        fetch_rules(tools.settings).keep,
    )
