"""Server-sent events of a task and of a key (issue 6, point 2), over real sockets, on both databases."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import events
from support.client import Client, data_of, refusal
from support.events import Follower, Sent, history, story
from support.keys import make_key
from support.postgres import Postgres
from support.raw import head
from support.server import FAST, KEY, NULL_ENGINE, Server, ServerFactory

HISTORY = ["task.submitted", "task.claimed", "task.handed_over", "task.success"]


@pytest.fixture(params=["sqlite", "postgresql"])
def own_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for one test, whose tasks take a second each."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "1s", "AQUATINT_WORKER__DRAIN": "100ms"}
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        env["AQUATINT_DATABASE__URL"] = postgres.database()
    with Server(tmp_path_factory.mktemp("events-server"), env) as server:
        yield server


def names(found: list[Sent]) -> list[str]:
    return [event.name for event in found]


# one task


def test_every_event_of_a_task_then_done(client: Client) -> None:
    """Each line of the history is one event with its id, in order; `done` brings what a query answers."""
    task_id = client.submit()
    found = story(client, task_id)
    told = history(found)
    assert names(told) == HISTORY or names(told) == [n for n in HISTORY if n != "task.handed_over"]
    ids = [event.id for event in told]
    assert ids == sorted(ids)  # type: ignore[type-var]
    for event in told:
        assert list(event.data) == ["taskId", "at", "name", "detail", "task"]
        assert (event.data["taskId"], event.data["name"]) == (task_id, event.name)
        assert event.data["task"]["taskId"] == task_id
    assert found[-1] == Sent("done", client.query(task_id))
    assert names(found).count("done") == 1
    assert told[0].data["at"] == found[-1].data["created_at"]


def test_the_bytes_of_a_stream(null_server: Server) -> None:
    """As the HTML standard reads them: a retry first, id, event and data on lines of their own."""
    with null_server.client() as client:
        task_id = client.submit()
        client.wait(task_id)
        response = client.get(f"/api/v1/task/{task_id}/events")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-length" not in response.headers
    first, *rest = response.text.split("\n\n")
    assert first == "retry: 1000"
    assert rest.pop() == ""
    for block in rest[:-1]:
        number, name, data = block.split("\n")
        assert number.removeprefix("id: ").isdigit()
        assert json.loads(data.removeprefix("data: "))["name"] == name.removeprefix("event: ")
    assert rest[-1].startswith("event: done\ndata: {")


def test_from_the_middle_of_a_task(client: Client) -> None:
    """With Last-Event-ID, or its parameter, come the later events only; the header wins."""
    task_id = client.submit()
    client.wait(task_id)
    every = story(client, task_id)
    for index, event in enumerate(every[:-1]):
        assert story(client, task_id, after=event.id) == every[index + 1 :]
        response = client.get(f"/api/v1/task/{task_id}/events?lastEventId={event.id}")
        assert response.text.count("\nevent: ") == len(every) - index - 1
    response = client.get(f"/api/v1/task/{task_id}/events?lastEventId=0", headers={"last-event-id": str(every[0].id)})
    assert response.text.count("\nevent: ") == len(every) - 1


@pytest.mark.parametrize("bad", ["x", "-1", "1.5", "1e3", "9" * 19, " ", "٣", "1;DROP", "\x00"])
def test_an_id_that_is_none(client: Client, bad: str) -> None:
    """A bad Last-Event-ID is refused in the envelope before anything streams."""
    task_id = client.submit()
    for path in (f"/api/v1/task/{task_id}/events", "/api/v1/events"):
        refusal(client.get(path, params={"lastEventId": bad}), 400)
        if bad.isascii() and bad.isprintable() and bad.strip():
            assert "Last-Event-ID" in refusal(client.get(path, headers={"last-event-id": bad}), 400)


def test_who_may_not(null_server: Server, client: Client) -> None:
    """Without a key 401; somebody else's task, an unknown or a malformed id 404, in the same words."""
    task_id = client.submit()
    with null_server.client(None) as nobody:
        refusal(nobody.get(f"/api/v1/task/{task_id}/events"), 401)
        refusal(nobody.get("/api/v1/events"), 401)
    _, secret = make_key(null_server)
    with null_server.client(secret) as other:
        words = {
            refusal(other.get(f"/api/v1/task/{which}/events"), 404)
            for which in (task_id, str(uuid.uuid4()), "x", "%00")
        }
        assert len(words) == 1
        assert words == {refusal(other.get(f"/api/v1/task/{task_id}"), 404)}


