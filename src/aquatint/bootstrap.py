"""The composition root: settings to tools, tools to services, services to the application and its loops."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from starlette.applications import Starlette

from aquatint import __version__
from aquatint.api.app import Routes
from aquatint.api.app import build as build_app
from aquatint.api.auth import Authenticator
from aquatint.api.routes.catalog import CatalogRoutes
from aquatint.api.routes.files import FileRoutes
from aquatint.api.routes.tasks import TaskRoutes
from aquatint.assets.disk import DiskAssets
from aquatint.catalog.load import Catalog
from aquatint.catalog.load import load as load_catalog
from aquatint.domain.errors import AquatintError, ConfigurationError
from aquatint.engines import registry
from aquatint.engines.base import Engine, EngineContext, EngineSpec, GenerationJob
from aquatint.net.guard import GuardPolicy
from aquatint.net.http import DoorLimits, HttpDoor
from aquatint.sandbox.images import IntakeLimits
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.services.accepted import Accepted
from aquatint.services.cancel import CancelService
from aquatint.services.claim import DeliveryClaims, TaskClaims
from aquatint.services.deliver import DeliverService, RedeliverService
from aquatint.services.files import FileService
from aquatint.services.keys import KeyService
from aquatint.services.models import ModelService
from aquatint.services.query import QueryService
from aquatint.services.references import FetchRules, ReferenceService
from aquatint.services.run import RunRules, RunService
from aquatint.services.settle import SettleService
from aquatint.services.signals import Signals
from aquatint.services.submit import SubmitRules, SubmitService
from aquatint.services.sweep import SweepService
from aquatint.services.tools import Clock, PublicUrls, new_id
from aquatint.services.upload import UploadService
from aquatint.settings import Settings
from aquatint.store.base import Store
from aquatint.store.sqlite.store import SqliteStore
from aquatint.telemetry import logger
from aquatint.webhooks.sender import Sender
from aquatint.worker.dispatcher import Dispatcher
from aquatint.worker.loop import Loop
from aquatint.worker.runner import Runner
from aquatint.worker.sweeper import Sweeper

WARM_MODULES = ("aquatint.engines.studio.render",)  # imports what painting and intake need


@dataclass(frozen=True, slots=True)
class House:
    """Everything that one server process is made of, built but not yet open."""

    settings: Settings
    store: Store
    keys: KeyService
    catalog: Catalog
    engines: dict[str, Engine]
    sandbox: Sandbox
    door: HttpDoor
    app: Starlette
    loops: tuple[Loop, ...]


def database_path(settings: Settings) -> Path:
    """The SQLite file. Raises ConfigurationError for databases that this version does not speak."""
    url = settings.database.url
    if not url:
        return settings.server.data_dir / "aquatint.db"
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    raise ConfigurationError(["database.url: only sqlite:///<path> is supported by this version"])


def open_store(settings: Settings) -> SqliteStore:
    """The store alone, for commands that need nothing else."""
    return SqliteStore(database_path(settings))


def concurrency(settings: Settings) -> int:
    """Tasks run at once: as set, or one for each core."""
    return settings.worker.concurrency or cores()


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0))


def public_urls(settings: Settings) -> PublicUrls:
    """Result URLs by setting, or as this server is reached from its own machine."""
    server = settings.server
    host = "127.0.0.1" if server.host in ("0.0.0.0", "::", "") else server.host  # noqa: S104  # compared, not bound
    return PublicUrls(settings.assets.public_url.rstrip("/") or f"http://{host}:{server.port}")


def engine_section(settings: Settings, name: str) -> dict[str, object]:
    """The part of the settings that an engine is given."""
    sections: dict[str, dict[str, object]] = {
        "studio": asdict(settings.studio),
        "null": {"delay": settings.engines.null_delay},
    }
    return sections.get(name, {})


def build_engines(settings: Settings, catalog: Catalog, sandbox: Sandbox) -> dict[str, Engine]:
    """The engines that some route wants. Raises ConfigurationError."""

    def context(name: str) -> EngineContext:
        return EngineContext(sandbox, engine_section(settings, name), concurrency(settings))

    return registry.build(catalog.engines(), context, settings.engines.allow_testing)


def build_sender(settings: Settings, door: HttpDoor) -> Sender:
    """What signs and sends callbacks. Raises ConfigurationError for a secret that cannot be read."""
    try:
        return Sender(door, settings.webhooks.secret, timeout=settings.webhooks.timeout)
    except ValueError as error:
        raise ConfigurationError([f"webhooks.secret: {error}"]) from None


def build_door(settings: Settings) -> HttpDoor:
    """The only way out, with the operator's address rules and limits."""
    limits = DoorLimits(
        connections=settings.webhooks.concurrency + 64,
        connections_per_host=settings.webhooks.per_host,
        connect_seconds=settings.net.connect_timeout,
    )
    return HttpDoor(GuardPolicy(settings.net.allow), limits=limits, user_agent=f"Aquatint/{__version__}")


def load_models(settings: Settings) -> Catalog:
    """The catalog with the operator's file, aliases and forced route. Raises ConfigurationError."""
    return load_catalog(settings.catalog.file, settings.catalog.aliases, settings.engines.route_all_to)


