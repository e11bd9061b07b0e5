"""Single parts of the house, each made from the settings alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aquatint import __version__
from aquatint.api.routes.callbacks import CALLBACK_PATH
from aquatint.assets.base import AssetStore
from aquatint.assets.disk import DiskAssets
from aquatint.catalog.load import Catalog
from aquatint.catalog.load import load as load_catalog
from aquatint.domain.errors import ConfigurationError, UnknownModel
from aquatint.engines import registry
from aquatint.engines.base import EngineContext
from aquatint.engines.registry import AnyEngine
from aquatint.net.guard import GuardPolicy
from aquatint.net.http import DoorLimits, HttpDoor
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.services.choose import ChooseService
from aquatint.services.references import FetchRules
from aquatint.services.tools import PublicUrls
from aquatint.settings import Settings
from aquatint.store.base import Store
from aquatint.store.sqlite.store import SqliteStore
from aquatint.telemetry import Metrics, NullTracer, Telemetry
from aquatint.webhooks.sender import Sender
from aquatint.worker.dispatcher import MOST

if TYPE_CHECKING:
    from aquatint.telemetry.otel import OtelTracer

PROVIDERS = ("modelark", "openai", "gemini", "fal", "replicate", "maxapi")  # engines that need a key
STUDIO_MODULES = ("aquatint.engines.studio.render",)  # imports what painting and intake need


def database_path(settings: Settings) -> Path | None:
    """The SQLite file; None for a database server. Raises ConfigurationError for what is neither."""
    url = settings.database.url
    if not url:
        return settings.server.data_dir / "aquatint.db"
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgres://")):
        return None
    raise ConfigurationError(["database.url: must start with postgresql:// or sqlite:///"])


def open_store(settings: Settings) -> Store:
    """The store, not yet open. Raises ConfigurationError."""
    path = database_path(settings)
    if path is not None:
        return SqliteStore(path)
    try:
        from aquatint.store.postgres.store import PostgresStore
    except ImportError:
        raise ConfigurationError(
            ["database.url: PostgreSQL needs the extra: pip install 'aquatint[postgres]'"]
        ) from None
    return PostgresStore(settings.database.url)


def open_assets(settings: Settings) -> AssetStore:
    """Where bytes are kept, not yet open. Raises ConfigurationError."""
    if not settings.assets.url:
        return DiskAssets(settings.server.data_dir / "assets")
    try:
        from aquatint.assets.s3 import S3Assets, S3Settings
    except ImportError:
        raise ConfigurationError(["assets.url: S3 needs the extra: pip install 'aquatint[s3]'"]) from None
    assets = settings.assets
    wanted = S3Settings.of(
        assets.url,
        endpoint=assets.s3_endpoint,
        region=assets.s3_region,
        access_key=assets.s3_access_key,
        secret_key=assets.s3_secret_key,
        public_base=assets.s3_public_base,
        presign=assets.s3_presign,
    )
    return S3Assets(wanted)


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


def engine_names() -> frozenset[str]:
    """Installed engines, ours and others'. Raises ConfigurationError when two packages claim one name."""
    return frozenset(registry.installed())


def engine_section(settings: Settings, name: str) -> dict[str, object]:
    """The part of the settings that an engine is given."""
    if name == "null":
        return {"delay": settings.engines.null_delay}
    own = getattr(settings, name, None) if name in PROVIDERS or name == "studio" else None
    return asdict(own) if own is not None else dict(settings.plugins.get(name, {}))


def build_engines(
    settings: Settings, catalog: Catalog, sandbox: Sandbox, at_once: int | None = None
) -> dict[str, AnyEngine]:
    """The engines that some route wants and that have what they need. Raises ConfigurationError."""

    def context(name: str) -> EngineContext:
        return EngineContext(sandbox, engine_section(settings, name), at_once or concurrency(settings))

    forced = frozenset({settings.engines.route_all_to} - {""})
    return registry.build(catalog.engines(), context, settings.engines.allow_testing, forced)


