"""Statuses, their order, timestamps and failure_reason (contract section 4)."""

from __future__ import annotations

import itertools
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from aquatint.testing.receiver import Answer, Received
from support.client import Client, Json
from support.pictures import picture
from support.receiver import ThreadedReceiver
from support.server import Server, ServerFactory

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
ORDER = ["PENDING", "PROCESSING", "SUBMITTED", "SUCCESS"]
DOCUMENTED = ["taskId", "status", "input", "result", "failure_reason", "created_at", "updated_at"]
ADDITIVE = ["engine", "progress", "failure_message", "warnings", "images", "expires_at", "queue"]


def moment(text: str) -> datetime:
    """The time behind a timestamp, whose form must be the contract's."""
    assert TIME.fullmatch(text), text
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def watched(client: Client, task_id: str, timeout: float = 20.0) -> list[Json]:
    """Every differing answer of a tight loop of queries until the end."""
    seen: list[Json] = []
    end = time.monotonic() + timeout
    while not seen or seen[-1]["status"] not in ("SUCCESS", "FAILURE", "TIMEOUT", "CANCELLED"):
        task = client.query(task_id)
        if not seen or task != seen[-1]:
            seen.append(task)
        assert time.monotonic() < end, seen
    return seen


def test_all_documented_fields_and_no_undocumented(client: Client) -> None:
    """The task object has the seven documented fields and the additive ones, always all (decision 47)."""
    task = client.run()
    assert list(task) == DOCUMENTED + ADDITIVE


@pytest.mark.parametrize("value", ["true", "1", "TRUE"])
def test_strict_header_leaves_only_the_documented(client: Client, value: str) -> None:
    """Strict mode answers exactly the documented fields (decision 47)."""
    task_id = client.submit()
    client.wait(task_id)
    assert list(client.query(task_id, {"x-aquatint-strict": value})) == DOCUMENTED
    assert len(client.query(task_id, {"x-aquatint-strict": "false"})) > len(DOCUMENTED)


def test_waiting_running_cancelled(endless: Client) -> None:
    """With one place to run, one task is SUBMITTED, the next prepares, the last is PENDING; none has a result."""
    running, preparing, waiting = endless.submit(), endless.submit(), endless.submit()
    first = endless.wait(running, until=["SUBMITTED"])
    endless.wait(preparing, until=["PROCESSING"])
    second = endless.query(waiting)
    assert second["status"] == "PENDING"
    for task in (first, second):
        assert task["result"] is None
        assert task["failure_reason"] is None
        assert task["images"] == []
        assert task["expires_at"] is None
    assert first["engine"] == "null/1"
    assert second["engine"] is None
    assert second["created_at"] == second["updated_at"]


def test_statuses_follow_the_documented_order(server_with: ServerFactory) -> None:
    """PENDING, PROCESSING, SUBMITTED, SUCCESS: each at most once, none earlier than the one before (decision 27)."""
    server = server_with(AQUATINT_ENGINES__NULL_DELAY="300ms", AQUATINT_WORKER__CONCURRENCY="1")
    with server.client() as client:
        for _ in range(3):
            client.submit()
        seen = watched(client, client.submit())
    statuses = [task["status"] for task in seen]
    assert sorted(statuses, key=ORDER.index) == statuses
    assert {"PENDING", "SUBMITTED", "SUCCESS"} <= set(statuses)
    for before, after in itertools.pairwise(seen):
        assert before["created_at"] == after["created_at"]
        changed = before["status"] != after["status"]
        assert (moment(before["updated_at"]) < moment(after["updated_at"])) == changed, (before, after)
        assert after["progress"] >= before["progress"]


def test_timestamps(null_server: Server, client: Client) -> None:
    """Timestamps are UTC with six digits and Z and agree with the clock (decision 39)."""
    before = datetime.now(UTC)
    task = client.run()
    after = datetime.now(UTC)
    created, updated = moment(task["created_at"]), moment(task["updated_at"])
    ours = "AQUATINT_DATABASE__URL" not in null_server.env
    grain = timedelta(milliseconds=0 if ours else 50)  # a database's clock is known to a round trip
    assert before - grain <= created <= updated <= after + grain


def test_status_never_goes_back_after_a_retry(server_with: ServerFactory) -> None:
    """A task whose server died while it ran is still SUBMITTED while it waits for its next run (decision 27)."""
    server = server_with(AQUATINT_ENGINES__NULL_DELAY="1h", AQUATINT_WORKER__CONCURRENCY="1")
    with server.client() as client:
        task_id = client.submit()
        before = client.wait(task_id, until=["SUBMITTED"])
    server.kill()
    server.env["AQUATINT_ENGINES__NULL_DELAY"] = "1s"
    server.start()
    with server.client() as client:
        seen = watched(client, task_id)
    statuses = [task["status"] for task in seen]
    assert statuses[0] == "SUBMITTED"
    assert set(statuses) == {"SUBMITTED", "SUCCESS"}
    assert seen[0]["updated_at"] == before["updated_at"], "a further run is no change of status"


def test_status_never_goes_back_from_processing(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """A run that fails while it prepares stays PROCESSING until the next run gets further (decision 27)."""
    answers = iter([Answer(status=503), Answer(status=503)])
    receiver.answer_with(lambda _: next(answers, Answer(body=picture())))
    server = server_with(AQUATINT_NET__FETCH_ATTEMPTS="1", AQUATINT_TASKS__RETRY_WAIT="300ms")
    with server.client() as client:
        seen = watched(client, client.submit(imageUrls=[f"{receiver.origin}/a.png"]))
    statuses = [task["status"] for task in seen]
    assert sorted(statuses, key=ORDER.index) == statuses
    assert statuses[-1] == "SUCCESS"
    assert len(receiver.letters) == 3


def test_failed_task_is_a_successful_query(client: Client, receiver: ThreadedReceiver) -> None:
    """A query of a failed task is HTTP 200, code 0, with result null and a reason (decisions 1, 4, 6)."""
    receiver.answer_with(lambda _: Answer(status=404))
    response = client.get(f"/api/v1/task/{client.run(imageUrls=[receiver.url])['taskId']}")
    assert response.status_code == 200
    assert response.json()["code"] == 0
    task = response.json()["data"]
    assert task["status"] == "FAILURE"
    assert task["result"] is None
    assert task["failure_reason"] == "INVALID_PARAMETERS"
    assert "failReason" not in task


def test_success_has_a_null_failure_reason(client: Client) -> None:
    """failure_reason is there even when nothing failed (section 4)."""
    task = client.run()
    assert task["failure_reason"] is None
    assert task["failure_message"] is None


def test_deadline_of_a_running_task(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """A task that outlives its deadline is TIMEOUT, running or waiting, with a callback each (decisions 28, 29)."""
    server = server_with(
        AQUATINT_ENGINES__NULL_DELAY="1h", AQUATINT_WORKER__CONCURRENCY="1", AQUATINT_TASKS__IMAGE_DEADLINE="1500ms"
    )
    with server.client() as client:
        ids = [client.submit(callback=receiver.url) for _ in range(3)]
        ended = [client.wait(task_id, 15) for task_id in ids]
        letters = receiver.wait_for(3)
        again = [client.query(task_id) for task_id in ids]
    assert [task["status"] for task in ended] == ["TIMEOUT"] * 3
    assert [task["failure_reason"] for task in ended] == [None] * 3
    assert all("deadline" in task["failure_message"] for task in ended)
    assert ended == again
    told = {task["taskId"]: task for task in (_task(letter) for letter in letters)}
    assert told == {task["taskId"]: task for task in ended}


def _task(letter: Received) -> Json:
    body = letter.json()
    assert isinstance(body, dict)
    return dict(body["data"])


def test_failure_may_be_spelled_failed(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """The compatibility setting spells FAILED in polls only; callbacks keep FAILURE (decision 2)."""
    server = server_with(AQUATINT_COMPAT__FAILURE_WORD="FAILED")
    receiver.answer_with(lambda letter: Answer(status=404 if letter.method == "GET" else 200))
    with server.client() as client:
        task_id = client.submit(imageUrls=[f"{receiver.origin}/gone.png"], callback=receiver.url)
        task = client.wait(task_id, until=["FAILED"])
        assert client.query(task_id, {"x-aquatint-strict": "true"})["status"] == "FAILED"
        assert client.tasks()["tasks"] == [task]
        assert client.run()["status"] == "SUCCESS"
    letter = next(letter for letter in receiver.wait_for(2) if letter.method == "POST")
    assert _task(letter)["status"] == "FAILURE"


def test_each_answer_is_wholly_consistent(null_server: Server) -> None:
    """SUCCESS never comes without urls, and nothing else ever comes with them (section 8, item 4)."""
    with null_server.client() as client:
        for _ in range(5):
            for task in watched(client, client.submit(n=2)):
                assert (task["status"] == "SUCCESS") == (task["result"] is not None)
                if task["result"]:
                    assert len(task["result"]["urls"]) == 2
