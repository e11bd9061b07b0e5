"""Chinese ink landscape: ridges fading into mist, pines, blank water with a boat, a red sun and a seal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator, paper_grain, ridged
from aquatint.engines.studio.kernels.parallel import map_ordered, run_strips
from aquatint.engines.studio.kernels.resize import rows_of
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.styles.base import Easel, Rgb8

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

WASH_SIDE = 1536  # longest side of the ink washes, pixels; lines and paper are drawn at output size
RIDGES = 7
_PAPER = np.array([0.957, 0.938, 0.890], np.float32)
_INK = np.array([1.05, 1.0, 0.93], np.float32)  # density per channel: warm black
_SUN = np.array([0.86, 0.30, 0.22], np.float32)
_SEAL = np.array([0.76, 0.15, 0.12], np.float32)


@dataclass(frozen=True, slots=True)
class _Ridge:
    """One range of mountains. `crest` is its outline, rows as fractions of the height, 1024 samples."""

    near: float  # 0 far .. 1 near
    crest: PlaneF
    seed: int


def _ridges(seed: int, portrait: float) -> list[_Ridge]:
    rng = generator(seed, "ridges")
    result = []
    u = np.linspace(0, 1, 1024, dtype=np.float32)
    hero = float(rng.choice([0.30, 0.36, 0.64, 0.70]))
    for index in range(RIDGES):
        near = index / (RIDGES - 1)
        part = derive_seed(seed, "ridge", index)
        base = 0.36 + 0.44 * near
        tall = (0.10 + 0.17 * (1 - abs(near - 0.42))) * (0.5 if near > 0.9 else 1.0) * portrait
        soft = fbm(4, 1024, 2.2 + 2.2 * near, 7, part)[0]
        sharp = ridged(4, 1024, 3.5 + 3 * near, 6, part + 1, 0.47)[0]
        peak = hero if index == 2 else float(rng.uniform(0.1, 0.9))
        envelope = 0.25 + 1.0 * np.exp(-np.square((u - peak) / (0.12 + 0.13 * rng.random())))
        envelope += 0.70 * np.exp(-np.square((u - (peak + 0.45) % 1.0) / 0.12))
        if index == 2:
            envelope *= 1.35  # the guest mountains bow to one host
        crest = base - tall * (0.35 + 0.9 * np.clip(sharp * 0.6 + soft * 0.9 + 0.25, 0, 2)) * envelope
        # A peak may nearly touch the upper edge of the sheet, never leave it.
        crest = base - (base - crest) * min(1.0, (base - 0.06) / float(base - crest.min()))
        result.append(_Ridge(near, crest.astype(np.float32), part))
    return result


def _crest_at(ridge: _Ridge, width: int, height: int) -> PlaneF:
    line = cv2.resize(ridge.crest[None], (width, 1), interpolation=cv2.INTER_CUBIC)[0]
    return np.asarray(line * np.float32(height), dtype=np.float32)


def _wash(ridge: _Ridge, width: int, height: int) -> tuple[PlaneF, PlaneF]:
    """Ink density of one range and how far it hides what lies behind: two (height, width) planes."""
    near, seed, unit = ridge.near, ridge.seed, max(width, height) / 1024
    rows = np.arange(height, dtype=np.float32)[:, None]
    columns = np.arange(width, dtype=np.float32)[None]
    crest = _crest_at(ridge, width, height)[None]
    under = rows - crest
    inside = smoothstep(-0.8 * unit, 0.8 * unit, under)
    depth = height * (0.055 + 0.090 * (1 - near) + 0.06 * near * near)
    fade = np.exp(-np.maximum(under, 0) / (depth * (1 + 0.55 * fbm(height, width, 4, 3, seed + 2))))
    smooth = cv2.GaussianBlur(np.repeat(crest, 3, 0), (0, 0), 6 * unit)
    slope = np.gradient(smooth[1])[None].astype(np.float32)
    # Texture strokes (cun) run down the slope: noise drawn out vertically and sheared by the outline.
    drift = fbm(height, width, 9, 3, seed + 3)
    shear = under * 0.55 * np.sign(slope) * np.minimum(1, np.abs(slope))
    map_x = (columns - shear + drift * (26 * unit)).astype(np.float32)
    map_y = np.broadcast_to(rows * np.float32(0.20), map_x.shape).astype(np.float32)
    strokes = fbm(height, width, 120, 3, seed + 4) + 0.7 * fbm(height, width, 36, 3, seed + 5)
    strokes = cv2.remap(strokes, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    shade = smoothstep(-0.10, 0.35, np.asarray(strokes + 0.22 * np.tanh(slope * 2.2) + 0.10 * drift, np.float32))
    strength = 0.09 + 0.62 * near**1.5
    ink = strength * (0.34 + 0.90 * shade * (0.25 + 0.75 * near)) * fade
    ink = ink * (1 + 0.35 * fbm(height, width, 5, 4, seed + 6))
    broken = 0.35 + 0.65 * smoothstep(-0.2, 0.3, fbm(height, width, 16, 2, seed + 7))
    crest_line = np.exp(-np.maximum(under, 0) / (3.0 * unit)) * inside * broken
    ink = ink * inside + strength * 0.75 * crest_line
    cover = inside * np.clip(fade * 1.35, 0, 1) * np.float32(0.92)
    return np.asarray(ink, np.float32), np.asarray(cover, np.float32)


def _mountains(ridges: list[_Ridge], width: int, height: int, threads: int) -> PlaneF:
    ink = np.zeros((height, width), np.float32)
    for layer, cover in map_ordered(lambda ridge: _wash(ridge, width, height), ridges, threads):
        ink = ink * (1 - cover) + layer
    return ink


class _Brush:
    """Ink marks at output size: 8 bits of density, where 255 stands for density 2."""

    def __init__(self, width: int, height: int) -> None:
        self.marks = np.zeros((height, width), np.uint8)
        self.unit = max(width, height) / 1024

    @staticmethod
    def _level(density: float) -> int:
        return int(max(0.0, min(2.0, density)) * 127.5)

    def stroke(self, points: Points, width: float, density: float) -> None:
        """A brush line that swells in the middle and ends in a point; points (n, 2) in pixels."""
        direction = np.gradient(points, axis=0)
        length = np.hypot(direction[:, 0], direction[:, 1]) + 1e-6
        normal = np.stack([-direction[:, 1], direction[:, 0]], 1) / length[:, None]
        swell = np.sin(np.linspace(0.25, math.pi, len(points)))[:, None] * width * 0.5
        outline = np.concatenate([points + normal * swell, (points - normal * swell)[::-1]])
        fixed = [np.round(outline * 16).astype(np.int32)]
        cv2.fillPoly(self.marks, fixed, self._level(density), cv2.LINE_AA, 4)

    def shape(self, points: Points, density: float) -> None:
        cv2.fillPoly(self.marks, [np.round(points * 16).astype(np.int32)], self._level(density), cv2.LINE_AA, 4)

    def dab(self, x: float, y: float, rx: float, ry: float, angle: float, density: float) -> None:
        axes = (max(6, int(rx * 16)), max(5, int(ry * 16)))
        at = (int(x * 16), int(y * 16))
        cv2.ellipse(self.marks, at, axes, angle, 0, 360, self._level(density), -1, cv2.LINE_AA, 4)


def _pine(brush: _Brush, x: float, y: float, tall: float, density: float, rng: np.random.Generator) -> None:
    """A leaning pine: crooked trunk and flat clouds of needles."""
    lean = float(rng.normal(0, 0.22))
    t = np.linspace(0, 1, 9)
    bend = np.cumsum(rng.normal(0, 0.045, 9)) * tall
    trunk = np.stack([x + lean * tall * t + bend, y - tall * t], 1)
    brush.stroke(trunk, tall * 0.10, density)
    for at in np.linspace(0.42, 1.0, 5):
        index = int(at * 8)
        side = float(rng.choice([-1, 1]))
        reach = tall * (0.50 - 0.30 * at) * (0.7 + 0.6 * rng.random())
        for offset in (0.0, side):
            cx, cy = trunk[index, 0] + offset * reach, trunk[index, 1] - abs(offset) * reach * 0.12
            for _ in range(7):
                brush.dab(
                    cx + rng.normal(0, 0.42) * reach, cy + rng.normal(0, 0.055) * tall,
                    tall * 0.115 * (0.5 + rng.random()), tall * 0.030 * (0.6 + rng.random()),
                    float(rng.normal(0, 7)), density * (0.45 + 0.65 * rng.random()),
                )  # fmt: skip


def _plant_pines(brush: _Brush, ridges: list[_Ridge], width: int, height: int, seed: int) -> None:
    rng = generator(seed, "pines")
    for ridge in ridges[3:]:
        crest = _crest_at(ridge, width, height)
        groves = rng.random(3) * width
        for _ in range(int(22 * ridge.near)):
            x = float(np.clip(rng.choice(groves) + rng.normal(0, 0.045) * width, 0, width - 1))
            foot = float(crest[int(x)]) + height * 0.004 + float(rng.random() ** 2) * height * 0.035 * ridge.near
            tall = height * (0.012 + 0.036 * ridge.near) * (0.6 + 0.7 * float(rng.random()))
            _pine(brush, x, foot, tall, 0.35 + 0.85 * ridge.near, rng)


def _boat(brush: _Brush, x: float, y: float, size: float) -> None:
    """A fishing boat with a mat roof and a man with a pole; `size` is half its length in pixels."""

    def at(*points: tuple[float, float]) -> Points:
        return np.array([(x + a * size, y + b * size) for a, b in points])

    brush.shape(at((-1.5, -0.24), (-1.1, 0.05), (1.1, 0.05), (1.6, -0.30), (1.0, -0.10), (-1.0, -0.08)), 1.6)
    brush.shape(at((-0.5, -0.1), (-0.45, -0.48), (0, -0.62), (0.45, -0.48), (0.5, -0.1)), 0.85)
    brush.shape(at((0.85, -0.1), (0.95, -0.75), (1.05, -0.85), (1.15, -0.75), (1.2, -0.1)), 1.4)
    brush.shape(at((0.75, -0.80), (1.05, -1.02), (1.35, -0.80)), 1.3)
    pole = np.linspace(at((1.2, -0.55))[0], at((2.5, -1.2))[0], 8)
    brush.stroke(pole, max(1.2, size * 0.05), 1.1)


def _birds(brush: _Brush, width: int, height: int, seed: int, count: int) -> None:
    rng = generator(seed, "birds")
    cx, cy = float(rng.uniform(0.25, 0.75)), float(rng.uniform(0.12, 0.24))
    for _ in range(count):
        x, y = width * (cx + rng.normal(0, 0.08)), height * (cy + rng.normal(0, 0.035))
        span = brush.unit * float(rng.uniform(4, 8))
        t = np.linspace(0, 1, 8)
        for side in (-1, 1):
            wing = np.stack([x + side * t * span, y - np.sin(t * 2.1) * span * 0.45 + t * t * span * 0.2], 1)
            brush.stroke(wing, brush.unit * 1.1, 1.0)


def _water_lines(brush: _Brush, width: int, height: int, seed: int) -> None:
    rng = generator(seed, "water")
    for _ in range(34):
        x, y = float(rng.random()) * width, height * (0.885 + 0.10 * float(rng.random()) ** 1.5)
        length = width * (0.02 + 0.07 * float(rng.random()))
        t = np.linspace(0, 1, 10)
        wave = y + np.sin(t * 9 + rng.random() * 6) * brush.unit * 0.5
        brush.stroke(np.stack([x + t * length, wave], 1), brush.unit * 1.0, 0.10 + 0.16 * float(rng.random()))


def _seal(side: int, seed: int) -> PlaneF:
    """An invented seal script in a square, worn at the edges: (side, side) 0..1."""
    rng = generator(seed, "seal")
    plate = np.full((side, side), 255, np.uint8)
    thick = max(1, side // 14)
    cv2.rectangle(plate, (thick, thick), (side - thick - 1, side - thick - 1), 0, max(1, thick // 2))
    for column in range(2):
        for row in range(2):
            x0, y0, r = int(side * (0.15 + 0.39 * column)), int(side * (0.15 + 0.39 * row)), int(side * 0.29)
            for bar in range(3):
                cv2.line(plate, (x0, y0 + bar * r // 2), (x0 + r, y0 + bar * r // 2), 0, thick)
            for _ in range(2):
                x = x0 + r // 2 * int(rng.integers(0, 3))
                start, stop = sorted(int(v) for v in rng.choice([0, 1, 2], 2, replace=False))
                cv2.line(plate, (x, y0 + start * r // 2), (x, y0 + stop * r // 2), 0, thick)
    stone = cv2.GaussianBlur(plate, (0, 0), max(0.5, side / 110)).astype(np.float32) / 255
    worn = stone + 0.30 * np.clip(fbm(side, side, 18, 3, derive_seed(seed, "wear")), -1, 1)
    return np.asarray(smoothstep(0.35, 0.62, worn) * np.float32(0.9), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Everything that meets on the paper."""

    wash: PlaneF  # ink density at work size
    tint: PlaneF  # share of season colour at work size
    tint_color: ArrayF  # density per channel
    marks: npt.NDArray[np.uint8]
    sun: tuple[float, float, float] | None  # column, row, radius
    paper: ArrayF
    seal: PlaneF
    seal_at: tuple[int, int]


