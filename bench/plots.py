"""The plots of the results page: latency against offered load, and rates against the size of the tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import svg
from bench.plan import KEPT_UP, Plan
from bench.subjects import POSTGRES, SQLITE
from bench.summary import Summary

SUBJECTS = ((SQLITE, "SQLite"), (POSTGRES, "PostgreSQL, one process"), (f"{POSTGRES} 2+2", "PostgreSQL, 2 + 2"))


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture beside the page."""

    file: str  # its place below the page
    title: str


def draw(summary: Summary, plan: Plan, folder: Path) -> list[Plot]:
    """Write what there are numbers for."""
    made = []
    for name, title, text in (("load", "Latency against offered load", _load(summary, plan)), _growth(summary, plan)):
        if text:
            folder.mkdir(exist_ok=True)
            (folder / f"{name}.svg").write_text(text)
            made.append(Plot(f"{folder.name}/{name}.svg", title))
    return made


def _load(summary: Summary, plan: Plan) -> str:
    panels = []
    for kind, title in (("answer", "submit → answer"), ("hook", "submit → webhook received")):
        found = []
        for colour, (subject, word) in enumerate(SUBJECTS):
            for share, dashed in (("p50", False), ("p99", True)):
                points = [
                    point
                    for rate in plan.offered
                    for point in _points(summary, subject, f"load {rate}", f"{kind}_{share}_ms", rate)
                ]
                if points:
                    found.append(svg.Series(f"{word}, {share}", tuple(points), colour, dashed))
        if found:
            x = svg.places("tasks offered a second", plan.offered)
            y = svg.logarithmic("ms", _values(found))
            panels.append(svg.Panel(title, x, y, tuple(found)))
    note = "Bars: lowest and highest round. Open points: more was offered than the server keeps up with."
    return svg.draw("Latency against offered load", panels, note) if panels else ""


def _growth(summary: Summary, plan: Plan) -> tuple[str, str, str]:
    def series(names: Sequence[tuple[str, str, bool]]) -> tuple[svg.Series, ...]:
        found = []
        for colour, (subject, word) in enumerate(SUBJECTS[:2]):
            for name, what, dashed in names:
                points = [
                    point for size in plan.sizes for point in _points(summary, subject, f"grown {size}", name, size)
                ]
                if points:
                    found.append(svg.Series(f"{word.partition(',')[0]}, {what}", tuple(points), colour, dashed))
        return tuple(found)

    rates = series((("submit_per_s", "submits", False), ("query_per_s", "queries of the newest", True)))
    waits = series((("claim_p50_ms", "submit → claimed, p50", False),))
    if not rates:
        return "growth", "", ""
    x = svg.places("finished tasks in the tables", plan.sizes)
    panels = [
        svg.Panel("rate", x, svg.from_zero("requests a second", _values(rates)), rates),
        svg.Panel("latency of a claim", x, svg.from_zero("ms", _values(waits)), waits),
    ]
    title = "Rates against the size of the tables"
    return "growth", title, svg.draw(title, panels, "Bars: lowest and highest round.")


def _points(summary: Summary, subject: str, measure: str, name: str, x: float) -> list[svg.Point]:
    figure = summary.figure(subject, measure, name)
    if figure is None:
        return []
    rate = summary.figure(subject, measure, "per_s")
    behind = rate is not None and rate.median < x * KEPT_UP
    return [svg.Point(x, figure.median, figure.low, figure.high, behind)]


def _values(series: Sequence[svg.Series]) -> list[float]:
    return [value for one in series for point in one.points for value in (point.low, point.high)]
