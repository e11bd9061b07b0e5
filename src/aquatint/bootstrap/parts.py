"""Single parts of the house, each made from the settings alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from aquatint import __version__
from aquatint.api.routes.callbacks import CALLBACK_PATH
from aquatint.catalog.load import Catalog
from aquatint.catalog.load import load as load_catalog
from aquatint.domain.errors import ConfigurationError
from aquatint.engines import registry
from aquatint.engines.base import EngineContext
from aquatint.engines.registry import AnyEngine
from aquatint.net.guard import GuardPolicy
from aquatint.net.http import DoorLimits, HttpDoor
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.services.references import FetchRules
from aquatint.services.tools import PublicUrls
from aquatint.settings import Settings
from aquatint.store.sqlite.store import SqliteStore
from aquatint.webhooks.sender import Sender

PROVIDERS = ("modelark", "openai", "gemini", "fal", "replicate", "maxapi")  # engines that need a key
WARM_MODULES = ("aquatint.engines.studio.render",)  # imports what painting and intake need


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


def engine_names() -> frozenset[str]:
    """Installed engines, ours and others'. Raises ConfigurationError when two packages claim one name."""
    return frozenset(registry.installed())


def engine_section(settings: Settings, name: str) -> dict[str, object]:
    """The part of the settings that an engine is given."""
    if name == "null":
        return {"delay": settings.engines.null_delay}
    own = getattr(settings, name, None) if name in PROVIDERS or name == "studio" else None
    return asdict(own) if own is not None else dict(settings.plugins.get(name, {}))


def build_engines(settings: Settings, catalog: Catalog, sandbox: Sandbox) -> dict[str, AnyEngine]:
    """The engines that some route wants and that have what they need. Raises ConfigurationError."""

    def context(name: str) -> EngineContext:
        return EngineContext(sandbox, engine_section(settings, name), concurrency(settings))

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
    ):
        try:
            step()
        except ConfigurationError as error:
            problems += error.problems
    return problems


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
