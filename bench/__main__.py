"""python -m bench: run the benchmark, print the goals, write bench/RESULTS.md and the plots."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import gc
import json
import secrets
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

import uvloop

from bench import hardware, peer_env, plots, profiling
from bench.goals import goals
from bench.lanes import Receiver, now
from bench.measures import Generator
from bench.plan import FULL, QUICK, SECTIONS, SIDE_BY_SIDE, Plan, Sample
from bench.postgres import PostgresMissing, cluster
from bench.report import Circumstances, goal_table, page
from bench.sections import growth, images, load, peers, postgres, single, waits, webhooks
from bench.stage import Stage
from bench.summary import Summary, number

T = TypeVar("T")
Section = Callable[[Stage, int], Awaitable[None]]
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
RUNS: dict[str, Section] = {
    "single": single.run,
    "postgres": postgres.run,
    "peers": peers.run,
    "webhooks": webhooks.run,
    "images": images.run,
    "waits": waits.run,
    "load": load.run,
}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="one short round; without --only just the single server on SQLite, about 30 s; writes no page",
    )
    parser.add_argument(
        "--only", metavar="SECTIONS", help=f"comma-separated, of: {', '.join(SECTIONS)} (default: all)"
    )
    parser.add_argument(
        "--peers", choices=("none", "all"), help="whether to measure peers (default: all; quick: none)"
    )
    parser.add_argument("--rounds", type=int, help="interleaved rounds")
    parser.add_argument("--sizes", metavar="N,N", help="how many finished tasks the tables of growth hold")
    parser.add_argument("--waits", metavar="N,N", help="how many tasks wait for the slow provider")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="append every sample to FILE, one JSON object a line"
    )
    parser.add_argument(
        "--from-json", type=Path, metavar="FILE", help="measure nothing: make the page of the samples in FILE"
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FILE",
        help="where the page goes (default: bench/RESULTS.md), plots beside it",
    )
    parser.add_argument("--dir", type=Path, help="where data folders are made; a real disk, not memory")
    parser.add_argument(
        "--profile",
        nargs="?",
        const="sqlite",
        choices=("sqlite", "postgres"),
        help="profile the server under load instead, and print it",
    )
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.dir or _disk()))
    try:
        if asked.profile:
            print(uvloop.run(_stoppable(profiling.profile(folder, asked.profile == "postgres"))))
            return
        sys.exit(_measure(asked, folder))
    except asyncio.CancelledError:
        sys.exit("stopped by a signal")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _disk() -> str | None:
    """/var/tmp survives a restart and so is a disk; /tmp often is memory, where an fsync costs nothing."""
    return "/var/tmp" if Path("/var/tmp").is_dir() else None


def _measure(asked: argparse.Namespace, folder: Path) -> int:
    plan, sections = _plan(asked), _sections(asked)
    machine = hardware.look(folder)
    begin = time.monotonic()
    samples: list[Sample] = []

    def emit(sample: Sample) -> None:
        samples.append(sample)
        _show(sample)
        if asked.json is not None:
            with asked.json.open("a") as file:
                file.write(json.dumps(asdict(sample)) + "\n")

    if asked.from_json is not None:
        samples += [Sample(**json.loads(line)) for line in asked.from_json.read_text().splitlines()]
        told = Told()
    else:
        told = uvloop.run(_stoppable(_run(plan, sections, folder, emit, _peers(asked, sections))))
    summary = Summary(samples)
    made = goals(summary)
    print("\n" + goal_table(made))
    results = asked.results or (None if asked.quick or asked.only or asked.from_json else RESULTS)
    if results is not None:
        today = dt.datetime.now(dt.UTC).date().isoformat()
        circumstances = Circumstances(
            _command(asked), today, (time.monotonic() - begin) / 60, tuple(told.without), told.postgres
        )
        drawn = plots.draw(summary, plan, results.parent / "plots")
        results.write_text(page(summary, machine, plan, circumstances, drawn))
        print(f"\nwritten: {results.name}, {', '.join(plot.file for plot in drawn)}")
    lost = summary.worst("lost", "aquatint")
    return 1 if summary.failures() or lost else 0


def _plan(asked: argparse.Namespace) -> Plan:
    plan = QUICK if asked.quick else FULL
    if asked.rounds is not None:
        plan = replace(plan, rounds=asked.rounds)
    if asked.sizes is not None:
        plan = replace(plan, sizes=tuple(map(int, asked.sizes.split(","))))
    if asked.waits is not None:
        plan = replace(plan, waits=tuple(map(int, asked.waits.split(","))))
    return plan


def _sections(asked: argparse.Namespace) -> tuple[str, ...]:
    """In the order of SECTIONS, whatever order they were asked for in."""
    if asked.only is None:
        wanted = {"single"} if asked.quick else set(SECTIONS)
    else:
        wanted = set(SECTIONS) if asked.only == "all" else set(asked.only.split(","))
    if unknown := wanted - set(SECTIONS):
        sys.exit(f"there is no section {', '.join(sorted(unknown))}; there are {', '.join(SECTIONS)}")
    if asked.quick and asked.only is None and asked.peers == "all":
        wanted.add("peers")
    return tuple(name for name in SECTIONS if name in wanted and not (name == "peers" and asked.peers == "none"))


class Found:
    """The peers that can be measured, and in words why others are not."""

    def __init__(self) -> None:
        self.tools: peer_env.PeerTools | None = None
        self.litellm: str | None = None
        self.without: list[str] = []

    @contextmanager
    def or_without(self, name: str) -> Iterator[None]:
        try:
            yield
        except peer_env.PeersMissing as error:
            self.without.append(f"Without {name}: {error}.")
            print(self.without[-1])


def _peers(asked: argparse.Namespace, sections: Sequence[str]) -> Found:
    found = Found()
    if asked.peers == "none" or not {"peers", "images"} & set(sections):
        found.without.append("Without peers: not asked for.")
        return found
    if "peers" in sections:
        with found.or_without("peers"):
            found.tools = peer_env.ready()
            found.without += [f"Among the peers there is {why}." for why in found.tools.without.values()]
    if "images" in sections:
        with found.or_without("LiteLLM"):
            found.litellm = peer_env.litellm()
    return found


def _command(asked: argparse.Namespace) -> str:
    """The command as given, without the options that only name files."""
    words = ["python -m bench"]
    words += ["--quick"] if asked.quick else []
    for name in ("only", "peers", "rounds", "sizes", "waits"):
        if (value := getattr(asked, name)) is not None:
            words.append(f"--{name} {value}")
    return " ".join(words)


async def _stoppable(work: Coroutine[None, None, T]) -> T:
    """A signal cancels the work, which unwinds through every `finally`: no server outlives the benchmark.

    An exception out of a signal handler would not do: the event loop swallows it when it interrupts a protocol.
    """
    task = asyncio.ensure_future(work)
    for number_ in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number_, task.cancel)
    return await task


class Told:
    """What the page must say besides numbers: what was not measured and why, and PostgreSQL's settings."""

    def __init__(self) -> None:
        self.without: list[str] = []
        self.postgres: tuple[tuple[str, str], ...] = ()


