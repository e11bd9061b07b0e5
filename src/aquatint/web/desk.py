"""The desk: asks the public API in the same process, as any caller would, without a socket between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp, Message, Scope

Json = dict[str, Any]
Params = Mapping[str, str | int | None]
AHEAD = 4  # pieces of a file that wait for a slow reader at most


class Refused(Exception):
    """The API said no; `message` is its own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True, slots=True)
class Desk:
    """One caller's desk: every request carries the key."""

    app: ASGIApp
    key: str

    async def get(self, path: str, params: Params | None = None) -> Json:
        """`data` of the answer. Raises Refused."""
        return await self._ask("GET", path, params, b"")

    async def post(self, path: str, body: Json | None = None) -> Json:
        """The same for a POST of a JSON body."""
        return await self._ask("POST", path, None, json.dumps(body).encode() if body is not None else b"")

    async def delete(self, path: str) -> Json:
        return await self._ask("DELETE", path, None, b"")

    async def _ask(self, method: str, path: str, params: Params | None, body: bytes) -> Json:
        status, found = 500, bytearray()

        async def send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                found.extend(message.get("body", b""))

        await self.app(self._scope(method, path, params, len(body)), _one(body), send)
        return _data(status, bytes(found))

    async def pieces(self, path: str, params: Params | None = None) -> AsyncIterator[bytes]:
        """A file's bytes as they come. Raises Refused before the first."""
        queue: asyncio.Queue[bytes | int | None] = asyncio.Queue(AHEAD)

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                await queue.put(int(message["status"]))
            elif message.get("body"):
                await queue.put(bytes(message["body"]))

        async def fetch() -> None:
            try:
                await self.app(self._scope("GET", path, params, 0), _one(b""), send)
            except Exception:
                await queue.put(None)
                raise
            await queue.put(None)

        work = asyncio.create_task(fetch())
        try:
            status = await queue.get()
            if status != 200:
                raise Refused(status if isinstance(status, int) else 500, "the file is not there any more")
            while isinstance(piece := await queue.get(), bytes):
                yield piece
            await work  # an error on the way must not pass for the end
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    def _scope(self, method: str, path: str, params: Params | None, size: int) -> Scope:
        given = {name: str(value) for name, value in (params or {}).items() if value is not None and value != ""}
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode(given).encode(),
            "root_path": "",
            "headers": [
                (b"host", b"desk"),
                (b"authorization", b"Bearer " + self.key.encode()),
                (b"content-type", b"application/json"),
                (b"content-length", str(size).encode()),
            ],
            "client": None,  # nobody's address: nothing may be open to it only because it comes from this machine
            "server": ("desk", 80),
            "state": {},
        }


def _one(body: bytes) -> Any:
    """A `receive` that gives the whole body once, and after that waits for ever: the caller does not go away."""
    given = False

    async def receive() -> Message:
        nonlocal given
        if not given:
            given = True
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def _data(status: int, body: bytes) -> Json:
    try:
        envelope = json.loads(body)
        if status == 200 and isinstance(envelope["data"], dict):
            return dict(envelope["data"])
        message = str(envelope["msg"])
    except (ValueError, KeyError, TypeError):
        message = "the server answered nothing that can be read"
    raise Refused(status if status != 200 else 500, message)
