"""Waiting: by events, by asking, through breaks and restarts, and no longer than wanted."""

from __future__ import annotations

import json
import threading
import time

import pytest

from aquatint_client import (
    Aquatint,
    ConnectionFailed,
    NotFound,
    NotInStrictMode,
    Progress,
    TaskCancelled,
    TaskFailed,
    TaskTimeout,
    Unauthorized,
    WaitTimedOut,
)
from support.scripted import HANG_UP, Say, ScriptedServer, Seen, answer, ok, refused, scripted, stream
from support.sdk import impatient
from support.server import KEY, Server, ServerFactory

ID = "01a202de-8022-7713-a87e-ac3173bc173c"
QUERY = f"/api/v1/task/{ID}"
EVENTS = f"{QUERY}/events"


def task(status: str = "SUBMITTED", **more: object) -> dict[str, object]:
    """The task object of a server that knows only the documented fields, and what is added."""
    result = {"type": "image", "urls": ["http://127.0.0.1:1/1.png"]} if status == "SUCCESS" else None
    return {"taskId": ID, "status": status, "input": {"model": "m", "prompt": "p"}, "result": result, **more}


def message(event: str, data: object, number: int | None = None) -> bytes:
    head = f"id: {number}\n" if number is not None else ""
    return f"{head}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def told(number: int, name: str, status: str) -> bytes:
    return message(name, {"taskId": ID, "at": "", "name": name, "detail": "", "task": task(status)}, number)


def follow(server: ScriptedServer, timeout: float = 10, **options: object) -> list[Progress]:
    """Wait for the task of the script; the steps that were told."""
    steps: list[Progress] = []
    with impatient(server.origin, **options) as client:
        result = client.wait(ID, timeout=timeout, on_progress=steps.append)
    assert result.task.id == ID
    return steps


def test_events_of_a_real_server_tell_every_step(aquatint: Aquatint) -> None:
    """Waiting takes one request, and sees the statuses in order up to the end."""
    steps: list[Progress] = []
    result = aquatint.generate("by events", on_progress=steps.append, timeout=20)
    statuses = [step.status for step in steps]
    assert list(dict.fromkeys(statuses))[-2:] == ["SUBMITTED", "SUCCESS"]
    assert aquatint._core.has_events
    assert result.task.succeeded
    assert result.images[0].width == 1


def test_a_task_that_has_ended_is_answered_at_once(aquatint: Aquatint) -> None:
    done = aquatint.generate("already", timeout=20).task
    started = time.monotonic()
    assert aquatint.wait(done, timeout=20).task.id == done.id
    assert aquatint.wait(done.id, timeout=20).task.urls == done.urls
    assert time.monotonic() - started < 1.5


def test_strict_mode_asks_with_the_documented_routes_only(plain_server: Server) -> None:
    """Against the real server too, with nothing but submit and query."""
    calls: list[tuple[str, str]] = []
    with Aquatint(plain_server.base_url, KEY, strict=True) as client:
        client._http.event_hooks["request"] = [lambda request: calls.append((request.method, request.url.path))]
        result = client.generate("strict", timeout=20)
    submit, *queries = calls
    assert submit == ("POST", "/api/v1/task/submit")
    assert set(queries) == {("GET", f"/api/v1/task/{result.task.id}")}


@pytest.mark.parametrize(
    "instead",
    [
        refused(404, "there is nothing at this path"),
        refused(405, "no"),
        answer(200, b"<html></html>", kind="text/html"),
    ],
    ids=["404", "405", "html"],
)
def test_a_server_without_events_is_asked(instead: Say) -> None:
    """It is asked for events once, however many tasks are waited for."""

    def script(seen: Seen, before: int) -> Say:
        if seen.path == EVENTS:
            return instead
        return ok(task("SUCCESS" if before >= 3 else "PENDING"))

    with scripted(script) as server:
        with impatient(server.origin) as client:
            client.wait(ID, timeout=10)
            client.wait(ID, timeout=10)
        assert server.count("GET", EVENTS) == 1


