"""python -m bench: run the benchmark, print the goals, write bench/RESULTS.md."""

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
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

import uvloop

from bench import hardware, peer_env, profiling
from bench.goals import goals
from bench.lanes import Receiver
from bench.measures import Generator
from bench.plan import FULL, QUICK, Emit, Plan, Runner, Sample
from bench.report import Circumstances, goal_table, page
from bench.summary import Summary, number

T = TypeVar("T")
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="one short round without peers, about 30 s; writes no page"
    )
    parser.add_argument(
        "--peers", choices=("none", "celery"), help="which peers to measure (default: celery; quick: none)"
    )
    parser.add_argument("--rounds", type=int, help="interleaved rounds")
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="append every sample to FILE, one JSON object a line"
    )
    parser.add_argument(
        "--results", type=Path, metavar="FILE", help="where the page goes (default: bench/RESULTS.md)"
    )
    parser.add_argument("--dir", type=Path, help="where data folders are made; a real disk, not memory")
    parser.add_argument("--profile", action="store_true", help="profile the server under load instead, and print it")
    return parser.parse_args()


def main() -> None:
    asked = arguments()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=asked.dir or _disk()))
    try:
        if asked.profile:
            print(uvloop.run(_stoppable(profiling.profile(folder / "profile"))))
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
    plan = _plan(asked)
    tools, without = _peers(asked)
    machine = hardware.look(folder)
    begin = time.monotonic()
    samples: list[Sample] = []

    def emit(sample: Sample) -> None:
        samples.append(sample)
        _show(sample)
        if asked.json is not None:
            with asked.json.open("a") as file:
                file.write(json.dumps(asdict(sample)) + "\n")

    uvloop.run(_stoppable(_run(plan, folder, emit, tools)))
    summary = Summary(samples)
    made = goals(summary)
    print("\n" + goal_table(made))
    results = asked.results or (None if asked.quick else RESULTS)
    if results is not None:
        today = dt.datetime.now(dt.UTC).date().isoformat()
        circumstances = Circumstances(_command(asked), today, (time.monotonic() - begin) / 60, without)
        results.write_text(page(summary, machine, plan, circumstances))
        print(f"\nwritten: {results.name}")
    lost = summary.total("aquatint", "kill", "lost")
    return 1 if summary.failures() or lost else 0


def _plan(asked: argparse.Namespace) -> Plan:
    plan = QUICK if asked.quick else FULL
    if asked.rounds is None:
        return plan
    return Plan(**{**asdict(plan), "rounds": asked.rounds})


def _peers(asked: argparse.Namespace) -> tuple[peer_env.PeerTools | None, str]:
    wanted = asked.peers or ("none" if asked.quick else "celery")
    if wanted == "none":
        return None, "not asked for"
    try:
        return peer_env.ready(), ""
    except peer_env.PeersMissing as error:
        print(f"without peers: {error}")
        return None, str(error)


def _command(asked: argparse.Namespace) -> str:
    """The command as given, without the options that only name files."""
    words = ["python -m bench"]
    words += ["--quick"] if asked.quick else []
    words += [f"--peers {asked.peers}"] if asked.peers else []
    words += [f"--rounds {asked.rounds}"] if asked.rounds else []
    return " ".join(words)


async def _stoppable(work: Coroutine[None, None, T]) -> T:
    """A signal cancels the work, which unwinds through every `finally`: no server outlives the benchmark.

    An exception out of a signal handler would not do: the event loop swallows it when it interrupts a protocol.
    """
    task = asyncio.ensure_future(work)
    for number_ in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number_, task.cancel)
    return await task


async def _run(plan: Plan, folder: Path, emit: Emit, tools: peer_env.PeerTools | None) -> None:
    gc.disable()  # the generator collects between measures, never within one
    receiver = await Receiver().open()
    try:
        await Runner(plan, Generator(receiver, secrets.token_hex(4)), folder, emit).run(tools)
    finally:
        await receiver.close()


def _show(sample: Sample) -> None:
    where = f"{sample.round + 1}  {sample.subject:26} {sample.measure:12}"
    if sample.failed:
        print(f"{where} FAILED {sample.failed}\n{sample.log}", flush=True)
        return
    shown = {name.removeprefix("meter_"): value for name, value in sample.values.items()}
    print(where, "  ".join(f"{name} {number(value)}" for name, value in shown.items()), flush=True)


if __name__ == "__main__":
    main()
