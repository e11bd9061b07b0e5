"""Reference images on slow servers delay their own tasks and nobody else's."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from aquatint.testing.receiver import Answer
from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server

pytestmark = pytest.mark.acceptance


def test_slow_reference_hosts_keep_no_engine_waiting(tmp_path: Path) -> None:
    """Ten tasks wait for a server that takes six seconds; a task of words alone is done in the meantime."""
    settings = {**NULL_ENGINE, **FAST, "AQUATINT_WORKER__CONCURRENCY": "1"}
    with ThreadedReceiver() as slow, Server(tmp_path, settings) as server, server.client() as client:
        slow.answer_with(lambda request: Answer(status=404, delay=6.0))
        waiting = [client.submit(imageUrls=[f"{slow.origin}/{number}.jpg"]) for number in range(10)]
        slow.wait_for(len(waiting))
        started = time.monotonic()
        assert client.run(timeout=5.0)["status"] == "SUCCESS"
        assert time.monotonic() - started < 5.0
        assert {client.query(task_id)["status"] for task_id in waiting} == {"PROCESSING"}
        assert client.wait(waiting[-1], 20.0)["failure_reason"] == "INVALID_PARAMETERS"
