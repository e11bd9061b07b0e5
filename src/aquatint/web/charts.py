"""Charts as inline SVG, drawn on the server; each says in words what it shows. Colours are the style sheet's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from aquatint.web.desk import Json
from aquatint.web.shown import number, span

WIDTH, HEIGHT = 640, 190
LEFT, BOTTOM, TOP = 52, 26, 8
LINES = 4  # of the scale, about


def throughput(overview: Json) -> Markup:
    """Tasks that ended in each step, stacked by how."""
    steps: list[Json] = overview["steps"]
    tick, top = _ticks(max([sum(_counts(step)) for step in steps] or [1]), whole=True)
    wide = (WIDTH - LEFT) / max(1, len(steps))
    parts = [_scale(tick, top, number)]
    for index, step in enumerate(steps):
        y = float(HEIGHT - BOTTOM)
        for kind, count in zip(("good", "bad", "quiet"), _counts(step), strict=True):
            if count:
                high = count / top * (HEIGHT - BOTTOM - TOP)
                y -= high
                place = f'x="{LEFT + index * wide:.1f}" y="{y:.1f}"'
                box = f'{place} width="{max(1.0, wide - 1.5):.1f}" height="{high:.1f}"'
                parts.append(f'<rect class="fill-{kind}" {box}/>')
    parts += _times(overview)
    good = sum(step["succeeded"] for step in steps)
    bad = sum(step["failed"] for step in steps)
    return _svg(f"Throughput: {good} tasks done, {bad} failed. Busiest step: {top:.0f} at most.", parts)


def latencies(overview: Json) -> Markup:
    """Half of the tasks are below the lower line, nine in ten below the upper one."""
    steps: list[Json] = overview["steps"]
    tick, top = _ticks(max([step["p90"] or 0.0 for step in steps] or [1.0]))
    wide = (WIDTH - LEFT) / max(1, len(steps))
    parts = [_scale(tick, top, span)]
    for name in ("p90", "p50"):
        points = [
            (LEFT + (index + 0.5) * wide, HEIGHT - BOTTOM - step[name] / top * (HEIGHT - BOTTOM - TOP))
            for index, step in enumerate(steps)
            if step[name] is not None
        ]
        if points:
            path = " ".join(f"{'L' if index else 'M'}{x:.1f} {y:.1f}" for index, (x, y) in enumerate(points))
            parts.append(f'<path class="stroke-{name}" d="{path}"/>')
            parts += [f'<circle class="dot-{name}" cx="{x:.1f}" cy="{y:.1f}" r="2.2"/>' for x, y in points]
    parts += _times(overview)
    total = overview["total"]
    words = (
        f"half within {span(total['p50'])}, nine in ten within {span(total['p90'])}" if total else "no task was done"
    )
    return _svg(f"Seconds from submit to success: {words}.", parts)


def bar(share: float, kind: str) -> Markup:
    """One horizontal bar; its length is `share` of the whole."""
    wide = max(0.0, min(1.0, share)) * 100
    return Markup(  # noqa: S704  # numbers and a word of ours
        '<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="fill-rest" width="100" height="6"/><rect class="fill-{kind}" width="{wide:.2f}" height="6"/>'
        "</svg>"
    )


def attempt(times: Sequence[tuple[str, int]]) -> Markup:
    """The parts of an attempt's time side by side; `times` are names of colours and milliseconds."""
    total = sum(value for _, value in times) or 1
    parts, x = [], 0.0
    for kind, value in times:
        wide = value / total * 100
        parts.append(f'<rect class="part-{escape(kind)}" x="{x:.2f}" width="{wide:.2f}" height="6"/>')
        x += wide
    return Markup(  # noqa: S704  # numbers, and names that are escaped
        f'<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">{"".join(parts)}</svg>'
    )


def _counts(step: Json) -> tuple[int, int, int]:
    return step["succeeded"], step["failed"], step["cancelled"]


def _ticks(highest: float, *, whole: bool = False) -> tuple[float, float]:
    """A round distance of the scale's lines, and where the scale ends."""
    wanted = max(highest, 1e-3) / LINES
    size = 10.0 ** math.floor(math.log10(wanted))
    tick = next(step * size for step in (1, 2, 5, 10) if step * size >= wanted)
    tick = max(1.0, tick) if whole else tick
    return tick, tick * max(1, math.ceil(highest / tick - 1e-9))


def _scale(tick: float, top: float, words: Callable[[float], str]) -> str:
    rows = []
    for line in range(round(top / tick) + 1):
        y = HEIGHT - BOTTOM - line * tick / top * (HEIGHT - BOTTOM - TOP)
        rows.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        if line:
            rows.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(words(line * tick))}</text>')
    return "".join(rows)


def _times(overview: Json) -> list[str]:
    total = overview["window_seconds"]
    marks = ((LEFT, "start", f"{span(total)} ago"), ((WIDTH + LEFT) / 2, "middle", f"{span(total / 2)} ago"))
    texts = [*marks, (WIDTH, "end", "now")]
    return [
        f'<text x="{x:.0f}" y="{HEIGHT - 5}" text-anchor="{anchor}">{escape(words)}</text>'
        for x, anchor, words in texts
    ]


def _svg(label: str, parts: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704  # the parts are made here of numbers, their texts are escaped
        f'<svg class="chart" role="img" aria-label="{escape(label)}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )
