"""HTTP byte by byte, for requests that no client library would send."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any

from support.server import KEY, Server

AUTHORIZATION = f"Authorization: Bearer {KEY}"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """Status 0 means that the server closed the connection without an answer."""

    status: int
    head: str
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def head(*lines: str, method: str = "POST", path: str = "/api/v1/task/submit") -> bytes:
    """A request head with the right key and these further header lines."""
    all_lines = [f"{method} {path} HTTP/1.1", "Host: test", AUTHORIZATION, "Connection: close", *lines]
    return "\r\n".join(all_lines).encode("latin-1") + b"\r\n\r\n"


def exchange(server: Server, *pieces: bytes, timeout: float = 20.0) -> RawAnswer:
    """Send the pieces one after the other, stop when the server stops listening, and read its answer."""
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), timeout) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                connection.sendall(piece)
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(65536):
                answer += part
    if not answer:
        return RawAnswer(0, "", b"")
    top, _, body = answer.partition(b"\r\n\r\n")
    return RawAnswer(int(top.split(b" ", 2)[1]), top.decode("latin-1"), body)
