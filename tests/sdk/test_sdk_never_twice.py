"""Submits: sent again where nothing can be bought twice by it, and only there."""

from __future__ import annotations

import time

import pytest

from aquatint_client import (
    Aquatint,
    BadAnswer,
    ConnectionFailed,
    InvalidInput,
    RateLimited,
    ServerError,
    SubmitUnknown,
    TooLarge,
)
from support.ports import free_port
from support.scripted import HANG_UP, Say, Seen, answer, ok, passed_on, refused, scripted
from support.sdk import impatient
from support.server import KEY, Server

SUBMIT = "/api/v1/task/submit"
ID = "01a202de-8022-7713-a87e-ac3173bc173c"


def prompts(server: Server, prompt: str) -> list[str]:
    with server.client() as client:
        return [t["taskId"] for t in client.tasks(limit=100)["tasks"] if t["input"]["prompt"] == prompt]


@pytest.mark.parametrize("losses", [1, 2])
def test_a_lost_answer_makes_one_task_on_a_real_server(plain_server: Server, losses: int) -> None:
    """The server took the submit, its answer was lost, the repeats answer the same task: there is one."""
    prompt = f"lost {losses} times"
    taken: list[Say] = []

    def script(seen: Seen, before: int) -> Say:
        got = passed_on(seen, plain_server.base_url)
        if seen.path == SUBMIT:
            taken.append(got)
            if before < losses:
                return HANG_UP
        return got

    with scripted(script) as between, impatient(between.origin) as client:
        submitted = client.submit(prompt)
        keys = {seen.headers["idempotency-key"] for seen in between.seen if seen.path == SUBMIT}
        result = client.wait(submitted, timeout=20)
    assert len(taken) == losses + 1
    assert len(keys) == 1
    assert submitted.replayed is False  # the proxy of this test passes no such header on
    assert prompts(plain_server, prompt) == [submitted.task_id]
    assert result.task.id == submitted.task_id


def test_the_same_key_answers_the_same_task(plain_server: Server, aquatint: Aquatint) -> None:
    """What SubmitUnknown carries can be given to the next submit."""
    first = aquatint.submit("keyed", idempotency_key="mine-1")
    again = aquatint.submit("keyed", idempotency_key="mine-1")
    assert (again.task_id, first.replayed, again.replayed) == (first.task_id, False, True)
    assert len(prompts(plain_server, "keyed")) == 1


def account(seen: Seen, before: int) -> Say:
    """A server whose submits all get lost, but which says that it is an Aquatint."""
    return ok({"key_id": "k"}) if seen.path == "/api/v1/account" else HANG_UP


def test_when_every_answer_is_lost_it_says_so_with_the_key() -> None:
    with scripted(account) as server, impatient(server.origin) as client:
        with pytest.raises(SubmitUnknown) as caught:
            client.submit("x")
        sent = {one.headers["idempotency-key"] for one in server.seen if one.path == SUBMIT}
    assert sent == {caught.value.idempotency_key}
    assert server.count("POST", SUBMIT) == 4


@pytest.mark.parametrize(
    "probe", [refused(404, "there is nothing"), answer(200, b"<html>hi</html>", kind="text/html")]
)
def test_a_server_that_is_no_aquatint_is_not_asked_twice(probe: Say) -> None:
    """Even without strict mode: who does not prove that keys are honoured gets each submit once."""
    with scripted(lambda seen, _: HANG_UP if seen.path == SUBMIT else probe) as server:
        with impatient(server.origin) as client, pytest.raises(SubmitUnknown):
            client.submit("x")
        assert server.count("POST", SUBMIT) == 1


@pytest.mark.parametrize(
    "lost",
    [
        HANG_UP,
        Say((b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",)),
        answer(502, b"<h1>Bad gateway</h1>", kind="text/html"),
        answer(504, {"code": 504, "msg": "upstream"}),
        answer(200, b"<html>welcome to this hotel</html>", kind="text/html"),
        ok({}),
    ],
    ids=["hung up", "cut", "502", "504", "html", "no id"],
)
def test_strict_mode_sends_an_uncertain_submit_once(lost: Say) -> None:
    with scripted(lambda seen, _: lost) as server:
        with impatient(server.origin, strict=True) as client, pytest.raises(SubmitUnknown):
            client.submit("x")
        assert [one.path for one in server.seen] == [SUBMIT]


@pytest.mark.parametrize(
    "busy",
    [refused(429, "slowly", Retry_After="0"), answer(503, b"busy", kind="text/html", Retry_After="0")],
    ids=["429", "503"],
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_refused_submit_is_sent_again_anywhere(busy: Say, strict: bool) -> None:
    """429, and 503 with Retry-After, did nothing: the repeat carries the same key."""
    with scripted(lambda seen, before: busy if before == 0 else ok({"taskId": ID})) as server:
        with impatient(server.origin, strict=strict) as client:
            assert client.submit("x").task_id == ID
        assert [one.path for one in server.seen] == [SUBMIT, SUBMIT]
        assert len({one.headers["idempotency-key"] for one in server.seen}) == 1


def test_retry_after_is_waited_for() -> None:
    with scripted(
        lambda seen, before: refused(429, "slowly", Retry_After="1") if before == 0 else ok({"taskId": ID})
    ) as server:
        started = time.monotonic()
        with impatient(server.origin) as client:
            client.submit("x")
        assert 0.95 < time.monotonic() - started < 5


def test_a_long_retry_after_is_the_callers_to_decide() -> None:
    with scripted(lambda seen, _: refused(429, "tomorrow", Retry_After="86400")) as server:
        with impatient(server.origin) as client, pytest.raises(RateLimited) as caught:
            client.submit("x")
        assert (caught.value.retry_after, caught.value.msg) == (86400.0, "tomorrow")
        assert len(server.seen) == 1


@pytest.mark.parametrize("strict", [True, False])
def test_a_server_that_starts_late_is_waited_for(strict: bool) -> None:
    """A refused connection has sent nothing, so it is tried again everywhere."""
    port = free_port()
    with impatient(f"http://127.0.0.1:{port}", strict=strict) as client:
        started = time.monotonic()
        with pytest.raises(ConnectionFailed, match=f"127.0.0.1:{port}"):
            client.submit("x")
        assert time.monotonic() - started > 0.02


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (refused(400, "input.ratio: must be one of 1:1"), InvalidInput),
        (answer(413, b"<h1>too large</h1>", kind="text/html"), TooLarge),
        (answer(503, {"code": 503, "msg": "no"}), ServerError),
        (answer(307, b"", kind="text/html", Location="http://elsewhere.example/"), BadAnswer),
        (answer(200, {"code": 77, "msg": "odd"}), BadAnswer),
    ],
    ids=["400", "413 html", "503", "redirect", "code"],
)
def test_a_clear_no_is_told_once(said: Say, error: type[Exception]) -> None:
    with scripted(lambda seen, _: said) as server:
        with impatient(server.origin, strict=True) as client, pytest.raises(error):
            client.submit("x")
        assert len(server.seen) == 1


def test_the_key_never_follows_a_redirect() -> None:
    """Neither for questions nor for submits; the error names where it should have gone."""
    with (
        scripted(lambda seen, _: ok({"taskId": ID})) as other,
        scripted(lambda seen, _: answer(301, b"", Location=f"{other.origin}{seen.path}")) as server,
        Aquatint(server.origin, KEY) as client,
    ):
        with pytest.raises(BadAnswer, match=str(other.port)):
            client.get(ID)
        with pytest.raises(BadAnswer, match="redirects"):
            client.submit("x")
        assert other.seen == []
