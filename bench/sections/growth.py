"""What a server does when its tables hold many finished tasks. One database for each size, filled once."""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import database, measures, tables
from bench.load import Submitter, opened, settled
from bench.plan import Values
from bench.procs import MIB
from bench.stage import Stage
from bench.subjects import POSTGRES, SQLITE, Aquatint, Site, running

CLAIM_RATE = 50.0  # tasks a second while claims are timed
ASKED = 5_000  # tasks that are queried, taken at random from all
LANE = "null"
ASKED_FOR = ("per_s", "answer_p50_ms", "answer_p99_ms", "refused")


@dataclass(frozen=True, slots=True)
class Grown:
    """A database with so many finished tasks."""

    size: int
    subject: Aquatint
    folder: Path
    marks: tables.Marks
    bytes: float
    seconds: float  # that filling it took


async def prepare(stage: Stage, tell: Callable[[str], None]) -> list[Grown]:
    """All databases. They are those of a server that has finished one task, and copies of that one."""
    made = []
    for size in stage.plan.sizes:
        made.append(await _sqlite(stage, size))
        if stage.cluster is not None:
            made.append(await _postgres(stage, size))
        tell(f"{size:,} finished tasks: " + ", ".join(f"{g.subject.name} {g.seconds:.0f} s" for g in made[-2:]))
    return made


async def finish(stage: Stage, grown: list[Grown]) -> None:
    for one in grown:
        shutil.rmtree(one.folder, ignore_errors=True)
        if stage.cluster is not None and one.subject.database:
            await stage.cluster.drop(one.subject.database)


async def _sqlite(stage: Stage, size: int) -> Grown:
    folder = stage.folder()
    await _one_task(stage, Aquatint(), folder)
    begin = time.monotonic()
    file = folder / "data" / "aquatint.db"
    marks = await asyncio.to_thread(tables.fill_sqlite, file, size)
    return Grown(size, Aquatint(), folder, marks, file.stat().st_size / MIB, time.monotonic() - begin)


async def _postgres(stage: Stage, size: int) -> Grown:
    assert stage.cluster is not None
    folder, name = stage.folder(), await stage.cluster.database()
    subject = Aquatint(name=POSTGRES, cluster=stage.cluster, database=name)
    await _one_task(stage, subject, folder)
    begin = time.monotonic()
    marks = await tables.fill_postgres(stage.cluster, name, size)
    found = await stage.cluster.run("SELECT pg_database_size($1::name)", name)
    return Grown(size, subject, folder, marks, found[0][0] / MIB, time.monotonic() - begin)


async def _one_task(stage: Stage, subject: Aquatint, folder: Path) -> None:
    receiver = stage.generator.receiver
    receiver.forget()
    async with running(subject, folder) as site:
        submitter = Submitter(site.ports, stage.generator.messages(site), stage.generator.block(), 1)
        async with opened(submitter.lanes):
            await submitter.burst(1)
        if await settled(lambda: 1 - len(receiver.arrived)):
            raise TimeoutError("the task to be copied did not end")
        await asyncio.sleep(0.3)  # the log of its callback is written a moment later


async def run(stage: Stage, index: int, grown: list[Grown]) -> None:
    """Every size once, the sizes of one database right after each other."""
    for name in (SQLITE, POSTGRES):
        for one in grown:
            if one.subject.name == name:
                await _measured(stage, index, one)


async def _measured(stage: Stage, index: int, one: Grown) -> None:
    plan, generator = stage.plan, stage.generator

    async def grown(_: int, site: Site) -> None:
        values: Values = {"mib": one.bytes}
        for name, numbers in (("query", _newest(one)), ("any", _any(one))):
            asked = await measures.queries_of(generator, site, await _ids(site, numbers), 32, plan.grown)
            values |= {f"{name}_{what}": asked[what] for what in ASKED_FOR}
        values |= await _claims(stage, site)
        await measures.operate(site, f"/api/v1/admin/lanes/{LANE}/pause")
        sent = await measures.submits(generator, site, 64, plan.grown)
        values |= {f"submit_{what}": sent[what] for what in ASKED_FOR}
        values["meter_others"] = max(asked["meter_others"], sent["meter_others"])
        stage.say(index, one.subject.name, f"grown {one.size}", values)

    await stage.on(index, one.subject, grown, folder=one.folder)
    await _forget(stage, one)


def _newest(one: Grown) -> list[int]:
    """Tasks that callers ask for: those that have just ended."""
    return [one.marks.task - number for number in range(min(ASKED, one.size))]


def _any(one: Grown) -> list[int]:
    """Tasks of any age, evenly: the worst for caches."""
    chance = random.Random(one.size)
    return [one.marks.task - chance.randrange(one.size) for _ in range(ASKED)]


async def _ids(site: Site, numbers: Sequence[int]) -> list[str]:
    """Their ids; the rows have been read once then, so that memory is what is measured and not the disk."""
    found = await database.rows(site, f"SELECT id FROM task WHERE no IN ({', '.join(map(str, set(numbers)))})")
    ids = [str(row[0]) for row in found]
    quoted = ", ".join(f"'{one}'" for one in ids)
    await database.rows(site, f"SELECT echo, result FROM task WHERE id IN ({quoted})")
    random.Random(0).shuffle(ids)
    return ids


async def _claims(stage: Stage, site: Site) -> Values:
    """From the moment that a task is there until a worker has claimed it, as the rows tell."""
    newest = await database.number(site, "SELECT max(no) FROM task")
    values = await measures.pace(stage.generator, site, CLAIM_RATE, stage.plan.grown * 1.5)
    found = await database.rows(
        site,
        "SELECT attempt.started_at - task.created_at FROM attempt JOIN task ON task.no = attempt.task_no"
        f" WHERE attempt.task_no > {newest} AND attempt.number = 1",
    )
    waits = [row[0] / 1e6 for row in found]
    return {
        **measures.latency("claim", waits),
        "hook_p50_ms": values["hook_p50_ms"],
        "hook_p99_ms": values["hook_p99_ms"],
        "missing": values["missing"],
    }


async def _forget(stage: Stage, one: Grown) -> None:
    """Take away what the measures added, so that the size stays what it is called."""
    site = Site(one.subject, one.folder, (), [])
    await database.write(site, one.marks.forget() + "DELETE FROM lane;")
    if one.subject.cluster is not None:
        await tables.settle_postgres(one.subject.cluster, one.subject.database)
