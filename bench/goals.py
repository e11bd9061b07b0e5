"""The goals, and whether a run held them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.plan import FULL
from bench.stacks import CELERY_DURABLE, CELERY_TUNED, PGQUEUER
from bench.subjects import ENGINE_MS, POSTGRES, SLOTS, SQLITE
from bench.summary import Figure, Summary, number

OURS = SQLITE
STARLETTE = "starlette + group commit"
PEERS = (CELERY_TUNED, CELERY_DURABLE, PGQUEUER)  # those that do a task from end to end
SHAPES = (POSTGRES, f"{POSTGRES} 1+1", f"{POSTGRES} 2+2")
CEILING = SLOTS * 1000 / ENGINE_MS  # tasks a second that the slow engine could do
MB_PER_MIB = 2**20 / 1e6
SMALLEST, LARGEST = min(FULL.sizes), max(FULL.sizes)
FALL = 0.9  # what must be left of a rate when the tables have grown; a latency may grow by as much


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal; `held` is None when it was not measured. The median decides, not the best round."""

    what: str
    wanted: str
    measured: str
    held: bool | None


def goals(summary: Summary) -> list[Goal]:
    """Every goal: of one machine, of PostgreSQL, of callbacks, of growth, of many waiting tasks."""
    return [*_single(summary), *_postgres(summary), *_webhooks(summary), *_growth(summary), *_waits(summary)]


def _single(summary: Summary) -> list[Goal]:
    def ours(measure: str, name: str) -> Figure | None:
        return summary.figure(OURS, measure, name)

    engine = ours("engine", "per_s")
    best = best_peer(summary)
    rss = ours("idle", "meter_rss")
    return [
        at_least("durable submits/s, 64 connections, auth and Idempotency-Key", 4000, ours("submit 64", "per_s")),
        at_most("their p99, ms", 40, ours("submit 64", "answer_p99_ms")),
        at_least("of Starlette + group commit and nothing else", 0.5, _beside(summary, "submit 64", STARLETTE)),
        at_least("tasks/s end to end, 64 in flight, null engine", 2000, ours("flight", "per_s")),
        at_least("times the durable Celery stack", 8, _beside(summary, "flight", CELERY_DURABLE)),
        at_least("times the best peer of this run", 5, _beside(summary, "flight", best) if best else None),
        _none_lost(summary),
        at_least(f"% of the {number(CEILING)}/s ceiling, 50 ms engine, 16 slots", 95, _scaled(engine, 100 / CEILING)),
        at_most("submit → webhook at 20/s: p50, ms", 6, ours("low", "hook_p50_ms")),
        at_most("submit → webhook at 20/s: p99, ms", 30, ours("low", "hook_p99_ms")),
        at_least("queries/s, 32 connections", 6000, ours("query 32", "per_s")),
        at_most("idle RSS of all processes, MB", 150, _scaled(rss, MB_PER_MIB)),
        at_most("idle CPU of all processes, % of a core", 1, ours("idle", "meter_server_cpu")),
    ]


def _postgres(summary: Summary) -> list[Goal]:
    made = []
    for shape in SHAPES:
        word = shape.replace(POSTGRES, "PostgreSQL")
        made += [
            at_least(f"{word}: durable submits/s, 64 connections", 2000, summary.figure(shape, "submit 64", "per_s")),
            at_least(f"{word}: tasks/s end to end", 1000, summary.figure(shape, "flight", "per_s")),
            at_least(
                f"{word}: times the durable Celery stack",
                5,
                summary.ratio("flight", "per_s", shape, CELERY_DURABLE),
            ),
        ]
    return made


def _webhooks(summary: Summary) -> list[Goal]:
    made = []
    for subject, word in ((SQLITE, "SQLite"), (POSTGRES, "PostgreSQL")):
        made += [
            at_least(f"{word}: first attempts of callbacks/s", 500, summary.figure(subject, "webhook rate", "per_s")),
            at_most(
                f"{word}: end of a task → callback received at 100/s: p99, ms",
                250,
                summary.figure(subject, "webhook lag", "lag_p99_ms"),
            ),
            at_most(
                f"{word}: the same beside 100 dead receivers",
                250,
                summary.figure(subject, "webhook lag, dead", "lag_p99_ms"),
            ),
        ]
    return made


def _growth(summary: Summary) -> list[Goal]:
    many = f"{number(LARGEST)} finished tasks"
    made = []
    for subject, word in ((SQLITE, "SQLite"), (POSTGRES, "PostgreSQL")):
        for name, what in (
            ("submit", "submits/s"),
            ("query", "queries/s of the newest"),
            ("any", "queries/s of any"),
        ):
            ratio = _grown(summary, subject, f"{name}_per_s")
            made.append(at_least(f"{word}: {what}, with {many}, of that with {number(SMALLEST)}", FALL, ratio))
        ratio = _grown(summary, subject, "claim_p50_ms")
        made.append(at_most(f"{word}: latency of a claim, likewise", 2 - FALL, ratio))
    return made


def _grown(summary: Summary, subject: str, name: str) -> Figure | None:
    """What is measured with large tables, beside the same with small ones, round by round."""
    return summary.change(subject, name, f"grown {LARGEST}", f"grown {SMALLEST}")


def _waits(summary: Summary) -> list[Goal]:
    count = min(FULL.waits)
    return [
        at_least(
            f"{word}: of {number(count)} tasks in flight in one worker, at once",
            count,
            summary.figure(subject, f"waits {count}", "claimed"),
        )
        for subject, word in ((SQLITE, "SQLite"), (f"{POSTGRES} 1+1", "PostgreSQL 1+1"))
    ]


def best_peer(summary: Summary) -> str | None:
    """The peer with the most tasks a second end to end; None when none was measured."""
    found = {name: summary.figure(name, "flight", "per_s") for name in PEERS}
    rates = {name: figure.median for name, figure in found.items() if figure is not None}
    return max(rates, key=lambda name: rates[name]) if rates else None


def at_least(what: str, limit: float, figure: Figure | None) -> Goal:
    return _goal(what, f"≥ {number(limit)}", figure, lambda value: value >= limit)


def at_most(what: str, limit: float, figure: Figure | None) -> Goal:
    return _goal(what, f"≤ {number(limit)}", figure, lambda value: value <= limit)


def _goal(what: str, wanted: str, figure: Figure | None, holds: Callable[[float], bool]) -> Goal:
    if figure is None:
        return Goal(what, wanted, "not measured", None)
    return Goal(what, wanted, str(figure), holds(figure.median))


def _none_lost(summary: Summary) -> Goal:
    """Over all rounds together: one lost task in one round is one too many."""
    what, wanted = "tasks lost by SIGKILL of every process, all rounds", "0"
    lost, opened = summary.total(OURS, "kill", "lost"), summary.total(OURS, "kill", "open")
    if lost is None or opened is None:
        return Goal(what, wanted, "not measured", None)
    return Goal(what, wanted, f"{number(lost)} of {number(opened)} open", lost == 0 and opened > 0)


def _beside(summary: Summary, measure: str, other: str) -> Figure | None:
    return summary.ratio(measure, "per_s", OURS, other)


def _scaled(figure: Figure | None, factor: float) -> Figure | None:
    if figure is None:
        return None
    return Figure(figure.median * factor, figure.low * factor, figure.high * factor, figure.rounds)