def sandbox_of(settings: Settings, size: int) -> Sandbox:
    """Worker processes with the operator's limits."""
    limits = Limits(settings.sandbox.memory, round(settings.sandbox.cpu), settings.sandbox.wall)
    return Sandbox(size, limits, warm=WARM_MODULES)


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One installed engine; `spec` is None when no route uses it, so that it was not built."""

    name: str
    spec: EngineSpec | None
    models: tuple[str, ...]


def list_engines(settings: Settings) -> list[EngineRow]:
    """Installed engines and the models that these settings route to them. Raises ConfigurationError."""
    catalog = load_models(settings)
    built = build_engines(settings, catalog, sandbox_of(settings, 1))

    def row(name: str) -> EngineRow:
        serves = tuple(m.name for m in catalog.models() if any(route.engine == name for route in m.routes))
        return EngineRow(name, built[name].spec if name in built else None, serves)

    return [row(name) for name in sorted(registry.installed())]


async def try_engine(settings: Settings, name: str) -> None:
    """Make one small picture with an engine, through the sandbox. Raises what keeps it from working."""
    sandbox = sandbox_of(settings, 1)
    engine = registry.build(
        frozenset({name}), lambda _: EngineContext(sandbox, engine_section(settings, name), 1), True
    )[name]
    job = GenerationJob("doctor", "", "text_to_image", "mountain lake", (), 256, 144, 1, 1, 60.0)
    try:
        await sandbox.open()
        await engine.open()
        await engine.generate(job, lambda fraction, stage: None)
    finally:
        await sandbox.close()


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
    fetch = FetchRules(settings.limits.upload, settings.net.fetch_timeout, settings.net.fetch_attempts)
    references = ReferenceService(door, assets, store, sandbox, intake, urls, clock, fetch)
    accepted = Accepted(clock, settings.webhooks.first_delay)
    settle = SettleService(store, urls, signals, clock, accepted, settings.webhooks.first_delay)
    query = QueryService(store)
    keys = KeyService(store, clock, settings.server.api_key)
    auth = Authenticator(keys, settings.limits.requests_per_minute)
    run = RunService(
        store,
        assets,
        catalog,
        engines,
        references,
        settle,
        clock,
        RunRules(settings.tasks.max_attempts, settings.tasks.retry_wait, settings.assets.retention),
        log,
        signals,
        concurrency(settings),
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
            submit_task=SubmitService(catalog, store, assets, policy, signals, clock, submit_rules, accepted),
            query_task=query,
            cancel_task=CancelService(query, settle, signals),
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
        catalog=CatalogRoutes(ModelService(catalog, engines), keys, auth),
    )
    webhooks = settings.webhooks
    loops: tuple[Loop, ...] = (
        Runner(TaskClaims(store, clock, owner), run, signals, concurrency(settings), settings.worker.drain, log),
        Dispatcher(
            DeliveryClaims(store, clock, owner), deliver, signals, webhooks.concurrency, webhooks.per_host, log
        ),
        Sweeper(SweepService(store, assets, settle, signals, clock, log), log),
    )
    parts = _Parts(settings, store, sandbox, door, engines, loops, clock, owner)
    app = build_app(routes, parts.alive, settings.server.cors_origins, __version__)
    return House(settings, store, keys, catalog, engines, sandbox, door, app, loops)


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is opened before the first request and closed after the last, in that order and back."""

    settings: Settings
    store: Store
    sandbox: Sandbox
    door: HttpDoor
    engines: dict[str, Engine]
    loops: tuple[Loop, ...]
    clock: Clock
    owner: str

    @asynccontextmanager
    async def alive(self, app: Starlette) -> AsyncIterator[None]:
        await self.store.open()
        # This process holds the data folder, so whoever leased anything here before is dead.
        await self.store.release_foreign(self.owner, self.clock.now())
        await self.sandbox.open()
        await self.door.open()
        for engine in self.engines.values():
            await engine.open()
        running = [asyncio.create_task(loop.run(), name=type(loop).__name__) for loop in self.loops]
        for task in running:
            task.add_done_callback(functools.partial(_shout, app))
        logger().info("server.started", owner=self.owner)
        yield
        logger().info("server.stopping", owner=self.owner)
        for loop in self.loops:
            await loop.stop()
        await asyncio.gather(*running)
        await _close([engine.close for engine in self.engines.values()])
        await _close([self.door.close, self.sandbox.close, self.store.close])


async def _close(closers: list[Callable[[], object]]) -> None:
    for close in closers:
        try:
            await close()  # type: ignore[misc]  # every one of them is async
        except AquatintError as error:
            logger().error("server.unclean", why=repr(error))


def _shout(app: Starlette, task: asyncio.Task[None]) -> None:
    """A loop that ends by an error takes the process with it: a server that runs nothing must not look alive."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger().error("loop.broke", loop=task.get_name(), exc_info=error)
        app.state.broken = True
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Keep the data folder for this process alone while the block lasts.

    Whoever runs the application holds it: the application takes leases from a past owner as from the dead.
    Raises ConfigurationError when another server holds it or it cannot be made.
    """
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigurationError([f"the data folder {data_dir} cannot be used ({error.strerror})"]) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise ConfigurationError([f"another server is using the data folder {data_dir}"]) from None
    try:
        yield
    finally:
        os.close(lock)
