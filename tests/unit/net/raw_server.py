"""A server that says exactly the bytes a test wants, however wrong they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Behaviour = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class RawServer:
    """Heads of the requests that came in, and where to send more."""

    origin: str
    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    closed_by_peer: int = 0


@asynccontextmanager
async def raw_server(behave: Behaviour, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[RawServer]:
    """Serve `behave(request_head, writer)` for every request of every connection."""
    server = RawServer("", 0)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                server.requests.append(head)
                length = next(
                    (
                        int(line.split(b":")[1])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                await reader.readexactly(length)
                await behave(head, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            server.closed_by_peer += 1
        except asyncio.CancelledError:
            pass  # the test is over
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(handle, host, port)
    server.port = listener.sockets[0].getsockname()[1]
    server.origin = f"http://{host}:{server.port}"
    try:
        yield server
    finally:
        listener.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A correct HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(raw: bytes) -> Behaviour:
    """Say `raw` to every request."""

    async def behave(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)

    return behave
