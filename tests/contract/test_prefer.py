"""Prefer: wait=N on submit and query (RFC 7240): answers at the task's end, or after N seconds."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from support.client import Client, Json, data_of, refusal
from support.raw import head
from support.server import FAST, NULL_ENGINE, Server

BODY: Json = {"model": "seedream-4.5", "input": {"prompt": "a boat"}}


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each task takes a second."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "1s"}
    with Server(tmp_path_factory.mktemp("slow-server"), env) as server:
        yield server


def test_submit_answers_with_the_ended_task(client: Client) -> None:
    """`data` is the whole task object, and says taskId as without."""
    answer = client.try_submit(BODY, {"prefer": "wait=30"})
    task = data_of(answer)
    assert answer.headers["preference-applied"] == "wait=30"
    assert task["status"] == "SUCCESS"
    assert task == client.query(task["taskId"])


def test_strict_submit_answers_the_id_alone(client: Client) -> None:
    """The contract's answer, only later: the task has ended by then."""
    answer = client.try_submit(BODY, {"prefer": "wait=30", "x-aquatint-strict": "true"})
    assert answer.headers["preference-applied"] == "wait=30"
    assert list(data_of(answer)) == ["taskId"]
    assert client.query(data_of(answer)["taskId"])["status"] == "SUCCESS"


def test_query_waits_for_the_end(slow: Server) -> None:
    """It answers soon after the end, not before, and without asking again and again."""
    with slow.client() as client:
        task_id = client.submit()
        began = time.monotonic()
        answer = client.get(f"/api/v1/task/{task_id}", headers={"prefer": "respond-async, wait=20"})
        took = time.monotonic() - began
        assert data_of(answer)["status"] == "SUCCESS"
        assert answer.headers["preference-applied"] == "wait=20"
        assert 0.3 < took < 3
        began = time.monotonic()
        again = client.get(f"/api/v1/task/{task_id}", headers={"prefer": "wait=20"})
        assert again.headers["preference-applied"] == "wait=20"
        assert time.monotonic() - began < 0.5


def test_the_time_is_over_first(endless: Client) -> None:
    """Then comes the task as it is."""
    began = time.monotonic()
    answer = endless.try_submit(BODY, {"prefer": "wait=1"})
    assert 0.9 < time.monotonic() - began < 3
    assert data_of(answer)["status"] in ("PENDING", "PROCESSING", "SUBMITTED")
    began = time.monotonic()
    waited = endless.get(f"/api/v1/task/{data_of(answer)['taskId']}", headers={"prefer": "wait=1"})
    assert 0.9 < time.monotonic() - began < 3
    assert waited.headers["preference-applied"] == "wait=1"


def test_a_cancel_ends_the_wait(endless: Client) -> None:
    """Every end is an end."""
    task_id = endless.submit()
    threading.Timer(0.5, endless.cancel, (task_id,)).start()
    began = time.monotonic()
    answer = endless.get(f"/api/v1/task/{task_id}", headers={"prefer": "wait=20"})
    assert data_of(answer)["status"] == "CANCELLED"
    assert time.monotonic() - began < 3


def test_a_replay_waits_too(slow: Server) -> None:
    """The same Idempotency-Key gets the same task, waits for its end, and buys nothing twice."""
    with slow.client() as client:
        headers = {"idempotency-key": f"key-{uuid.uuid4()}"}
        task_id = data_of(client.try_submit(BODY, headers))["taskId"]
        answer = client.try_submit(BODY, {**headers, "prefer": "wait=20"})
        assert answer.headers["idempotency-replayed"] == "true"
        assert answer.headers["preference-applied"] == "wait=20"
        assert (data_of(answer)["taskId"], data_of(answer)["status"]) == (task_id, "SUCCESS")


@pytest.mark.parametrize("value", ["wait=0", "wait=-5", "wait=soon", "wait", "nowait=5", "", ";;;", "wait=1.5"])
def test_what_makes_no_sense_is_ignored(client: Client, value: str) -> None:
    """RFC 7240: no error, and nothing is said to be applied."""
    answer = client.try_submit(BODY, {"prefer": value})
    assert list(data_of(answer)) == ["taskId"]
    assert "preference-applied" not in answer.headers


def test_longer_is_cut_to_sixty(client: Client) -> None:
    answer = client.try_submit(BODY, {"prefer": "wait=86400"})
    assert answer.headers["preference-applied"] == "wait=60"


def test_refusals_come_at_once(client: Client) -> None:
    """What is not accepted is not waited for."""
    began = time.monotonic()
    refusal(client.try_submit({"model": "no-such", "input": {"prompt": "x"}}, {"prefer": "wait=20"}), 400)
    refusal(client.get(f"/api/v1/task/{uuid.uuid4()}", headers={"prefer": "wait=20"}), 404)
    assert time.monotonic() - began < 2


def test_a_caller_that_leaves_waits_no_longer(endless_server: Server, endless: Client) -> None:
    """A hundred waits take a key's hundred places; once their connections are closed all can be had again."""
    task_id = endless.submit()
    sockets = []
    for _ in range(100):
        connection = socket.create_connection(("127.0.0.1", endless_server.port), 10)
        connection.sendall(head("Prefer: wait=60", method="GET", path=f"/api/v1/task/{task_id}"))
        sockets.append(connection)
    until(lambda: stream_status(endless) == 429)
    began = time.monotonic()
    answer = endless.get(f"/api/v1/task/{task_id}", headers={"prefer": "wait=20"})
    assert time.monotonic() - began < 2, "a preference that cannot be met is left unmet, and the answer comes at once"
    assert data_of(answer)["taskId"] == task_id
    assert "preference-applied" not in answer.headers
    for connection in sockets:
        connection.close()
    until(lambda: stream_status(endless) == 200)


def stream_status(client: Client) -> int:
    with client.http.stream("GET", "/api/v1/events") as response:
        return response.status_code


def until(holds: Callable[[], bool], timeout: float = 5.0) -> None:
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def test_waiting_does_not_look_slow(slow: Server) -> None:
    """The histogram of request durations leaves out what the caller wished to wait."""
    with slow.client() as client:
        assert data_of(client.get(f"/api/v1/task/{client.submit()}", headers={"prefer": "wait=20"}))["result"]
        rows = [
            line
            for line in client.get("/metrics").text.splitlines()
            if 'route="/api/v1/task/{taskId}"' in line and line.startswith("aquatint_http_request_seconds_bucket")
        ]
        counts = {row.partition('le="')[2].partition('"')[0]: float(row.rpartition(" ")[2]) for row in rows}
        assert counts["0.5"] == counts["+Inf"] >= 1
