"""Fetching from servers that lie, drip, flood and never end: real sockets, bounded time and memory."""

from __future__ import annotations

import asyncio
import gzip
import time
import tracemalloc
import zlib

import pytest
from raw_server import always, answer, raw_server

from aquatint.net.errors import BadUrl, BlockedAddress, FetchFailed, FetchTimedOut, NetError, TooManyBytes
from aquatint.net.http import HttpDoor

LIMIT = 100_000
# Words that clients in use match in error texts to tell apart kinds of failures (contract, message hygiene).
RESERVED_WORDS = (
    *("flagged", "nsfw", "safety", "content policy", "moderation", "inappropriate", "sexual", "explicit"),
    *("timeout", "timed out", "network", "socket", "econnreset"),
)


async def get(door: HttpDoor, url: str, deadline: float = 5.0) -> bytes:
    return (await door.fetch(url, max_bytes=LIMIT, deadline=deadline)).data


async def test_a_plain_file(door: HttpDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    raw = answer("200 OK", b"picture", "Content-Type: Image/PNG; charset=x", "Set-Cookie: a=b")
    async with raw_server(always(raw)) as server:
        for _ in range(2):
            fetched = await door.fetch(server.origin + "/a/../b%2F.png?x=%20y", max_bytes=7, deadline=5)
        assert (fetched.data, fetched.media_type) == (b"picture", "image/png")
        assert fetched.final_url == server.origin + "/a/../b%2F.png?x=%20y"
        request = server.requests[1].decode().lower()
    assert request.startswith("get /a/../b%2f.png?x=%20y http/1.1\r\n")
    assert "accept-encoding: identity\r\n" in request
    for unwanted in ("cookie:", "referer:", "authorization:"):
        assert unwanted not in request


async def test_declared_too_large(door: HttpDoor) -> None:
    raw = f"HTTP/1.1 200 OK\r\nContent-Length: {LIMIT + 1}\r\n\r\n".encode()
    async with raw_server(always(raw)) as server:
        started = time.monotonic()
        with pytest.raises(TooManyBytes):
            await get(door, server.origin)
        assert time.monotonic() - started < 1  # without waiting for the body


async def test_endless_body(door: HttpDoor) -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async with raw_server(endless) as server:
        tracemalloc.start()
        with pytest.raises(TooManyBytes):
            await get(door, server.origin)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 4_000_000


async def test_dripping_body_meets_the_deadline(door: HttpDoor) -> None:
    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(drip) as server:
        started = time.monotonic()
        with pytest.raises(FetchTimedOut):
            await get(door, server.origin, deadline=0.8)
        assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"])
async def test_silent_servers(door: HttpDoor, start: bytes) -> None:
    async def silence(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        await asyncio.sleep(30)

    async with raw_server(silence) as server:
        started = time.monotonic()
        with pytest.raises(FetchTimedOut):
            await get(door, server.origin, deadline=10)
        assert time.monotonic() - started < 2  # the patience for one read, not the whole deadline


async def test_dripping_headers_meet_the_deadline(door: HttpDoor) -> None:
    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-A: ")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with raw_server(drip) as server:
        with pytest.raises(FetchTimedOut):
            await get(door, server.origin, deadline=0.8)


@pytest.mark.parametrize(
    "headers",
    [
        "".join(f"X-{number}: a\r\n" for number in range(5000)).encode(),
        b"X-Long: " + b"a" * 1_000_000 + b"\r\n",
        b"X" * 100_000 + b": a\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: -5\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"no colon at all\r\n",
    ],
)
async def test_floods_and_nonsense_in_headers(door: HttpDoor, headers: bytes) -> None:
    async with raw_server(always(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\nhello")) as server:
        with pytest.raises((FetchFailed, FetchTimedOut)):
            await get(door, server.origin, deadline=2)


async def test_endless_status_lines(door: HttpDoor) -> None:
    async with raw_server(always(b"HTTP/1.1 200 " + b"O" * 200_000)) as server:
        with pytest.raises(FetchFailed):
            await get(door, server.origin)


async def test_fewer_bytes_than_declared(door: HttpDoor) -> None:
    async def cut(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort")
        await writer.drain()
        writer.close()

    async with raw_server(cut) as server:
        with pytest.raises(FetchFailed, match="before the whole body") as failure:
            await get(door, server.origin)
        assert not failure.value.permanent


async def test_more_bytes_than_declared_are_not_read(door: HttpDoor) -> None:
    """What follows is no HTTP answer: the connection is given up, and with it the file."""
    async with raw_server(always(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more")) as server:
        with pytest.raises(FetchFailed):
            await get(door, server.origin)


async def test_not_http_at_all(door: HttpDoor) -> None:
    async with raw_server(always(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as server:
        with pytest.raises(FetchFailed, match="valid HTTP"):
            await get(door, server.origin)


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_bodies(door: HttpDoor, encoding: str, pack: object) -> None:
    assert callable(pack)
    header = f"Content-Encoding: {encoding}"
    async with raw_server(always(answer("200 OK", pack(b"picture" * 1000), header))) as server:
        assert await get(door, server.origin) == b"picture" * 1000
    bomb = pack(bytes(200_000_000))
    assert len(bomb) < 250_000
    async with raw_server(always(answer("200 OK", bomb, header))) as server:
        tracemalloc.start()
        with pytest.raises(TooManyBytes):
            await get(door, server.origin)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8_000_000
    async with raw_server(always(answer("200 OK", pack(b"picture" * 99)[:-6], header))) as server:
        with pytest.raises(FetchFailed):
            await get(door, server.origin)
    async with raw_server(always(answer("200 OK", b"not compressed", header))) as server:
        with pytest.raises(FetchFailed, match="damaged"):
            await get(door, server.origin)


async def test_a_small_bomb_inside_the_byte_limit(door: HttpDoor) -> None:
    """Compressed it fits the limit with room to spare; decompressed it does not."""
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < LIMIT
    async with raw_server(always(answer("200 OK", bomb, "Content-Encoding: gzip"))) as server:
        with pytest.raises(TooManyBytes):
            await get(door, server.origin)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip, deflate"])
async def test_encodings_that_were_not_asked_for(door: HttpDoor, encoding: str) -> None:
    async with raw_server(always(answer("200 OK", b"abc", f"Content-Encoding: {encoding}"))) as server:
        with pytest.raises(FetchFailed, match="not asked for"):
            await get(door, server.origin)


@pytest.mark.parametrize(
    ("status", "permanent"),
    [
        *((status, True) for status in (204, 400, 401, 403, 404, 410)),
        *((status, False) for status in (408, 425, 429, 500, 502, 503)),
    ],
)
async def test_statuses(door: HttpDoor, status: int, permanent: bool) -> None:
    async with raw_server(always(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())) as server:
        with pytest.raises(FetchFailed) as failure:
            await get(door, server.origin)
        assert (failure.value.status, failure.value.permanent) == (status, permanent)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(door: HttpDoor, status: int) -> None:
    async def behave(head: bytes, writer: asyncio.StreamWriter) -> None:
        moved = answer(f"{status} Moved", b"", "Location: /there?a=%2F")
        writer.write(answer("200 OK", b"found") if b"/there" in head else moved)

    async with raw_server(behave) as server:
        fetched = await door.fetch(server.origin, max_bytes=9, deadline=5)
        assert (fetched.data, fetched.final_url) == (b"found", server.origin + "/there?a=%2F")


async def test_redirects_are_few(door: HttpDoor) -> None:
    async with raw_server(always(answer("302 Found", b"", "Location: /again"))) as server:
        with pytest.raises(FetchFailed, match="more than 3 times"):
            await get(door, server.origin)
        assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("location", "refusal"),
    [
        ("http://10.0.0.1/", BlockedAddress),
        ("http://169.254.169.254/latest/meta-data/", BlockedAddress),
        ("http://[::1]:{port}/", BlockedAddress),
        ("//[::ffff:10.0.0.1]/", BlockedAddress),
        ("http://2130706433:{port}/", BadUrl),
        ("http://0x7f000001:{port}/", BadUrl),
        ("http://a@127.0.0.1:{port}/", BadUrl),
        ("file:///etc/passwd", BadUrl),
        ("gopher://127.0.0.1:70/", BadUrl),
    ],
)
async def test_redirects_are_checked(door: HttpDoor, location: str, refusal: type[NetError]) -> None:
    async def behave(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(answer("302 Found", b"", "Location: " + location.format(port=server.port)))

    async with raw_server(behave) as server:
        with pytest.raises(refusal):
            await get(door, server.origin)
        assert len(server.requests) == 1


async def test_nobody_there(door: HttpDoor) -> None:
    async with raw_server(always(b"")) as server:
        gone = server.origin
    with pytest.raises(FetchFailed, match="refused the connection") as failure:
        await get(door, gone)
    assert not failure.value.permanent


async def test_tls_to_a_plain_server(door: HttpDoor) -> None:
    async with raw_server(always(answer("200 OK"))) as server:
        with pytest.raises((FetchFailed, FetchTimedOut)):
            await get(door, server.origin.replace("http:", "https:"), deadline=2)


async def test_messages_hold_no_reserved_words(door: HttpDoor) -> None:
    """They reach the caller as `failure_message`."""

    async def slow(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)

    messages = []
    behaviours = [slow, always(b"junk\r\n\r\n"), always(answer("404 X")), always(answer("200 OK", bytes(LIMIT + 1)))]
    behaviours.append(always(answer("302 X", b"", "Location: http://10.0.0.1/")))
    for behaviour in behaviours:
        async with raw_server(behaviour) as server:
            with pytest.raises(NetError) as error:
                await get(door, server.origin, deadline=0.3)
            messages.append(error.value.message)
    for message in messages:
        assert not message[:3].isdigit()
        assert not [word for word in RESERVED_WORDS if word in message.lower()], message


async def test_a_closed_door_says_so() -> None:
    from aquatint.net.guard import GuardPolicy

    with pytest.raises(RuntimeError, match="not open"):
        await HttpDoor(GuardPolicy()).fetch("http://8.8.8.8/", max_bytes=1, deadline=1)
