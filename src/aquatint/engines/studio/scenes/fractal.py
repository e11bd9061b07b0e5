"""Fractals at output size: Julia and Mandelbrot sets, smooth-coloured and lit as a relief."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import palette_array, smoothstep
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.air import palette_of
from aquatint.engines.studio.scenes.figures.canvas import mix, scale
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

Palette = npt.NDArray[np.float32]  # (n, 3) sRGB 0..1, used as a closed ring
_BLOCK = 24  # rows computed together: small enough to stay in the processor's cache
_ESCAPE = 64.0
_DEEPEST = 321
_STRIDE = 3  # steps between looks for escaped points; more would overflow single precision

# Parameters of Julia sets that fill the frame with structure.
_JULIAS = (
    -0.8 + 0.156j,
    -0.7269 + 0.1889j,
    0.285 + 0.01j,
    -0.4 + 0.6j,
    -0.835 - 0.2321j,
    -0.70176 - 0.3842j,
    0.355 + 0.355j,
    -0.1 + 0.651j,
)
# Places on the edge of the Mandelbrot set: centre and half width.
_PLACES = (
    (-0.743643 + 0.131825j, 0.0045),
    (-0.7453 + 0.1127j, 0.0060),
    (0.28693 + 0.01429j, 0.0060),
    (-1.25066 + 0.02012j, 0.0017),
    (-0.16070 + 1.03757j, 0.026),
    (-0.55 + 0.0j, 1.55),
    (-0.7463 + 0.1102j, 0.0050),
    (-0.088 + 0.654j, 0.05),
)
_PALETTES: tuple[tuple[str, ...], ...] = (
    ("#050a24", "#123a7c", "#2f8fc9", "#e8f4f2", "#f6c25b", "#a4441c", "#2a0f1c"),
    ("#120a1e", "#4a1a5e", "#b0356f", "#f58a5a", "#fde7b0", "#7fc6b4", "#15485e"),
    ("#04140f", "#0f4a3c", "#3fa07a", "#d9efb8", "#fff8e2", "#c99a3c", "#4a2410"),
    ("#0b0b12", "#3a3d58", "#8f9bb5", "#f6f2e8", "#d9b27a", "#7a4a2c", "#1d1418"),
    ("#07031a", "#26137a", "#6b3fe0", "#f06ac0", "#ffd7ec", "#39c6e8", "#0a3a6a"),
)


@dataclass(frozen=True, slots=True)
class _View:
    """What part of which set is shown, and how it is coloured."""

    center: complex
    half: float  # half the shorter side, in the complex plane
    turn: complex  # rotation, a unit number
    julia: complex | None  # None: the Mandelbrot set
    palette: Palette
    cycles: float  # how quickly colours go by with the depth
    phase: float


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Compute a fractal at output size in the plan's colours.

    Escape times are smoothed by the size at escape; the analytic derivative gives a normal for the relief and a
    distance for the fine filaments (Peitgen and Saupe 1988).
    """
    view = _view(plan, easel)
    canvas = np.empty((easel.height, easel.width, 3), np.uint8)
    dither = generator(easel.seed, "dither").random((_BLOCK, easel.width, 1), dtype=np.float32)

    def strip(top: int, bottom: int) -> None:
        color = _render(view, easel, top, bottom)
        canvas[top:bottom] = np.clip(color * 255 + dither[: bottom - top], 0, 255)
        easel.progress(0.05 + 0.9 * bottom / easel.height, "iterating")

    run_strips(strip, easel.height, easel.threads, _BLOCK)
    return canvas


def _view(plan: Plan, easel: Easel) -> _View:
    rng = generator(easel.seed, "fractal")
    words = plan.prompt.casefold()
    mandelbrot = bool(re.search(r"mandelbrot|曼德博|曼德勃罗", words))
    julia = bool(re.search(r"julia|朱利亚", words))
    use_julia = julia or (not mandelbrot and rng.random() < 0.55)
    angle = float(rng.uniform(-0.5, 0.5))
    palette = _palette(plan, rng)
    turn = complex(np.cos(angle), np.sin(angle))
    cycles, phase = float(rng.uniform(1.1, 1.9)), float(rng.random())
    candidates = [_candidate(rng, use_julia, turn, palette, cycles, phase) for _ in range(9)]
    return max(candidates, key=lambda view: _interest(view, easel))


def _candidate(
    rng: np.random.Generator, use_julia: bool, turn: complex, palette: Palette, cycles: float, phase: float
) -> _View:
    if use_julia:
        seedling = _JULIAS[int(rng.integers(len(_JULIAS)))]
        c = seedling + 0.004 * complex(rng.normal(), rng.normal())
        near = float(rng.uniform(0.42, 0.95))
        shift = 0.30 * complex(rng.normal(), rng.normal()) * (1 - near)
        return _View(shift, near, turn, c, palette, cycles, phase)
    center, half = _PLACES[int(rng.integers(len(_PLACES)))]
    zoom = half * float(rng.uniform(0.45, 1.1)) if half < 1 else half * 0.8
    moved = center + 0.4 * zoom * complex(rng.normal(), rng.normal())
    return _View(moved, zoom, turn if half < 1 else 1 + 0j, None, palette, cycles, phase)


