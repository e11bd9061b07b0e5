"""SIGKILL at any instant: nothing acknowledged is lost, nothing ends twice, every callback arrives."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import pytest

from support.client import Client, data_of
from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server

TASKS = 260
KILLS = 9
SUBMITTERS = 4

pytestmark = pytest.mark.acceptance


class Submitters:
    """Threads that submit until each task is acknowledged, repeating with the same idempotency key."""

    def __init__(self, base_url: str, key: str, callback: str) -> None:
        self.acknowledged: dict[str, set[str]] = {}
        self.repeats = 0
        self._left = list(range(TASKS))
        self._lock = threading.Lock()
        self._arguments = (base_url, key, callback)
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(SUBMITTERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> None:
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
            assert not thread.is_alive(), f"only {len(self.acknowledged)} of {TASKS} tasks were acknowledged"

    def _run(self) -> None:
        base_url, key, callback = self._arguments
        while True:
            with self._lock:
                if not self._left:
                    return
                number = self._left.pop()
            name = f"task-{number}"
            while not self._submit(base_url, key, callback, name):
                self.repeats += 1
                time.sleep(0.05)
            time.sleep(0.06)  # spread over all the kills

    def _submit(self, base_url: str, key: str, callback: str, name: str) -> bool:
        try:
            with Client(base_url, key, timeout=5.0) as client:
                body = {"model": "seedream-4", "input": {"prompt": name}, "callBackUrl": f"{callback}?{name}"}
                answer = client.try_submit(body, {"idempotency-key": name})
        except httpx.HTTPError:
            return False
        self.acknowledged.setdefault(name, set()).add(str(data_of(answer)["taskId"]))
        return True


def test_nothing_is_lost_when_everything_is_killed(tmp_path: Path) -> None:
    """260 tasks while the whole server dies nine times: all succeed once, all callbacks come, ids stay the same."""
    seed = int(os.environ.get("AQUATINT_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed}; replay with AQUATINT_TEST_SEED={seed}")
    chance = random.Random(seed)
    settings = {
        **NULL_ENGINE,
        **FAST,
        "AQUATINT_ENGINES__NULL_DELAY": "40ms",
        "AQUATINT_WORKER__CONCURRENCY": "4",
        "AQUATINT_WEBHOOKS__SCHEDULE": "200ms,1s,1s,1s,1s,1s,1s,1s,1s,1s",
    }
    server = Server(tmp_path, settings)
    with ThreadedReceiver() as receiver:
        server.start()
        submitters = Submitters(server.base_url, server.env["AQUATINT_API_KEY"], receiver.url)
        submitters.start()
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.05, 0.9))
            server.kill(workers=chance.random() < 0.5)
            server.start(wait=chance.random() < 0.7)
        server.wait_until_healthy()
        submitters.join(60.0)
        _await_callbacks(receiver, TASKS)
        _check_answers(server, submitters, receiver)
        server.stop()
    _check_rows(server.data_dir / "aquatint.db")


def _await_callbacks(receiver: ThreadedReceiver, count: int) -> None:
    end = time.monotonic() + 60.0
    while len({letter.path for letter in receiver.letters}) < count:
        missing = count - len({letter.path for letter in receiver.letters})
        assert time.monotonic() < end, f"{missing} callbacks never came"
        time.sleep(0.1)


def _check_answers(server: Server, submitters: Submitters, receiver: ThreadedReceiver) -> None:
    """Each idempotency key made one task, and each callback says what the query says."""
    by_path: dict[str, set[bytes]] = {}
    ids: dict[str, set[str]] = {}
    for letter in receiver.letters:
        by_path.setdefault(letter.path, set()).add(letter.body)
        ids.setdefault(letter.path, set()).add(letter.headers.get("webhook-id", ""))
    assert all(len(bodies) == 1 for bodies in by_path.values()), "a repeated callback changed its body"
    assert all(len(names) == 1 for names in ids.values()), "a repeated callback changed its webhook-id"
    with server.client() as client:
        for name, task_ids in submitters.acknowledged.items():
            assert len(task_ids) == 1, f"{name} was bought {len(task_ids)} times"
            task = client.query(next(iter(task_ids)))
            assert task["status"] == "SUCCESS", task
            (body,) = next(bodies for path, bodies in by_path.items() if path.endswith(f"?{name}"))
            assert json.loads(body)["data"] == task


def _check_rows(database: Path) -> None:
    """What the database says: no task twice, no second end, one delivery each."""
    with sqlite3.connect(database) as db:
        assert db.execute("SELECT count(*) FROM task").fetchone() == (TASKS,)
        ends = "SELECT task_no, count(*) FROM event WHERE name = 'task.success' GROUP BY task_no HAVING count(*) > 1"
        assert db.execute(ends).fetchall() == []
        assert db.execute("SELECT count(*) FROM event WHERE name = 'task.success'").fetchone() == (TASKS,)
        assert db.execute("SELECT count(*) FROM delivery WHERE state = 'delivered'").fetchone() == (TASKS,)
        lost = db.execute("SELECT count(*) FROM attempt WHERE outcome = 'lost'").fetchone()[0]
        assert lost > 0, "no kill ever hit a running task: the test proved nothing"
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
