"""The embedded picture engine: a CPU studio of classical graphics, driven by the words of the prompt."""

from __future__ import annotations

from aquatint.engines.base import Engine, EngineContext
from aquatint.engines.studio.engine import StudioEngine

__all__ = ["build"]


def build(context: EngineContext) -> Engine:
    """Entry point `aquatint.engines: studio`."""
    return StudioEngine(context)
