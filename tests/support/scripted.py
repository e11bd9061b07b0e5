"""An HTTP server made of raw sockets that answers exactly what a test tells it to, or hangs up."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import httpx


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it came. Header names are lower-case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Say:
    """Bytes to send, then to hang up; with `pauses` seconds between the pieces."""

    pieces: tuple[bytes, ...]
    pause: float = 0.0


HANG_UP = Say(())
Script = Callable[[Seen, int], Say]  # the request, and how many came before it


def answer(status: int, body: object = None, *, kind: str = "application/json", **headers: str) -> Say:
    """A whole answer; what is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return Say(("\r\n".join(lines).encode() + b"\r\n\r\n" + content,))


def ok(data: object, **headers: str) -> Say:
    return answer(200, {"code": 0, "msg": "ok", "data": data}, **headers)


def refused(code: int, msg: str, **headers: str) -> Say:
    return answer(code, {"code": code, "msg": msg}, **headers)


def stream(*pieces: bytes, pause: float = 0.0) -> Say:
    """An event stream that ends when the pieces end, by hanging up."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    return Say((head, *pieces), pause)


def passed_on(seen: Seen, origin: str) -> Say:
    """What a real server answers to this request."""
    headers = {k: v for k, v in seen.headers.items() if k not in ("host", "content-length", "connection")}
    got = httpx.request(
        seen.method, origin + seen.path, headers=headers, content=seen.body, timeout=30.0, trust_env=False
    )
    kind = got.headers.get("content-type", "application/json")
    return answer(got.status_code, got.content, kind=kind)


@dataclass
class ScriptedServer:
    """Answers each request by `script` while its `with` block lasts; remembers all of them."""

    script: Script
    seen: list[Seen] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = True
        self._lock = threading.Lock()
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()  # wakes accept
        self._thread.join(5)
        self._listener.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self, method: str, path: str) -> int:
        """How many such requests came; `path` is how theirs begins."""
        return sum(one.method == method and one.path.startswith(path) for one in self.seen)

    def _accept(self) -> None:
        while self._open:
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(20)
            request = _read(connection)
            if request is None:
                return
            with self._lock:
                before = self.count(request.method, request.path.partition("?")[0])
                self.seen.append(request)
            said = self.script(request, before)
            for index, piece in enumerate(said.pieces):
                if index > 1 and said.pause:
                    time.sleep(said.pause)
                connection.sendall(piece)


def _read(connection: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, path, _ = first.split(" ")
    return Seen(method, path, headers, body)


@contextlib.contextmanager
def scripted(script: Script) -> Iterator[ScriptedServer]:
    with ScriptedServer(script) as server:
        yield server
