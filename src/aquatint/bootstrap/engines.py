"""What the command line asks about engines."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint.bootstrap.parts import build_engines, engine_section, load_models, sandbox_of
from aquatint.engines import registry
from aquatint.engines.base import EngineContext, EngineSpec, GenerationJob
from aquatint.settings import Settings


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
    engine = registry.build_local(name, EngineContext(sandbox, engine_section(settings, name), 1))
    job = GenerationJob("doctor", "", "text_to_image", "mountain lake", (), 256, 144, "16:9", "", 1, 1, 60.0)
    try:
        await sandbox.open()
        await engine.open()
        await engine.generate(job, lambda fraction, stage: None)
    finally:
        await sandbox.close()