def check(settings: Settings) -> list[str]:
    """Every mistake that only the whole set-up shows: the catalog, the engines, keys, secrets, the database."""

    def engines() -> None:
        build_engines(settings, load_models(settings), sandbox_of(settings, 1))

    def callbacks() -> None:
        wanting = [name for name in PROVIDERS if getattr(getattr(settings, name), "callbacks", False)]
        if wanting and not settings.assets.public_url:
            raise ConfigurationError(
                [f"{name}.callbacks: needs assets.public_url, where the provider can reach us" for name in wanting]
            )

    problems: list[str] = []
    for step in (
        engines,
        callbacks,
        lambda: build_sender(settings, build_door(settings)),
        lambda: open_store(settings),
        lambda: open_assets(settings),
        lambda: tracer_kind(settings),
        lambda: choose_service(settings, load_models(settings)),
    ):
        try:
            step()
        except ConfigurationError as error:
            problems += error.problems
    return problems


def tracer_kind(settings: Settings) -> type[OtelTracer] | None:
    """What traces, None when nobody wants it: then nothing of it is imported. Raises ConfigurationError."""
    wanted = settings.telemetry
    if not wanted.otlp_endpoint:
        return None
    if urlsplit(wanted.otlp_endpoint).scheme not in ("http", "https"):
        raise ConfigurationError(["telemetry.otlp_endpoint: must start with http:// or https://"])
    if wanted.sample > 1:
        raise ConfigurationError(["telemetry.sample: is a share, from 0 to 1"])
    try:
        from aquatint.telemetry.otel import OtelTracer
    except ImportError:
        raise ConfigurationError(
            ["telemetry.otlp_endpoint: traces need the extra: pip install 'aquatint[otel]'"]
        ) from None
    return OtelTracer


def build_telemetry(settings: Settings, instance: str) -> Telemetry:
    """The process's counters and its tracer; `instance` names the process. Raises ConfigurationError."""
    metrics = Metrics(__version__)
    kind = tracer_kind(settings)
    if kind is None:
        return Telemetry(metrics, NullTracer())
    wanted = settings.telemetry
    return Telemetry(metrics, kind(wanted.otlp_endpoint, wanted.service, __version__, instance, wanted.sample))


def build_sender(settings: Settings, door: HttpDoor) -> Sender:
    """What signs and sends callbacks. Raises ConfigurationError for a secret that cannot be read."""
    try:
        return Sender(door, settings.webhooks.secret, timeout=settings.webhooks.timeout)
    except ValueError as error:
        raise ConfigurationError([f"webhooks.secret: {error}"]) from None


def build_door(settings: Settings) -> HttpDoor:
    """The only way out, with the operator's address rules and limits."""
    limits = DoorLimits(
        connections=MOST * settings.webhooks.concurrency + 64,
        connections_per_host=settings.webhooks.per_host,
        connect_seconds=settings.net.connect_timeout,
    )
    return HttpDoor(GuardPolicy(settings.net.allow), limits=limits, user_agent=f"Aquatint/{__version__}")


def load_models(settings: Settings) -> Catalog:
    """The catalog with the operator's file, aliases and forced route. Raises ConfigurationError."""
    return load_catalog(settings.catalog.file, settings.catalog.aliases, settings.engines.route_all_to)


def choose_service(settings: Settings, catalog: Catalog) -> ChooseService:
    """What callers of other dialects may call models. Raises ConfigurationError for a name that means none."""
    choose = ChooseService(catalog, settings.dialects.openai_models)
    problems = []
    for name, model in settings.dialects.openai_models.items():
        try:
            choose(name)
        except UnknownModel:
            problems.append(f"dialects.openai_models: {name} means {model}, which is no model and no family")
    if problems:
        raise ConfigurationError(problems)
    return choose


def sandbox_of(settings: Settings, size: int) -> Sandbox:
    """Worker processes with the operator's limits; where nothing is painted here, with nothing loaded beforehand."""
    limits = Limits(settings.sandbox.memory, round(settings.sandbox.cpu), settings.sandbox.wall)
    paints = settings.engines.route_all_to in ("", "studio")
    return Sandbox(size, limits, warm=STUDIO_MODULES if paints else ())


def fetch_rules(settings: Settings) -> FetchRules:
    net = settings.net
    return FetchRules(
        settings.limits.upload,
        net.fetch_timeout,
        net.fetch_attempts,
        fresh=net.reference_fresh,
        keep=max(settings.assets.retention, net.reference_fresh),
    )


def callback_urls(settings: Settings) -> Callable[[str], str | None]:
    """Where each provider may call us; nowhere unless its setting says so."""
    base = public_urls(settings).base

    def callback_url(engine: str) -> str | None:
        section = engine_section(settings, engine)
        return f"{base}{CALLBACK_PATH.format(engine=engine)}" if section.get("callbacks") else None

    return callback_url
