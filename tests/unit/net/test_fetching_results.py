"""Downloads of results: an origin that the operator named may be private, everything else is guarded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from raw_server import RawServer, always, answer, raw_server

from aquatint.net.errors import BadUrl, BlockedAddress, FetchFailed, FetchTimedOut, NetError, TooManyBytes
from aquatint.net.http import HttpDoor
from aquatint.net.provider import origin_of
from aquatint.net.results import ResultDoor
from support.ports import free_port

LIMIT = 1000
OK = answer("200 OK", b"picture")


@pytest.fixture
async def results(closed_door: HttpDoor) -> AsyncIterator[ResultDoor]:
    """Nothing private may be reached, but for what a test names as trusted."""
    made = ResultDoor(closed_door, connect_seconds=1.0)
    yield made
    await made.close()


async def get(results: ResultDoor, url: str, *trusted: str, deadline: float = 2.0) -> bytes:
    return await results.fetch(url, trusted, max_bytes=LIMIT, deadline=deadline)


async def test_a_trusted_origin(results: ResultDoor) -> None:
    """The operator named it, so its private address is no reason to refuse it; the path is asked for as it is."""
    async with raw_server(always(OK)) as server:
        assert await get(results, f"{server.origin}/a%2Fb.png?x=%20y", origin_of(server.origin)) == b"picture"
        head = server.requests[0].decode().lower()
    assert head.startswith("get /a%2fb.png?x=%20y http/1.1\r\n")
    for unwanted in ("authorization:", "cookie:", "referer:", "x-api-key:"):
        assert unwanted not in head


async def test_no_proxy_of_the_environment(results: ResultDoor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are fetched directly."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with raw_server(always(OK)) as server:
        assert await get(results, server.origin + "/a", origin_of(server.origin)) == b"picture"


def near_misses(server: RawServer) -> list[str]:
    """Origins that are not the server's, however alike."""
    port = server.port
    return [
        f"https://127.0.0.1:{port}",
        f"http://127.0.0.1:{port + 1}",
        f"http://localhost:{port}",
        f"http://127.0.0.2:{port}",
        f"http://127.0.0.1:{port}/",
        "http://127.0.0.1",
        "",
    ]


async def test_an_origin_that_is_not_the_trusted_one(results: ResultDoor) -> None:
    """Scheme, host and port must be the very ones: anything else goes through the guard, which refuses it."""
    async with raw_server(always(OK)) as server:
        for trusted in near_misses(server):
            with pytest.raises(BlockedAddress):
                await get(results, server.origin + "/a", trusted)
        with pytest.raises(BlockedAddress):
            await get(results, server.origin + "/a")
        assert server.connections == 0


async def test_trust_is_of_one_call(results: ResultDoor) -> None:
    """What one engine's operator trusts is not trusted for another engine's results."""
    async with raw_server(always(OK)) as server:
        await get(results, server.origin + "/a", origin_of(server.origin))
        with pytest.raises(BlockedAddress):
            await get(results, server.origin + "/a", "http://other.invalid:80")


@pytest.mark.parametrize(
    "make",
    [
        "http://trusted.invalid:80@127.0.0.1:{port}/a",
        "http://user:secret@127.0.0.1:{port}/a",
        "http://127.0.0.1:{port}\\@trusted.invalid/a",
        "http://127.0.0.1:{port}#@trusted.invalid/",
        "//127.0.0.1:{port}/a",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/a",
        "http://[::1/a",
        "http://127.0.0.1:99999/a",
        "",
        "a.png",
    ],
)
async def test_urls_that_lie(results: ResultDoor, make: str) -> None:
    """No reading of a URL, however clever, reaches a private address without its origin being trusted."""
    async with raw_server(always(OK)) as server:
        with pytest.raises((BadUrl, BlockedAddress, FetchFailed)):
            await get(results, make.format(port=server.port), "http://trusted.invalid:80", "")
        assert server.connections == 0


async def test_user_names_do_not_ride_on_trust(results: ResultDoor) -> None:
    """A trusted origin with a user name in front is another URL: no credentials leave."""
    async with raw_server(always(OK)) as server:
        with pytest.raises(BadUrl):
            await get(results, f"http://user:secret@127.0.0.1:{server.port}/a", origin_of(server.origin))
        assert server.connections == 0


