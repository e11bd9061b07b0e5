"""What /metrics says of real processes, and to whom."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from aquatint import bootstrap, settings
from aquatint.services.keys import KeyService
from aquatint.services.tools import Clock
from support.client import Client, data_of
from support.cluster import Cluster
from support.keys import make_key
from support.postgres import Postgres
from support.receiver import ThreadedReceiver
from support.server import FAST, KEY, NULL_ENGINE, Server, ServerFactory
from support.simulators import ThreadedSimulators

Labels = frozenset[tuple[str, str]]


class Shown:
    """What one process shows now: `shown("name", label="value")`."""

    def __init__(self, base_url: str, headers: dict[str, str] | None = None) -> None:
        answer = httpx.get(f"{base_url}/metrics", headers=headers, trust_env=False)
        assert answer.status_code == 200, answer.text
        self.text = answer.text
        self.values: dict[tuple[str, Labels], float] = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float | None:
        return self.values.get((name, frozenset((label.rstrip("_"), value) for label, value in labels.items())))


@pytest.fixture
def postgres_apart() -> Iterator[Postgres]:
    """One that may be killed without harm to other tests."""
    with tempfile.TemporaryDirectory(prefix="aqpg") as folder:
        server = Postgres(Path(folder))
        try:
            yield server
        finally:
            server.stop()


def admin_key(server: Server) -> str:
    async def make() -> str:
        store = bootstrap.open_store(settings.load({}, {"server": {"data_dir": str(server.data_dir)}}))
        await store.open()
        try:
            return (await KeyService(store, Clock(), "").create("prometheus", admin=True))[1]
        finally:
            await store.close()

    return asyncio.run(make())


def test_a_task_is_counted_from_submit_to_callback(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """Each number that a task moves is moved once, also where the submit is repeated."""
    server = server_with()
    with server.client() as client:
        for _ in range(2):
            client.submit(callback=receiver.url, headers={"idempotency-key": "one"})
        receiver.wait_for(1)
        client.wait(client.submit())
        assert client.try_submit({"model": "nothing", "input": {"prompt": "x"}}).status_code == 400
        data_of(client.try_submit({"model": "seedream-4", "class": "batch", "input": {"prompt": "x"}}))
    shown = Shown(server.base_url)
    assert shown("aquatint_tasks_submitted_total", model="seedream-4.5", class_="standard") == 2
    assert shown("aquatint_tasks_submitted_total", model="seedream-4", class_="batch") == 1
    route = {"route": "/api/v1/task/submit", "method": "POST"}
    assert shown("aquatint_http_requests_total", **route, status="200") == 4
    assert shown("aquatint_http_requests_total", **route, status="400") == 1
    assert shown("aquatint_http_request_seconds_count", **route, status="200") == 4
    settled = shown("aquatint_tasks_settled_total", engine="null", status="SUCCESS", reason="none")
    assert settled is not None
    assert settled >= 2
    assert shown("aquatint_task_seconds_count", engine="null", status="SUCCESS") == settled
    for phase in ("queue", "wait", "run", "store"):
        assert shown("aquatint_attempt_seconds_count", engine="null", phase=phase) == settled
    assert shown("aquatint_attempt_seconds_count", engine="null", phase="references") is None
    assert shown("aquatint_deliveries_total", outcome="delivered") == 1
    assert shown("aquatint_delivery_first_seconds_count") == 1
    assert (shown("aquatint_delivery_first_seconds_sum") or 0) < 5
    assert shown("aquatint_database_up") == 1
    assert "aquatint_build_info{" in shown.text
    assert (shown("process_cpu_seconds_total") or 0) > 0


def test_series_are_few_whatever_is_asked(client: Client, null_server: Server) -> None:
    """No id, path, key or caller's text becomes a label."""
    task_id = client.run(prompt="a prompt that nobody counts", user_id="jane")["taskId"]
    client.get(f"/api/v1/task/{task_id}")
    client.get("/wp-admin/index.php")
    client.http.request("PROPFIND", "/api/v1/models")
    shown = Shown(null_server.base_url)
    for word in (task_id, "wp-admin", "PROPFIND", "nobody counts", "jane", KEY):
        assert word not in shown.text
    assert shown("aquatint_http_requests_total", route="unmatched", method="GET", status="404")
    assert shown("aquatint_http_requests_total", route="/api/v1/models", method="other", status="405")


