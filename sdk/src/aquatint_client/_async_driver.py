"""Carries out what flows ask for, on an event loop of asyncio."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import TypeVar, cast

import httpx

from aquatint_client import _http
from aquatint_client._actions import Action, Answer, Call, Close, Flow, Open, Pause, Read, Tell, Trouble, Work

T = TypeVar("T")


class AsyncDriver:
    """Runs flows, any number at a time, each with a stream of its own."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def run(self, flow: Flow[T], listen: Callable[[object], object] | None = None) -> T:
        """The flow's result; what it tells goes to `listen`, which may be a coroutine function."""
        stream = _Stream(self._http)
        try:
            action = next(flow)
            while True:
                if isinstance(action, Tell):
                    if listen is not None:
                        heard = listen(action.value)
                        if inspect.isawaitable(heard):
                            await heard
                    action = flow.send(None)
                else:
                    action = await _step(flow, stream, action)
        except StopIteration as end:
            return cast(T, end.value)
        except _Ended as end:
            return cast(T, end.value)
        finally:
            await stream.close()
            flow.close()

    async def iterate(self, flow: Flow[None]) -> AsyncGenerator[object, None]:
        """What the flow tells, one by one; it goes on as values are taken."""
        stream = _Stream(self._http)
        try:
            action = next(flow)
            while True:
                if isinstance(action, Tell):
                    yield action.value
                    action = flow.send(None)
                else:
                    action = await _step(flow, stream, action)
        except (StopIteration, _Ended):
            return
        finally:
            await stream.close()
            flow.close()


class _Ended(Exception):
    """The flow's end: a coroutine must not raise StopIteration."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value


async def _step(flow: Flow[T], stream: _Stream, action: Action) -> Action:
    """Do the action and go on with the flow. Raises _Ended at its end."""
    try:
        reply = await _do(stream, action)
    except Exception as error:  # of work that the flow asked for: it knows what that means
        if not isinstance(action, Work):
            raise
        failure = error
    else:
        try:
            return flow.send(reply)
        except StopIteration as end:
            raise _Ended(end.value) from None
    try:
        return flow.throw(failure)
    except StopIteration as end:
        raise _Ended(end.value) from None


async def _do(stream: _Stream, action: Action) -> object:
    match action:
        case Call(request, limit):
            return await stream.call(Open(request), limit)
        case Open():
            return await stream.open(action)
        case Read():
            return await stream.read()
        case Close():
            await stream.close()
        case Pause(seconds):
            await asyncio.sleep(max(0.0, seconds))
        case Work(run):
            return await asyncio.to_thread(run)
        case Tell():
            raise AssertionError("told elsewhere")
    return None


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


class _Stream:
    """At most one answer whose body is still to come."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._response: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] = _nothing()

    async def open(self, action: Open) -> Answer | Trouble:
        await self.close()
        try:
            request = _http.options(self._http, action.request)
            self._response = await self._http.send(request, stream=True, follow_redirects=False)
        except _http.FAILURES as error:
            return _http.trouble(error)
        self._pieces = self._response.aiter_bytes()
        return _http.head_of(self._response)

    async def read(self) -> bytes | Trouble | None:
        try:
            return await anext(self._pieces, None)
        except _http.FAILURES as error:
            return _http.trouble(error)

    async def call(self, action: Open, limit: int) -> Answer | Trouble:
        head = await self.open(action)
        if isinstance(head, Trouble):
            return head
        body = bytearray()
        try:
            while (piece := await self.read()) is not None:
                if isinstance(piece, Trouble):
                    return piece
                body += piece
                if len(body) > limit:
                    return Trouble(f"the answer is larger than {limit} bytes")
        finally:
            await self.close()
        return Answer(head.status, head.headers, bytes(body))

    async def close(self) -> None:
        response, self._response, self._pieces = self._response, None, _nothing()
        if response is not None:
            await response.aclose()
