"""Line charts as SVG, without a library: panels side by side, readable on light and on dark pages."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 460, 340  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 62, 14, 40, 46  # of its frame
LEGEND = 24  # height of a line of the legend
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f; }
.title { font-size: 13px; font-weight: 600; }
.grid { stroke: #8c959f; stroke-opacity: .35; }
.frame { stroke: #8c959f; fill: none; }
.line { fill: none; stroke-width: 2; }
.hollow { fill: #fff; }
.c0 { stroke: #0969da; } .c1 { stroke: #bc4c00; } .c2 { stroke: #1a7f37; } .c3 { stroke: #8250df; }
.c0.full { fill: #0969da; } .c1.full { fill: #bc4c00; } .c2.full { fill: #1a7f37; } .c3.full { fill: #8250df; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.hollow { fill: #0d1117; }
.c0 { stroke: #58a6ff; } .c1 { stroke: #f0883e; } .c2 { stroke: #3fb950; } .c3 { stroke: #bc8cff; }
.c0.full { fill: #58a6ff; } .c1.full { fill: #f0883e; } .c2.full { fill: #3fb950; } .c3.full { fill: #bc8cff; }
}
"""


@dataclass(frozen=True, slots=True)
class Point:
    """`low` and `high` are the spread over the rounds; a hollow one is drawn open."""

    x: float
    y: float
    low: float
    high: float
    hollow: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    points: tuple[Point, ...]
    colour: int  # 0 to 3
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, with these ticks."""

    title: str
    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool

    def at(self, value: float, begin: float, end: float) -> float:
        """Where a value lies between two ends of the picture."""
        scale: Callable[[float], float] = math.log10 if self.log else float
        least, most = scale(self.low), scale(self.high)
        share = (scale(min(max(value, self.low), self.high)) - least) / (most - least)
        return begin + share * (end - begin)


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    x: Axis
    y: Axis
    series: tuple[Series, ...]


def logarithmic(title: str, values: Sequence[float]) -> Axis:
    """Decades around the values, with ticks at 1, 2 and 5."""
    positive = [value for value in values if value > 0] or [1.0]
    steps = [
        digit * 10.0**power
        for power in range(math.floor(math.log10(min(positive))) - 1, math.ceil(math.log10(max(positive))) + 2)
        for digit in (1, 2, 5)
    ]
    low = max(step for step in steps if step <= min(positive) * 1.0001)
    high = min((step for step in steps if step >= max(positive) * 0.9999 and step > low), default=low * 10)
    return Axis(title, low, high, tuple(step for step in steps if low <= step <= high * 1.0001), log=True)


def places(title: str, values: Sequence[float]) -> Axis:
    """The values themselves as ticks, on a logarithmic scale with a little room at both ends."""
    return Axis(title, min(values) / 1.25, max(values) * 1.25, tuple(sorted(set(values))), log=True)


def from_zero(title: str, values: Sequence[float]) -> Axis:
    """From 0 to a round number above the values."""
    most = max([*values, 1e-9])
    step = 10.0 ** math.floor(math.log10(most))
    step = next(s for s in (step / 5, step / 2, step, step * 2) if most / s <= 6)
    high = math.ceil(most / step) * step
    return Axis(title, 0.0, high, tuple(step * n for n in range(round(high / step) + 1)), log=False)


def short(value: float) -> str:
    """12 500 as 12.5k."""
    for limit, letter in ((1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:g}{letter}"
    return f"{value:g}"


def draw(title: str, panels: Sequence[Panel], note: str = "") -> str:
    """The whole picture. Series of all panels with the same name share one entry of the legend."""
    names: dict[str, Series] = {}
    for panel in panels:
        for series in panel.series:
            names.setdefault(series.name, series)
    rows = -(-len(names) // 3)
    width, height = WIDTH * len(panels), HEIGHT + LEGEND * rows + (18 if note else 0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
    ]
    parts += [_panel(panel, index * WIDTH) for index, panel in enumerate(panels)]
    for index, series in enumerate(names.values()):
        parts.append(_legend(series, 20 + index % 3 * (width - 30) / 3, HEIGHT + 8 + LEGEND * (index // 3)))
    if note:
        parts.append(f'<text x="20" y="{height - 8}" opacity=".75">{escape(note)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(panel: Panel, shift: float) -> str:
    left, right, top, bottom = shift + LEFT, shift + WIDTH - RIGHT, TOP, HEIGHT - BOTTOM
    parts = [f'<text class="title" x="{left}" y="{top - 16}">{escape(panel.title)}</text>']
    for tick in panel.y.ticks:
        y = panel.y.at(tick, bottom, top)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{short(tick)}</text>')
    for tick in panel.x.ticks:
        x = panel.x.at(tick, left, right)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{short(tick)}</text>')
    middle = (left + right) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 36}" text-anchor="middle">{escape(panel.x.title)}</text>')
    up = f"{shift + 14} {(top + bottom) / 2}"
    parts.append(f'<text transform="rotate(-90 {up})" x="{up.split()[0]}" y="{up.split()[1]}" text-anchor="middle">')
    parts[-1] += f"{escape(panel.y.title)}</text>"
    parts.append(f'<rect class="frame" x="{left}" y="{top}" width="{right - left}" height="{bottom - top}"/>')
    for series in panel.series:
        parts += _series(series, panel, (left, right, top, bottom))
    return "\n".join(parts)


def _series(series: Series, panel: Panel, frame: tuple[float, float, float, float]) -> list[str]:
    left, right, top, bottom = frame
    spots = [
        (panel.x.at(p.x, left, right), *(panel.y.at(v, bottom, top) for v in (p.y, p.low, p.high)), p.hollow)
        for p in series.points
    ]
    dash = ' stroke-dasharray="6 4"' if series.dashed else ""
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, *_ in spots)
    parts = [f'<polyline class="line c{series.colour}"{dash} points="{line}"/>']
    for x, y, low, high, hollow in spots:
        parts.append(f'<line class="c{series.colour}" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>')
        kind = "hollow" if hollow else "full"
        parts.append(f'<circle class="c{series.colour} {kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    return parts


def _legend(series: Series, x: float, y: float) -> str:
    dash = ' stroke-dasharray="6 4"' if series.dashed else ""
    line = f'<line class="line c{series.colour}"{dash} x1="{x:.0f}" x2="{x + 28:.0f}" y1="{y}" y2="{y}"/>'
    return f'{line}<text x="{x + 35:.0f}" y="{y + 4}">{escape(series.name)}</text>'
