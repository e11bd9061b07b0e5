"""Servers and workers on one PostgreSQL, and all that can be taken from them: nothing lost, nothing doubled."""

from __future__ import annotations

import os
import random
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from support.client import Client, data_of
from support.cluster import Cluster, Wire, Worker, paused
from support.postgres import Postgres
from support.receiver import ThreadedReceiver
from support.s3 import running_s3
from support.server import FAST, KEY, NULL_ENGINE, Server, run_cli
from support.simulators import ThreadedSimulators

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]

SETTINGS = {
    **FAST,
    **NULL_ENGINE,
    "AQUATINT_ENGINES__NULL_DELAY": "20ms",
    "AQUATINT_WORKER__CONCURRENCY": "16",
    "AQUATINT_WORKER__LEASE": "4s",
    "AQUATINT_WEBHOOKS__SCHEDULE": "300ms,1s,1s,1s,2s,2s,4s,4s,4s,4s",
}


STEPPED = Path(__file__).parents[1] / "support" / "stepped"


class Submitters:
    """Threads that submit until each task is acknowledged by some server, repeating under one idempotency key."""

    def __init__(
        self, servers: Sequence[Server], tasks: int, body: Callable[[int], object], pause: float, secret: str = KEY
    ) -> None:
        self.ids: dict[int, set[str]] = {}
        self._servers = servers
        self._tasks = tasks
        self._body = body
        self._pause = pause
        self._secret = secret
        self._numbers: Iterator[int] = iter(range(tasks))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(i,), daemon=True) for i in range(6)]
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> None:
        end = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))
            assert not thread.is_alive(), f"only {len(self.ids)} of {self._tasks} tasks were acknowledged"

    def _run(self, first: int) -> None:
        clients: dict[int, Client] = {}
        turn = first
        while True:
            with self._lock:
                number = next(self._numbers, None)
            if number is None:
                return
            while number not in self.ids:
                turn += 1
                server = turn % len(self._servers)
                try:
                    if server not in clients:
                        clients[server] = self._servers[server].client(self._secret)
                    answer = clients[server].try_submit(self._body(number), {"idempotency-key": f"k-{number}"})
                    if answer.status_code == 503:
                        time.sleep(0.1)
                        continue
                    task_id = str(data_of(answer)["taskId"])
                    self.ids.setdefault(number, set()).add(task_id)
                except httpx.HTTPError:
                    clients.pop(server).http.close()
                    time.sleep(0.05)
            time.sleep(self._pause)


def called_back(receiver: ThreadedReceiver, switch: str = "") -> Callable[[int], object]:
    """Bodies of submits, each with a callback that can be told from the others."""

    def body(number: int) -> object:
        input_ = {"prompt": f"task {number}{switch}", "resolution": "1k"}
        return {"model": "seedream-4", "input": input_, "callBackUrl": f"{receiver.url}?{number}"}

    return body


