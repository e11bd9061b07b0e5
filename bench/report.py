"""The results as a page: goals, tables, hardware, mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.goals import CEILING, OURS, PEERS, Goal, goals
from bench.hardware import Hardware
from bench.plan import FLOORS, Plan
from bench.subjects import ENGINE_MS, SLOTS
from bench.summary import Summary, number

BUSY = 10.0  # percent of the machine that others may use before the page warns
SUBMIT_COLUMNS = (
    ("requests/s", "per_s"),
    ("p50 ms", "answer_p50_ms"),
    ("p99 ms", "answer_p99_ms"),
    ("server CPU %", "meter_server_cpu"),
    ("generator CPU %", "meter_generator_cpu"),
    ("refused", "refused"),
)
TASK_COLUMNS = (
    ("tasks/s", "flight", "per_s"),
    ("submit p99 ms", "flight", "answer_p99_ms"),
    ("submit → webhook p50 ms", "flight", "hook_p50_ms"),
    ("p99 ms", "flight", "hook_p99_ms"),
    ("RSS after MiB", "flight", "meter_rss"),
    ("missing", "flight", "missing"),
    ("at 20/s: submit p50 ms", "low", "answer_p50_ms"),
    ("→ webhook p50 ms", "low", "hook_p50_ms"),
    ("p99 ms", "low", "hook_p99_ms"),
    (f"tasks/s, {ENGINE_MS} ms engine", "engine", "per_s"),
)
REST_COLUMNS = (
    ("idle RSS MiB", "idle", "meter_rss"),
    ("idle PSS MiB", "idle", "meter_pss"),
    ("idle CPU %", "idle", "meter_server_cpu"),
    ("SIGKILL: tasks open", "kill", "open"),
    ("lost", "kill", "lost"),
    ("webhooks twice", "kill", "twice"),
    ("up again s", "kill", "restart_s"),
    ("last webhook after s", "kill", "whole_after_s"),
)
MODE = (
    "Aquatint: one `aquatint serve` process, SQLite in WAL mode with synchronous=FULL and group commit: a submit is "
    "answered after its fdatasync. Floors with group commit: the same mode. `celery durable`: acks_late, "
    "reject_on_worker_lost, Redis appendfsync always; `celery tuned`: Redis appendfsync everysec. All callbacks are "
    "signed. For Aquatint's submits the null engine takes an hour a task, so that submits are all that is measured. "
    "The load generator and the receiver of callbacks are one further process on the same cores."
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    command: str
    date: str
    minutes: float
    without_peers: str  # why no peer was measured; empty when they were


def page(summary: Summary, hardware: Hardware, plan: Plan, circumstances: Circumstances) -> str:
    """The whole page as Markdown; nothing in it tells where on the machine anything lies."""
    head = (
        f"`{circumstances.command}`, {circumstances.date}, {circumstances.minutes:.1f} minutes, "
        f"{summary.rounds()} of {plan.rounds} interleaved rounds. Figures are medians over the rounds with "
        "[lowest..highest]. How to read this page: [README.md](README.md)."
    )
    slow = f"{CEILING:,.0f}/s is the ceiling of {SLOTS} slots at {ENGINE_MS} ms"
    parts = [
        "# Benchmark results",
        head,
        "## Goals",
        goal_table(goals(summary)),
        *_notes(summary, hardware, circumstances),
        "## Requests: submits, and queries of finished tasks",
        _request_table(summary),
        f"## Tasks end to end: submit → webhook received ({slow})",
        _subject_table(summary, TASK_COLUMNS),
        "## At rest, and SIGKILL of every process",
        _subject_table(summary, REST_COLUMNS),
        "## Durability",
        MODE,
        "## Hardware",
        _hardware(hardware),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def goal_table(rows: Sequence[Goal]) -> str:
    words = {True: "held", False: "**not held**", None: "–"}
    return table(
        ("goal", "wanted", "measured", ""),
        [(goal.what, goal.wanted, goal.measured, words[goal.held]) for goal in rows],
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _request_table(summary: Summary) -> str:
    wanted = [(OURS, "submit 16"), (OURS, "submit 64")]
    wanted += [(floor.name, "submit 64") for floor in FLOORS]
    wanted += [(peer, "submit 64") for peer in PEERS]
    wanted.append((OURS, "query 32"))
    rows = []
    for subject, measure in wanted:
        cells = [_cell(summary, subject, measure, name) for _, name in SUBMIT_COLUMNS]
        if any(cell != "–" for cell in cells):
            rows.append([subject, f"{measure} connections", *cells])
    return table(["", "load", *(title for title, _ in SUBMIT_COLUMNS)], rows)


def _subject_table(summary: Summary, columns: Sequence[tuple[str, str, str]]) -> str:
    rows = []
    for subject in (OURS, *PEERS):
        cells = [_cell(summary, subject, measure, name) for _, measure, name in columns]
        if any(cell != "–" for cell in cells):
            rows.append([subject, *cells])
    return table(["", *(title for title, _, _ in columns)], rows)


def _cell(summary: Summary, subject: str, measure: str, name: str) -> str:
    figure = summary.figure(subject, measure, name)
    return "–" if figure is None else str(figure)


def _notes(summary: Summary, hardware: Hardware, circumstances: Circumstances) -> list[str]:
    notes = []
    if circumstances.without_peers:
        notes.append(f"- Without peers: {circumstances.without_peers}.")
    if hardware.in_memory:
        notes.append(f"- The data folders lie in memory ({hardware.filesystem}): nothing here was durable.")
    if (others := summary.worst("meter_others")) > BUSY:
        notes.append(f"- The machine was not quiet: others used up to {number(others)} % of it. Trust ratios only.")
    if unsigned := summary.worst("unsigned"):
        notes.append(f"- {number(unsigned)} callbacks came without a signature.")
    notes += [
        f"- Round {sample.round + 1}, {sample.subject}, {sample.measure}: failed ({sample.failed.partition(':')[0]})."
        for sample in summary.failures()
    ]
    return ["\n".join(notes)]


def _hardware(hardware: Hardware) -> str:
    rows = [
        ("cores", str(hardware.cores)),
        ("CPU", hardware.cpu),
        ("memory", f"{hardware.memory_gib:.0f} GiB"),
        ("kernel", hardware.kernel),
        ("Python", hardware.python),
        ("SQLite", hardware.sqlite),
        ("file system of the data folders", hardware.filesystem),
        ("fdatasync of a 4 KiB append", f"{hardware.fsync_us:.0f} µs median, {hardware.fsync_p99_us:.0f} µs p99"),
        ("load average before", f"{hardware.load:.1f}"),
    ]
    return table(("", ""), rows)