def test_lanes_say_what_waits(server_with: ServerFactory) -> None:
    """Waiting, running, age, pause and workers: what an operator, or an autoscaler, acts on."""
    server = server_with(
        AQUATINT_ENGINES__NULL_DELAY="1h",
        AQUATINT_WORKER__CONCURRENCY="1",
        AQUATINT_WORKER__DRAIN="0s",
        AQUATINT_TASKS__IMAGE_DEADLINE="2h",
    )
    with server.client() as client:
        first = [client.submit() for _ in range(5)]
        client.wait(first[0], until=("SUBMITTED",))
        assert client.post("/api/v1/admin/lanes/null/pause").status_code == 200
    shown = Shown(server.base_url)
    running, waiting = shown("aquatint_lane_running", lane="null"), shown("aquatint_lane_waiting", lane="null")
    assert running is not None
    assert waiting is not None
    assert running + waiting == 5
    assert 1 <= running < 5
    assert shown("aquatint_lane_paused", lane="null") == 1
    assert shown("aquatint_lane_workers", lane="null") == 1
    assert 0 < (shown("aquatint_lane_oldest_seconds", lane="null") or 0) < 60
    assert shown("aquatint_calls_unknown", engine="null") == 0


def test_who_may_read(server_with: ServerFactory) -> None:
    """This machine without a key; a proxy, or another name, only with an admin's."""
    server = server_with()
    _, plain = make_key(server)
    admin = admin_key(server)

    def status(headers: dict[str, str]) -> int:
        return httpx.get(f"{server.base_url}/metrics", headers=headers, trust_env=False).status_code

    assert status({}) == 200
    for abroad in ({"x-forwarded-for": "203.0.113.9"}, {"host": "images.example.com"}):
        assert status(abroad) == 401
        assert status({**abroad, "authorization": "Bearer aq_nonsense"}) == 401
        assert status({**abroad, "authorization": f"Bearer {plain}"}) == 403
        assert status({**abroad, "authorization": f"Bearer {admin}"}) == 200
        assert status({**abroad, "authorization": f"Bearer {KEY}"}) == 200


def test_open_is_for_everybody_and_off_for_nobody(server_with: ServerFactory) -> None:
    """The operator decides."""
    abroad = {"x-forwarded-for": "203.0.113.9", "host": "images.example.com"}
    opened, closed = (server_with(AQUATINT_SERVER__METRICS=word) for word in ("open", "off"))
    assert httpx.get(f"{opened.base_url}/metrics", headers=abroad).status_code == 200
    answer = httpx.get(f"{closed.base_url}/metrics", headers={"authorization": f"Bearer {KEY}"})
    assert (answer.status_code, answer.json()["code"]) == (404, 404)


def test_paid_calls_and_rests(server_with: ServerFactory) -> None:
    """How calls ended, those that nobody knows of, and the account that rests for it."""
    with ThreadedSimulators() as simulators:
        server = server_with(
            null=False,
            **simulators.environment("modelark"),
            AQUATINT_ROUTING__CIRCUIT_FAILURES="2",
            AQUATINT_ROUTING__CIRCUIT_WAIT="5m",
            AQUATINT_TASKS__MAX_ATTEMPTS="1",
        )
        with server.client() as client:
            for prompt in ("fine", "dropped [[drop]]", "moderated [[moderate]]"):
                client.run("seedream-4.5", prompt=prompt, timeout=90)
            for number in range(2):
                client.run("seedream-4.5", prompt=f"bad {number} [[http:500]]", timeout=90)
        shown = Shown(server.base_url)
    ends = {dict(labels)["outcome"]: value for (name, labels), value in shown.values.items() if "calls_total" in name}
    assert (ends["made"], ends["unknown"], ends["refused"], ends["failed"]) == (1, 1, 1, 2)
    assert shown("aquatint_calls_unknown", engine="modelark") == 1
    resting = {labels: value for (name, labels), value in shown.values.items() if "provider_resting" in name}
    assert list(resting.values()) == [1]
    assert simulators.desk.key not in shown.text
    failures = sum(
        value
        for (name, labels), value in shown.values.items()
        if name == "aquatint_tasks_settled_total" and ("status", "FAILURE") in labels
    )
    assert failures == 4


