"""The load generator and the handling of processes, on real sockets and real processes."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
from bench import measures, tables
from bench.lanes import Receiver, now
from bench.load import Submitter, hammer, opened, settled
from bench.measures import Generator
from bench.messages import COMFY_API, SECRET, submit_messages, task_id_of
from bench.plan import QUICK, Sample
from bench.procs import Proc
from bench.receivers import dead_receivers
from bench.sections import growth
from bench.stage import Stage
from bench.subjects import ENGINE_MS, SLOTS, Aquatint, Floor, running

ROOT = Path(__file__).resolve().parents[3]


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = await Receiver().open()
    try:
        yield receiver
    finally:
        await receiver.close()


def test_messages_are_well_formed_and_never_the_same() -> None:
    """Length, callback and idempotency key fit the number, from the first to the last one."""
    messages = submit_messages(8000, 9100, "run")
    keys = set()
    for n in (0, 7, 9_999_999_999):
        head, _, body = messages.raw(n).partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = dict(line.split(": ", 1) for line in lines[1:])
        assert int(fields["content-length"]) == len(body)
        assert fields["authorization"] == f"Bearer {SECRET}"
        assert json.loads(body)["callBackUrl"] == f"http://127.0.0.1:9100/h/{n:010d}"
        keys.add(fields["idempotency-key"])
    assert len(keys) == 3


def test_messages_of_another_api_carry_their_number() -> None:
    """A server that is asked in its own words gets the number where its body has it, and its id is found."""
    messages = submit_messages(8000, 9100, "run", COMFY_API)
    head, _, body = messages.raw(7).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v2/jobs ")
    assert json.loads(body)["metadata"] == "0000000007"
    assert messages.accepted(201, b'{"id": "x"}')
    assert not messages.accepted(200, b'{"id": "x"}')
    assert task_id_of(b'{"id": "x"}', COMFY_API) == "x"


async def test_receiver_counts_repeated_and_unsigned_callbacks() -> None:
    """The same callback twice is one arrival; a missing signature is noticed on a connection that had one before."""
    async with receiving() as receiver, httpx.AsyncClient(trust_env=False) as client:
        url = f"http://127.0.0.1:{receiver.port}/h/"
        for n, headers in ((1, {"Webhook-Signature": "v1,x"}), (1, {"webhook-signature": "v1,x"}), (2, {})):
            assert (await client.post(f"{url}{n:010d}", headers=headers, content=b"{}")).status_code == 200
        assert (sorted(receiver.arrived), receiver.twice, receiver.unsigned) == ([1, 2], 1, 1)


async def test_every_counted_submit_is_a_row_of_the_floor(tmp_path: Path) -> None:
    """The generator counts no submit that the server did not store."""
    async with running(Floor("floor", "starlette", durable=True), tmp_path / "floor") as site:
        messages = submit_messages(site.port, 1, "run")
        tally = await hammer(site.ports, 8, 0.5, messages.raw, messages.accepted, first=0)
    with contextlib.closing(sqlite3.connect(tmp_path / "floor" / "floor.db")) as database:
        stored, distinct = database.execute("SELECT count(*), count(DISTINCT callback) FROM task").fetchone()
    assert tally.refused == 0
    assert 0 < len(tally.answers) <= stored
    assert distinct == stored


async def test_refused_submits_are_not_counted_as_accepted(tmp_path: Path) -> None:
    """A server that answers 401 has a rate of zero."""
    async with running(Floor("floor", "asgi", durable=False), tmp_path / "floor") as site:
        messages = submit_messages(site.port, 1, "run")
        tally = await hammer(
            site.ports, 4, 0.3, lambda n: messages.raw(n).replace(b"Bearer sk", b"Bearer no"), messages.accepted, 0
        )
    assert tally.answers == []
    assert tally.refused > 0


async def test_flight_and_kill_on_a_real_server(tmp_path: Path) -> None:
    """Tasks end signed and below the ceiling of the slow engine; after SIGKILL some were open and none is lost."""
    subject = Aquatint(delay_ms=ENGINE_MS, slots=SLOTS)
    async with receiving() as receiver, running(subject, tmp_path / "ours") as site:
        generator = Generator(receiver, "test")
        await measures.probe(generator, site, whole=True)
        values, bodies = await measures.flight(generator, site, 1.0)
        assert 0 < values["per_s"] <= SLOTS * 1000 / ENGINE_MS * 1.1
        assert (values["missing"], values["refused"], values["unsigned"]) == (0, 0, 0)
        assert values["hook_p50_ms"] >= ENGINE_MS
        assert (await measures.queries(generator, site, bodies, 4, 0.3))["per_s"] > 0
        killed = await measures.kill_all(generator, site, tasks=64, quiet=15.0)
    assert killed["accepted"] == 64
    assert killed["open"] > 0
    assert killed["lost"] == 0


async def test_open_loop_counts_from_when_a_submit_was_due(tmp_path: Path) -> None:
    """Submits that wait for a free connection have waited, too; and nothing is in time when nothing comes back."""
    async with receiving() as receiver, running(Floor("floor", "asgi", durable=False), tmp_path / "floor") as site:
        messages = submit_messages(site.port, receiver.port, "run")
        submitter = Submitter(site.ports, messages, 0, 1)
        async with opened(submitter.lanes):
            submitter.due(now() - 5.0)
            submitter.due(now() - 5.0)  # the only connection is busy
            assert submitter.waiting() == 2
            await settled(submitter.waiting)
    assert len(submitter.tally.answers) == 2
    assert min(submitter.tally.answers) >= 5.0


async def test_dead_receivers_are_dead_in_their_own_way() -> None:
    """One hangs, one refuses, one fails, one is slow, each under an address of its own."""
    async with dead_receivers(4) as dead, httpx.AsyncClient(trust_env=False, timeout=0.5) as client:
        assert len({one.host for one in dead}) == 4
        ends = {}
        for one in dead:
            try:
                answer = await client.post(f"http://{one.host}:{one.port}/h/1", content=b"{}")
                ends[one.kind] = str(answer.status_code)
            except httpx.HTTPError as error:
                ends[one.kind] = type(error).__name__
    assert ends == {"hangs": "ReadTimeout", "refuses": "ConnectError", "fails": "500", "slow": "ReadTimeout"}


async def test_copies_of_a_task_are_whole(tmp_path: Path) -> None:
    """Every copy has its rows in every table, can be queried, and what came later can be taken away again."""
    async with receiving() as receiver:
        stage = Stage(replace(QUICK, sizes=(250,)), Generator(receiver, "test"), tmp_path, lambda sample: None)
        [grown] = await growth.prepare(stage, lambda text: None)
        with contextlib.closing(sqlite3.connect(grown.folder / "data" / "aquatint.db")) as db:
            counts = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables.SEEDS}
            assert db.execute("SELECT count(*) FROM task WHERE phase = 2 AND status = 'SUCCESS'").fetchone()[0] == 251
            assert db.execute("PRAGMA foreign_key_check").fetchall() == []
            assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert {counts[name] for name in counts if name != "event"} == {251}
        assert counts["event"] % 251 == 0
        samples: list[Sample] = []
        stage.emit = samples.append
        await growth.run(stage, 0, [grown])
        [sample] = samples
        assert not sample.failed, sample.failed + sample.log
        assert min(sample.values[name] for name in ("query_per_s", "any_per_s", "submit_per_s", "claim_p50_ms")) > 0
        with contextlib.closing(sqlite3.connect(grown.folder / "data" / "aquatint.db")) as db:
            left = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables.SEEDS}
        assert left == counts


async def test_waiting_ends_when_nothing_comes_any_more() -> None:
    """What never arrives is counted, not waited for for ever."""
    begin = time.monotonic()
    assert await settled(lambda: 3, quiet=0.2) == 3
    assert 0.2 <= time.monotonic() - begin < 5


def test_kill_ends_children_too(tmp_path: Path) -> None:
    """A server's worker processes do not outlive it."""
    child = "import time; time.sleep(60)"
    program = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); {child}"
    proc = Proc([sys.executable, "-c", program], {}, tmp_path / "log", tmp_path)
    end = time.monotonic() + 20
    while len(proc.tree()) < 2 and time.monotonic() < end:
        time.sleep(0.02)
    members = proc.tree()
    assert len(members) == 2
    proc.kill()
    assert not [member for member in members if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]


def test_the_command_starts() -> None:
    """`python -m bench` imports and parses without the peers' environment."""
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--quick" in done.stdout
