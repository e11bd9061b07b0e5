"""The results as a page: goals, tables, plots, hardware, mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.goals import CEILING, OURS, PEERS, SHAPES, Goal, goals
from bench.hardware import Hardware
from bench.plan import Plan
from bench.plots import Plot
from bench.postgres import settings_line
from bench.sections.images import ALONE, CONNECTIONS, NULL
from bench.sections.single import FLOORS
from bench.stacks import COMFY, LITELLM
from bench.subjects import ENGINE_MS, POSTGRES, SLOTS, SQLITE
from bench.summary import Summary, number

BUSY = 10.0  # percent of the machine that others may use before the page warns
Column = tuple[str, str]  # its title, and the name of what stands there
SUBMIT_COLUMNS: tuple[Column, ...] = (
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
    ("PSS after MiB", "flight", "meter_pss"),
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
HOOK_COLUMNS = (
    ("first attempts/s", "webhook rate", "per_s"),
    ("at 100/s: end → received p50 ms", "webhook lag", "lag_p50_ms"),
    ("p99 ms", "webhook lag", "lag_p99_ms"),
    ("beside 100 dead receivers: p50 ms", "webhook lag, dead", "lag_p50_ms"),
    ("p99 ms", "webhook lag, dead", "lag_p99_ms"),
    ("never received", "webhook lag, dead", "missing"),
)
IDLE_COLUMNS: tuple[Column, ...] = (("RSS MiB", "meter_rss"), ("PSS MiB", "meter_pss"), ("CPU %", "meter_server_cpu"))
GROWTH_COLUMNS: tuple[Column, ...] = (
    ("submits/s", "submit_per_s"),
    ("queries/s, newest", "query_per_s"),
    ("queries/s, any age", "any_per_s"),
    ("claim p50 ms", "claim_p50_ms"),
    ("claim p99 ms", "claim_p99_ms"),
    ("database MiB", "mib"),
)
WAIT_COLUMNS: tuple[Column, ...] = (
    ("wall s", "wall_s"),
    ("tasks/s", "per_s"),
    ("most in the worker at once", "claimed"),
    ("most at the provider", "peak"),
    ("worker CPU s", "worker_cpu_s"),
    ("provider CPU s", "provider_cpu_s"),
    ("worker RSS MiB", "worker_rss"),
    ("failed", "failed"),
    ("missing", "missing"),
    ("paid twice", "doubled"),
)
LOAD_COLUMNS: tuple[Column, ...] = (
    ("ended/s", "per_s"),
    ("submit p50 ms", "answer_p50_ms"),
    ("p99 ms", "answer_p99_ms"),
    ("submit → webhook p50 ms", "hook_p50_ms"),
    ("p99 ms", "hook_p99_ms"),
    ("server CPU %", "meter_server_cpu"),
)
MODE = (
    "Aquatint: one `aquatint serve` process, SQLite in WAL mode with synchronous=FULL and group commit: a submit is "
    "answered after its fdatasync. Floors with group commit: the same mode. `celery durable`: acks_late, "
    "reject_on_worker_lost, Redis appendfsync always; `celery tuned`: Redis appendfsync everysec. All callbacks are "
    "signed. For Aquatint's submits the null engine takes an hour a task, so that submits are all that is measured. "
    "The load generator and the receiver of callbacks are one further process on the same cores."
)
POSTGRES_MODE = (
    "`aquatint postgres` is one `aquatint serve` that does all; `1+1` and `2+2` are so many `aquatint serve "
    "--no-worker` and `aquatint worker`, and connections take turns over the servers. PostgreSQL runs on the same "
    "cores, reached by a Unix socket, with its default settings: {settings}. `pgqueuer` is FastAPI on the same "
    "PostgreSQL, one job row a task and nothing else. CPU and PSS count PostgreSQL's processes, too."
)
PEERS_NOTE = (
    "`comfy-api-proxy` keeps its state in SQLite with synchronous=NORMAL, in front of a ComfyUI that takes every "
    "prompt and does nothing; it has no callbacks, so only submits and queries are compared."
)
IMAGES_NOTE = (
    "`POST /v1/images/generations`, answered when the picture is there. `aquatint` and `litellm` send every call to "
    "the same simulated provider, which answers at once with a picture of 1024×1024 that it remembers; it and the "
    "load generator share their cores, so the rates are what is left of both. LiteLLM passes the answer on and keeps "
    "nothing. Aquatint does for each what it does for every task: the row, the attempt before and after the paid "
    "call, the picture decoded, checked and stored, all synced to the disk, then read again for the answer. With the "
    "null engine nothing is bought and nothing decoded: what is left is the face and the queue."
)
WAITS_NOTE = (
    "The tasks wait in the queue before the clock starts. Each is sent to `aquatint simulate --plain`, runs there "
    "for {seconds} s, is asked after until it is done, and its small picture is fetched, decoded and stored. As many "
    "as the smallest number may be in flight at once. SQLite: the server is the worker."
)


@dataclass(frozen=True, slots=True)
class Circumstances:
    command: str
    date: str
    minutes: float
    without: tuple[str, ...] = ()  # what was not measured, and why
    postgres: tuple[tuple[str, str], ...] = ()  # its settings


def page(
    summary: Summary, hardware: Hardware, plan: Plan, circumstances: Circumstances, plots: Sequence[Plot] = ()
) -> str:
    """The whole page as Markdown; nothing in it tells where on the machine anything lies."""
    head = (
        f"`{circumstances.command}`, {circumstances.date}, {circumstances.minutes:.1f} minutes, "
        f"{summary.rounds()} of {plan.rounds} interleaved rounds. Figures are medians over the rounds with "
        "[lowest..highest]. How to read this page: [README.md](README.md)."
    )
    slow = f"{CEILING:,.0f}/s is the ceiling of {SLOTS} slots at {ENGINE_MS} ms"
    postgres = POSTGRES_MODE.format(settings=settings_line(circumstances.postgres)) if circumstances.postgres else ""
    waits = WAITS_NOTE.format(seconds=number(plan.wait_seconds))
    parts = [
        "# Benchmark results",
        head,
        "## Goals",
        goal_table(goals(summary)),
        *_notes(summary, hardware, circumstances),
        *_part("Requests: submits, and queries of finished tasks", _request_table(summary), PEERS_NOTE),
        *_part(f"Tasks end to end: submit → webhook received ({slow})", _subject_table(summary, TASK_COLUMNS)),
        *_part("At rest, and SIGKILL of every process", _subject_table(summary, REST_COLUMNS)),
        *_part("Callbacks at scale", _subject_table(summary, HOOK_COLUMNS)),
        *_part("Pictures by OpenAI's synchronous call", _image_table(summary), IMAGES_NOTE),
        *_part("Latency against offered load", _series(summary, "load", plan.offered, LOAD_COLUMNS, "offered/s")),
        *_plot(plots, "load"),
        *_part("Growth", _series(summary, "grown", plan.sizes, GROWTH_COLUMNS, "finished tasks")),
        *_plot(plots, "growth"),
        *_part(
            f"Tasks that wait {number(plan.wait_seconds)} s for a provider",
            _series(summary, "waits", plan.waits, WAIT_COLUMNS, "tasks"),
            " ".join([waits, *_not_waited(summary, plan)]),
        ),
        "## Durability",
        MODE,
        postgres,
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


def _part(title: str, found: str, note: str = "") -> list[str]:
    """A section of the page, if there is anything to show."""
    return [f"## {title}", found, note] if found else []


def _plot(plots: Sequence[Plot], name: str) -> list[str]:
    return [f"![{plot.title}]({plot.file})" for plot in plots if plot.file.endswith(f"/{name}.svg")]


def _request_table(summary: Summary) -> str:
    wanted = [(OURS, "submit 16"), (OURS, "submit 64")]
    wanted += [(floor.name, "submit 64") for floor in FLOORS]
    wanted += [(shape, "submit 64") for shape in SHAPES]
    wanted += [(peer, "submit 64") for peer in PEERS]
    wanted += [(COMFY, "submit 16"), (COMFY, "submit 64")]
    wanted += [(name, "query 32") for name in (OURS, *SHAPES, *PEERS, COMFY)]
    return _load_table(summary, wanted, SUBMIT_COLUMNS)


def _image_table(summary: Summary) -> str:
    subjects = (ALONE, SQLITE, LITELLM, NULL)
    wanted = [(subject, f"images {count}") for count in CONNECTIONS for subject in subjects]
    tables = [
        _load_table(summary, wanted, SUBMIT_COLUMNS),
        _load_table(summary, [(subject, "images idle") for subject in subjects[1:]], IDLE_COLUMNS),
    ]
    return "\n\n".join(filter(None, tables))


def _load_table(summary: Summary, wanted: Sequence[tuple[str, str]], columns: Sequence[Column]) -> str:
    """One row for each subject under a load; the name of a load ends in its number of connections."""
    rows = []
    for subject, measure in wanted:
        cells = [_cell(summary, subject, measure, name) for _, name in columns]
        if any(cell != "–" for cell in cells):
            load = f"{measure} connections" if measure[-1].isdigit() else measure
            rows.append([subject, load, *cells])
    return table(["", "load", *(title for title, _ in columns)], rows) if rows else ""


def _subject_table(summary: Summary, columns: Sequence[tuple[str, str, str]]) -> str:
    rows = []
    for subject in (OURS, *SHAPES, *PEERS):
        cells = [_cell(summary, subject, measure, name) for _, measure, name in columns]
        if any(cell != "–" for cell in cells):
            rows.append([subject, *cells])
    return table(["", *(title for title, _, _ in columns)], rows) if rows else ""


def _series(summary: Summary, measure: str, steps: Sequence[int], columns: Sequence[Column], what: str) -> str:
    """One measure at several sizes, subject by subject."""
    rows = []
    for subject in (SQLITE, *SHAPES):
        for step in steps:
            cells = [_cell(summary, subject, f"{measure} {step}", name) for _, name in columns]
            if any(cell != "–" for cell in cells):
                rows.append([subject, f"{step:,}", *cells])
    return table(["", what, *(title for title, _ in columns)], rows) if rows else ""


def _not_waited(summary: Summary, plan: Plan) -> list[str]:
    """What would have taken too long, in words."""
    found = []
    for subject in (SQLITE, f"{POSTGRES} 1+1"):
        for count in plan.waits:
            seconds = summary.figure(subject, f"waits {count}", "would_take_s")
            if seconds is not None:
                found.append(
                    f"{subject}: {count:,} tasks would take about {number(seconds.median)} s at the rate of the"
                    " smaller number, so they were not measured."
                )
    return found


def _cell(summary: Summary, subject: str, measure: str, name: str) -> str:
    figure = summary.figure(subject, measure, name)
    return "–" if figure is None else str(figure)


def _notes(summary: Summary, hardware: Hardware, circumstances: Circumstances) -> list[str]:
    notes = [f"- {line}" for line in circumstances.without]
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