def test_workers_answer_too_and_a_lost_database_is_said(
    tmp_path: Path, postgres_apart: Postgres, receiver: ThreadedReceiver
) -> None:
    """Server and worker each count their part and show the same lanes; without a database they show the rest."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_API_KEY": KEY}
    with Cluster(tmp_path, postgres_apart, env) as cluster:
        server, worker = cluster.server().start(), cluster.worker().start()
        with server.client() as client:
            client.wait(client.submit(callback=receiver.url), timeout=60)
            receiver.wait_for(1)
        front, back = Shown(server.base_url), Shown(f"http://127.0.0.1:{worker.port}")
        assert front("aquatint_tasks_submitted_total", model="seedream-4.5", class_="standard") == 1
        assert back("aquatint_tasks_submitted_total", model="seedream-4.5", class_="standard") is None
        settled = {"engine": "null", "status": "SUCCESS", "reason": "none"}
        assert front("aquatint_tasks_settled_total", **settled) is None
        assert back("aquatint_tasks_settled_total", **settled) == 1
        assert back("aquatint_delivery_first_seconds_count") == 1
        for shown in (front, back):
            assert shown("aquatint_lane_waiting", lane="null") == 0
            assert shown("aquatint_lane_workers", lane="null") == 1
        postgres_apart.crash()
        try:
            end = time.monotonic() + 30
            while (lost := Shown(server.base_url))("aquatint_database_up") != 0:
                assert time.monotonic() < end
                time.sleep(0.5)
            assert lost("aquatint_lane_waiting", lane="null") is None
            assert lost("aquatint_tasks_submitted_total", model="seedream-4.5", class_="standard") == 1
        finally:
            postgres_apart.start()


def test_every_answer_has_a_request_id(client: Client, null_server: Server) -> None:
    """Of pages, refusals and results alike; the caller's own where it sent one."""
    task = client.run()
    paths = ["/healthz", "/readyz", "/docs", "/openapi.json", "/", "/metrics", "/nope", "/api/v1/tasks?limit=0"]
    paths += [f"/api/v1/task/{task['taskId']}", task["result"]["urls"][0].removeprefix(null_server.base_url)]
    ids = [client.get(path).headers["x-request-id"] for path in paths]
    assert len(set(ids)) == len(paths)
    own = client.get("/nope", headers={"x-request-id": "mine-1"})
    assert own.headers["x-request-id"] == "mine-1"


def test_a_refused_write_is_logged_with_its_request(server_with: ServerFactory) -> None:
    """A caller who has a 503 can be answered from the log."""
    server = server_with(AQUATINT_WORKER__DRAIN="0s", AQUATINT_ENGINES__NULL_DELAY="1h")
    process = psutil.Process(server.pid)
    unlimited = process.rlimit(psutil.RLIMIT_FSIZE)
    with server.client() as client:
        process.rlimit(psutil.RLIMIT_FSIZE, (600_000, unlimited[1]))
        body = {"model": "seedream-4", "input": {"prompt": "x" * 6000}}
        for number in range(400):
            answer = client.try_submit(body, {"x-request-id": f"try-{number}"})
            if answer.status_code == 503:
                break
        process.rlimit(psutil.RLIMIT_FSIZE, unlimited)
    assert answer.status_code == 503
    told = [json.loads(line) for line in server.log().splitlines() if '"store.refused"' in line]
    assert answer.headers["x-request-id"] in {line.get("request_id") for line in told}