def test_a_broken_stream_is_opened_where_it_broke() -> None:
    """A cut in the middle of an event: the next stream names the last whole one, and nothing is told twice."""

    def script(seen: Seen, before: int) -> Say:
        if seen.path != EVENTS:
            return ok(task("PROCESSING"))
        if before == 0:
            half = told(8, "task.settled", "SUCCESS")[:40]
            return stream(b"retry: 10\n\n", told(7, "task.claimed", "PROCESSING"), half)
        return stream(message("done", task("SUCCESS")))

    with scripted(script) as server:
        steps = follow(server)
        opened = [one for one in server.seen if one.path == EVENTS]
    assert [one.headers.get("last-event-id") for one in opened] == [None, "7"]
    assert [step.status for step in steps] == ["PROCESSING", "SUCCESS"]


def test_streams_that_never_speak_are_given_up() -> None:
    """After a few of them it is asked instead."""

    def script(seen: Seen, before: int) -> Say:
        if seen.path == EVENTS:
            return HANG_UP
        return ok(task("SUCCESS"))

    with scripted(script) as server:
        follow(server)
        assert server.count("GET", EVENTS) == 3


def test_an_answer_that_is_held_back_does_not_hold_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that keeps the events back: after a few seconds without a byte the task is asked for."""
    monkeypatch.setattr("aquatint_client._listen.FIRST_WORD", 0.3)

    def script(seen: Seen, before: int) -> Say:
        if seen.path == EVENTS:
            return stream(b"", b"never in time", pause=5)
        return ok(task("SUCCESS"))

    with scripted(script) as server:
        started = time.monotonic()
        follow(server)
        assert time.monotonic() - started < 2


def test_progress_events_tell_place_and_estimate() -> None:
    line = {"position": 3, "eta_seconds_p50": 12.5, "eta_seconds_p90": 20}
    pieces = (
        message("progress", {"taskId": ID, "status": "PENDING", "progress": 0, "queue": line}),
        message("progress", {"taskId": ID, "status": "SUBMITTED", "progress": 0.5, "queue": None}),
        b"event: progress\ndata: {broken\n\n",
        message("done", task("SUCCESS")),
    )
    with scripted(lambda seen, _: stream(*pieces)) as server:
        steps = follow(server)
    assert steps[0].queue is not None
    assert (steps[0].queue.position, steps[0].queue.eta_seconds_p50) == (3, 12.5)
    assert (steps[1].status, steps[1].fraction, steps[1].queue) == ("SUBMITTED", 0.5, None)
    assert steps[-1].task is not None
    assert steps[-1].task.succeeded


@pytest.mark.parametrize("timeout", [0.0, 0.4, 1.5])
def test_patience_ends_when_it_should(endless: Server, timeout: float) -> None:
    """The task goes on; the error knows it."""
    with Aquatint(endless.base_url, KEY) as client:
        submitted = client.submit("endless")
        started = time.monotonic()
        with pytest.raises(WaitTimedOut) as caught:
            client.wait(submitted, timeout=timeout)
        assert timeout <= time.monotonic() - started < timeout + 1.5
        assert caught.value.task_id == submitted.task_id
        assert not client.get(submitted).done
        client.cancel(submitted)


def test_patience_ends_though_the_stream_goes_on_talking() -> None:
    """A stream that is never silent does not outlast the caller's patience by much."""
    chatter = [b": \n\n"] * 100

    def script(seen: Seen, before: int) -> Say:
        return stream(*chatter, pause=0.1) if seen.path == EVENTS else ok(task("PENDING"))

    with scripted(script) as server, impatient(server.origin) as client:
        started = time.monotonic()
        with pytest.raises(WaitTimedOut):
            client.wait(ID, timeout=1.0)
        assert 1.0 <= time.monotonic() - started < 2.5


def test_a_cancelled_task_ends_the_wait(endless: Server) -> None:
    with Aquatint(endless.base_url, KEY) as client:
        submitted = client.submit("to be cancelled")
        timer = threading.Timer(0.3, lambda: client.cancel(submitted))
        timer.start()
        with pytest.raises(TaskCancelled) as caught:
            client.wait(submitted, timeout=10)
        timer.join()
        assert caught.value.task.status == "CANCELLED"


