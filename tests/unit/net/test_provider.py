"""The way out to paid providers, over real sockets: what left, what came back, and what it may have cost."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import re
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from raw_server import Behaviour, always, answer, raw_server

from aquatint.net.errors import AnswerLost, BadUrl, NetError, NotSent, TooManyBytes
from aquatint.net.provider import ProviderDoor, Reply, origin_of
from support.ports import free_port

KEY = "secret-key-0123456789"
OK = answer("200 OK", b'{"fine": true}', "Content-Type: application/json", "X-Request-Id: r1")
JUST_A_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


class Doors:
    """Opens doors to any base URL and closes them all at the end of a test."""

    def __init__(self) -> None:
        self._opened: list[ProviderDoor] = []

    async def __call__(self, base: str, key: str = KEY, *, connect_seconds: float = 2.0) -> ProviderDoor:
        door = ProviderDoor(base, {"Authorization": f"Bearer {key}"}, connect_seconds=connect_seconds)
        await door.open()
        self._opened.append(door)
        return door

    async def close(self) -> None:
        for door in self._opened:
            await door.close()


@pytest.fixture
async def doors() -> AsyncIterator[Doors]:
    made = Doors()
    yield made
    await made.close()


def cutting(raw: bytes) -> Behaviour:
    """Say `raw` and cut the connection."""

    async def behave(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    return behave


async def silent(head: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


async def pay(door: ProviderDoor, seconds: float = 5.0, **more: object) -> Reply:
    return await door.pay("POST", "/v1/images", body={"prompt": "海"}, seconds=seconds, **more)  # type: ignore[arg-type]


async def test_a_paid_request_and_its_answer(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON goes out below the base, the answer comes back whole; no proxy and no cookie has a part in it."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    raw = answer("201 Created", b'{"a": 1}', "X-Request-ID: r1", "Set-Cookie: session=1; Path=/")
    async with raw_server(always(raw)) as server:
        door = await doors(f"{server.origin}/base/")
        reply = await pay(door, headers={"Idempotency-Key": "k1"})
        await door.ask("GET", "/v1/jobs/1")
        await pay(door)
        await door.ask("GET", "/v1/jobs/1")
        sent = [request.decode() for request in server.requests]
    assert (reply.status, reply.body, reply.json()) == (201, b'{"a": 1}', {"a": 1})
    assert reply.headers["x-request-id"] == "r1"
    assert sent[0].startswith("POST /base/v1/images HTTP/1.1\r\n")
    assert "Idempotency-Key: k1\r\n" in sent[0]
    assert "Idempotency-Key" not in sent[2]
    for request in sent:
        assert f"Authorization: Bearer {KEY}\r\n" in request
        assert "Accept-Encoding: identity\r\n" in request
        assert "cookie" not in request.lower()


async def test_a_refused_port(doors: Doors) -> None:
    """Nobody listens: surely not sent; and a free request can be asked again."""
    door = await doors(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(NotSent) as caught:
        await pay(door)
    assert "127.0.0.1" not in caught.value.message
    with pytest.raises(AnswerLost):
        await door.ask("GET", "/x")


async def test_a_name_that_does_not_exist(doors: Doors) -> None:
    """No address, nothing sent."""
    with pytest.raises(NotSent):
        await pay(await doors("http://nowhere.invalid"))


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 this is not TLS\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"])
async def test_garbage_instead_of_tls(doors: Doors, said: bytes) -> None:
    """The handshake breaks, so that not one byte of the request has left."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(said)
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        with pytest.raises(NotSent):
            await pay(await doors(f"https://127.0.0.1:{port}"))


