"""Abstract art: asked for by name, or under the words of a prompt whose subject no scene can draw."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import palette_array, ramp
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator, paper_grain
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import fit_width, rows_of, unit
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_FIELD_SIDE = 1024
_STEPS = 90
_SHIFT = 4  # fractional bits of OpenCV's polygon coordinates
Palette = npt.NDArray[np.float32]  # (5, 3) sRGB 0..1, dark to light


@dataclass(frozen=True, slots=True)
class _Design:
    """The decisions of one poster."""

    palette: Palette
    ribbons: int
    width: float  # of the broadest ribbon, in units of the longer side / 1024
    swirl: float  # how strongly the field turns
    heading: float  # main direction, radians
    disc: tuple[float, float, float] | None  # centre x, y and radius as shares of the width, height, height


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint flowing ribbons in the prompt's colours; lines follow a noise field (Perlin 1985).

    It is also the art under the words of a poster, which are set when all is painted.
    """
    easel.progress(0.05, "choosing colours")
    design = _design(plan, easel.seed)
    angle = _flow_angle(design, easel)
    easel.progress(0.15, "painting ribbons")
    canvas = _ground(design, easel)
    _paint_ribbons(canvas, angle, design, easel)
    if design.disc:
        _paint_disc(canvas, design, easel)
    easel.progress(0.9, "printing")
    _print_on_paper(canvas, easel)
    return canvas


def _design(plan: Plan, seed: int) -> _Design:
    rng = generator(seed, "poster design")
    disc = None
    if rng.random() < 0.75:
        disc = (float(rng.uniform(0.3, 0.72)), float(rng.uniform(0.26, 0.46)), float(rng.uniform(0.12, 0.24)))
    return _Design(
        palette=_choose_palette(plan, rng),
        ribbons=int(rng.integers(900, 2200)),
        width=float(rng.uniform(7, 16)),
        swirl=float(rng.uniform(1.2, 2.4)),
        heading=float(rng.uniform(0, 2 * np.pi)),
        disc=disc,
    )


def _choose_palette(plan: Plan, rng: np.random.Generator) -> Palette:
    data = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    said = {*plan.colors, *plan.moods, *(s.color for s in plan.subjects if s.color)}
    said |= {w for w in (plan.time, plan.season) if w} | {w.name for w in (*plan.weather, *plan.styles)}
    scores = {name: len(said & set(entry["words"])) for name, entry in data.items()}
    best = max(scores.values())
    fitting = sorted(name for name, score in scores.items() if score == best)
    chosen = fitting[int(rng.integers(len(fitting)))]
    return palette_array(data[chosen]["colors"])


def _flow_angle(design: _Design, easel: Easel) -> PlaneF:
    width, height = fit_width(easel.width, easel.height, _FIELD_SIDE)
    angle = fbm(height, width, 2.2, 3, derive_seed(easel.seed, "flow"))
    angle *= design.swirl * 1.5
    angle += design.heading
    return angle


