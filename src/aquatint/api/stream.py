"""A response that goes on: pieces are sent as they come, until they end, the client leaves or does not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from aquatint.api.observed import request_id
from aquatint.telemetry import logger

PATIENCE = 20.0  # seconds that one piece may wait for a client that does not read
HEADERS = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # nginx and those who learnt from it: pass it on at once
}


class EventStream(Response):
    """`leave` is called once the stream is over, however it ends."""

    def __init__(self, pieces: AsyncGenerator[bytes, None], leave: Callable[[], None]) -> None:
        super().__init__(None, 200, HEADERS)
        del self.headers["content-length"]
        self._pieces = pieces
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            await self._either(scope, receive, send)
        finally:
            self._leave()
            await self._pieces.aclose()

    async def _either(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the pieces end or the client goes, whichever is first."""
        sending = asyncio.create_task(self._send(scope, send))
        going = asyncio.create_task(gone(receive))
        try:
            await asyncio.wait((sending, going), return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended = sending.done()
            for task in (sending, going):
                task.cancel()
            await asyncio.gather(sending, going, return_exceptions=True)
        if ended:
            sending.result()

    async def _send(self, scope: Scope, send: Send) -> None:
        try:
            async for piece in self._pieces:
                async with asyncio.timeout(PATIENCE):
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError:
            # Not completed, so that the connection is closed and nobody takes the stream for whole.
            logger().info("stream.cut", request_id=request_id(scope))
            return
        await send({"type": "http.response.body", "body": b""})


async def gone(receive: Receive) -> None:
    """Until the client has closed the connection; the request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