def _tint(plan: Plan) -> ArrayF:
    """Density of the colour wash: blue-green as in old scrolls, or that of the season."""
    colors = {
        "autumn": (0.06, 0.30, 0.52), "spring": (0.24, 0.10, 0.20), "winter": (0.10, 0.05, 0.02),
        "summer": (0.34, 0.14, 0.22),
    }  # fmt: skip
    return np.array(colors.get(plan.season or "", (0.20, 0.09, 0.06)), np.float32)


def _prepare(plan: Plan, easel: Easel) -> _Sheet:
    width, height, seed = easel.width, easel.height, easel.seed
    names = {subject.name: subject for subject in plan.subjects if subject.name not in plan.excluded}
    rng = generator(seed, "sheet")
    scale = min(1.0, WASH_SIDE / max(width, height))
    work_w, work_h = max(16, round(width * scale)), max(16, round(height * scale))
    ridges = _ridges(seed, 1.0 if width >= height else 0.8)
    easel.progress(0.05, "washes")
    ink = _mountains(ridges, work_w, work_h, easel.threads)
    rows = np.arange(work_h, dtype=np.float32)[:, None] + work_h * 0.03 * fbm(work_h, work_w, 3, 3, seed + 70)
    ink *= 1 - smoothstep(work_h * 0.845, work_h * 0.90, rows) * np.float32(0.97)
    if any(wish.name in {"fog", "clouds"} for wish in plan.weather):
        ink *= np.clip(0.85 - 1.3 * fbm(work_h, work_w, 3, 4, seed + 75), 0.15, 1)
    wet = smoothstep(-0.1, 0.35, fbm(work_h, work_w, 4, 3, seed + 80))
    soft = cv2.GaussianBlur(ink, (0, 0), 3.2 * max(work_w, work_h) / 1024)
    ink = ink + (soft - ink) * wet * np.float32(0.4)
    tint = np.clip(soft * 1.1, 0, 1) * smoothstep(-0.25, 0.35, fbm(work_h, work_w, 5, 3, seed + 85))
    easel.progress(0.55, "pines and boat")
    brush = _Brush(width, height)
    _plant_pines(brush, ridges, width, height, seed)
    _water_lines(brush, width, height, seed)
    if "boat" not in plan.excluded:
        place = {"left": 0.28, "right": 0.72, "center": 0.5}
        chosen = names["boat"].place if "boat" in names else None
        x = place.get(chosen or "", float(rng.uniform(0.30, 0.70)))
        _boat(brush, width * x, height * 0.915, min(width, height * 1.3) * 0.028)
    if "bird" not in plan.excluded:
        _birds(brush, width, height, seed, max(5, min(30, names["bird"].count if "bird" in names else 6)))
    radius = min(width, height) * 0.052
    sun = (width * float(rng.uniform(0.60, 0.84)), height * float(rng.uniform(0.13, 0.22)), radius)
    cool = plan.time == "night" or "moon" in names or "sun" in plan.excluded
    side = max(12, int(min(width, height) * 0.068))
    return _Sheet(
        np.asarray(ink, np.float32), np.asarray(tint, np.float32), _tint(plan), brush.marks,
        None if cool else sun, _PAPER, _seal(side, seed), (int(width * 0.05), height - int(height * 0.07) - side),
    )  # fmt: skip


