"""Thousands of tasks in flight in one worker, each waiting for a provider that takes its time.

The provider is `aquatint simulate` in a process of its own, which shares the cores and answers every question about a
job; its pictures are small, because this is about waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil

from bench import database, measures
from bench.lanes import HOST, now
from bench.load import Submitter, opened, settled
from bench.messages import CALLBACK, PROMPT, SECRET, TASK_API, submit_messages
from bench.plan import Values
from bench.procs import MIB, Proc, Tree, cpu_seconds
from bench.provider import CATALOG, MODEL, Provider, simulated
from bench.stage import Stage
from bench.subjects import POSTGRES, Aquatint, Site

SEED = 7
API = replace(  # one seed, so that the simulator paints one picture
    TASK_API,
    body={
        "model": MODEL,
        "input": {"prompt": PROMPT, "ratio": "16:9", "resolution": "2k", "seed": SEED},
        "callBackUrl": CALLBACK,
    },
)
LANE = "fal"
POLLS = 10_000  # questions a second that the provider allows: it is not to be what is measured
PATIENCE = 60.0  # seconds without a callback after which the rest is given up


@dataclass(frozen=True)
class Waiting(Aquatint):
    """Aquatint whose tasks go to the simulated provider."""

    provider: int = 0  # the simulator's port
    in_flight: int = 0

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        (folder / "models.toml").write_text(CATALOG)
        return await super().start(folder, ports)

    def _env(self) -> dict[str, str]:
        origin = f"http://{HOST}:{self.provider}/fal"
        return {
            **super()._env(),
            "AQUATINT_ENGINES__ROUTE_ALL_TO": "",
            "AQUATINT_FAL__API_KEY": SECRET,
            "AQUATINT_FAL__BASE_URL": origin,
            "AQUATINT_FAL__JWKS_URL": f"{origin}/.well-known/jwks.json",
            "AQUATINT_FAL__POLLS_PER_SECOND": str(POLLS),
            "AQUATINT_FAL__IN_FLIGHT": str(self.in_flight),
        }

    async def _database(self, folder: Path) -> dict[str, str]:
        return {**await super()._database(folder), "AQUATINT_CATALOG__FILE": str(folder / "models.toml")}


async def run(stage: Stage, index: int) -> None:
    """The smallest number with as many places at the provider; larger ones as long as they do not take too long."""
    plan = stage.plan
    async with simulated(stage.folder(), plan.wait_seconds) as simulator:
        subjects = [Waiting(provider=simulator.port, in_flight=min(plan.waits))]
        if stage.cluster is not None:
            apart = {"name": f"{POSTGRES} 1+1", "cluster": stage.cluster, "workers": 1}
            subjects.append(replace(subjects[0], **apart))
        for subject in subjects:
            await _more_and_more(stage, index, subject, simulator)


async def _more_and_more(stage: Stage, index: int, subject: Waiting, simulator: Provider) -> None:
    rate = 0.0
    for count in sorted(stage.plan.waits):

        async def waiting(_: int, site: Site, count: int = count) -> None:
            nonlocal rate
            values = await _measure(stage, site, count, simulator)
            rate = values["per_s"]
            stage.say(index, site.subject.name, f"waits {count}", values)

        if rate and count / rate > stage.plan.wait_limit:
            stage.say(index, subject.name, f"waits {count}", {"would_take_s": count / rate})
            return
        await stage.on(index, subject, waiting, whole=False)
        if not rate:
            return


async def _measure(stage: Stage, site: Site, count: int, simulator: Provider) -> Values:
    """From the moment that the lane is opened until the last callback; the tasks are in the queue before."""
    generator, receiver, port = stage.generator, stage.generator.receiver, simulator.port
    await asyncio.to_thread(_tell, port, "/admin/reset")
    receiver.forget()
    good: set[int] = set()

    def read(n: int, body: bytes) -> None:
        if b'"SUCCESS"' in body:
            good.add(n)

    receiver.reader = read
    await measures.operate(site, f"/api/v1/admin/lanes/{LANE}/pause")
    messages = submit_messages(site.port, receiver.port, generator.run_id, API)
    submitter = Submitter(site.ports, messages, generator.block(), 64)
    async with opened(submitter.lanes):
        await submitter.burst(count)
    worker = site.procs[-1]  # the only one, or the one that works
    before, provider_before, begin = cpu_seconds(worker), cpu_seconds(simulator.proc), now()
    claims = asyncio.create_task(_most_claimed(site))
    await measures.operate(site, f"/api/v1/admin/lanes/{LANE}/resume")
    missing = await settled(lambda: len(submitter.sent.keys() - receiver.arrived.keys()), PATIENCE)
    receiver.reader = None
    claims.cancel()
    wall = max(receiver.arrived.values(), default=begin) - begin
    calls = [call for call in (await asyncio.to_thread(_tell, port, "/admin/calls"))["calls"] if _ours(call)]
    return {
        "wall_s": wall,
        "per_s": len(receiver.arrived) / max(wall, 1e-9),
        "claimed": await claims,
        "peak": _peak(calls),
        "worker_cpu_s": cpu_seconds(worker) - before,
        "provider_cpu_s": cpu_seconds(simulator.proc) - provider_before,
        "worker_rss": _rss(worker),
        "missing": missing,
        "failed": count - missing - len(good & submitter.sent.keys()),
        "doubled": len(calls) - count,
    }


async def _most_claimed(site: Site) -> int:
    """The most tasks that the worker had at once, until it is cancelled."""
    most = 0
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            most = max(most, await database.number(site, "SELECT count(*) FROM task WHERE phase = 1"))
            await asyncio.sleep(0.25)
    return most


def _ours(call: Mapping[str, Any]) -> bool:
    """Whether it is for one of the tasks that are counted; the one that woke the server has no seed."""
    return call["body"].get("seed") == SEED


def _tell(port: int, path: str) -> dict[str, list[dict[str, Any]]]:
    data = b"" if path.endswith("reset") else None
    with urlopen(f"http://{HOST}:{port}{path}", data=data, timeout=120) as answer:
        found: dict[str, list[dict[str, Any]]] = json.load(answer)
        return found


def _peak(calls: Sequence[Mapping[str, Any]]) -> int:
    """The most jobs that the provider had at once."""
    turns = [(call["at"], 1) for call in calls] + [(call["done_at"], -1) for call in calls if call["done_at"]]
    most = running = 0
    for _, step in sorted(turns):
        running += step
        most = max(most, running)
    return most


def _rss(tree: Tree) -> float:
    """Of the worker itself, without the processes that decode pictures for it."""
    members: list[psutil.Process] = tree.tree()
    return members[0].memory_info().rss / MIB if members else 0.0
