"""All simulators on one port, with an admin page that scripts faults and tells what was charged."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from aquatint.testing.simulators import ark, fal, faults, gemini, maxapi, openai, replicate
from aquatint.testing.simulators.desk import Desk
from aquatint.testing.simulators.painter import Painter, StudioPainter

MAX_BODY = 256 << 20

# Where each simulator hangs; the engine's base_url is the origin followed by this and the second text.
MOUNTS: dict[str, tuple[Callable[[Desk], web.Application], str, str]] = {
    "modelark": (ark.build, "/ark", "/api/v3"),
    "openai": (openai.build, "/openai", "/v1"),
    "gemini": (gemini.build, "/gemini", ""),
    "fal": (fal.build, "/fal", ""),
    "replicate": (replicate.build, "/replicate", ""),
    "maxapi": (maxapi.build, "/maxapi", ""),
}


class Simulators:
    """Listens on the loopback while its `async with` block lasts; port 0 takes a free one."""

    def __init__(
        self, painter: Painter | None = None, *, host: str = "127.0.0.1", port: int = 0, key: str = "sim-key"
    ) -> None:
        self.desk = Desk(painter or StudioPainter(), key=key)
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def origin(self) -> str:
        return self.desk.origin

    def base_url(self, engine: str) -> str:
        """What the engine's `base_url` setting must be."""
        _, mount, path = MOUNTS[engine]
        return f"{self.origin}{mount}{path}"

    def environment(self, *engines: str) -> dict[str, str]:
        """Settings that turn these engines to the simulators; all of them when none is named."""
        env = {"AQUATINT_NET__ALLOW": "127.0.0.0/8"}
        for engine in engines or MOUNTS:
            env[f"AQUATINT_{engine.upper()}__API_KEY"] = self.desk.key
            env[f"AQUATINT_{engine.upper()}__BASE_URL"] = self.base_url(engine)
            if engine == "fal":
                env["AQUATINT_FAL__JWKS_URL"] = f"{self.base_url('fal')}/.well-known/jwks.json"
        return env

    async def __aenter__(self) -> Self:
        await self.desk.painter.open()
        app = web.Application(client_max_size=MAX_BODY)
        app.add_routes(
            [
                web.get("/results/{name}", self.desk.serve_file),
                web.get("/admin/calls", self._calls),
                web.post("/admin/faults", self._set_faults),
                web.post("/admin/reset", self._reset),
            ]
        )
        for build, mount, _ in MOUNTS.values():
            app.add_subapp(mount, build(self.desk))
        self._runner = web.AppRunner(app, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, backlog=4096)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.desk.origin = f"http://{self._host}:{self._port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        await self.desk.painter.close()

    async def _calls(self, request: web.Request) -> web.Response:
        """Every paid request so far, and the charged images by prompt."""
        provider = request.query.get("provider", "")
        calls = [dataclasses.asdict(c) for c in self.desk.calls if provider in ("", c.provider)]
        return web.json_response({"calls": calls, "charges": dict(self.desk.charges(provider))})

    async def _set_faults(self, request: web.Request) -> web.Response:
        """`{"provider": "fal", "faults": "[[sleep:2]]"}`; without a provider for all, without faults for none."""
        wanted = await request.json()
        try:
            self.desk.standing[wanted.get("provider") or "*"] = faults.parse(wanted.get("faults", ""))
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"ok": True})

    async def _reset(self, request: web.Request) -> web.Response:
        self.desk.forget()
        return web.json_response({"ok": True})