def seeded() -> random.Random:
    seed = int(os.environ.get("AQUATINT_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed}; replay with AQUATINT_TEST_SEED={seed}")
    return random.Random(seed)


def check(cluster: Cluster, submitters: Submitters, receiver: ThreadedReceiver, tasks: int) -> None:
    """Every task once, ended once, called back; the same outcome in the row, in the callback and for every key."""
    assert all(len(ids) == 1 for ids in submitters.ids.values()), "an idempotency key made two tasks"
    assert cluster.count("SELECT count(*) FROM task") == tasks
    ended = "SELECT count(*) FROM event WHERE name IN ('task.success', 'task.failure', 'task.timeout')"
    assert cluster.count(ended) == tasks, "a task ended twice, or never"
    assert cluster.count("SELECT count(*) FROM task WHERE status = 'SUCCESS'") == tasks
    assert cluster.count("SELECT count(*) FROM delivery WHERE state = 'delivered'") == tasks
    heard = Counter(letter.path for letter in receiver.letters)
    assert len(heard) == tasks, f"{tasks - len(heard)} callbacks never came"
    bodies: dict[str, set[bytes]] = {}
    for letter in receiver.letters:
        bodies.setdefault(letter.path, set()).add(letter.body)
    assert all(len(same) == 1 for same in bodies.values()), "a repeated callback changed its body"
    twice = sum(1 for count in heard.values() if count > 1)
    lost = cluster.count("SELECT count(*) FROM attempt WHERE outcome = 'lost'")
    print(f"{tasks} tasks, {lost} attempts lost and run again, {twice} callbacks came more than once")


def test_processes_die_and_the_database_crashes(tmp_path: Path, postgres: Postgres) -> None:
    """6,100 tasks while servers, workers and PostgreSQL are killed at random: 0 lost, 0 twice, holds exact."""
    chance, tasks = seeded(), 6100
    settings = {**SETTINGS, "AQUATINT_ENGINES__NULL_DELAY": "60ms"}  # long enough that kills hit many runs
    with Cluster(tmp_path, postgres, settings) as cluster, ThreadedReceiver() as receiver:
        key, secret = _pointed_key(cluster, tasks)
        servers = [cluster.server().start() for _ in range(2)]
        for _ in range(2):
            cluster.worker().start()
        submitters = Submitters(servers, tasks, called_back(receiver), pause=0.012, secret=secret)
        for strike in range(14):
            time.sleep(chance.uniform(0.3, 1.6))
            if strike in (4, 10):
                postgres.crash()
                time.sleep(chance.uniform(0.1, 1.0))
                postgres.start()
                continue
            victims = [*servers, *cluster.workers]
            victim = chance.choice(victims)
            if isinstance(victim, Worker):  # killing one that is still starting costs nobody anything
                _until(lambda port=victim.port: _answers(port), 30.0)  # type: ignore[misc]
            victim.kill()
            time.sleep(chance.uniform(0.0, 1.0))
            victim.start(wait=False) if isinstance(victim, Server) else victim.start()
        for server in servers:
            server.wait_until_healthy()
        submitters.join(90.0)
        cluster.wait_until_ended(90.0)
        check(cluster, submitters, receiver, tasks)
        assert cluster.count("SELECT count(*) FROM attempt WHERE outcome = 'lost'") > 0, "no kill ever hit a run"
        # Every hold was captured once, and nothing else was taken.
        ledger = dict(cluster.sql("SELECT kind, sum(points)::bigint FROM ledger GROUP BY kind"))
        assert ledger == {"hold": tasks, "capture": tasks}
        assert cluster.count(f"SELECT points FROM key WHERE id = '{key}'") == 0


def test_a_cut_network_a_lost_bucket_and_a_stepped_clock(tmp_path: Path, postgres: Postgres) -> None:
    """2,400 tasks while a worker is cut off for a minute, the bucket is gone for 30 s, and a wall clock jumps.

    The worker that cannot reach the database loses its tasks to its peer, settles none of them when it is back, and
    works again. Results that cannot be stored are made again once the bucket is back.
    """
    tasks = 2400
    clock = tmp_path / "clock"
    clock.write_text("0")
    settings = {**SETTINGS, "AQUATINT_ENGINES__NULL_DELAY": "500ms"}  # one worker alone could not keep up
    with (
        running_s3(tmp_path) as s3,
        Wire("127.0.0.1", s3.port) as to_s3,
        Wire("127.0.0.1", postgres.port) as to_database,
        ThreadedReceiver() as receiver,
        Cluster(tmp_path, postgres, settings) as cluster,
    ):
        cluster.env.update(s3.environment())
        cluster.env["AQUATINT_ASSETS__S3_ENDPOINT"] = f"http://127.0.0.1:{to_s3.port}"
        stepped = {"STEPPED_CLOCK": str(clock), "PYTHONPATH": str(STEPPED)}
        cluster.env.update(stepped)
        server = cluster.server().start()
        cut_off = {"AQUATINT_DATABASE__URL": cluster.url.replace(f":{postgres.port}/", f":{to_database.port}/")}
        far = cluster.worker(env=cut_off).start()
        near = cluster.worker().start()
        for worker in (far, near):
            _until(lambda port=worker.port: _answers(port), 30.0)  # type: ignore[misc]
        submitters = Submitters([server], tasks, called_back(receiver), pause=0.13)
        time.sleep(3.0)
        to_database.cut()
        cut_at = time.monotonic()
        _until(lambda: cluster.count("SELECT count(*) FROM attempt WHERE outcome = 'lost'") > 0, 30.0)
        print(f"the peer noticed after {time.monotonic() - cut_at:.1f} s")
        to_s3.cut()
        time.sleep(10.0)
        clock.write_text("3600")
        time.sleep(10.0)
        clock.write_text("-86400")
        time.sleep(10.0)
        to_s3.mend()
        time.sleep(max(0.0, cut_at + 60.0 - time.monotonic()))
        to_database.mend()
        with paused(near.pid):  # now the other one is away, and the first must have come back
            done = cluster.count("SELECT count(*) FROM task WHERE phase = 2")
            _until(lambda: cluster.count("SELECT count(*) FROM task WHERE phase = 2") > done + 20, 60.0)
        submitters.join(60.0)
        cluster.wait_until_ended(90.0)
        check(cluster, submitters, receiver, tasks)
        assert len(s3.keys()) == 1, "one pixel, made by all of them"
        far.stop()


def test_storage_that_is_full_or_gone_for_a_while(tmp_path: Path, postgres: Postgres) -> None:
    """Results that cannot be written are made again later; a paid one is bought once, and kept when there is room."""
    with (
        Cluster(tmp_path, postgres, {}) as cluster,
        ThreadedReceiver() as receiver,
        ThreadedSimulators() as simulators,
    ):
        paid = {
            **FAST,
            **simulators.environment("modelark", "fal"),
            "AQUATINT_MODELARK__IMAGES_PER_MINUTE": "0",
            "AQUATINT_WORKER__LEASE": "4s",
            "AQUATINT_ROUTING__CIRCUIT_FAILURES": "1000",
        }
        cluster.env.update(paid)
        server = cluster.server().start()
        worker = cluster.worker().start()
        _until(lambda: _answers(worker.port), 30.0)
        worker.rlimit(resource.RLIMIT_FSIZE, 0)  # not a byte more can be written: a full disk
        submitters = Submitters([server], 30, called_back(receiver, " [[sleep:0.2]]"), pause=0.02)
        submitters.join(20.0)
        time.sleep(6.0)
        assert cluster.count("SELECT count(*) FROM task WHERE status = 'SUCCESS'") == 0
        worker.rlimit(resource.RLIMIT_FSIZE, None)
        cluster.wait_until_ended(90.0)
        check(cluster, submitters, receiver, 30)
        assert max(simulators.desk.charges().values()) == 1
        assert sum(simulators.desk.charges().values()) == 30


def test_money_on_many_workers(tmp_path: Path, postgres: Postgres) -> None:
    """1,500 paid tasks while workers are killed: each is charged once at most, jobs are followed by who is left."""
    chance, tasks = seeded(), 1500
    with Cluster(tmp_path, postgres, {}) as cluster, ThreadedSimulators() as simulators:
        cluster.env.update(
            {
                **FAST,
                **simulators.environment("modelark", "fal"),
                "AQUATINT_MODELARK__IMAGES_PER_MINUTE": "0",
                "AQUATINT_WORKER__LEASE": "4s",
                "AQUATINT_ROUTING__CIRCUIT_FAILURES": "100000",
                "AQUATINT_CATALOG__FILE": str(_catalog(tmp_path)),
            }
        )
        server = cluster.server().start()
        workers = [cluster.worker().start() for _ in range(2)]

        def body(number: int) -> object:
            model, switch = ("job", "[[sleep:1]]") if number % 3 == 0 else ("sync", "[[sleep:0.2]] [[drop]]")
            return {"model": model, "input": {"prompt": f"task {number} {switch}"}}

        submitters = Submitters([server], tasks, body, pause=0.03)
        for _ in range(8):
            time.sleep(chance.uniform(0.5, 1.8))
            victim = chance.choice(workers)
            _until(lambda port=victim.port: _answers(port), 30.0)  # type: ignore[misc]  # a busy machine starts it slowly
            time.sleep(0.3)
            victim.kill()
            victim.start()
        submitters.join(60.0)
        _until(lambda: cluster.count("SELECT count(*) FROM task WHERE phase < 2") == 0, 120.0)
        charges = simulators.desk.charges()
        assert max(charges.values()) == 1, "somebody paid twice"
        journal = cluster.count("SELECT count(*) FROM call WHERE charged")
        cut = cluster.count("SELECT count(*) FROM call WHERE detail = 'its worker died'")
        print(f"{len(charges)} charges, {journal} in the journal, {cut} cut by a kill")
        assert len(charges) <= journal <= len(charges) + cut
        jobs = cluster.count("SELECT count(*) FROM task WHERE model = 'job' AND status = 'SUCCESS'")
        assert jobs > tasks // 3 * 0.5
        resumed = cluster.count(
            "SELECT count(*) FROM task JOIN attempt ON task_no = no WHERE attempt.outcome = 'lost' AND model = 'job'"
            " AND status = 'SUCCESS'"
        )
        assert resumed > 0, "no kill ever hit a job that was followed on"


def _catalog(folder: Path) -> Path:
    file = folder / "models.toml"
    file.write_text(
        '[models."sync"]\ntitle = "s"\nfamily = "t"\nsizes = "seedream"\ndefault_resolution = "1k"\n'
        'routes = [{ engine = "modelark", remote_model = "seedream-4-0-250828" }]\n'
        '[models."job"]\ntitle = "j"\nfamily = "t"\nsizes = "seedream"\ndefault_resolution = "1k"\n'
        'routes = [{ engine = "fal", remote_model = "fal-ai/bytedance/seedream/v4/text-to-image" }]\n'
    )
    return file


def _pointed_key(cluster: Cluster, points: int) -> tuple[str, str]:
    """A key whose points are counted, made by the command line as an operator would."""
    made = run_cli("keys", "create", "counted", "--points", str(points), env={"AQUATINT_DATABASE__URL": cluster.url})
    assert made.returncode == 0, made.stderr
    key, secret = made.stdout.split()
    return key, secret


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2.0).status_code == 200
    except httpx.HTTPError:
        return False


def _until(holds: Callable[[], bool], timeout: float) -> None:
    end = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)
