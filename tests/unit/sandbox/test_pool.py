"""The sandbox holds: whatever a job does costs that job and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

import aquatint
from aquatint.sandbox.errors import SandboxCrashed, SandboxError, SandboxRefused, SandboxTimedOut
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox

HERE = str(Path(__file__).parent)
SOURCE = str(Path(aquatint.__file__).parents[1])
LIMITS = Limits(address_space=1 << 30, cpu_seconds=2, wall=20)
OTHERS: set[int] = set()


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(2, LIMITS, warm=("hostile_jobs",), search_path=(HERE,))
    await sandbox.open()
    # Both workers are wanted now, and each has been waited for.
    await asyncio.gather(*(call(sandbox, "sleep", b"0.5") for _ in range(2)))
    await asyncio.gather(*(call(sandbox, "sleep", b"0.1") for _ in range(2)))
    await until(lambda: len(my_workers()) == 2)
    yield sandbox
    await sandbox.close()


async def test_workers_start_when_they_are_wanted() -> None:
    """An idle sandbox has one worker; more start only while jobs wait, up to its size."""
    sandbox = Sandbox(2, LIMITS, warm=("hostile_jobs",), search_path=(HERE,))
    await sandbox.open()
    assert len(my_workers()) == 1
    for _ in range(3):
        await call(sandbox, "echo")
    assert len(my_workers()) == 1, "jobs one after another need only one worker"
    await asyncio.gather(*(call(sandbox, "sleep", b"0.3") for _ in range(4)))
    assert len(my_workers()) == 2
    await sandbox.close()


@pytest.fixture(autouse=True)
async def no_worker_is_left() -> AsyncIterator[None]:
    """A test that fails before it closes its sandbox must not leave the loop waiting for a worker."""
    OTHERS.clear()
    OTHERS.update(my_workers())
    yield
    for pid in my_workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def my_workers() -> set[int]:
    """Only those: this process may have servers, a PostgreSQL and sandboxes of other tests, too."""
    found = set()
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.status() != psutil.STATUS_ZOMBIE and "aquatint.sandbox.worker" in child.cmdline():
                found.add(child.pid)
    return found - OTHERS


async def call(sandbox: Sandbox, job: str, request: bytes = b"", *, wall_limit: float = 15) -> bytes:
    return await sandbox.run(f"hostile_jobs:{job}", request, wall_limit=wall_limit)


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("size", [0, 1, 100_000, 60 << 20])
async def test_bytes_go_in_and_out(sandbox: Sandbox, size: int) -> None:
    request = os.urandom(size)
    assert await call(sandbox, "echo", request) == request


async def test_progress_arrives_in_order(sandbox: Sandbox) -> None:
    seen: list[tuple[float, str]] = []
    result = await sandbox.run(
        "hostile_jobs:report_steps", b"", wall_limit=10, on_progress=lambda done, stage: seen.append((done, stage))
    )
    assert result == b"ok"
    assert seen == [(0.0, "step 0"), (0.25, "step 1"), (0.5, "step 2"), (0.75, "step 3"), (1.0, "done")]


async def test_a_flood_of_progress_is_thinned(sandbox: Sandbox) -> None:
    seen: list[float] = []
    await sandbox.run(
        "hostile_jobs:flood_progress", b"", wall_limit=10, on_progress=lambda done, stage: seen.append(done)
    )
    assert len(seen) < 200


async def test_a_refusal_keeps_the_worker(sandbox: Sandbox) -> None:
    before = my_workers()
    with pytest.raises(SandboxRefused) as refusal:
        await call(sandbox, "refuse")
    assert refusal.value.message == "the picture shows a Monday"
    assert my_workers() == before


async def test_an_error_tells_the_log_only(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrashed) as crash:
        await call(sandbox, "raise_error")
    assert "secret" not in str(crash.value)
    assert "ZeroDivisionError: a secret path" in crash.value.detail
    assert "raise_error" in crash.value.detail


@pytest.mark.parametrize("target", ["hostile_jobs:nothing", "no_such_module:f", "nonsense", ""])
async def test_unknown_targets(sandbox: Sandbox, target: str) -> None:
    with pytest.raises(SandboxCrashed):
        await sandbox.run(target, b"", wall_limit=5)


@pytest.mark.parametrize(
    ("job", "request_body", "words"),
    [
        ("abort", b"", "SIGABRT"),
        ("segfault", b"", "SIGSEGV"),
        ("leave_at_once", b"", "status 7"),
        ("leave", b"", "SystemExit"),
        ("allocate", b"20000000000", "MemoryError"),
        ("write_nonsense", b"", ""),
    ],
)
async def test_a_crash_costs_its_job_only(sandbox: Sandbox, job: str, request_body: bytes, words: str) -> None:
    neighbour = asyncio.create_task(call(sandbox, "sleep", b"1.0"))
    await asyncio.sleep(0.1)
    before = my_workers()
    started = time.monotonic()
    with pytest.raises(SandboxCrashed) as crash:
        await call(sandbox, job, request_body)
    assert time.monotonic() - started < 5
    assert words in crash.value.detail
    assert await neighbour == b"slept"
    # A fresh worker has taken the place of the lost one, and both serve.
    assert await asyncio.gather(*(call(sandbox, "echo", bytes([n])) for n in range(6))) == [
        bytes([n]) for n in range(6)
    ]
    await until(lambda: len(my_workers()) == 2)
    assert my_workers() != before


async def test_native_crashes_leave_a_traceback_for_the_log(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrashed) as crash:
        await call(sandbox, "segfault")
    assert 'hostile_jobs.py", line' in crash.value.detail


async def test_memory_is_bounded(sandbox: Sandbox) -> None:
    assert len(await call(sandbox, "allocate", b"200000000")) == 200_000_000
    with pytest.raises(SandboxCrashed):
        await call(sandbox, "allocate", b"1200000000")


async def test_wall_limit(sandbox: Sandbox) -> None:
    started = time.monotonic()
    with pytest.raises(SandboxTimedOut):
        await call(sandbox, "sleep", b"30", wall_limit=0.5)
    assert 0.4 < time.monotonic() - started < 1.5


async def test_the_wall_limit_starts_when_a_worker_is_free(sandbox: Sandbox) -> None:
    jobs = [call(sandbox, "sleep", b"0.4", wall_limit=0.9) for _ in range(6)]
    assert await asyncio.gather(*jobs) == [b"slept"] * 6


async def test_cpu_limit(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxTimedOut, match="processor"):
        await call(sandbox, "spin")


async def test_cpu_limit_is_per_job() -> None:
    sandbox = Sandbox(1, LIMITS, search_path=(HERE,))
    await sandbox.open()
    before = my_workers()
    for _ in range(3):
        assert await call(sandbox, "use_cpu", b"1.2") == b"worked"
    assert my_workers() == before
    await sandbox.close()


async def test_cancel_kills_at_once(sandbox: Sandbox) -> None:
    task = asyncio.create_task(call(sandbox, "spin"))
    await asyncio.sleep(0.3)
    before = my_workers()
    started = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: len(my_workers() & before) == 1, seconds=1)
    assert time.monotonic() - started < 1
    await until(lambda: len(my_workers()) == 2)
    assert await call(sandbox, "echo", b"x") == b"x"


async def test_cancel_takes_grandchildren_along(sandbox: Sandbox) -> None:
    pids: list[int] = []
    task = asyncio.create_task(
        sandbox.run(
            "hostile_jobs:start_a_child", b"", wall_limit=20, on_progress=lambda done, stage: pids.append(int(stage))
        )
    )
    await until(lambda: bool(pids))
    assert psutil.pid_exists(pids[0])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await until(lambda: not running(pids[0]), seconds=2)


async def test_cancelled_waiters_cost_nothing(sandbox: Sandbox) -> None:
    before = my_workers()
    busy = [asyncio.create_task(call(sandbox, "sleep", b"0.5")) for _ in range(2)]
    await asyncio.sleep(0.1)
    waiting = [asyncio.create_task(call(sandbox, "echo", b"late")) for _ in range(10)]
    await asyncio.sleep(0.1)
    for task in waiting:
        task.cancel()
    assert await asyncio.gather(*busy) == [b"slept"] * 2
    assert my_workers() == before
    assert await asyncio.gather(*(call(sandbox, "echo", b"x") for _ in range(4))) == [b"x"] * 4


async def test_first_come_first_served() -> None:
    sandbox = Sandbox(1, LIMITS, search_path=(HERE,))
    await sandbox.open()
    order: list[int] = []

    async def job(number: int) -> None:
        await call(sandbox, "sleep", b"0.02")
        order.append(number)

    await asyncio.gather(*(job(number) for number in range(12)))
    assert order == list(range(12))
    await sandbox.close()


async def test_stdout_belongs_to_the_frames(sandbox: Sandbox) -> None:
    before = my_workers()
    assert await call(sandbox, "print_much") == b"clean"
    assert my_workers() == before


async def test_a_worker_killed_while_idle_is_replaced(sandbox: Sandbox) -> None:
    for pid in my_workers():
        os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.3)
    assert await asyncio.gather(*(call(sandbox, "echo", b"x") for _ in range(4))) == [b"x"] * 4


LOOK_AROUND = """
import asyncio, os, sys, uvloop
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox

async def main():
    os.set_inheritable(os.pipe()[0], True)
    sandbox = Sandbox(1, Limits(), search_path=(sys.argv[1],))
    await sandbox.open()
    print((await sandbox.run("hostile_jobs:look_around", b"", wall_limit=9)).decode())
    await sandbox.close()

(uvloop if sys.argv[2] == "uvloop" else asyncio).run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_worker_sees_nothing_of_the_server(loop: str) -> None:
    secrets = {"AQUATINT_API_KEY": "sk-secret", "AWS_SECRET_ACCESS_KEY": "secret", "PYTHONPATH": SOURCE}
    script = [sys.executable, "-c", LOOK_AROUND, HERE, loop]
    done = subprocess.run(script, capture_output=True, text=True, env=os.environ | secrets, timeout=30, check=True)
    sight = json.loads(done.stdout)
    assert not [name for name in sight["environment"] if "AQUATINT" in name or "AWS" in name]
    assert "secret" not in json.dumps(sight["environment"])
    assert sight["environment"]["OPENBLAS_NUM_THREADS"] == "1"
    assert set(sight["open"]) <= {0, 1, 2, 3, 4}  # the standard three and two pipes for frames
    assert (sight["core"], sight["files"]) == (0, 256)
    assert "aiohttp" not in sight["modules"]


