"""A disk that takes no more: refused in plain words, nothing half-stored, and all well again afterwards."""

from __future__ import annotations

import psutil

from support.client import Client, data_of, refusal
from support.server import ServerFactory

BODY = {"model": "seedream-4", "input": {"prompt": "x" * 6000}}


def fill(client: Client) -> tuple[list[str], str]:
    """Submit until the server refuses: the tasks that it promised, and its refusal."""
    promised: list[str] = []
    for _ in range(400):
        response = client.try_submit(BODY)
        if response.status_code != 200:
            assert int(response.headers["retry-after"]) >= 1
            return promised, refusal(response, 503)
        promised.append(data_of(response)["taskId"])
    raise AssertionError("the disk did not fill up")


def test_submits_on_a_full_disk(server_with: ServerFactory) -> None:
    """Files that may not grow are a full disk: 503 with Retry-After; what was promised before is kept."""
    server = server_with(
        AQUATINT_ENGINES__NULL_DELAY="1h", AQUATINT_WORKER__DRAIN="0s", AQUATINT_WORKER__CONCURRENCY="1"
    )
    process = psutil.Process(server.pid)
    unlimited = process.rlimit(psutil.RLIMIT_FSIZE)
    with server.client() as client:
        promised = [client.submit() for _ in range(3)]
        process.rlimit(psutil.RLIMIT_FSIZE, (600_000, unlimited[1]))
        more, message = fill(client)
        promised += more
        assert "store" in message
        assert client.get("/healthz").status_code == 200
        assert all(client.query(task_id)["taskId"] == task_id for task_id in promised)
        process.rlimit(psutil.RLIMIT_FSIZE, unlimited)
        promised.append(client.submit())
        server.kill()
        server.start()
        assert len(client.tasks(limit=100)["tasks"]) == min(100, len(promised))
        assert all(client.query(task_id)["taskId"] == task_id for task_id in promised)
