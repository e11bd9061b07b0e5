"""Callbacks of providers: not part of the API, reached only by those whom an engine gave the address."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from aquatint.api import bodies
from aquatint.api.problems import envelope
from aquatint.services.nudge import NudgeService
from aquatint.wire import answers

CALLBACK_PATH = "/callbacks/{engine}"
MAX_BODY = 1 << 20  # bytes; what the letter says is not needed, only that it is genuine


@dataclass(frozen=True, slots=True)
class CallbackRoutes:
    nudge: NudgeService

    async def receive(self, request: Request) -> Response:
        body = await bodies.read(request, MAX_BODY)
        headers = {name.lower(): value for name, value in request.headers.items()}
        await self.nudge(request.path_params["engine"], headers, body)
        return envelope(answers.ok({}))
