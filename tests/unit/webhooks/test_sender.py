"""One attempt and its verdict, against real receivers."""

from __future__ import annotations

import email.utils
import time
from collections.abc import AsyncIterator

import pytest

from aquatint.net.guard import GuardPolicy
from aquatint.net.http import HttpDoor
from aquatint.testing.receiver import Answer, WebhookReceiver
from aquatint.webhooks.sender import Delivered, GiveUp, Letter, Retry, Sender
from aquatint.webhooks.signature import new_secret, verify

NOW = 1_770_000_000.25
BODY = b'{"code":0,"msg":"ok","data":{}}'


@pytest.fixture
async def door() -> AsyncIterator[HttpDoor]:
    door = HttpDoor(GuardPolicy.from_cidrs(["127.0.0.0/8"]))
    await door.open()
    yield door
    await door.close()


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as receiver:
        yield receiver


async def test_a_signed_letter(door: HttpDoor, receiver: WebhookReceiver) -> None:
    secret = new_secret()
    letter = Letter("evt_42", receiver.url, BODY, "shared-word")
    verdict = await Sender(door, [secret]).send(letter, NOW)
    assert isinstance(verdict, Delivered)
    assert (verdict.log.status, verdict.log.excerpt) == (200, "ok")
    (got,) = await receiver.wait_for(1)
    assert got.body == BODY
    assert verify(got.headers, got.body, secret, NOW)
    assert got.headers["webhook-timestamp"] == "1770000000"
    assert got.headers["x-maxapi-webhook-secret"] == "shared-word"
    assert got.headers["content-type"] == "application/json"


async def test_the_same_id_on_every_attempt(door: HttpDoor, receiver: WebhookReceiver) -> None:
    sender = Sender(door, [new_secret()])
    letter = Letter("evt_42", receiver.url, BODY)
    for attempt in range(3):
        await sender.send(letter, NOW + 60 * attempt)
    got = await receiver.wait_for(3)
    assert {one.headers["webhook-id"] for one in got} == {"evt_42"}
    assert {one.body for one in got} == {BODY}
    assert len({one.headers["webhook-timestamp"] for one in got}) == 3


async def test_unsigned_without_a_secret(door: HttpDoor, receiver: WebhookReceiver) -> None:
    await Sender(door, []).send(Letter("evt_1", receiver.url, BODY), NOW)
    (got,) = await receiver.wait_for(1)
    assert not [name for name in got.headers if name.startswith(("webhook-", "x-maxapi"))]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, Delivered) for status in (200, 201, 202, 204)),
        *((status, Retry) for status in (301, 302, 303, 304, 307, 404, 408, 409, 425, 429, 500, 503, 599)),
        *((status, GiveUp) for status in (400, 401, 403, 405, 410, 413, 422, 451)),
    ],
)
async def test_verdict_by_status(
    door: HttpDoor, receiver: WebhookReceiver, status: int, expected: type[Delivered | Retry | GiveUp]
) -> None:
    receiver.answer = lambda letter: Answer(status, body=b"")
    verdict = await Sender(door, []).send(Letter("evt_1", receiver.url, BODY), NOW)
    assert type(verdict) is expected
    assert verdict.log.status == status
    if not isinstance(verdict, Delivered):
        assert str(status) in verdict.reason


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        ("120", 120.0),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("99999999", 86400.0),
        (email.utils.formatdate(NOW + 90, usegmt=True), 89.75),
        (email.utils.formatdate(NOW - 90, usegmt=True), None),
        ("Mon, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after(
    door: HttpDoor, receiver: WebhookReceiver, status: int, retry_after: str, expected: float | None
) -> None:
    receiver.answer = lambda letter: Answer(status, {"Retry-After": retry_after})
    verdict = await Sender(door, []).send(Letter("evt_1", receiver.url, BODY), NOW)
    assert isinstance(verdict, Retry)
    assert verdict.after == pytest.approx(expected) if expected else verdict.after is None


async def test_slow_and_dead_receivers_are_tried_again(door: HttpDoor) -> None:
    async with WebhookReceiver(lambda letter: Answer(delay=5)) as receiver:
        started = time.monotonic()
        verdict = await Sender(door, [], timeout=0.3).send(Letter("evt_1", receiver.url, BODY), NOW)
        assert time.monotonic() - started < 2
        assert isinstance(verdict, Retry)
        assert verdict.log.status is None
        assert verdict.log.duration_ms >= 290
    verdict = await Sender(door, []).send(Letter("evt_1", receiver.url, BODY), NOW)
    assert isinstance(verdict, Retry)
    assert "refused the connection" in verdict.reason


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/hook", "http://[::1]/hook", "http://169.254.169.254/", "ftp://x/y", "oops"]
)
async def test_what_must_not_be_reached_is_given_up(door: HttpDoor, url: str) -> None:
    verdict = await Sender(door, []).send(Letter("evt_1", url, BODY), NOW)
    assert isinstance(verdict, GiveUp)
    assert verdict.reason
    assert verdict.log.status is None


async def test_excerpts_are_short_and_printable(door: HttpDoor, receiver: WebhookReceiver) -> None:
    receiver.answer = lambda letter: Answer(500, body=b"\x00\x1b[31mred\xff\n\ttab" + "€".encode() * 5000)
    verdict = await Sender(door, []).send(Letter("evt_1", receiver.url, BODY), NOW)
    assert verdict.log.excerpt.startswith("  [31mred\ufffd\n\ttab€")
    assert len(verdict.log.excerpt.encode()) <= 2060
