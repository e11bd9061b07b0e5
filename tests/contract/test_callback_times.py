"""Callbacks: when they are tried, tried again and given up (decisions 33, 34; section 8, items 10 and 11)."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from aquatint.testing.receiver import Answer
from support.client import Client
from support.ports import free_port
from support.receiver import ThreadedReceiver
from support.server import NULL_ENGINE, Server, ServerFactory

SCHEDULE = {"AQUATINT_WEBHOOKS__SCHEDULE": "300ms,600ms,900ms"}


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Three retries within two seconds, one second for an answer, two callbacks at once to one host."""
    env = {
        **NULL_ENGINE,
        **SCHEDULE,
        "AQUATINT_NET__ALLOW": "127.0.0.0/8",
        "AQUATINT_WEBHOOKS__JITTER": "0",
        "AQUATINT_WEBHOOKS__FIRST_DELAY": "0s",
        "AQUATINT_WEBHOOKS__TIMEOUT": "1s",
        "AQUATINT_WEBHOOKS__PER_HOST": "2",
        "AQUATINT_WEBHOOKS__CONCURRENCY": "8",
    }
    with Server(tmp_path_factory.mktemp("quick"), env) as server, server.client() as client:
        yield client


def test_not_before_two_seconds(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """With the default delay no callback comes sooner than 2 s after its submit was answered (decision 34)."""
    server = server_with(fast=False, AQUATINT_NET__ALLOW="127.0.0.0/8")
    answered: dict[str, float] = {}
    with server.client() as client:
        for _ in range(20):
            task_id = client.submit(callback=receiver.url)
            answered[task_id] = time.monotonic()
        assert client.wait(task_id)["status"] == "SUCCESS", "it has ended long before it is told"
        assert receiver.letters == []
        letters = receiver.wait_for(20, 10)
    waits = [letter.at - answered[_task_id(letter.json())] for letter in letters]
    assert min(waits) >= 2.0
    assert max(waits) < 5.0


def _task_id(body: object) -> str:
    assert isinstance(body, dict)
    return str(body["data"]["taskId"])


@pytest.mark.parametrize("status", [404, 408, 409, 425, 429, 500, 502, 503, 599])
def test_worth_another_try(quick: Client, receiver: ThreadedReceiver, status: int) -> None:
    """These answers are followed by another try; the log keeps what was answered (decision 33)."""
    answers = iter([Answer(status=status, body=b"not yet")])
    receiver.answer_with(lambda _: next(answers, Answer()))
    delivery = quick.wait_delivery(quick.submit(callback=receiver.url), "delivered")
    first, second = delivery["attempts"]
    assert (first["outcome"], first["status"], first["response"]) == ("retry", status, "not yet")
    assert (second["outcome"], second["status"], second["response"]) == ("delivered", 200, "ok")
    assert delivery["next_attempt_at"] is None
    assert receiver.letters[0].body == receiver.letters[1].body


@pytest.mark.parametrize("status", [400, 401, 403, 405, 410, 413, 422])
def test_refused_for_good(quick: Client, receiver: ThreadedReceiver, status: int) -> None:
    """410 and the other 4xx end the delivery at once; the task stays what it is (decision 33)."""
    receiver.answer_with(lambda _: Answer(status=status))
    task = quick.run(callback=receiver.url)
    delivery = quick.wait_delivery(task["taskId"], "failed")
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["failed"]
    assert delivery["next_attempt_at"] is None
    assert quick.query(task["taskId"]) == task


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_delivered(quick: Client, receiver: ThreadedReceiver, status: int) -> None:
    """Every 2xx counts as delivered (decision 33)."""
    receiver.answer_with(lambda _: Answer(status=status, body=b""))
    delivery = quick.wait_delivery(quick.submit(callback=receiver.url), "delivered")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [status]


def test_schedule_and_its_end(quick: Client, receiver: ThreadedReceiver) -> None:
    """First try plus one for each wait of the schedule, then it is given up; a repeat starts anew (decision 33)."""
    receiver.answer_with(lambda _: Answer(status=503))
    task_id = quick.submit(callback=receiver.url)
    delivery = quick.wait_delivery(task_id, "failed")
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["retry", "retry", "retry", "failed"]
    waits = [b.at - a.at for a, b in itertools.pairwise(receiver.letters)]
    for wait, planned in zip(waits, (0.3, 0.6, 0.9), strict=True):
        assert planned - 0.01 <= wait < planned + 0.6, waits
    receiver.answer_with(lambda _: Answer())
    quick.post(f"/api/v1/task/{task_id}/redeliver")
    assert len(quick.wait_delivery(task_id, "delivered")["attempts"]) == 5


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(quick: Client, receiver: ThreadedReceiver, status: int) -> None:
    """A receiver that asks for a pause gets it, when it is longer than the schedule's (decision 33)."""
    answers = iter([Answer(status=status, headers={"Retry-After": "2"})])
    receiver.answer_with(lambda _: next(answers, Answer()))
    quick.wait_delivery(quick.submit(callback=receiver.url), "delivered")
    first, second = receiver.letters
    assert 1.9 <= second.at - first.at < 3.5


def test_silence_is_a_failed_try(quick: Client, receiver: ThreadedReceiver) -> None:
    """A receiver that does not answer in time is tried again (decision 33)."""
    answers = iter([Answer(delay=3)])
    receiver.answer_with(lambda _: next(answers, Answer()))
    delivery = quick.wait_delivery(quick.submit(callback=receiver.url), "delivered")
    first = delivery["attempts"][0]
    assert (first["outcome"], first["status"]) == ("retry", None)
    assert 900 <= first["duration_ms"] < 2500


def test_nobody_there_is_a_failed_try(quick: Client) -> None:
    """A refused connection is tried on the whole schedule (decision 33)."""
    delivery = quick.wait_delivery(quick.submit(callback=f"http://127.0.0.1:{free_port()}/"), "failed")
    assert [attempt["status"] for attempt in delivery["attempts"]] == [None] * 4
    assert all(attempt["detail"] for attempt in delivery["attempts"])


def test_slow_and_dead_receivers_delay_nobody_else(quick: Client, receiver: ThreadedReceiver) -> None:
    """While many callbacks of two bad hosts wait, a good host gets its own at once (decision 33)."""
    with ThreadedReceiver(lambda _: Answer(delay=30)) as slow:
        slow_url = slow.url
        dead_url = f"http://127.0.0.2:{free_port()}/"
        for _ in range(12):
            quick.submit(callback=slow_url.replace("127.0.0.1", "localhost"))
            quick.submit(callback=dead_url)
        waits = []
        for count in range(1, 6):
            quick.submit(callback=receiver.url)
            asked = time.monotonic()
            waits.append(receiver.wait_for(count, 5)[count - 1].at - asked)
    assert max(waits) < 0.8, waits


def test_many_dead_hosts_slow_nobody(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """More hosts hang than callbacks fit in flight: once they are known to be dead, a good one is called at once."""
    server = server_with(
        AQUATINT_WEBHOOKS__CONCURRENCY="16",
        AQUATINT_WEBHOOKS__PER_HOST="4",
        AQUATINT_WEBHOOKS__TIMEOUT="1s",
        AQUATINT_WEBHOOKS__CIRCUIT_FAILURES="2",
        AQUATINT_WEBHOOKS__SCHEDULE="1h",
    )
    with ThreadedReceiver(lambda _: Answer(delay=30), host="0.0.0.0") as dead, server.client() as client:
        urls = [f"http://127.0.1.{number}:{dead.port}/" for number in range(1, 41)]
        tasks = [client.submit(callback=url) for _ in range(10) for url in urls]
        time.sleep(8.0)  # 40 hosts x 2 failures x 1 s in 16 places take 5 s
        waits = []
        for count in range(1, 6):
            client.submit(callback=receiver.url)
            asked = time.monotonic()
            waits.append(receiver.wait_for(count, 10)[count - 1].at - asked)
        (resting,) = client.deliveries(tasks[-1])
    assert max(waits) < 0.8, waits
    assert (resting["state"], resting["attempts"]) == ("pending", []), "it waits for its host and has lost no try"


def test_hosts_that_hang_slow_nobody(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """Long before their time is over: what waits for an answer keeps no place from others."""
    server = server_with(AQUATINT_WEBHOOKS__CONCURRENCY="16", AQUATINT_WEBHOOKS__TIMEOUT="60s")
    with ThreadedReceiver(lambda _: Answer(delay=8), host="0.0.0.0") as dead, server.client() as client:
        urls = [f"http://127.0.1.{number}:{dead.port}/" for number in range(1, 11)]
        for url in urls * 10:
            client.submit(callback=url)
        dead.wait_for(40, 6)  # four to each, sixteen a second
        waits = []
        for count in range(1, 6):
            asked = time.monotonic()
            client.submit(callback=receiver.url)
            waits.append(receiver.wait_for(count, 10)[count - 1].at - asked)
        assert len(dead.letters) == 40
    assert max(waits) < 0.8, waits


def test_excerpt_in_the_log_is_bounded(quick: Client, receiver: ThreadedReceiver) -> None:
    """A huge or binary answer is read and kept in part only."""
    receiver.answer_with(lambda _: Answer(status=410, body=b"\0\x1b[31m\xff" + b"x" * 3_000_000))
    delivery = quick.wait_delivery(quick.submit(callback=receiver.url), "failed")
    response = delivery["attempts"][0]["response"]
    assert 100 < len(response) <= 4096
    assert "\x1b" not in response


def test_deliveries_survive_a_restart(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """A callback that waits for its next try is on disk: after SIGKILL it is made on time (decision 33)."""
    receiver.answer_with(lambda _: Answer(status=503))
    server = server_with(AQUATINT_WEBHOOKS__SCHEDULE="3s")
    with server.client() as client:
        task_id = client.submit(callback=receiver.url)
        client.wait_delivery(task_id, "pending", attempts=1)
        server.kill()
        receiver.answer_with(lambda _: Answer())
        server.start()
        delivery = client.wait_delivery(task_id, "delivered")
    assert len(delivery["attempts"]) == 2
    first, second = receiver.letters
    assert first.body == second.body