def test_strict_mode_leaves_additive_fields_out(client: Client) -> None:
    """The task inside has the documented fields only, as a query's."""
    task_id = client.submit()
    client.wait(task_id)
    strict = client.query(task_id, {"x-aquatint-strict": "true"})
    found = story(client, task_id, x_aquatint_strict="true")
    assert [event.data["task"] for event in history(found)] == [strict] * len(history(found))
    assert found[-1].data == strict


def test_head_is_only_a_head(client: Client) -> None:
    """HEAD on an endless stream ends."""
    assert client.http.head("/api/v1/events").status_code == 200


def test_progress_of_the_painter(studio: Client) -> None:
    """Between the events comes how far the painting is, without an id, never going back."""
    task_id = studio.submit(prompt="Cyberpunk Tokyo street", resolution="2k")
    found = story(studio, task_id)
    told = [event for event in found if event.name == "progress"]
    assert told
    assert all(event.id is None for event in told)
    assert all(list(event.data) == ["taskId", "status", "progress", "queue"] for event in told)
    values = [event.data["progress"] for event in told]
    assert values == sorted(values)
    assert 0 < values[-1] <= 1
    assert len({json.dumps(event.data) for event in told}) == len(told), "only what changed is told"
    assert names(found)[-2:] == ["task.success", "done"]
    assert found[-1].data["progress"] == 1


def test_place_in_line(endless: Client) -> None:
    """A waiting task hears when those before it are gone, and of its own cancel."""
    running, before, waiting = endless.submit(), endless.submit(), ""
    endless.wait(running, until=["SUBMITTED"])
    others = [endless.submit() for _ in range(2)]
    waiting = endless.submit()
    follower = Follower(endless, f"/api/v1/task/{waiting}/events")
    follower.until(lambda found: bool(found))
    first = follower.events[0].data["task"]["queue"]["position"]
    for task_id in others:
        endless.cancel(task_id)
    follower.until(lambda found: any(e.name == "progress" and e.data["queue"]["position"] < first for e in found))
    endless.cancel(waiting)
    follower.until(lambda found: names(found)[-2:] == ["task.cancelled", "done"])
    assert follower.ended.wait(5)
    endless.cancel(before)


# all tasks of a key


def test_a_key_hears_of_its_own_tasks_from_now_on(null_server: Server, client: Client) -> None:
    """Every event of tasks submitted from here on, once and in order; nothing of other keys, nothing from before."""
    _, secret = make_key(null_server)
    earlier = client.submit()
    client.wait(earlier)
    with null_server.client(secret) as other:
        follower, others = Follower(client), Follower(other)
        mine = [client.submit() for _ in range(20)]
        theirs = [other.submit() for _ in range(3)]
        for which, tasks in ((follower, mine), (others, theirs)):
            count = len(tasks)
            found = history(which.until(lambda e, count=count: names(e).count("task.success") >= count))  # type: ignore[misc]
            assert {event.data["taskId"] for event in found} == set(tasks)
            ids = [event.id for event in found]
            assert ids == sorted(set(ids))  # type: ignore[type-var]
            for task_id in tasks:
                told = [event.name for event in found if event.data["taskId"] == task_id]
                assert [name for name in told if name != "task.handed_over"] == [HISTORY[0], HISTORY[1], HISTORY[3]]
        start = history(follower.events)[5].id
        again = Follower(client, after=start)
        again.until(lambda e: len(history(e)) >= len(history(follower.events)) - 6)
        assert [event.id for event in history(again.events)] == [e.id for e in history(follower.events)[6:]]


def test_a_restart_loses_nothing(own_server: Server) -> None:
    """Streams and waits end at once with the server; whoever comes back with the last id gets exactly the rest."""
    with own_server.client() as client:
        first = client.submit()
        follower, of_task = Follower(client), Follower(client, f"/api/v1/task/{first}/events")
        second = client.submit()
        of_task.until(lambda found: "task.claimed" in names(found))
        follower.until(lambda found: any(event.data["taskId"] == second for event in found))
        more = [Follower(client) for _ in range(20)]
        with ThreadPoolExecutor(1) as pool:
            waited = pool.submit(client.get, f"/api/v1/task/{second}", headers={"prefer": "wait=60"})
            time.sleep(0.1)
            began = time.monotonic()
            assert own_server.stop() == 0
            assert time.monotonic() - began < 4.0
            assert data_of(waited.result())["status"] != "SUCCESS"
        assert all(one.ended.wait(5) for one in [follower, of_task, *more])
    assert "Traceback" not in own_server.log()
    assert "Cancel" not in own_server.log(), "uvicorn had to end nothing by force"
    seen, seen_of_task = history(follower.events), history(of_task.events)
    own_server.start()
    with own_server.client() as client:
        rest = story(client, first, after=seen_of_task[-1].id)
        assert names(rest)[-2:] == ["task.success", "done"]
        every = [event.id for event in history(story(client, first))]
        assert [event.id for event in seen_of_task + history(rest)] == every
        client.wait(second)
        back = Follower(client, after=seen[-1].id)
        both = {first, second}
        back.until(lambda found: {e.data["taskId"] for e in found if e.name == "task.success"} == both)
        wanted = sorted(e.id or 0 for task in both for e in history(story(client, task)))
        got = [event.id for event in seen + history(back.events)]
        assert got == [number for number in wanted if number >= (got[0] or 0)]