def _interest(view: _View, easel: Easel) -> float:
    """How rich a view is, from a thumbnail: many colours in even shares, little of it inside the set."""
    small = replace(easel, width=96, height=max(24, round(96 * easel.height / easel.width)))
    depth, _, _, _ = _iterate(view, small, 0, small.height)
    inside = float((depth < 0).mean())
    shares = np.histogram(np.sqrt(np.maximum(depth[depth >= 0], 0)), bins=24, range=(0, 12))[0] / depth.size
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum()) - 2.5 * inside


def _palette(plan: Plan, rng: np.random.Generator) -> Palette:
    wanted = palette_of(plan.colors, plan.excluded)
    if not wanted:
        return palette_array(_PALETTES[int(rng.integers(len(_PALETTES)))])
    stops = [(0.03, 0.03, 0.06)]
    for color in wanted:
        stops += [scale(color, 0.35), color, mix(color, (1, 1, 1), 0.7)]
    stops.append(scale(wanted[0], 0.18))
    return np.array(stops, np.float32)


def _render(view: _View, easel: Easel, top: int, bottom: int) -> RgbF:
    """Colour of rows top..bottom, (rows, width, 3) sRGB about 0..1."""
    depth, normal_x, normal_y, distance = _iterate(view, easel, top, bottom)
    inside = depth < 0
    share = (np.sqrt(np.maximum(depth, 0)) * np.float32(view.cycles * 0.30) + np.float32(view.phase)) % np.float32(1)
    color = _ring(share, view.palette)
    # A low light from the upper left models the bands; filaments darken to fine lines.
    light = normal_x * np.float32(-0.58) + normal_y * np.float32(0.58) + np.float32(0.57)
    color *= (np.float32(0.52) + np.float32(0.62) * np.maximum(light, 0))[..., None]
    # 1.39 is the most that `light` can be: clipping below it would show as the rim of a plateau.
    color += ((np.maximum(light, 0) / np.float32(1.39)) ** 10 * np.float32(0.20))[..., None]
    thin = smoothstep(0.0, 1.1, distance)
    core = view.palette[0] * np.float32(0.45)
    color = core + (color - core) * thin[..., None]
    color[inside] = core
    return np.asarray(color, dtype=np.float32)


def _ring(share: PlaneF, palette: Palette) -> RgbF:
    closed = np.concatenate([palette, palette[:1]])
    steps = np.linspace(0, len(palette), 2048, endpoint=False)
    index = steps.astype(int)
    part = (steps - index)[:, None]
    part = part * part * (3 - 2 * part)
    table = (closed[index] * (1 - part) + closed[index + 1] * part).astype(np.float32)
    return np.asarray(table[(share * np.float32(2047)).astype(np.int32)], dtype=np.float32)


def _iterate(view: _View, easel: Easel, top: int, bottom: int) -> tuple[PlaneF, PlaneF, PlaneF, PlaneF]:
    """Smooth escape depth (-1: inside), the normal's two parts, and the distance to the set in pixels."""
    pixel = 2 * view.half / min(easel.width, easel.height)
    x = (np.arange(easel.width) - easel.width / 2 + 0.5) * pixel
    y = (easel.height / 2 - np.arange(top, bottom) - 0.5) * pixel
    plane = ((x[None] + 1j * y[:, None]) * view.turn + view.center).ravel()
    depth = np.full(plane.size, -1, np.float32)
    heading = np.zeros(plane.size, np.complex64)
    distance = np.zeros(plane.size, np.float32)
    # Single precision is twice as quick and does until its rounding shows in a pixel.
    kind = np.complex64 if pixel > 1.2e-6 else np.complex128
    alive = np.arange(plane.size) if view.julia is not None else np.flatnonzero(~_in_bulbs(plane))
    orbit = plane[alive].astype(kind)
    fixed = np.full(alive.size, view.julia, kind) if view.julia is not None else orbit.copy()
    slope = np.ones(alive.size, kind)
    for step in range(_STRIDE, _DEEPEST + 1, _STRIDE):
        for _ in range(_STRIDE):
            np.multiply(slope, orbit, out=slope)
            np.multiply(slope, kind(2), out=slope)
            if view.julia is None:
                np.add(slope, kind(1), out=slope)
            np.multiply(orbit, orbit, out=orbit)
            np.add(orbit, fixed, out=orbit)
        size = orbit.real**2 + orbit.imag**2
        out = size > _ESCAPE * _ESCAPE
        if not out.any():
            continue
        gone, length = alive[out], np.log(size[out])
        depth[gone] = step - np.log2(length / (2 * np.log(_ESCAPE)))
        direction = orbit[out] / slope[out]
        reach = np.abs(direction)
        heading[gone] = direction / np.maximum(reach, 1e-30)
        distance[gone] = reach * length * 0.5 / pixel
        stay = np.flatnonzero(~out)
        alive, orbit, fixed, slope = alive[stay], orbit[stay], fixed[stay], slope[stay]
        if not alive.size:
            break
    turned = (heading * np.complex64(view.turn.conjugate())).reshape(bottom - top, -1)
    return depth.reshape(turned.shape), turned.real, turned.imag, distance.reshape(turned.shape)


def _in_bulbs(plane: npt.NDArray[np.complex128]) -> npt.NDArray[np.bool_]:
    """Points of the main cardioid and of the disc left of it: they never escape."""
    x, y = plane.real, plane.imag
    q = (x - 0.25) ** 2 + y * y
    return np.asarray((q * (q + x - 0.25) < 0.25 * y * y) | ((x + 1) ** 2 + y * y < 0.0625))
