"""Stopping, cancelling and crashing with the real engine: workers end, tasks do not get lost."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server

pytestmark = pytest.mark.acceptance

SLOW = {"prompt": "Cyberpunk Tokyo street", "resolution": "4k", "n": 4}
STARTED = 0.8  # CPU seconds: twice what a worker needs to load its modules


def test_sigterm_gives_running_tasks_back_and_a_restart_finishes_them(tmp_path: Path) -> None:
    """SIGTERM with a short drain: the running task goes back to the queue, and the next start runs it."""
    settings = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "3s", "AQUATINT_WORKER__DRAIN": "300ms"}
    server = Server(tmp_path, settings).start()
    with server.client() as client:
        task_id = client.submit()
        client.wait(task_id, until=("SUBMITTED",))
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 8.0
    server.start()
    with server.client() as client:
        assert client.query(task_id)["status"] == "SUBMITTED", "a shown status never goes back"
        assert client.wait(task_id, 15.0)["status"] == "SUCCESS"
    server.stop()


def test_sigterm_lets_short_tasks_finish(tmp_path: Path) -> None:
    """Within the drain time a running task ends by itself, and its callback comes after the restart at the latest."""
    settings = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "700ms", "AQUATINT_WORKER__DRAIN": "10s"}
    with ThreadedReceiver() as receiver:
        server = Server(tmp_path, settings).start()
        with server.client() as client:
            task_id = client.submit(callback=receiver.url)
            client.wait(task_id, until=("SUBMITTED",))
        server.stop()
        server.start()
        with server.client() as client:
            assert client.query(task_id)["status"] == "SUCCESS"
            client.wait_delivery(task_id, "delivered")
        server.stop()


def test_cancelling_a_painting_task_stops_the_engine_within_a_second(tmp_path: Path) -> None:
    """A cancelled 4k task answers CANCELLED at once, and no worker of it still burns CPU a second later."""
    with Server(tmp_path, FAST) as server, server.client() as client:
        task_id = client.submit(**SLOW)
        client.wait(task_id, until=("SUBMITTED",))
        busy = _wait_for_busy_worker(server)
        assert client.cancel(task_id).json()["data"]["status"] == "CANCELLED"
        gone, alive = psutil.wait_procs(busy, timeout=1.0)
        assert gone, f"{len(alive)} workers went on painting"
        assert client.run(prompt="mountain lake", resolution="1k")["status"] == "SUCCESS", (
            "a new worker took its place"
        )
        assert client.query(task_id)["status"] == "CANCELLED"


def test_a_worker_that_dies_costs_no_other_task(tmp_path: Path) -> None:
    """Killing the engine's worker in mid-painting: the task runs again and succeeds, the server stays up."""
    with Server(tmp_path, FAST) as server, server.client() as client:
        task_id = client.submit(prompt="Cyberpunk Tokyo street", resolution="2k")
        client.wait(task_id, until=("SUBMITTED",))
        for worker in _wait_for_busy_worker(server):
            worker.kill()
        task = client.wait(task_id, 60.0)
        assert task["status"] == "SUCCESS", task
        assert server.running()


def test_sigkill_of_the_server_leaves_no_worker_behind(tmp_path: Path) -> None:
    """When the server alone is killed, its workers notice and end, and the task is painted after the restart."""
    server = Server(tmp_path, FAST).start()
    with server.client() as client:
        task_id = client.submit(prompt="Cyberpunk Tokyo street", resolution="2k")
        client.wait(task_id, until=("SUBMITTED",))
    server.kill(workers=False)  # raises when a process stays
    server.start()
    with server.client() as client:
        assert client.wait(task_id, 60.0)["status"] == "SUCCESS"
    server.stop()


def _wait_for_busy_worker(server: Server, timeout: float = 20.0) -> list[psutil.Process]:
    """The worker processes that paint right now: not those that are still starting, which takes CPU, too."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        workers = server.processes()[1:]
        before = [worker.cpu_times() for worker in workers]
        time.sleep(0.3)
        busy = [
            worker
            for worker, then in zip(workers, before, strict=True)
            if then.user > STARTED and worker.is_running() and worker.cpu_times().user - then.user > 0.05
        ]
        if busy:
            return busy
    raise AssertionError("no worker ever became busy")
