"""Carries out what flows ask for, blocking."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar, cast

import httpx

from aquatint_client import _http
from aquatint_client._actions import Action, Answer, Call, Close, Flow, Open, Pause, Read, Tell, Trouble, Work

T = TypeVar("T")


class SyncDriver:
    """Runs one flow after the other, each with a stream of its own."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def run(self, flow: Flow[T], listen: Callable[[object], object] | None = None) -> T:
        """The flow's result; what it tells goes to `listen`."""
        stream = _Stream(self._http)
        try:
            action = next(flow)
            while True:
                if isinstance(action, Tell):
                    if listen is not None:
                        listen(action.value)
                    action = flow.send(None)
                else:
                    action = _step(flow, stream, action)
        except StopIteration as end:
            return cast(T, end.value)
        finally:
            stream.close()
            flow.close()

    def iterate(self, flow: Flow[None]) -> Iterator[object]:
        """What the flow tells, one by one; it goes on as values are taken."""
        stream = _Stream(self._http)
        try:
            action = next(flow)
            while True:
                if isinstance(action, Tell):
                    yield action.value
                    action = flow.send(None)
                else:
                    action = _step(flow, stream, action)
        except StopIteration:
            return
        finally:
            stream.close()
            flow.close()


def _step(flow: Flow[T], stream: _Stream, action: Action) -> Action:
    """Do the action and go on with the flow. Raises StopIteration at its end."""
    try:
        reply = _do(stream, action)
    except Exception as error:  # of work that the flow asked for: it knows what that means
        if isinstance(action, Work):
            return flow.throw(error)
        raise
    return flow.send(reply)


def _do(stream: _Stream, action: Action) -> object:
    match action:
        case Call(request, limit):
            return stream.call(Open(request), limit)
        case Open():
            return stream.open(action)
        case Read():
            return stream.read()
        case Close():
            stream.close()
        case Pause(seconds):
            time.sleep(max(0.0, seconds))
        case Work(run):
            return run()
        case Tell():
            raise AssertionError("told elsewhere")
    return None


class _Stream:
    """At most one answer whose body is still to come."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._response: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def open(self, action: Open) -> Answer | Trouble:
        self.close()
        try:
            request = _http.options(self._http, action.request)
            self._response = self._http.send(request, stream=True, follow_redirects=False)
        except _http.FAILURES as error:
            return _http.trouble(error)
        self._pieces = self._response.iter_bytes()
        return _http.head_of(self._response)

    def read(self) -> bytes | Trouble | None:
        try:
            return next(self._pieces, None)
        except _http.FAILURES as error:
            return _http.trouble(error)

    def call(self, action: Open, limit: int) -> Answer | Trouble:
        head = self.open(action)
        if isinstance(head, Trouble):
            return head
        body = bytearray()
        try:
            while (piece := self.read()) is not None:
                if isinstance(piece, Trouble):
                    return piece
                body += piece
                if len(body) > limit:
                    return Trouble(f"the answer is larger than {limit} bytes")
        finally:
            self.close()
        return Answer(head.status, head.headers, bytes(body))

    def close(self) -> None:
        response, self._response, self._pieces = self._response, None, iter(())
        if response is not None:
            response.close()
