"""Wait for a task: by its events where the server has them and they come through, else by asking again and again."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint_client import _json
from aquatint_client._actions import Answer, Flow, Trouble, close, pause, tell
from aquatint_client._answers import refusal
from aquatint_client._core import Core
from aquatint_client._listen import QUIET, Ear, event_of, has_no_route
from aquatint_client._sse import Message
from aquatint_client._tasks import get
from aquatint_client.errors import (
    AquatintError,
    ConnectionFailed,
    NotFound,
    RateLimited,
    ServerError,
    TaskCancelled,
    TaskError,
    TaskFailed,
    TaskTimeout,
    WaitTimedOut,
)
from aquatint_client.values import CANCELLED, SUCCESS, TIMEOUT, Progress, Task, queue_of

BREAKS = 3  # streams in a row that broke without a word: then it is asked instead
SLACK = 2.0  # seconds that a stream may outlast the caller's patience
GRACE = 10.0  # seconds in which another server may not know yet what it has just taken


@dataclass(slots=True)
class _Watch:
    """The time that is left, and what was seen last."""

    core: Core
    task_id: str
    timeout: float | None
    fresh: bool
    started: float
    task: Task | None = None
    down_since: float | None = None
    at_once: bool = False  # the last stream was closed for a reason that needs no pause

    def left(self) -> float:
        return float("inf") if self.timeout is None else self.started + self.timeout - self.core.clock()

    def gave_up(self) -> WaitTimedOut:
        return WaitTimedOut(self.task_id, self.task, self.timeout or 0.0)

    def saw(self, task: Task) -> Flow[None]:
        self.task = task
        yield from tell(Progress.of_task(task))


def wait(core: Core, task_id: str, timeout: float | None, *, fresh: bool = False) -> Flow[Task]:
    """The successful task; tells each Progress. `fresh`: it was submitted just now.

    Raises TaskFailed, TaskTimeout, TaskCancelled, WaitTimedOut, ApiError, ConnectionFailed.
    """
    watch = _Watch(core, task_id, timeout, fresh, core.clock())
    task: Task | None = None
    if not core.strict and core.has_events is not False:
        task = yield from _by_events(watch)
    if task is None:
        task = yield from _by_asking(watch)
    if task.status != SUCCESS:
        raise ended_badly(task)
    return task


def ended_badly(task: Task) -> TaskError:
    """The error that an end without a picture is."""
    reason = task.failure_message or task.failure_reason
    because = f": {reason}" if reason else ""
    match task.status:
        case s if s == TIMEOUT:
            return TaskTimeout(task, f"task {task.id} was not done by its deadline{because}")
        case s if s == CANCELLED:
            return TaskCancelled(task, f"task {task.id} was cancelled")
        case _:
            return TaskFailed(task, f"task {task.id} failed{because}")


def _by_events(watch: _Watch) -> Flow[Task | None]:
    """The ended task, or None where it has to be asked for."""
    core = watch.core
    path = core.task_path(watch.task_id)
    ear = Ear(core, f"{path}/events")
    breaks = 0
    while breaks < BREAKS:
        watch.at_once = False
        opened = yield from ear.open(watch.left())
        if isinstance(opened, Answer):
            if opened.status == 404:
                core.has_events = False if (yield from has_no_route(core, path)) else None
                return None  # asking will tell what is wrong with the task
            if opened.status in (405, 406) or opened.status < 300:
                core.has_events = False
                return None
            if opened.status < 500 and opened.status != 429:
                raise refusal(opened)
        elif opened is None:
            core.has_events = True
            task = yield from _read(watch, ear)
            if task is not None:
                return task
            if not ear.heard and not core.events_flow:
                core.has_events = False  # something between keeps them back
                return None
            breaks = -1 if ear.heard else breaks
        if watch.left() <= 0:
            return None
        if breaks < 0:  # it spoke, and broke: what was missed is told again, but the end may be told already
            task = yield from _look(watch)
            if task is not None and task.done:
                return task
        breaks += 1
        if breaks < BREAKS and not watch.at_once:
            yield from pause(min(max(0.0, watch.left()), ear.retry if breaks < 2 else core.patience.delay(breaks)))
    return None


def _read(watch: _Watch, ear: Ear) -> Flow[Task | None]:
    """Read the open stream until the task has ended, it breaks, or there is no more time for it."""
    while True:
        message = yield from ear.next()
        if isinstance(message, Trouble):
            watch.at_once = message.silent and ear.heard and ear.patience < QUIET
            yield from close()
            return None
        if message is not None:
            task = yield from _heard(watch, message)
            if task is not None and task.done:
                yield from close()
                return task
        left = watch.left()
        if left <= 0 or (ear.patience > left + SLACK):
            watch.at_once = True  # to open one that ends in time
            yield from close()
            return None


def _heard(watch: _Watch, message: Message) -> Flow[Task | None]:
    event = event_of(message)
    if event.task is not None and event.task.status:
        yield from watch.saw(event.task)
        return event.task
    if event.name == "progress":
        status = _json.text(event.raw, "status") or ""
        yield from tell(Progress(watch.task_id, status, _json.number(event.raw, "progress"), queue_of(event.raw)))
    return None


def _by_asking(watch: _Watch) -> Flow[Task]:
    """Ask with growing pauses; a change makes them short again."""
    shortest, longest = (1.0, 10.0) if watch.core.strict else (0.25, 3.0)
    step, seen = shortest, None
    while True:
        task = yield from _look(watch)
        if task is not None:
            if task.done:
                return task
            state = (task.status, task.progress, task.queue)
            step, seen = (step * 1.5, seen) if state == seen else (shortest, state)
        left = watch.left()
        if left <= 0:
            raise watch.gave_up()
        yield from pause(min(step, longest, left))


def _look(watch: _Watch) -> Flow[Task | None]:
    """The task now; None while the server cannot be reached, which may last for `outage` seconds."""
    core = watch.core
    try:
        task = yield from get(core, watch.task_id)
    except (ConnectionFailed, ServerError, RateLimited) as error:
        _bear(watch, error)
        return None
    except NotFound:
        if watch.fresh and core.strict and core.clock() - watch.started < GRACE:
            return None
        raise
    watch.down_since = None
    if task != watch.task:
        yield from watch.saw(task)
    return task


def _bear(watch: _Watch, error: AquatintError) -> None:
    """Bear it for a while. Raises the error when it has lasted too long."""
    now = watch.core.clock()
    if watch.down_since is None:
        watch.down_since = now
    if now - watch.down_since >= watch.core.patience.outage:
        raise error
