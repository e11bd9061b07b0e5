"""Lines name the task that they are about, whoever writes them and whatever runs beside."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping

import pytest
import structlog

from aquatint.domain.provider import ProviderLimits
from aquatint.engines.remote import AskAgain, Call, Done, RemoteEngine, RemoteImage, RemoteSpec
from aquatint.services.track import Tracker
from aquatint.telemetry import about, names
from aquatint.telemetry.logs import say_about

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def line(**own: object) -> Mapping[str, object]:
    return say_about(None, "info", dict(own))


def test_lines_inside_name_the_task() -> None:
    """Task and trace inside, nothing outside; a line's own words win; blocks nest."""
    assert line(event="x") == {"event": "x"}
    with about("t-1", TRACE):
        assert line(event="x") == {"task": "t-1", "trace": TRACE[3:35], "event": "x"}
        assert line(task="other")["task"] == "other"
        with about("t-2", ""):
            assert line() == {"task": "t-2"}
        assert line()["task"] == "t-1"
    assert line() == {}


def test_without_a_trace_none_is_named() -> None:
    """A field that is always empty helps nobody."""
    assert names("t-1", "") == {"task": "t-1"}
    assert names("t-1", TRACE) == {"task": "t-1", "trace": "4bf92f3577b34da6a3ce929d0e0e4736"}


async def test_tasks_side_by_side_keep_their_names() -> None:
    """Each asyncio task, and what it starts, has its own."""

    async def work(task: str) -> list[object]:
        with about(task, ""):
            await asyncio.sleep(0)
            child = asyncio.create_task(asyncio.sleep(0, line()["task"]))
            return [line()["task"], await child]

    assert await asyncio.gather(*map(work, "abc")) == [[name, name] for name in "abc"]


class Provider:
    """Answers every first question with nothing."""

    def __init__(self) -> None:
        limits = ProviderLimits()
        self.spec = RemoteSpec("p", "", "1", local=False, concurrency=1, account="p:1", limits=limits)
        self.asked: dict[str, list[object]] = {}

    async def look(self, call: Call, handle: Mapping[str, str]) -> Done:
        asked = self.asked.setdefault(handle["id"], [])
        asked.append(line().get("task"))
        if len(asked) == 1:
            raise AskAgain("not now")
        return Done((RemoteImage(0, url="https://a.invalid/0.png"),))


async def test_questions_after_a_job_are_about_its_own_task() -> None:
    """One timer asks for all jobs, and still no line tells of another's task."""
    tracker = Tracker(structlog.get_logger())
    provider = Provider()
    engine: RemoteEngine = provider  # type: ignore[assignment]  # the rest of it is not called here

    async def run(job: str) -> None:
        with about(f"task-{job}", ""):
            await tracker.follow(engine, "m", Call((0,), job, None), job, {"id": job}, 0.0, lambda *_: None)

    await asyncio.gather(*(run(job) for job in "abcdef"))
    await tracker.close()
    assert provider.asked == {job: [f"task-{job}"] * 2 for job in "abcdef"}


@pytest.mark.parametrize(("form", "holds"), [("json", '"task": "t-1"'), ("text", "task")])
def test_what_is_configured_says_it(form: str, holds: str) -> None:
    """Both forms of the log carry it."""
    program = (
        "from aquatint import telemetry\n"
        f"telemetry.configure('info', {form!r})\n"
        f"with telemetry.about('t-1', {TRACE!r}): telemetry.logger().info('task.settled', status='SUCCESS')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert holds in done.stderr
    assert "t-1" in done.stderr
    if form == "json":
        assert json.loads(done.stderr)["trace"] == TRACE[3:35]
