"""Posting to receivers good and bad: an outcome every time, on time."""

from __future__ import annotations

import asyncio
import time

import pytest
from raw_server import always, answer, raw_server

from aquatint.net.errors import BlockedAddress
from aquatint.net.http import HttpDoor
from aquatint.testing.receiver import Answer, Received, WebhookReceiver

HEADERS = {"Content-Type": "application/json", "webhook-id": "msg_1"}


async def test_the_body_arrives_as_it_is(door: HttpDoor) -> None:
    async with WebhookReceiver() as receiver:
        url = f"{receiver.origin}/hook//x/?q=a%2Fb&r=%zz;c=[]"
        outcome = await door.post(url, b'{"a": 1}', HEADERS, timeout=5)
        (letter,) = await receiver.wait_for(1)
    assert (outcome.status, outcome.body_excerpt, outcome.error) == (200, b"ok", None)
    assert outcome.duration_ms > 0
    assert (letter.method, letter.path, letter.body) == ("POST", "/hook//x/?q=a%2Fb&r=%zz;c=[]", b'{"a": 1}')
    assert letter.headers["webhook-id"] == "msg_1"
    assert letter.json() == {"a": 1}
    assert "cookie" not in letter.headers


async def test_connections_are_kept(door: HttpDoor) -> None:
    async with raw_server(always(answer("200 OK", b"ok"))) as server:
        for _ in range(20):
            assert (await door.post(server.origin, b"{}", HEADERS, timeout=5)).status == 200
        assert server.connections == 1


async def test_logged_headers(door: HttpDoor) -> None:
    raw = answer("429 Slow", b"later", "Retry-After: 7", "Content-Type: text/plain", "X-Other: y")
    async with raw_server(always(raw)) as server:
        outcome = await door.post(server.origin, b"", HEADERS, timeout=5)
    assert (outcome.status, outcome.body_excerpt) == (429, b"later")
    assert dict(outcome.headers) == {"retry-after": "7", "content-type": "text/plain"}


async def test_endless_answers_are_judged_by_their_status(door: HttpDoor) -> None:
    async def endless(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with raw_server(endless) as server:
        started = time.monotonic()
        outcome = await door.post(server.origin, b"", HEADERS, timeout=30)
        assert (outcome.status, outcome.body_excerpt) == (200, b"x" * 2048)
        assert time.monotonic() - started < 1
        await asyncio.sleep(0.2)
        assert server.closed_by_peer == 1  # hung up, not left to send


async def test_dripping_answers_are_judged_by_their_status(door: HttpDoor) -> None:
    async def drip(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 10000\r\n\r\n")
        while True:
            writer.write(b"y")
            await writer.drain()
            await asyncio.sleep(0.1)

    async with raw_server(drip) as server:
        started = time.monotonic()
        outcome = await door.post(server.origin, b"", HEADERS, timeout=30)
        assert outcome.status == 202
        assert set(outcome.body_excerpt) == {ord("y")}
        assert 1.5 < time.monotonic() - started < 3


async def test_a_cut_answer_keeps_its_status(door: HttpDoor) -> None:
    async def cut(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    async with raw_server(cut) as server:
        outcome = await door.post(server.origin, b"", HEADERS, timeout=5)
        assert outcome.status == 200


async def test_no_answer(door: HttpDoor) -> None:
    async with WebhookReceiver(lambda letter: Answer(delay=5)) as receiver:
        started = time.monotonic()
        outcome = await door.post(receiver.url, b"", HEADERS, timeout=0.4)
        assert outcome.status is None
        assert outcome.error == "the server gave no answer in time"
        assert time.monotonic() - started < 1


async def test_hang_up_and_nobody_there(door: HttpDoor) -> None:
    async def hang_up(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with raw_server(hang_up) as server:
        outcome = await door.post(server.origin, b"", HEADERS, timeout=5)
        assert outcome.error == "the server closed the connection without an answer"
    outcome = await door.post(server.origin, b"", HEADERS, timeout=5)
    assert (outcome.status, outcome.error) == (None, "the server refused the connection")


@pytest.mark.parametrize("junk", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n"])
async def test_junk(door: HttpDoor, junk: bytes) -> None:
    async with raw_server(always(junk)) as server:
        outcome = await door.post(server.origin, b"", HEADERS, timeout=5)
        assert outcome.status is None
        assert outcome.error


@pytest.mark.parametrize("status", [307, 308])
async def test_one_redirect_to_the_same_origin(door: HttpDoor, status: int) -> None:
    def answer_letter(letter: Received) -> Answer:
        return Answer(status, {"Location": "/new"}) if letter.path == "/hook" else Answer(201)

    async with WebhookReceiver(answer_letter) as receiver:
        outcome = await door.post(receiver.url, b"body", HEADERS, timeout=5)
        letters = await receiver.wait_for(2)
    assert outcome.status == 201
    assert [letter.body for letter in letters] == [b"body", b"body"]
    assert letters[1].headers["webhook-id"] == "msg_1"


@pytest.mark.parametrize(
    ("status", "location"),
    [
        (301, "/new"),
        (302, "/new"),
        (303, "/new"),
        (307, "http://10.0.0.1/new"),
        (307, "http://localhost:{port}/new"),
        (307, "http://127.0.0.1:1{port}/new"),
        (308, "https://127.0.0.1:{port}/new"),
        (308, "file:///etc/passwd"),
    ],
)
async def test_other_redirects_are_not_followed(door: HttpDoor, status: int, location: str) -> None:
    async with WebhookReceiver() as receiver:
        port = receiver.origin.rpartition(":")[2]
        receiver.answer = lambda letter: Answer(status, {"Location": location.format(port=port)})
        outcome = await door.post(receiver.url, b"", HEADERS, timeout=5)
        assert outcome.status == status
        assert len(receiver.letters) == 1


async def test_a_second_redirect_is_not_followed(door: HttpDoor) -> None:
    async with WebhookReceiver(lambda letter: Answer(307, {"Location": "/again"})) as receiver:
        assert (await door.post(receiver.url, b"", HEADERS, timeout=5)).status == 307
        assert len(receiver.letters) == 2


async def test_private_receivers_are_refused(closed_door: HttpDoor) -> None:
    async with WebhookReceiver() as receiver:
        with pytest.raises(BlockedAddress):
            await closed_door.post(receiver.url, b"", HEADERS, timeout=5)
        assert receiver.letters == []


async def test_one_dead_receiver_does_not_hold_up_another(door: HttpDoor) -> None:
    """More stuck posts to one host than it may have connections; posts to another pass by."""
    async with WebhookReceiver(lambda letter: Answer(delay=20)) as dead, WebhookReceiver(host="127.0.0.2") as alive:
        stuck = [asyncio.create_task(door.post(dead.url, b"", HEADERS, timeout=20)) for _ in range(100)]
        await dead.wait_for(30)
        started = time.monotonic()
        outcomes = await asyncio.gather(*(door.post(alive.url, b"", HEADERS, timeout=5) for _ in range(50)))
        assert {outcome.status for outcome in outcomes} == {200}
        assert time.monotonic() - started < 2
        for task in stuck:
            task.cancel()
        await asyncio.gather(*stuck, return_exceptions=True)
