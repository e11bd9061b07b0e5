"""Callbacks that arrive here: read, verified, printed, and passed on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp
import typer
from aiohttp import web

from aquatint.cli.remote import USAGE, stop
from aquatint.cli.words import clean, clock, cut, print_json
from aquatint_client import BadSignature, Misuse, Task, verify_webhook

MAX_BODY = 8 << 20  # bytes
MAX_ANSWER = 64 << 10  # bytes of what the URL answers to which a letter is passed on
FORWARD_SECONDS = 60.0  # as long as a server waits for us
_KEPT = ("content-type", "webhook-id", "webhook-timestamp", "webhook-signature", "x-maxapi-webhook-secret")


@dataclass(frozen=True, slots=True)
class Letter:
    """One request as it came. `genuine` None: there was no secret to check it with."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    genuine: bool | None
    why: str = ""


class Box:
    """Checks and prints letters."""

    def __init__(self, secret: str | None, as_json: bool) -> None:
        self._secrets: Sequence[str] = [one.strip() for one in (secret or "").split(",") if one.strip()]
        self._as_json = as_json
        try:
            if self._secrets:
                verify_webhook({"webhook-id": "x", "webhook-timestamp": "0"}, b"", self._secrets)
        except BadSignature:
            pass  # the secret can be read
        except Misuse as error:
            stop(str(error), USAGE)

    @property
    def verifies(self) -> bool:
        return bool(self._secrets)

    def open(self, path: str, headers: Mapping[str, str], body: bytes) -> Letter:
        if not self._secrets:
            return Letter(path, headers, body, None)
        try:
            verify_webhook(headers, body, self._secrets)
        except BadSignature as error:
            return Letter(path, headers, body, False, str(error))
        return Letter(path, headers, body, True)

    def show(self, letter: Letter, answered: str) -> None:
        """One line for people, one object for programs."""
        envelope = _read(letter.body)
        if self._as_json:
            print_json(
                {
                    "path": letter.path,
                    "webhook_id": letter.headers.get("webhook-id"),
                    "genuine": letter.genuine,
                    "answered": answered,
                    "body": envelope if envelope is not None else letter.body.decode("utf-8", "replace"),
                }
            )
            return
        mark = {None: "unchecked", True: "genuine", False: "REFUSED"}[letter.genuine]
        data = envelope.get("data") if envelope is not None else None
        task = Task.of(data) if isinstance(data, dict) else None
        what = _what(task) if task is not None and task.id else cut(letter.body.decode("utf-8", "replace"), 120)
        why = f"  ({letter.why})" if letter.why else ""
        typer.echo(f"{clock(None)}  {mark:<9}  {clean(what)}{why}  -> {answered}")
        for url in task.urls if task is not None else ():
            typer.echo(f"                     {clean(url)}")


def _what(task: Task) -> str:
    reason = task.failure_message or task.failure_reason
    return f"{task.id}  {task.status}" + (f"  {reason}" if reason else "")


def _read(body: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


class Desk:
    """Listens. Answers 200, 401 for what is not genuine, or what the URL answers to which letters are passed on."""

    def __init__(self, box: Box, forward: str | None) -> None:
        self._box = box
        self._forward = forward
        self._runner: web.ServerRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def verifies(self) -> bool:
        return self._box.verifies

    async def open(self, host: str, port: int) -> str:
        """Start to listen; the origin. Raises OSError."""
        self._runner = web.ServerRunner(web.Server(self._receive), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = self._runner.addresses[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{bound[1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    async def _receive(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "POST":
            return web.Response(status=405, text="callbacks are sent by POST\n", headers={"allow": "POST"})
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            if len(body) > MAX_BODY:
                return web.Response(status=413, text="too large\n")
        headers = {name.lower(): value for name, value in request.headers.items()}
        letter = self._box.open(request.path_qs, headers, bytes(body))
        status, text, answered = await self._answer(letter)
        self._box.show(letter, answered)
        return web.Response(status=status, text=text)

    async def _answer(self, letter: Letter) -> tuple[int, str, str]:
        """Status and text for the sender, and how they are told to whoever looks on."""
        if letter.genuine is False:
            return 401, "the signature is wrong\n", "401"
        if self._forward is None:
            return 200, "ok\n", "200"
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=FORWARD_SECONDS))
        headers = {name: letter.headers[name] for name in _KEPT if name in letter.headers}
        try:
            async with self._session.post(
                self._forward, data=letter.body, headers=headers, allow_redirects=False
            ) as response:
                text = (await response.content.read(MAX_ANSWER)).decode("utf-8", "replace")
                return response.status, text, f"{response.status} by {self._forward}"
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            return (
                502,
                "could not be passed on\n",
                f"502, {self._forward}: {clean(str(error) or type(error).__name__)}",
            )