@pytest.mark.parametrize(("connect_seconds", "seconds"), [(0.2, 5.0), (5.0, 0.2)])
async def test_a_handshake_that_never_ends(doors: Doors, connect_seconds: float, seconds: float) -> None:
    """Whichever limit ends it, the request was not sent."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        door = await doors(f"https://127.0.0.1:{port}", connect_seconds=connect_seconds)
        started = time.monotonic()
        with pytest.raises(NotSent):
            await pay(door, seconds)
        assert time.monotonic() - started < 2
        await door.close()


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"", None),
        (b"HTTP/1.1 200 O", None),
        (b"220 mail.example.com ESMTP\r\n\r\n", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n", None),
        (JUST_A_HEAD, 200),
        (JUST_A_HEAD + b'{"half": ', 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", 200),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n", 200),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 10\r\n\r\n<ht", 502),
    ],
    ids=["nothing", "half a head", "no HTTP", "only a continue", "head", "half", "chunks", "bad chunk", "half a 502"],
)
async def test_an_answer_that_is_cut(doors: Doors, said: bytes, status: int | None) -> None:
    """It was sent, so it may have been billed; the status is known once the head was whole."""
    async with raw_server(cutting(said)) as server:
        door = await doors(server.origin)
        with pytest.raises(AnswerLost) as paid:
            await pay(door)
        with pytest.raises(AnswerLost):
            await door.ask("GET", "/x")
        assert len(server.requests) == 2  # nothing was repeated
    assert paid.value.status == status
    assert KEY not in paid.value.message


async def test_a_connection_that_is_reset_while_the_body_goes_out(doors: Doors) -> None:
    """The server hangs up in the middle of a large upload: nobody knows what it made of it."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listener:
        door = await doors(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        with pytest.raises(AnswerLost) as caught:
            await door.pay("POST", "/x", body={"image": "x" * 30_000_000}, seconds=5)
    assert caught.value.status is None


async def test_an_early_refusal_of_a_large_body(doors: Doors) -> None:
    """A server may answer before it has read everything, and keep reading: its answer counts."""
    refused = answer("413 Content Too Large", b"no", "Connection: close")
    ended = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(refused)
        await writer.drain()
        with contextlib.suppress(ConnectionError):
            while await reader.read(1 << 20):
                pass
        writer.close()
        ended.set()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listener:
        door = await doors(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        reply = await door.pay("POST", "/x", body={"image": "x" * 30_000_000}, seconds=10)
        assert (reply.status, reply.body) == (413, b"no")
        await door.close()
        await asyncio.wait_for(ended.wait(), 10)


async def test_slow_heads_and_slow_bodies_meet_the_limit(doors: Doors) -> None:
    """`seconds` bound the whole exchange, however often a byte arrives."""

    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/v1/images" in head:
            writer.write(JUST_A_HEAD)
        while True:
            writer.write(b"X")
            await writer.drain()
            await asyncio.sleep(0.03)

    for behaviour, status in ((silent, None), (drip, 200)):
        async with raw_server(behaviour) as server:
            door = await doors(server.origin)
            started = time.monotonic()
            with pytest.raises(AnswerLost) as caught:
                await pay(door, 0.3)
            with pytest.raises(AnswerLost):
                await door.ask("GET", "/x", seconds=0.3)
            assert time.monotonic() - started < 2
        assert caught.value.status == status
        assert caught.value.message == "no answer came in time"


async def test_endless_heads(doors: Doors) -> None:
    """Header lines without end are cut off."""

    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X-More: " + b"x" * 4000 + b"\r\n")
            await writer.drain()

    async with raw_server(endless) as server:
        with pytest.raises(AnswerLost):
            await pay(await doors(server.origin))


async def test_an_endless_body(doors: Doors) -> None:
    """Reading stops at `max_bytes`, and the memory stays small."""

    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await writer.drain()

    async with raw_server(endless) as server:
        door = await doors(server.origin)
        tracemalloc.start()
        with pytest.raises(TooManyBytes):
            await pay(door, max_bytes=300_000)
        with pytest.raises(TooManyBytes):
            await door.ask("GET", "/x", max_bytes=300_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 6_000_000


async def test_compression_that_was_not_asked_for(doors: Doors) -> None:
    """It is undone; a bomb stops at `max_bytes`, and damaged data is a lost answer."""
    packed = gzip.compress(b'{"a": 1}')
    bomb = gzip.compress(bytes(50_000_000))
    async with raw_server(always(answer("200 OK", packed, "Content-Encoding: gzip"))) as server:
        assert (await pay(await doors(server.origin))).json() == {"a": 1}
    async with raw_server(always(answer("200 OK", bomb, "Content-Encoding: gzip"))) as server:
        with pytest.raises(TooManyBytes):
            await pay(await doors(server.origin), max_bytes=1_000_000)
    async with raw_server(always(answer("200 OK", b"\x1f\x8b" + b"?" * 50, "Content-Encoding: gzip"))) as server:
        with pytest.raises(AnswerLost) as caught:
            await pay(await doors(server.origin))
        assert caught.value.status == 200


async def test_redirects_are_answers(doors: Doors) -> None:
    """Nobody follows them, so the key never reaches another origin."""
    async with raw_server(always(OK)) as other:
        moved = answer("307 Temporary Redirect", b"", f"Location: {other.origin}/x")
        async with raw_server(always(moved)) as server:
            door = await doors(server.origin)
            assert (await pay(door)).status == 307
            assert (await door.ask("GET", "/x")).status == 307
            assert len(server.requests) == 2
        assert other.requests == []


async def test_addresses_that_the_provider_names(doors: Doors) -> None:
    """A URL of its own is asked, with the key; any other is refused before anything is sent."""
    async with raw_server(always(OK)) as server, raw_server(always(OK)) as other:
        door = await doors(f"{server.origin}/base")
        assert (await door.ask("GET", f"{server.origin}/jobs/1?x=%2F")).json() == {"fine": True}
        head = server.requests[0].decode()
        assert head.startswith("GET /jobs/1?x=%2F HTTP/1.1\r\n")
        assert f"Bearer {KEY}" in head
        foreign = (
            f"{other.origin}/jobs/1",
            f"http://user@127.0.0.1:{server.port}/x",
            f"http://127.0.0.1:{server.port}@127.0.0.1:{other.port}/x",
            f"http://127.0.0.1:{server.port}\\@127.0.0.1:{other.port}/x",
            f"https://127.0.0.1:{server.port}/x",
            f"http://localhost:{server.port}/x",
            f"http://127.0.0.1:{server.port}/a\nb",
            "",
            "jobs/1",
            "http://",
            "http://[::1",
            "http://127.0.0.1:99999/",
            "file:///etc/passwd",
        )
        for url in foreign:
            with pytest.raises(BadUrl):
                await door.ask("GET", url)
            with pytest.raises(NotSent):
                await door.pay("POST", url, seconds=5)
        # Two slashes are a path below the base, not a host.
        await door.ask("GET", f"//127.0.0.1:{other.port}/x")
        assert len(server.requests) == 2
        assert other.requests == []


async def test_a_base_url_that_cannot_be_read(doors: Doors) -> None:
    """Nothing is sent, and it is said in our words."""
    for base in ("", "api.example.com", "ftp://127.0.0.1", "http://127.0.0.1:99999", "http://[::1", "http://a\x7fb"):
        door = await doors(base)
        with pytest.raises(NotSent):
            await pay(door)
        with pytest.raises(NetError):
            await door.ask("GET", "/x")


@pytest.mark.parametrize("key", ["ключ", "sk-…", "a\r\nX-Evil: 1", "a\x00b", ""])
async def test_keys_that_are_no_header(doors: Doors, key: str) -> None:
    """A badly pasted key smuggles nothing in; either nothing is sent, or the provider can say that it is wrong."""
    async with raw_server(always(answer("401 Unauthorized", b"{}"))) as server:
        door = await doors(server.origin, key)
        try:
            assert (await pay(door)).status == 401
        except NotSent:
            assert server.requests == []
        assert all(b"X-Evil" not in request for request in server.requests)


async def test_a_key_with_a_line_break_at_its_end(doors: Doors) -> None:
    """As it comes out of a file: the break is left out."""
    async with raw_server(always(OK)) as server:
        await pay(await doors(server.origin, f"{KEY}\n"))
        assert f"Authorization: Bearer {KEY}\r\n".encode() in server.requests[0]


async def test_paid_requests_never_share_a_connection(doors: Doors) -> None:
    """Each has its own, so that none meets one that is just closing; free requests share theirs."""
    async with raw_server(always(OK)) as server:
        door = await doors(server.origin)
        for _ in range(3):
            await pay(door)
        assert server.connections == 3
        for _ in range(3):
            await door.ask("GET", "/x")
        assert server.connections == 4


async def test_free_requests_survive_idle_connections_that_closed(doors: Doors) -> None:
    """A connection that the server gave up in the meantime is not used."""
    async with raw_server(cutting(OK)) as server:
        door = await doors(server.origin)
        for _ in range(5):
            assert (await door.ask("GET", "/x")).status == 200
            await asyncio.sleep(0.02)
        assert len(server.requests) == 5


async def test_many_at_once(doors: Doors) -> None:
    """Paid requests do not wait for each other."""

    async def slow(head: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        writer.write(OK)

    async with raw_server(slow) as server:
        door = await doors(server.origin)
        started = time.monotonic()
        replies = await asyncio.gather(*(pay(door) for _ in range(100)))
        assert time.monotonic() - started < 3
        assert {reply.status for reply in replies} == {200}
        assert server.connections == 100


async def test_free_requests_that_hang_hold_up_no_other(doors: Doors) -> None:
    """Of the connections that a door has, those that are free are found, whoever has the others and how long."""

    async def choosing(head: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/hangs" in head:
            await asyncio.sleep(30)
        writer.write(OK)

    async with raw_server(choosing) as server:
        door = await doors(server.origin)
        hanging = [asyncio.create_task(door.ask("GET", "/hangs")) for _ in range(60)]
        while server.connections < 60:
            await asyncio.sleep(0.01)
        async with asyncio.timeout(2.0):
            for _ in range(10):
                replies = await asyncio.gather(*(door.ask("GET", "/x") for _ in range(4)))
                assert {reply.status for reply in replies} == {200}
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
        assert (await door.ask("GET", "/x")).status == 200


async def test_multipart_arrives_whole(doors: Doors) -> None:
    """Fields and files, byte for byte, several files under one name."""
    bodies: list[bytes] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None
        bodies.append(head + await reader.readexactly(int(length[1])))
        writer.write(OK)
        await writer.drain()
        writer.close()

    first, second = bytes(range(256)) * 20_000, b"\r\n--boundary\r\n" * 10
    listener = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with listener:
        door = await doors(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
        files = [("image[]", ("1.png", first, "image/png")), ("image[]", ("2.jpg", second, "image/jpeg"))]
        reply = await door.pay("POST", "/edits", form={"prompt": "海 & sea", "n": "1"}, files=files, seconds=10)
    assert reply.status == 200
    (whole,) = bodies
    boundary = re.search(rb"multipart/form-data; boundary=(\S+)", whole)
    assert boundary is not None
    parts = whole.split(b"\r\n\r\n", 1)[1].split(b"--" + boundary[1])
    texts = [part.strip(b"\r\n") for part in parts[1:-1]]
    assert len(texts) == 4
    assert 'name="prompt"\r\n\r\n海 & sea'.encode() in texts[0]
    assert b'name="n"\r\n\r\n1' in texts[1]
    assert b'name="image[]"; filename="1.png"\r\nContent-Type: image/png\r\n\r\n' in parts[3]
    assert parts[3].endswith(first + b"\r\n")
    assert parts[4].endswith(second + b"\r\n")
    assert b'filename="2.jpg"\r\nContent-Type: image/jpeg' in parts[4]


async def test_an_answer_read_as_it_arrives(doors: Doors) -> None:
    """The first piece is there long before the last; a cut in the middle says so after what came."""
    more = asyncio.Event()

    async def pieces(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await writer.drain()
        await more.wait()
        writer.write(b"6\r\nsecond\r\n")
        await writer.drain()
        if b"/whole" in head:
            writer.write(b"0\r\n\r\n")
        else:
            writer.close()

    async with raw_server(pieces) as server:
        door = await doors(server.origin)
        async with door.pay_stream("POST", "/whole", body={}, seconds=5) as stream:
            assert stream.status == 200
            seen = [await anext(stream.chunks)]
            more.set()
            seen += [chunk async for chunk in stream.chunks]
        assert b"".join(seen) == b"firstsecond"
        seen = []
        with pytest.raises(AnswerLost) as caught:
            async with door.pay_stream("POST", "/cut", body={}, seconds=5) as stream:
                seen += [chunk async for chunk in stream.chunks]
        assert caught.value.status == 200


async def test_a_reader_of_a_stream_may_leave_early(doors: Doors) -> None:
    """The connection is closed then, and errors of the reader's own pass through."""
    async with raw_server(always(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)) as server:
        door = await doors(server.origin)

        async def leave() -> None:
            async with door.pay_stream("POST", "/x", body={}, seconds=5) as stream:
                await anext(stream.chunks)
                raise KeyError("mine")

        with pytest.raises(KeyError):
            await leave()
        for _ in range(100):
            if server.closed_by_peer:
                break
            await asyncio.sleep(0.01)
        assert server.closed_by_peer == 1


async def test_cancelling_closes_the_connection(doors: Doors) -> None:
    """Whoever is cancelled leaves no open connection behind."""
    async with raw_server(silent) as server:
        door = await doors(server.origin)
        going = asyncio.create_task(pay(door, 30))
        while not server.requests:
            await asyncio.sleep(0.01)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going


def test_bodies_that_are_not_json() -> None:
    """What proxies answer is None, never an exception."""
    for body in (b"", b"<html>", b"\xff\xfe\x00", b"{", b"[" * 100_000, b'{"a": 1} x'):
        assert Reply(200, {}, body).json() is None


def test_origins() -> None:
    """Scheme, host and port; empty for what cannot be read."""
    assert origin_of("https://API.example.com/v1") == origin_of("https://api.example.com:443")
    assert origin_of("http://127.0.0.1:9000/x") == "http://127.0.0.1:9000"
    for text in ("", "x", "http://", "http://h:99999", "http://[::1"):
        assert origin_of(text) == ""


async def test_a_door_must_be_opened() -> None:
    """Using it before is a mistake of ours; closing twice is none."""
    door = ProviderDoor("http://127.0.0.1:1", {}, connect_seconds=1)
    with pytest.raises(RuntimeError):
        await pay(door)
    with pytest.raises(RuntimeError):
        await door.ask("GET", "/x")
    await door.open()
    await door.close()
    await door.close()
