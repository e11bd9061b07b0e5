"""Puts the house together: the only room that knows all others."""

from __future__ import annotations

from aquatint.bootstrap.checks import EngineRow, list_engines, probe_database, try_assets, try_engine
from aquatint.bootstrap.house import House, build
from aquatint.bootstrap.life import hold
from aquatint.bootstrap.parts import (
    PROVIDERS,
    build_door,
    build_sender,
    check,
    cores,
    database_path,
    engine_names,
    open_store,
    public_urls,
)
from aquatint.bootstrap.role import Role
from aquatint.store.base import Store

__all__ = [
    "PROVIDERS",
    "EngineRow",
    "House",
    "Role",
    "Store",
    "build",
    "build_door",
    "build_sender",
    "check",
    "cores",
    "database_path",
    "engine_names",
    "hold",
    "list_engines",
    "open_store",
    "probe_database",
    "public_urls",
    "try_assets",
    "try_engine",
]
