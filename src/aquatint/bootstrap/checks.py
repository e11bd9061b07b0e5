"""What the command line asks about engines, the database and the asset storage."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aquatint.bootstrap.parts import build_engines, engine_section, load_models, open_assets, sandbox_of
from aquatint.engines import registry
from aquatint.engines.base import EngineContext, EngineSpec, GenerationJob
from aquatint.settings import Settings

if TYPE_CHECKING:
    from aquatint.store.postgres.probe import Probe


@dataclass(frozen=True, slots=True)
class EngineRow:
    """One installed engine; `spec` is None when no route uses it, or when it has no key: it was not built."""

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
    engine = registry.build_local(name, EngineContext(sandbox, engine_section(settings, name), 1))
    job = GenerationJob("doctor", "", "text_to_image", "mountain lake", (), 256, 144, "16:9", "", 1, 1, 60.0)
    try:
        await sandbox.open()
        await engine.open()
        await engine.generate(job, lambda fraction, stage: None)
    finally:
        await sandbox.close()


async def probe_database(settings: Settings) -> Probe:
    """What the PostgreSQL server says of itself. Raises StoreUnavailable, ConfigurationError."""
    from aquatint.store.postgres.probe import probe

    return await probe(settings.database.url)


async def try_assets(settings: Settings) -> None:
    """Write, read and delete one small object. Raises StoreUnavailable when that cannot be done."""
    assets = open_assets(settings)
    await assets.open()
    try:
        digest = await assets.put(b"aquatint doctor " + os.urandom(16))
        await assets.read(digest)
        await assets.delete_if_old(digest, -3600.0)
    finally:
        await assets.close()
