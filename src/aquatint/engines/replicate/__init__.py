"""Replicate's predictions behind the port of remote engines."""

from __future__ import annotations

from aquatint.engines.base import EngineContext
from aquatint.engines.replicate.engine import ReplicateEngine


def build(context: EngineContext) -> ReplicateEngine | None:
    """None without a key: then the operator does not want this engine."""
    return ReplicateEngine(context.settings) if context.settings["api_key"] else None