async def test_idle_workers_use_no_cpu(sandbox: Sandbox) -> None:
    await call(sandbox, "echo", b"x")
    before = [sum(psutil.Process(pid).cpu_times()[:2]) for pid in sorted(my_workers())]
    await asyncio.sleep(1.0)
    after = [sum(psutil.Process(pid).cpu_times()[:2]) for pid in sorted(my_workers())]
    assert after == before


async def test_close_ends_everything() -> None:
    sandbox = Sandbox(2, LIMITS, search_path=(HERE,))
    await sandbox.open()
    jobs = [asyncio.create_task(call(sandbox, "sleep", b"30")) for _ in range(5)]
    await asyncio.sleep(0.2)
    await sandbox.close()
    outcomes = await asyncio.gather(*jobs, return_exceptions=True)
    assert all(isinstance(outcome, SandboxError) for outcome in outcomes)
    assert my_workers() == set()
    with pytest.raises(SandboxCrashed, match="closed"):
        await call(sandbox, "echo")
    await sandbox.close()


async def test_workers_that_cannot_start_are_reported() -> None:
    sandbox = Sandbox(1, LIMITS, warm=("no_such_module_at_all",))
    with pytest.raises(SandboxCrashed) as crash:
        await sandbox.open()
    assert "no_such_module_at_all" in crash.value.detail
    assert my_workers() == set()


SERVER = """
import asyncio, sys
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from pathlib import Path

async def main():
    sandbox = Sandbox(3, Limits(), search_path=(sys.argv[1],))
    await sandbox.open()
    for _ in range(2):  # all three workers are wanted, then waited for
        naps = (sandbox.run("hostile_jobs:sleep", b"0.5", wall_limit=20) for _ in range(3))
        await asyncio.gather(*naps)
    names = ("hostile_jobs:spin", "hostile_jobs:sleep")
    jobs = [asyncio.create_task(sandbox.run(name, b"60", wall_limit=60)) for name in names]
    await asyncio.sleep(0.3)
    print("ready", flush=True)
    await asyncio.gather(*jobs)

asyncio.run(main())
"""


def test_workers_die_with_a_killed_server() -> None:
    """One spins in Python, one sleeps, one is idle; all end when the server gets SIGKILL."""
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, HERE],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": SOURCE},
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "ready\n"
    workers = [child.pid for child in psutil.Process(server.pid).children(recursive=True)]
    assert len(workers) == 3
    server.kill()
    server.wait()
    server.stdout.close()
    end = time.monotonic() + 3
    while any(running(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.02)
    assert not [pid for pid in workers if running(pid)]


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
