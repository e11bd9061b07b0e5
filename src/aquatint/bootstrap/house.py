"""The composition root: settings to tools, tools to services, services to the application and its loops."""

from __future__ import annotations

import asyncio
import functools
from dataclasses import dataclass

from starlette.applications import Starlette

from aquatint import __version__
from aquatint.api.app import build as build_app
from aquatint.bootstrap.back import build_herald, build_loops
from aquatint.bootstrap.front import build_routes
from aquatint.bootstrap.life import Life
from aquatint.bootstrap.role import Role
from aquatint.bootstrap.tools import HouseTools, build_tools
from aquatint.bootstrap.watch import build_metrics
from aquatint.bootstrap.web import add_web
from aquatint.services.tools import Clock
from aquatint.settings import Settings
from aquatint.worker.loop import Loop


@dataclass(frozen=True, slots=True)
class House:
    """Everything that one server process is made of, built but not yet open."""

    tools: HouseTools
    app: Starlette
    loops: tuple[Loop, ...]


def build(settings: Settings, *, clock: Clock | None = None, role: Role | None = None) -> House:
    """Put the house together. Raises ConfigurationError with every mistake found."""
    role = role or Role()
    tools = build_tools(settings, role, clock or Clock())
    loops, closers = build_loops(tools, role) if role.work else ((), (tools.tracker.close,))
    loops = (*loops, build_herald(tools, role))
    if tools.telemetry.tracer.on:
        closers = (*closers, functools.partial(asyncio.to_thread, tools.telemetry.tracer.close))
    life = Life(tools, loops, closers)
    routes = build_routes(tools) if role.api else None
    web = role.api and settings.server.web
    app = build_app(
        routes,
        life.alive,
        life.ready,
        settings.server.cors_origins,
        __version__,
        tools.telemetry.metrics,
        build_metrics(tools),
        tools.follow.close,
        home=None if web else "/docs",
    )
    if web:
        add_web(app, tools)
    return House(tools, app, loops)
