"""fal.ai's queue behind the port of remote engines."""

from __future__ import annotations

from aquatint.engines.base import EngineContext
from aquatint.engines.fal.engine import FalEngine


def build(context: EngineContext) -> FalEngine | None:
    """None without a key: then the operator does not want this engine."""
    return FalEngine(context.settings) if context.settings["api_key"] else None
