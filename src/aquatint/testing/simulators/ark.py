"""The image API of BytePlus ModelArk and Volcengine Ark: `POST /api/v3/images/generations`.

Beyond the common fault switches (faults.py):

| switch | what this simulator makes of it |
|---|---|
| `[[fail:QuotaExceeded]]`, and the same with `:queue` or `:plan` | the three meanings of that code |
| `[[fail:200:CODE]]` | the error inside an answer with HTTP 200, or as the only event of a stream |
| `[[partial:2]]` | in a group the second image fails, else the second call with this prompt |
| `[[partial:2]][[fail:CODE]]` | it fails with this code; after `InternalServiceError` a group stops |

Streams bring their images in another order than their indices say, and leave out `[DONE]` when an image failed.
Web search and the splitting into layers are not simulated; `ep-` before a model id is a private endpoint of it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import Any

import aiohttp
from aiohttp import web

from aquatint.testing.simulators import ark_errors
from aquatint.testing.simulators.ark_answers import Made, frames, whole
from aquatint.testing.simulators.ark_checks import Wanted, understand
from aquatint.testing.simulators.ark_errors import Refused, invalid
from aquatint.testing.simulators.desk import Desk, SeenCall, bearer, cut, drop
from aquatint.testing.simulators.faults import Faults

PROVIDER = "modelark"
_BLOCKED = "OutputImageSensitiveContentDetected"
_INSIDE = "200:"


def build(desk: Desk) -> web.Application:
    app = web.Application()
    app.router.add_post("/api/v3/images/generations", _Ark(desk).generate)
    app.router.add_route("*", "/{path:.*}", _nothing)
    return app


async def _nothing(request: web.Request) -> web.Response:
    return web.Response(status=404)


class _Ark:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def generate(self, request: web.Request) -> web.StreamResponse:
        request_id = f"02{time.time_ns() // 1_000_000}{secrets.token_hex(20)}"
        headers = {"X-Request-Id": request_id}
        if name := request.headers.get("X-Client-Request-Id"):
            headers["X-Client-Request-Id"] = name
        try:
            return await self._answered(request, headers)
        except Refused as refused:
            return refused.response(request_id, headers)

    async def _answered(self, request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
        if bearer(request) != self._desk.key:
            raise Refused("AuthenticationError")
        body = await _object(request)
        call = self._desk.arrived(PROVIDER, str(body.get("prompt") or ""), 1, body)
        wanted = await understand(body, self._fetch)
        call.images = wanted.images
        try:
            wrong = self._desk.faults(PROVIDER, wanted.prompt)
        except ValueError as error:
            raise invalid("prompt", str(error)) from None
        if wrong.refuse:
            return drop(request)
        pause = (wrong.sleep or self._desk.work_seconds) / (wanted.images if wanted.stream else 1)
        await asyncio.sleep(pause)
        if wrong.http:
            wait = {} if wrong.retry_after is None else {"Retry-After": f"{wrong.retry_after:g}"}
            return ark_errors.of_status(wrong.http).response(headers["X-Request-Id"], headers | wait)
        if wrong.fail and not wrong.partial and not wrong.fail.startswith(_INSIDE):
            raise Refused(wrong.fail)
        made = self._made(call, wanted, wrong)
        self._desk.charge(call, sum(fate is None for fate in made.fates))
        if wrong.drop:
            return drop(request)
        if wanted.stream:
            return await self._streamed(request, headers, made, pause)
        answer = await whole(self._desk, made)
        if wrong.cut:
            return await cut(request, json.dumps(answer).encode())
        return web.json_response(answer, headers=headers)

    def _made(self, call: SeenCall, wanted: Wanted, wrong: Faults) -> Made:
        if wrong.fail.startswith(_INSIDE):
            return Made(call, wanted, wrong, [], Refused(wrong.fail.removeprefix(_INSIDE)))
        failed = Refused(wrong.fail or _BLOCKED)
        if not wanted.group:
            earlier = self._desk.calls[: self._desk.calls.index(call) + 1]  # side by side, each has its own turn
            turn = sum(c.provider == PROVIDER and c.prompt == call.prompt for c in earlier)
            return Made(call, wanted, wrong, [failed if turn in wrong.partial else None])
        fates = [failed if number + 1 in wrong.partial else None for number in range(wanted.images)]
        if failed.status >= 500 and failed in fates:
            fates = fates[: fates.index(failed) + 1]
        return Made(call, wanted, wrong, fates)

    async def _streamed(
        self, request: web.Request, headers: dict[str, str], made: Made, pause: float
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers | {"Content-Type": "text/event-stream"})
        await response.prepare(request)
        whole_frames = len(made.fates) // 2 if made.wrong.cut else -1
        try:
            async for frame in frames(self._desk, made, pause):
                if whole_frames == 0:
                    await response.write(frame[: len(frame) // 2])
                    await asyncio.sleep(0.05)  # so that the half arrives before the cut
                    drop(request)
                    return response
                await response.write(frame)
                whole_frames -= 1
            await response.write_eof()
        except ConnectionResetError:
            pass  # who has read `completed` may hang up
        return response

    async def _fetch(self, url: str) -> bytes:
        """The real Ark fetches whatever is public; this one only what it has itself made."""
        if not url.startswith(f"{self._desk.origin}/results/"):
            raise invalid("image", "the image could not be downloaded")
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            if response.status != 200:
                raise invalid("image", "the image could not be downloaded")
            return await response.read()


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused("InvalidParameter", "The request body is not a JSON object.")
    return body