async def _run(
    plan: Plan,
    sections: Sequence[str],
    folder: Path,
    emit: Callable[[Sample], None],
    found: Found,
) -> Told:
    gc.disable()  # the generator collects between measures, never within one
    told = Told()
    async with AsyncExitStack() as stack:
        receiver = await Receiver().open()
        stack.push_async_callback(receiver.close)
        stage = Stage(plan, Generator(receiver, secrets.token_hex(4)), folder, emit)
        stage.peers, stage.litellm = found.tools, found.litellm
        told.without += found.without
        if set(sections) - {"single"}:
            try:
                stage.cluster = await stack.enter_async_context(cluster(folder))
                told.postgres = await stage.cluster.stated()
            except PostgresMissing as error:
                told.without.append(f"Without PostgreSQL: {error}.")
                print(told.without[-1])
        clock = Clock(plan.total)
        await _rounds(stage, [name for name in sections if name in SIDE_BY_SIDE])
        for name in ("webhooks", "images", "load", "waits"):
            rounds = min(plan.rounds, plan.wait_rounds) if name == "waits" else plan.rounds
            for index in clock.rounds(rounds if name in sections else 0):
                await RUNS[name](stage, index)
        if "growth" in sections:
            await _growth(stage, clock)
    return told


class Clock:
    """The time of the whole run: a first round is always begun, a further one only if it will end in time."""

    def __init__(self, total: float) -> None:
        self._end = now() + total

    def rounds(self, most: int) -> Iterator[int]:
        begin = now()
        for index in range(most):
            if index and now() + (now() - begin) / index > self._end:
                return
            yield index


async def _rounds(stage: Stage, names: Sequence[str]) -> None:
    """What is compared with each other, interleaved: a slow minute hits all sides."""
    for index in Clock(stage.plan.limit).rounds(stage.plan.rounds if names else 0):
        for name in names:
            await RUNS[name](stage, index)


async def _growth(stage: Stage, clock: Clock) -> None:
    grown: list[growth.Grown] = []
    try:
        grown = await growth.prepare(stage, lambda text: print(text, flush=True))
        for index in clock.rounds(stage.plan.rounds):
            await growth.run(stage, index, grown)
    except Exception as error:  # the other sections are still worth a page
        stage.failed(0, "aquatint", "growth", error)
    finally:
        await growth.finish(stage, grown)


def _show(sample: Sample) -> None:
    where = f"{sample.round + 1}  {sample.subject:26} {sample.measure:16}"
    if sample.failed:
        print(f"{where} FAILED {sample.failed}\n{sample.log}", flush=True)
        return
    shown = {name.removeprefix("meter_"): value for name, value in sample.values.items()}
    print(where, "  ".join(f"{name} {number(value)}" for name, value in shown.items()), flush=True)


if __name__ == "__main__":
    main()
