"""python -m bench.tracking: how soon the server knows that a provider's job is done, with many jobs in flight.

A simulator of fal in a process of its own runs jobs of very different length; the server follows them by polling
alone, then with the provider's callbacks. Both ends stamp the same clock. Writes bench/TRACKING.md.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from bench import hardware
from bench.provider import CATALOG, MODEL

RESULTS = Path(__file__).resolve().parent / "TRACKING.md"
KEY = "bench-key-of-tracking"
PORT, SIM_PORT = 18710, 18711
GOAL_SECONDS = {500: 3.0, 2000: 5.0}


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds from the provider's end of a job to our first hearing of it."""

    jobs: int
    callbacks: bool
    polls_per_second: int
    most_in_flight: int
    lags: list[float]
    server_cpu: float  # percent of a core while jobs were in flight


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", default="500,2000", help="how many jobs are in flight at once")
    parser.add_argument("--dry", action="store_true", help="print, write nothing")
    wanted = parser.parse_args()
    samples = []
    for turn in range(wanted.rounds):
        for jobs in map(int, wanted.jobs.split(",")):
            for callbacks in (False, True):
                samples.append(measure(jobs, callbacks, seed=turn))
                print(line(samples[-1]), flush=True)
    page = render(samples, hardware.look(Path(tempfile.gettempdir())))
    if wanted.dry:
        print(page)
    else:
        RESULTS.write_text(page, encoding="utf-8")


def measure(jobs: int, callbacks: bool, seed: int) -> Sample:
    """Keep `jobs` jobs of 10 to 60 s in flight until twice as many have ended."""
    polls = max(300, jobs // 4)  # the default, or what an operator with so many jobs would set
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        catalog = Path(folder) / "models.toml"
        catalog.write_text(CATALOG)
        env = {
            **os.environ,
            "AQUATINT_API_KEY": KEY,
            "AQUATINT_NET__ALLOW": "127.0.0.0/8",
            "AQUATINT_CATALOG__FILE": str(catalog),
            "AQUATINT_ASSETS__PUBLIC_URL": f"http://127.0.0.1:{PORT}",
            "AQUATINT_FAL__API_KEY": "sim-key",
            "AQUATINT_FAL__BASE_URL": f"http://127.0.0.1:{SIM_PORT}/fal",
            "AQUATINT_FAL__JWKS_URL": f"http://127.0.0.1:{SIM_PORT}/fal/.well-known/jwks.json",
            "AQUATINT_FAL__IN_FLIGHT": str(jobs),
            "AQUATINT_FAL__POLLS_PER_SECOND": str(polls),
            "AQUATINT_FAL__CALLBACKS": str(callbacks).lower(),
        }
        stack.enter_context(_running(["simulate", "--plain", "--port", str(SIM_PORT)], env, SIM_PORT, "/admin/calls"))
        serve = ["serve", "--port", str(PORT), "--data-dir", f"{folder}/data"]
        server = stack.enter_context(_running(serve, env, PORT, "/healthz"))
        return _drive(jobs, callbacks, polls, random.Random(seed), psutil.Process(server.pid))


def _drive(jobs: int, callbacks: bool, polls: int, chance: random.Random, server: psutil.Process) -> Sample:
    client = httpx.Client(
        base_url=f"http://127.0.0.1:{PORT}", headers={"authorization": f"Bearer {KEY}"}, timeout=60.0, trust_env=False
    )
    submit_at = time.monotonic()
    for _ in range(jobs * 2):  # twice as many as may be in flight: as one ends the next is sent
        # But for the time they are the same, so that the simulator paints once.
        order = {"prompt": f"a job [[sleep:{chance.uniform(10, 60):.2f}]]", "seed": 7}
        client.post("/api/v1/task/submit", json={"model": MODEL, "input": order}).raise_for_status()
    cpu, most = server.cpu_times(), 0
    while True:
        seen = _calls()
        most = max(most, sum(call["done_at"] is None for call in seen))
        if len(seen) == jobs * 2 and all(call["told_at"] for call in seen):
            break
        if time.monotonic() - submit_at > 300:
            raise SystemExit("jobs were never asked after")
        time.sleep(2.0)
    after, took = server.cpu_times(), time.monotonic() - submit_at
    lags = [call["told_at"] - call["done_at"] for call in seen]
    used = (after.user + after.system) - (cpu.user + cpu.system)
    return Sample(jobs, callbacks, polls, most, lags, used / took * 100)


def _calls() -> list[dict[str, float]]:
    answer = httpx.get(f"http://127.0.0.1:{SIM_PORT}/admin/calls", timeout=60.0, trust_env=False)
    return list(answer.json()["calls"])


@contextlib.contextmanager
def _running(arguments: list[str], env: dict[str, str], port: int, path: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", "from aquatint.cli import main; main()", *arguments]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{port}{path}", timeout=2.0, trust_env=False).status_code == 200:
                    break
            time.sleep(0.05)
        else:
            raise SystemExit(f"aquatint {arguments[0]} did not answer")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def line(sample: Sample) -> str:
    way = "callbacks" if sample.callbacks else "polling"
    return json.dumps(
        {
            "jobs": sample.jobs,
            "way": way,
            "most": sample.most_in_flight,
            "p50": round(_percentile(sample.lags, 50), 2),
            "p95": round(_percentile(sample.lags, 95), 2),
            "max": round(max(sample.lags), 2),
            "cpu": round(sample.server_cpu),
        }
    )


def _percentile(values: list[float], percent: float) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[round(percent) - 1]


def render(samples: list[Sample], machine: hardware.Hardware) -> str:
    """The page: medians over the rounds, with the lowest and the highest."""
    rows = [
        "# How soon a job's end is known",
        "",
        f"Measured on {dt.datetime.now(dt.UTC):%Y-%m-%d} by `python -m bench.tracking`: {machine.cores} cores,",
        f"{machine.cpu}, Python {machine.python}. Simulator, server and this script share the cores.",
        "Jobs take 10 to 60 s, evenly spread, so that nothing can be foreseen of any one. The lag is the time",
        "from the provider's end of a job to the server's first answer that says so.",
        "",
        "| jobs in flight | how | polls/s allowed | p50, s | p95, s | longest, s | goal for p95 | CPU, % of a core |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key in sorted({(s.jobs, s.callbacks) for s in samples}):
        mine = [s for s in samples if (s.jobs, s.callbacks) == key]
        goal = GOAL_SECONDS.get(key[0])
        rows.append(
            f"| {min(s.most_in_flight for s in mine)} | {'callbacks' if key[1] else 'polling'}"
            f" | {mine[0].polls_per_second} | {_over([_percentile(s.lags, 50) for s in mine])}"
            f" | {_over([_percentile(s.lags, 95) for s in mine])} | {_over([max(s.lags) for s in mine])}"
            f" | {'-' if goal is None else f'≤ {goal:g}'} | {_over([s.server_cpu for s in mine], 0)} |"
        )
    return "\n".join(rows) + "\n"


def _over(values: list[float], digits: int = 2) -> str:
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}..{max(values):.{digits}f}]"


if __name__ == "__main__":
    main()