def _lay_seal(image: ArrayF, sheet: _Sheet, top: int) -> None:
    left, upper = sheet.seal_at
    side = sheet.seal.shape[0]
    y0, y1 = max(upper, top), min(upper + side, top + image.shape[0])
    if y0 >= y1:
        return
    share = sheet.seal[y0 - upper : y1 - upper, :, None]
    area = image[y0 - top : y1 - top, left : left + side]
    share = share[:, : area.shape[1]]
    area *= 1 - share * (1 - _SEAL)


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint an ink landscape on paper. Returns exactly (easel.height, easel.width, 3)."""
    sheet = _prepare(plan, easel)
    easel.progress(0.75, "paper")
    width, height = easel.width, easel.height
    grain = paper_grain(height, width, easel.seed)
    fibre = fbm(256, 256, 3, 3, derive_seed(easel.seed, "sheet tone"))
    blotch = fbm(64, 64, 6, 3, derive_seed(easel.seed, "sun wash"))
    columns = np.arange(width, dtype=np.float32)[None]
    result = np.empty((height, width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        tooth = np.clip(grain.rows(top, bottom), -2, 2)
        rows = np.arange(top, bottom, dtype=np.float32)[:, None]
        ink = np.maximum(rows_of(sheet.wash, width, height, top, bottom), 0)
        marks = sheet.marks[top:bottom] * np.float32(2 / 255)
        ink = np.maximum(ink, marks) * (1 - 0.07 * tooth)
        edge = np.minimum(np.minimum(columns, width - 1 - columns), np.minimum(rows, height - 1 - rows)) / height
        ink *= smoothstep(-0.005, 0.09, np.asarray(edge, np.float32))
        tint = rows_of(sheet.tint, width, height, top, bottom)[..., None]
        tone = 1 + 0.006 * tooth + 0.020 * rows_of(fibre, width, height, top, bottom)
        density = ink[..., None] * (_INK * np.float32(1.35)) + np.clip(tint, 0, 1) * sheet.tint_color
        image = np.asarray(sheet.paper * tone[..., None] * np.exp(-density), np.float32)
        if sheet.sun is not None:
            x, y, radius = sheet.sun
            away = np.hypot(columns - x, rows - y)
            disc = smoothstep(radius * 1.03, radius * 0.97, away) * np.exp(ink * -4)
            disc *= 0.80 + 0.3 * rows_of(blotch, width, height, top, bottom)
            image *= 1 - (disc[..., None] * (1 - _SUN)) * np.float32(0.88)
        _lay_seal(image, sheet, top)
        result[top:bottom] = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)

    run_strips(strip, height, easel.threads)
    easel.progress(1.0, "done")
    return result