async def test_a_trusted_origin_does_not_redirect(results: ResultDoor) -> None:
    """It cannot send us on to another private address."""
    async with raw_server(always(OK)) as inner:
        moved = answer("302 Found", b"", f"Location: {inner.origin}/secret")
        async with raw_server(always(moved)) as server:
            with pytest.raises(FetchFailed) as caught:
                await get(results, server.origin + "/a", origin_of(server.origin))
            assert (caught.value.permanent, caught.value.status) == (True, 302)
        assert inner.connections == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 206, 204])
@pytest.mark.parametrize("trusted", [True, False])
async def test_a_status_that_stays(door: HttpDoor, status: int, trusted: bool) -> None:
    """Both ways say the same of a file that is not there: asking again does not help."""
    await _status(door, status, trusted, permanent=True)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("trusted", [True, False])
async def test_a_status_that_passes(door: HttpDoor, status: int, trusted: bool) -> None:
    """And of a server that stumbles: it may be asked again."""
    await _status(door, status, trusted, permanent=False)


async def _status(door: HttpDoor, status: int, trusted: bool, *, permanent: bool) -> None:
    results = ResultDoor(door, connect_seconds=1.0)
    raw = answer(f"{status} X") if status != 204 else b"HTTP/1.1 204 X\r\n\r\n"
    async with raw_server(always(raw)) as server:
        with pytest.raises(FetchFailed) as caught:
            await get(results, server.origin + "/a", *([origin_of(server.origin)] if trusted else []))
    await results.close()
    assert (caught.value.permanent, caught.value.status) == (permanent, status)


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large(door: HttpDoor, trusted: bool, declared: bool) -> None:
    """Neither a stated nor a hidden length gets past the limit; at the limit a body is whole."""
    results = ResultDoor(door, connect_seconds=1.0)
    exact = answer("200 OK", b"x" * LIMIT)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n"
    large = answer("200 OK", b"x" * (LIMIT + 1)) if declared else chunked
    async with raw_server(always(exact)) as server:
        names = [origin_of(server.origin)] if trusted else []
        assert len(await get(results, server.origin + "/a", *names)) == LIMIT
    async with raw_server(always(large)) as server:
        names = [origin_of(server.origin)] if trusted else []
        with pytest.raises(TooManyBytes):
            await get(results, server.origin + "/a", *names)
    await results.close()


async def _drip(head: bytes, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def _hang(head: bytes, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30.0)


@pytest.mark.parametrize("behave", [_drip, _hang])
async def test_a_deadline(results: ResultDoor, behave: object) -> None:
    """The whole download is over by its deadline, however alive the server looks."""
    async with raw_server(behave) as server:  # type: ignore[arg-type]
        began = asyncio.get_running_loop().time()
        with pytest.raises(FetchTimedOut):
            await get(results, server.origin + "/a", origin_of(server.origin), deadline=0.3)
        assert asyncio.get_running_loop().time() - began < 1.0


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["nothing", "short", "cut chunk", "not http"],
)
async def test_a_body_that_is_not_whole(results: ResultDoor, raw: bytes) -> None:
    """A part of a file is never taken for the file, and it may be asked for again."""

    async def cut(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    async with raw_server(cut) as server:
        with pytest.raises(FetchTimedOut):
            await get(results, server.origin + "/a", origin_of(server.origin))


async def test_nobody_listens(results: ResultDoor) -> None:
    """A trusted server that is down can be asked again; the words name no address."""
    origin = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(FetchTimedOut) as caught:
        await get(results, origin + "/a", origin)
    assert "127.0.0.1" not in caught.value.message


async def test_many_at_once(results: ResultDoor) -> None:
    """One door for an origin, made once, used by all; closing it twice harms nothing, and it opens again."""
    async with raw_server(always(OK)) as server:
        origin = origin_of(server.origin)
        found = await asyncio.gather(*(get(results, f"{server.origin}/{n}", origin) for n in range(50)))
        assert found == [b"picture"] * 50
        await results.close()
        await results.close()
        assert await get(results, server.origin + "/a", origin) == b"picture"


async def test_public_results_go_through_the_guard(door: HttpDoor) -> None:
    """What is not trusted is fetched by the door that checks every address; here it may reach the loopback."""
    results = ResultDoor(door, connect_seconds=1.0)
    async with raw_server(always(OK)) as server:
        assert await get(results, server.origin + "/a") == b"picture"
        with pytest.raises(NetError):
            await get(results, f"http://10.255.255.1:{server.port}/a")
    await results.close()
