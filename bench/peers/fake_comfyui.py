"""A ComfyUI that does nothing: every prompt is taken and has ended. What stands behind comfy-api-proxy here."""

from __future__ import annotations

import asyncio
import json
import sys

import httptools
import uvloop

QUEUE = b'{"queue_running": [], "queue_pending": []}'


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._url = self._body = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        answer = self._answer()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(answer)}\r\n\r\n"
        self._transport.write(head.encode() + answer)  # type: ignore[attr-defined]  # uvloop's only looks like one
        self._begin()

    def _answer(self) -> bytes:
        if self._url == b"/prompt":
            prompt_id = json.loads(self._body)["prompt_id"]
            return json.dumps({"prompt_id": prompt_id, "number": 1, "node_errors": {}}).encode()
        if self._url.startswith(b"/history/"):
            prompt_id = self._url.rpartition(b"/")[2].decode()
            image = {"filename": "fox.png", "subfolder": "", "type": "output"}
            status = {"status_str": "success", "completed": True, "messages": []}
            return json.dumps({prompt_id: {"outputs": {"9": {"images": [image]}}, "status": status}}).encode()
        return QUEUE


async def serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