@pytest.mark.parametrize(
    ("status", "error"), [("FAILURE", TaskFailed), ("FAILED", TaskFailed), ("TIMEOUT", TaskTimeout)]
)
def test_a_bad_end_is_an_error_that_says_why(status: str, error: type[TaskFailed]) -> None:
    ended = task(status, failure_reason="CONTENT_MODERATION", failure_message="no faces")
    with scripted(lambda seen, _: ok(ended)) as server, impatient(server.origin, strict=True) as client:
        with pytest.raises(error) as caught:
            client.wait(ID, timeout=10)
        assert caught.value.reason == "CONTENT_MODERATION"
        assert caught.value.task.status in ("FAILURE", "TIMEOUT")
        assert "no faces" in str(caught.value)


def test_a_task_survives_a_restart_of_its_server_and_so_does_the_wait(server_with: ServerFactory) -> None:
    """The server is killed while it is waited for, and comes back: the same call answers the picture."""
    server = server_with(AQUATINT_ENGINES__NULL_DELAY="1500ms")
    with Aquatint(server.base_url, KEY) as client:
        submitted = client.submit("through a restart")

        def restart() -> None:
            time.sleep(0.4)
            server.kill()
            server.start()

        thread = threading.Thread(target=restart)
        thread.start()
        assert client.wait(submitted, timeout=60).task.succeeded
        thread.join()


def test_a_server_that_stays_away_ends_the_wait() -> None:
    with scripted(lambda seen, _: HANG_UP) as server, impatient(server.origin) as client:
        started = time.monotonic()
        with pytest.raises(ConnectionFailed):
            client.wait(ID, timeout=None)
        assert time.monotonic() - started < 10


def test_errors_of_the_task_are_not_waited_out(aquatint: Aquatint, plain_server: Server) -> None:
    with pytest.raises(NotFound):
        aquatint.wait(ID, timeout=10)
    with Aquatint(plain_server.base_url, "wrong") as stranger, pytest.raises(Unauthorized):
        stranger.wait(ID, timeout=10)


def test_another_server_may_not_know_yet_what_it_has_just_taken() -> None:
    """Strict: a 404 right after one's own submit is not believed at once; of an old id it is."""

    def script(seen: Seen, before: int) -> Say:
        if seen.method == "POST":
            return ok({"taskId": ID})
        return refused(404, "task not found") if before == 0 else ok(task("SUCCESS"))

    with scripted(script) as server, impatient(server.origin, strict=True) as client:
        assert client.generate("x", timeout=10).task.succeeded
    with scripted(script) as server, impatient(server.origin, strict=True) as client, pytest.raises(NotFound):
        client.wait(ID, timeout=10)


def test_events_of_a_task_end_with_it(aquatint: Aquatint) -> None:
    """In order, each with an id that grows, from the first one on although it was long ago; then done."""
    ended = aquatint.generate("told later", timeout=20).task
    found = list(aquatint.events(ended))
    stored = [event for event in found if event.id]
    assert [int(event.id) for event in stored] == sorted(int(event.id) for event in stored)
    assert stored[0].name == "task.submitted"
    assert found[-1].name == "done"
    assert found[-1].task is not None
    assert found[-1].task.id == ended.id
    rest = list(aquatint.events(ended, last_event_id=stored[0].id))
    assert [event.id for event in rest if event.id] == [event.id for event in stored[1:]]


def test_events_of_the_key_tell_of_every_task(aquatint: Aquatint) -> None:
    """They begin now and never end; whoever stops listening closes the stream."""
    wanted: list[str] = []

    def submit() -> None:
        time.sleep(0.5)
        with Aquatint(aquatint._core.url, KEY) as other:
            wanted.extend(other.submit(f"task {number}").task_id for number in range(2))

    thread = threading.Thread(target=submit)
    thread.start()
    ended: set[str] = set()
    stream_ = aquatint.events()
    for event in stream_:
        if event.task is not None and event.task.done:
            ended.add(event.task_id)
        if len(ended) == 2:
            break
    stream_.close()  # type: ignore[attr-defined]  # it is a generator
    thread.join()
    assert ended == set(wanted)


def test_events_of_a_server_without_them_are_an_error() -> None:
    with scripted(lambda seen, _: refused(404, "there is nothing at this path")) as server:
        with impatient(server.origin) as client, pytest.raises(NotFound):
            list(client.events(ID))
        with impatient(server.origin, strict=True) as client, pytest.raises(NotInStrictMode):
            list(client.events(ID))
