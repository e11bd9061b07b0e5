"""MaxAPI as an engine: another server of this very API, be it an Aquatint further down or the hosted original."""

from __future__ import annotations

from aquatint.engines.maxapi.engine import build

__all__ = ["build"]
