"""The floor's applications, for `uvicorn --factory`. FLOOR_DB is the database file; empty: nothing is stored."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.floor.store import GroupStore, NoStore, new_row
from bench.messages import SECRET, TASK_API

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
KEYS = frozenset({hashlib.sha256(SECRET.encode()).digest()})
Url = Annotated[str, msgspec.Meta(max_length=2048, pattern="^https?://")]


class Input(msgspec.Struct, forbid_unknown_fields=True):
    prompt: Annotated[str, msgspec.Meta(min_length=1, max_length=8000)]
    imageUrls: Annotated[list[Url], msgspec.Meta(max_length=14)] | None = None  # noqa: N815  # the wire's spelling
    ratio: Literal["1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9"] = "1:1"
    resolution: Literal["1k", "2k", "4k"] = "2k"


class Submit(msgspec.Struct, forbid_unknown_fields=True):
    model: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    input: Input
    callBackUrl: Url | None = None  # noqa: N815  # the wire's spelling


def authorised(header: str | None) -> bool:
    return header is not None and header[:7] == "Bearer " and hashlib.sha256(header[7:].encode()).digest() in KEYS


class Desk:
    """Parse, store, answer: what both applications share."""

    def __init__(self) -> None:
        path = os.environ.get("FLOOR_DB", "")
        self._store = GroupStore(Path(path)) if path else NoStore()
        self._decoder = msgspec.json.Decoder(Submit)
        self._encoder = msgspec.json.Encoder()

    async def __call__(self, body: bytes) -> bytes:
        draft = self._decoder.decode(body)
        row = new_row(draft.model, draft.callBackUrl, self._encoder.encode(draft.input))
        await self._store.add(row)
        return b'{"code":0,"msg":"ok","data":{"taskId":"' + row.id.encode() + b'"}}'


def starlette() -> Starlette:
    """Starlette + msgspec, and nothing else."""
    desk = Desk()

    async def submit(request: Request) -> Response:
        if not authorised(request.headers.get("authorization")):
            return Response(b"{}", 401)
        return Response(await desk(await request.body()), media_type="application/json")

    return Starlette(routes=[Route(TASK_API.submit_path, submit, methods=["POST"])])


def asgi() -> Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]:
    """No framework at all."""
    desk = Desk()

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        header = next((value.decode() for name, value in scope["headers"] if name == b"authorization"), None)
        if scope["path"] != TASK_API.submit_path or not authorised(header):
            await _answer(send, 401, b"{}")
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        await _answer(send, 200, await desk(body))

    return app


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