def test_a_client_that_leaves_frees_its_place(null_server: Server) -> None:
    """A key has a hundred streams; each that is closed can be had again, and more are a 429 with Retry-After."""
    _, secret = make_key(null_server)
    path = "/api/v1/events"
    with null_server.client(secret) as client:
        sockets = []
        for _ in range(100):
            connection = socket.create_connection(("127.0.0.1", null_server.port), 10)
            request = head(method="GET", path=path).replace(KEY.encode(), secret.encode())
            connection.sendall(request)
            assert connection.recv(12) == b"HTTP/1.1 200"
            sockets.append(connection)
        refused = client.get(path)
        assert "100" in refusal(refused, 429)
        assert int(refused.headers["retry-after"]) > 0
        task_id = client.submit()
        assert client.wait(task_id)["status"] == "SUCCESS", "everything else goes on"
        waited = client.get(f"/api/v1/task/{client.submit()}", headers={"prefer": "wait=5"})
        assert data_of(waited)["status"]
        for connection in sockets:
            connection.close()
        end = time.monotonic() + 5
        while True:
            with client.http.stream("GET", path) as response:
                if response.status_code == 200:
                    break
            assert time.monotonic() < end
            time.sleep(0.02)


def test_one_that_does_not_read_harms_nobody(server_with: ServerFactory) -> None:
    """It is told only what its buffers hold, others get everything at the usual pace, and a stop is a stop."""
    server = server_with()
    with server.client() as client:
        client.run()
        deaf = socket.socket()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", server.port))
        deaf.sendall(head(method="GET", path="/api/v1/events?lastEventId=0"))
        follower = Follower(client)
        tasks = {client.submit(prompt="x" * 7900) for _ in range(300)}  # some ten megabytes of events
        ended = "task.success"
        follower.until(lambda e: tasks <= {event.data["taskId"] for event in e if event.name == ended}, 30)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5.0
        assert "Traceback" not in server.log()
        deaf.close()


def test_streams_do_not_look_slow(null_server: Server, client: Client) -> None:
    """The histogram of request durations counts until a stream begins."""
    task_id = client.submit()
    client.wait(task_id)
    story(client, task_id)
    with null_server.client() as other:
        text = other.get("/metrics").text
    line = next(
        line
        for line in text.splitlines()
        if line.startswith("aquatint_http_request_seconds_bucket")
        and "/api/v1/task/{taskId}/events" in line
        and 'le="0.5"' in line
    )
    assert float(line.rpartition(" ")[2]) > 0


def test_event_stream_in_a_browser_of_another_origin(server_with: ServerFactory) -> None:
    """CORS lets pages send Prefer and Last-Event-ID, and delete."""
    server = server_with(AQUATINT_SERVER__CORS_ORIGINS="https://a.example")
    with server.client() as client:
        asked = {
            "origin": "https://a.example",
            "access-control-request-method": "DELETE",
            "access-control-request-headers": "authorization,prefer,last-event-id",
        }
        answer = client.http.options("/api/v1/events", headers=asked)
        assert answer.status_code == 200
        assert "DELETE" in answer.headers["access-control-allow-methods"]
        task_id = client.submit()
        client.wait(task_id)
        response = client.get(f"/api/v1/task/{task_id}/events", headers={"origin": "https://a.example"})
        assert response.headers["access-control-allow-origin"] == "https://a.example"
        assert response.text.count("event: done") == 1


def test_the_last_id_of_a_stream_is_where_the_next_begins(client: Client) -> None:
    """A client that cuts the stream after every single event still gets each exactly once."""
    task_id = client.submit()
    last, told = 0, []
    for _ in range(20):
        with events.following(client, f"/api/v1/task/{task_id}/events", {"last-event-id": str(last)}) as response:
            event = next(event for event in events.read(response) if event.name != "progress")
        if event.id is None:
            break
        last = event.id
        told.append(event.name)
    assert event.name == "done"
    assert [name for name in told if name != "task.handed_over"] == [HISTORY[0], HISTORY[1], HISTORY[3]]
