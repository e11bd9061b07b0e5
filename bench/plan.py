"""For how long and how often things are measured, and what a measure leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

Values = dict[str, float]

SECTIONS = ("single", "postgres", "peers", "webhooks", "images", "waits", "load", "growth")
SIDE_BY_SIDE = ("single", "postgres", "peers")  # compared with each other, so measured in the same rounds
KEPT_UP = 0.95  # of the offered load that must have ended in time, or the server has fallen behind


@dataclass(frozen=True, slots=True)
class Plan:
    """Durations in seconds."""

    rounds: int = 3
    limit: float = 720.0  # of the rounds side by side: none begins that would end after this
    total: float = 1800.0  # of the whole run: no second or third round of the others begins that would end after this
    submit: float = 3.0
    query: float = 2.5
    low: float = 5.0
    rate: float = 20.0
    flight: float = 4.0
    idle: float = 3.0
    settle: float = 1.5
    kill_tasks: int = 480
    quiet: float = 15.0  # without any callback, then what is missing is lost
    apart: float = 2.0  # each measure of the PostgreSQL shapes
    # webhooks
    backlog: int = 4000  # callbacks that are due at once
    hook_rate: float = 100.0
    hook_seconds: float = 5.0
    dead: int = 100  # receivers
    dead_each: int = 10  # callbacks to each that are due before the measure begins
    dead_quiet: float = 5.0  # without any callback to a living receiver, then the rest is given up
    # a provider that takes its time
    waits: tuple[int, ...] = (5_000, 20_000)
    wait_seconds: float = 2.0
    wait_rounds: int = 1
    wait_limit: float = 90.0  # a number of tasks that would take longer is not measured, and said so
    # load
    offered: tuple[int, ...] = (100, 300, 1000, 2000, 3000)
    offered_seconds: float = 2.0
    # growth
    sizes: tuple[int, ...] = (1_000, 100_000, 2_000_000)
    grown: float = 1.5


FULL = Plan()
QUICK = Plan(
    rounds=1,
    submit=1.5,
    query=1.0,
    low=3.0,
    flight=2.0,
    idle=1.5,
    settle=1.0,
    kill_tasks=240,
    apart=1.5,
    backlog=1000,
    hook_seconds=3.0,
    waits=(500,),
    offered=(100, 1000),
    offered_seconds=1.5,
    sizes=(1_000, 20_000),
    grown=1.0,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One measure of one subject in one round; `failed` says why there are no values."""

    round: int
    subject: str
    measure: str
    values: Values
    failed: str = ""
    log: str = ""  # the end of the server's log when it failed