def _ground(design: _Design, easel: Easel) -> Rgb8:
    width, height = fit_width(easel.width, easel.height, 512)
    tone = 0.5 + 0.75 * fbm(height, width, 1.6, 3, derive_seed(easel.seed, "ground"))
    color = ramp(np.asarray(tone, dtype=np.float32), design.palette) * 0.45 + design.palette[0] * 0.55
    small = np.asarray(color * 255, dtype=np.float32)
    canvas = np.empty((easel.height, easel.width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        canvas[top:bottom] = np.clip(rows_of(small, easel.width, easel.height, top, bottom) + 0.5, 0, 255)

    run_strips(strip, easel.height, easel.threads)
    return canvas


def _trace(angle: PlaneF, count: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Follow `count` lines through the field: (count, steps, 2) float32 in field pixels."""
    height, width = angle.shape
    x = rng.uniform(-0.1, 1.1, count).astype(np.float32) * width
    y = rng.uniform(-0.1, 1.1, count).astype(np.float32) * height
    path = np.empty((count, _STEPS, 2), np.float32)
    stride = np.float32(3.4 * unit(width, height))
    for step in range(_STEPS):
        path[:, step, 0], path[:, step, 1] = x, y
        turn = angle[np.clip(y, 0, height - 1).astype(int), np.clip(x, 0, width - 1).astype(int)]
        x = x + np.cos(turn) * stride
        y = y + np.sin(turn) * stride
    return path


def _paint_ribbons(canvas: Rgb8, angle: PlaneF, design: _Design, easel: Easel) -> None:
    rng = generator(easel.seed, "ribbons")
    path = _trace(angle, design.ribbons, rng)
    tone = 0.5 + 0.95 * fbm(angle.shape[0], angle.shape[1], 2.4, 3, derive_seed(easel.seed, "tone"))
    scale = easel.width / angle.shape[1]
    middle = np.clip(path[:, _STEPS // 2], 0, np.array(angle.shape[::-1]) - 1).astype(int)
    shade = np.clip(tone[middle[:, 1], middle[:, 0]] + rng.normal(0, 0.11, design.ribbons), 0, 1)
    colors = ramp(shade.astype(np.float32)[None], design.palette)[0]
    colors *= rng.uniform(0.9, 1.08, (design.ribbons, 1)).astype(np.float32)
    breadths = design.width * rng.choice(
        [0.12, 0.22, 0.4, 0.65, 1.0], design.ribbons, p=[0.3, 0.28, 0.22, 0.14, 0.06]
    )
    lengths = (_STEPS * rng.uniform(0.35, 1.0, design.ribbons)).astype(int)
    # Broad ones first, so that fine lines lie on top; some disorder keeps it alive.
    for index in np.argsort(-breadths + rng.normal(0, 1.5, design.ribbons), kind="stable"):
        breadth = float(breadths[index]) * unit(easel.width, easel.height)
        outline = _ribbon(path[index, : lengths[index]] * np.float32(scale), breadth)
        ink = [float(c) for c in np.clip(colors[index] * 255, 0, 255)]
        cv2.fillPoly(canvas, [outline], ink, cv2.LINE_AA, _SHIFT)


def _ribbon(line: npt.NDArray[np.float32], breadth: float) -> npt.NDArray[np.int32]:
    """Outline of a band along `line` (n, 2) that swells and tapers: (2n, 2) fixed-point pixels."""
    along = np.gradient(line, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-6
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    swell = np.sin(np.linspace(0.06, np.pi - 0.02, len(line))) ** 0.55
    offset = across * (0.5 * max(breadth, 0.7) * swell)[:, None]
    outline = np.concatenate([line + offset, (line - offset)[::-1]])
    return np.round(outline * (1 << _SHIFT)).astype(np.int32)


def _paint_disc(canvas: Rgb8, design: _Design, easel: Easel) -> None:
    """A sun or a moon: the calm place of the picture."""
    assert design.disc is not None  # noqa: S101 - the caller asked first
    x, y, radius = design.disc
    radius *= min(easel.width, easel.height)
    center = (int(x * easel.width * (1 << _SHIFT)), int(y * easel.height * (1 << _SHIFT)))
    color = [float(c) for c in design.palette[-1] * 252]
    cv2.circle(canvas, center, int(radius * (1 << _SHIFT)), color, -1, cv2.LINE_AA, _SHIFT)


def _print_on_paper(canvas: Rgb8, easel: Easel) -> None:
    grain = paper_grain(easel.height, easel.width, easel.seed)

    def strip(top: int, bottom: int) -> None:
        tooth = 1 + np.clip(grain.rows(top, bottom), -3, 3)[..., None] * np.float32(0.02)
        canvas[top:bottom] = np.clip(canvas[top:bottom] * tooth + 0.5, 0, 255)

    run_strips(strip, easel.height, easel.threads)
