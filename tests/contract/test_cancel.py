"""Cancel (decisions 30, 31)."""

from __future__ import annotations

import time

from aquatint.testing.receiver import Answer
from support.client import Client, data_of, refusal
from support.keys import make_key
from support.receiver import ThreadedReceiver
from support.server import Server


def test_cancel_waiting(endless: Client, receiver: ThreadedReceiver) -> None:
    """A waiting task is CANCELLED at once, answers so to queries, and its callback is sent."""
    for _ in range(2):
        endless.submit()
    task_id = endless.submit(callback=receiver.url)
    assert endless.query(task_id)["status"] == "PENDING"
    cancelled = data_of(endless.cancel(task_id))
    assert (cancelled["taskId"], cancelled["status"]) == (task_id, "CANCELLED")
    assert cancelled["result"] is None
    assert cancelled["failure_reason"] is None
    assert endless.query(task_id) == cancelled
    assert receiver.wait_for(1)[0].json() == {"code": 0, "msg": "ok", "data": cancelled}


def test_cancel_running_frees_its_place(endless: Client, receiver: ThreadedReceiver) -> None:
    """A running task ends within a second and the next one starts."""
    running, waiting = endless.submit(callback=receiver.url), endless.submit()
    endless.wait(running, until=["SUBMITTED"])
    started = time.monotonic()
    assert data_of(endless.cancel(running))["status"] == "CANCELLED"
    endless.wait(waiting, until=["SUBMITTED"], timeout=5)
    assert time.monotonic() - started < 1.0
    assert endless.query(running)["status"] == "CANCELLED"
    assert len(receiver.wait_for(1)) == 1


def test_cancel_twice_changes_nothing(endless: Client, receiver: ThreadedReceiver) -> None:
    """The second cancel answers the same task, and there is one callback."""
    task_id = endless.submit(callback=receiver.url)
    first, second = data_of(endless.cancel(task_id)), data_of(endless.cancel(task_id))
    assert first == second
    endless.wait_delivery(task_id, "delivered")
    assert len(receiver.letters) == 1


def test_cancel_finished(client: Client) -> None:
    """A task that has ended otherwise cannot be cancelled: 409, and it stays as it was."""
    task = client.run()
    assert refusal(client.cancel(task["taskId"]), 409)
    assert client.query(task["taskId"]) == task


def test_cancel_while_references_are_fetched(client: Client, receiver: ThreadedReceiver) -> None:
    """A task whose reference is slow to come is PROCESSING and can be cancelled then, too."""
    receiver.answer_with(lambda _: Answer(delay=5))
    task_id = client.submit(imageUrls=[receiver.url])
    client.wait(task_id, until=["PROCESSING"])
    receiver.wait_for(1)
    assert data_of(client.cancel(task_id))["status"] == "CANCELLED"


def test_cancel_somebody_elses(null_server: Server, client: Client) -> None:
    """Another key's task answers like one that does not exist (decision 7)."""
    task_id = client.submit()
    _, secret = make_key(null_server)
    with null_server.client(secret) as other:
        for response in (
            other.cancel(task_id),
            other.get(f"/api/v1/task/{task_id}"),
            other.get(f"/api/v1/task/{task_id}/deliveries"),
            other.post(f"/api/v1/task/{task_id}/redeliver"),
        ):
            assert refusal(response, 404) == "task not found"
        assert other.tasks()["tasks"] == []
