"""What the simulators share: who was charged for what, the faults in force, and results behind links that die."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aiohttp import web

from aquatint.testing.simulators import faults
from aquatint.testing.simulators.faults import Faults
from aquatint.testing.simulators.painter import Painter, media_type


@dataclass(slots=True)
class SeenCall:
    """One paid request as it arrived, and what was made of it."""

    number: int
    provider: str
    at: float  # seconds since 1970
    prompt: str
    images: int  # asked for
    body: Any  # parsed, with long texts such as base64 shortened
    charged: int = 0  # images
    done_at: float | None = None  # of a job: when it had ended
    told_at: float | None = None  # of a job: when the caller first heard of its end by asking

    def done(self) -> None:
        """The job has ended."""
        self.done_at = time.time()

    def told(self) -> None:
        """The caller learns that it has."""
        self.told_at = self.told_at or time.time()


@dataclass(slots=True)
class _File:
    data: bytes
    media_type: str
    dies_at: float
    lives_from: float = 0.0


@dataclass(slots=True)
class Desk:
    """State of all simulators of one process. `link_seconds` is how long result links live."""

    painter: Painter
    origin: str = ""  # such as http://127.0.0.1:9000, once the port is known
    key: str = "sim-key"  # the only key that the simulators accept
    link_seconds: float = 3600.0
    work_seconds: float = 0.0  # how long a job takes when its prompt does not say
    standing: dict[str, Faults] = field(default_factory=dict)  # by provider, or "*": set by the admin page
    calls: list[SeenCall] = field(default_factory=list)
    _files: dict[str, _File] = field(default_factory=dict)
    _tries: Counter[tuple[str, str]] = field(default_factory=Counter)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def arrived(self, provider: str, prompt: str, images: int, body: object) -> SeenCall:
        """Note one paid request."""
        call = SeenCall(next(self._numbers), provider, time.time(), prompt, images, shorten(body))
        self.calls.append(call)
        return call

    def faults(self, provider: str, prompt: str) -> Faults:
        """What to do wrong now. Counts how often this prompt came, for `[[http:429:2]]`.

        Raises ValueError for a switch that does not exist.
        """
        wanted = faults.parse(prompt).over(self.standing.get(provider, self.standing.get("*", Faults())))
        if wanted.http and wanted.http_times:
            self._tries[provider, prompt] += 1
            if self._tries[provider, prompt] > wanted.http_times:
                wanted = replace(wanted, http=0)
        return wanted

    def charge(self, call: SeenCall, images: int) -> None:
        """From here on the caller pays, whether or not the answer arrives."""
        call.charged += images

    def charges(self, provider: str = "") -> Counter[str]:
        """Charged images by prompt."""
        found: Counter[str] = Counter()
        for call in self.calls:
            if call.charged and provider in ("", call.provider):
                found[call.prompt] += call.charged
        return found

    async def paint(
        self, prompt: str, references: Sequence[bytes], width: int, height: int, seed: int, form: str, wrong: Faults
    ) -> bytes:
        """One picture, or what the faults make of it."""
        if wrong.garbage:
            return b"<html>not an image</html>"
        if wrong.small:
            width, height = max(1, width // 2), max(1, height // 2)
        return await self.painter.paint(prompt, references, width, height, seed, form)

    def publish(self, data: bytes, form: str, wrong: Faults, *, lives_for: float | None = None) -> str:
        """A link to these bytes; it needs no key and dies."""
        token = secrets.token_hex(12)
        now = time.monotonic()
        dies_at = 0.0 if wrong.expired else now + (lives_for or self.link_seconds)
        self._files[token] = _File(data, media_type(form), dies_at, now + wrong.late)
        return f"{self.origin}/results/{token}.{form}"

    def forget(self) -> None:
        """Start anew."""
        self.calls.clear()
        self.standing.clear()
        self._files.clear()
        self._tries.clear()

    async def serve_file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.match_info["name"].partition(".")[0])
        if file is None or file.lives_from > time.monotonic():
            return web.Response(status=404, text="NoSuchKey")
        if file.dies_at <= time.monotonic():
            return web.Response(status=403, text="<Error><Code>AccessDenied</Code>Request has expired</Error>")
        return web.Response(body=file.data, content_type=file.media_type)


def drop(request: web.BaseRequest) -> web.Response:
    """Cut the connection: no status, no body, nothing. The answer that this returns never leaves."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def cut(request: web.BaseRequest, body: bytes, content_type: str = "application/json") -> web.StreamResponse:
    """Answer 200, send half of the body, and cut the connection."""
    response = web.StreamResponse(
        status=200, headers={"Content-Type": content_type, "Content-Length": str(len(body))}
    )
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    await asyncio.sleep(0.05)  # so that the half arrives before the cut
    if request.transport is not None:
        request.transport.abort()
    return response


def bearer(request: web.BaseRequest) -> str:
    """The key of an Authorization header of the form `Bearer <key>`; empty when it has another form."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def shorten(value: object) -> object:
    """The value with every long text cut, so that a record of calls does not hold their pictures."""
    if isinstance(value, dict):
        return {name: shorten(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shorten(item) for item in value]
    if isinstance(value, str) and len(value) > 4000:
        return f"{value[:80]}…({len(value)} characters)"
    return value
