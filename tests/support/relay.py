"""A relay between a client and a server that loses answers: the work is done, and the caller never hears of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

import httpx

from support.server import Server

Loses = Callable[[Mapping[str, str]], bool]  # told the headers of a request
HOP = frozenset({"host", "connection", "content-length", "transfer-encoding"})


class Relay:
    """`loses` says of which requests the answer is lost, after the server has sent it whole."""

    def __init__(self, server: Server, loses: Loses) -> None:
        self._upstream = httpx.Client(base_url=server.base_url, timeout=60.0, trust_env=False)
        self.asked: list[Mapping[str, str]] = []
        relay = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in HOP}
                relay.asked.append(headers)
                answer = relay._upstream.request(self.command, self.path, content=body, headers=headers)
                self.close_connection = True
                if loses(headers):
                    return  # closed without a word
                self.send_response_only(answer.status_code)
                for name, value in answer.headers.items():
                    if name.lower() not in HOP:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(answer.content)))
                self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(answer.content)

            do_GET = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join(10.0)
        self._server.server_close()
        self._upstream.close()
