"""Trees, pines, blossoms, grass and branches drawn leaf by leaf for illustrated scenes."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.scenes.figures.air import Air, Leaf
from aquatint.engines.studio.scenes.figures.canvas import Canvas, Color, Points, curve, mix, points, scale
from aquatint.engines.studio.styles.base import PlaneF

_BARK = (0.30, 0.22, 0.17)


@dataclass(frozen=True, slots=True)
class Grove:
    """How plants are drawn in one part of the picture."""

    canvas: Canvas
    air: Air
    rng: np.random.Generator
    sun_side: float  # -1: light from the left .. 1: from the right
    far: float = 0.0  # 0 near .. 1 lost in the haze
    gain: float = 1.0  # brightness; below 1 for a shaded foreground

    def own(self) -> Grove:
        """The same with a generator of its own: one thing may then draw as much chance as it likes."""
        return replace(self, rng=branch_off(self.rng))

    def tones(self, leaf: Leaf) -> Leaf:
        """Leaf colours as they appear here."""
        dark, middle, light = leaf
        a = self.air.tone(scale(dark, self.gain), 0.12, self.far)
        b = self.air.tone(scale(middle, self.gain), 0.5, self.far)
        c = self.air.tone(scale(light, self.gain), 1.0, self.far)
        return a, b, c

    def bark(self, light: float) -> Color:
        """Colour of wood that gets this share of the sun."""
        return self.air.tone(scale(_BARK, self.gain), light, self.far)


def _detail(size: float) -> float:
    """Leaves get more numerous, not larger, when a plant covers many pixels."""
    return min(4.0, max(0.5, math.sqrt(size / 70)))


def branch_off(rng: np.random.Generator) -> np.random.Generator:
    """A generator of its own for details whose number depends on the resolution.

    Without it, more leaves at 4k would move everything that is drawn after them: a seed must give one picture.
    """
    return np.random.Generator(np.random.PCG64(int(rng.integers(2**62))))


def clump(grove: Grove, x: float, y: float, rx: float, ry: float, tones: Leaf, leaves: int, leaf: float) -> None:
    """A ball of leaves: a dark heart, then leaves that are lighter toward the sun and upward."""
    canvas, rng = grove.canvas, branch_off(grove.rng)
    canvas.polygon(_ragged(x, y, rx * 0.92, ry * 0.92, rng), tones[0])
    spread = rng.normal(0, 0.52, (leaves, 2))
    spread /= np.maximum(1, np.hypot(spread[:, 0], spread[:, 1]) / 1.02)[:, None]
    spread = spread[np.argsort(-spread[:, 1] + rng.normal(0, 0.3, leaves))]
    lift = 0.45 + 0.42 * spread[:, 0] * grove.sun_side - 0.5 * spread[:, 1] + 0.16 * rng.normal(size=leaves)
    sizes = leaf * (0.6 + 0.8 * rng.random(leaves))
    radii = np.stack([sizes, sizes * (0.5 + 0.3 * rng.random(leaves))], 1)
    canvas.dabs(spread * (rx, ry) + (x, y), radii, rng.random(leaves) * 180, shades(tones, lift))


def shades(tones: Leaf, lift: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Colours (n, 3) between dark, middle and light for brightnesses 0..1 (n,)."""
    stops = np.array(tones)
    share = np.clip(lift, 0, 1)
    return np.stack([np.interp(share, (0.0, 0.5, 1.0), stops[:, c]) for c in range(3)], 1)


def _ragged(x: float, y: float, rx: float, ry: float, rng: np.random.Generator) -> Points:
    turn = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    reach = 0.78 + 0.26 * rng.random(22)
    return np.stack([x + np.cos(turn) * rx * reach, y + np.sin(turn) * ry * reach], 1)


def broadleaf(grove: Grove, x: float, foot: float, tall: float, leaf: Leaf | None = None, bare: bool = False) -> None:
    """A round-crowned tree standing at (x, foot)."""
    grove = grove.own()
    rng = grove.rng
    tones = grove.tones(leaf or grove.air.leaves(rng))
    lean = float(rng.normal(0, 0.04)) * tall
    crown_y, reach = foot - tall * 0.64, tall * (0.30 + 0.06 * rng.random())
    stem = curve([(x, foot), (x + lean * 0.4, foot - tall * 0.28), (x + lean, crown_y)], 5)
    grove.canvas.line(stem, tall * 0.055, grove.bark(0.35), taper=0.55)
    balls = 13
    turn = rng.random(balls) * 2 * np.pi
    away = np.sqrt(rng.random(balls)) * 0.78
    cx, cy = x + lean + np.cos(turn) * away * reach, crown_y + np.sin(turn) * away * reach * 0.95
    for i in range(0, balls, 2):
        limb = curve(
            [
                (x + lean * 0.6, foot - tall * 0.36),
                ((x + cx[i]) / 2, (crown_y + cy[i]) / 2 + reach * 0.2),
                (cx[i], cy[i]),
            ],
            4,
        )
        grove.canvas.line(limb, tall * 0.022, grove.bark(0.3), taper=0.7)
    if bare:
        _twigs(grove, x + lean, crown_y, reach, tall)
        return
    finer = _detail(tall)
    leaves, size = int(40 * finer * finer), max(0.55, tall * (0.019 + 0.0035 * finer) / finer)
    for i in np.argsort(-cy):
        ball = reach * (0.34 + 0.14 * float(rng.random()))
        clump(grove, float(cx[i]), float(cy[i]), ball * 1.1, ball * 0.9, tones, leaves, size)


def _twigs(grove: Grove, x: float, y: float, reach: float, tall: float) -> None:
    rng = grove.rng
    color = grove.bark(0.5)
    frost = mix(color, (0.93, 0.95, 0.97), 0.6) if grove.air.snow else color
    for _ in range(46):
        turn, away = -np.pi / 2 + float(rng.normal(0, 0.75)), reach * (0.9 + 0.8 * rng.random())
        tip = (x + math.cos(turn) * away, y + reach * 0.6 + math.sin(turn) * away)
        bend = (x + math.cos(turn) * away * 0.35, y + reach * 0.6 + math.sin(turn) * away * 0.55)
        path = curve([(x, y + reach * 0.75), bend, tip], 5)
        grove.canvas.line(path, max(0.6, tall * 0.007), color if rng.random() < 0.6 else frost, taper=0.8)


def conifer(grove: Grove, x: float, foot: float, tall: float) -> None:
    """A spruce standing at (x, foot): ragged tiers, lit on the sun's side, snow on top when it lies."""
    grove = grove.own()
    rng, canvas = grove.rng, grove.canvas
    dark, middle, light = grove.tones(grove.air.leaves(rng, evergreen=True))
    canvas.polygon(points([(x - tall * 0.014, foot), (x, foot - tall), (x + tall * 0.014, foot)]), grove.bark(0.2))
    tiers = int(np.clip(tall / (5 * canvas.unit), 7, 15))
    for i in range(tiers):
        low = i / tiers
        y0 = foot - tall * (0.07 + 0.86 * low)
        reach = tall * 0.235 * (1 - low) ** 0.85 * (0.88 + 0.24 * rng.random()) + tall * 0.008
        deep = tall * 1.55 / tiers * (1 - 0.35 * low)
        teeth = 7
        xs = np.linspace(-1, 1, teeth * 2 + 1)
        ys = np.where(np.arange(teeth * 2 + 1) % 2 == 0, 0.34, 0.0) * deep * (1 - 0.25 * np.abs(xs))
        hem = np.stack(
            [x + xs * reach + rng.normal(0, reach * 0.03, len(xs)), y0 + ys - np.abs(xs) ** 2 * deep * 0.10], 1
        )
        canvas.polygon(np.concatenate([hem, [[x, y0 - deep]]]), mix(dark, middle, 0.15 + 0.35 * low))
        half = hem[xs * grove.sun_side >= -0.15]
        inner = np.array([[x + grove.sun_side * reach * 0.08, y0 - deep], [x, y0 - deep * 0.2]])
        canvas.polygon(
            np.concatenate([half * (1, 1) - (0, deep * 0.10), inner[:1]]), mix(middle, light, 0.25 + 0.5 * low)
        )


def pine(grove: Grove, x: float, foot: float, tall: float) -> None:
    """A crooked old pine with flat clouds of needles, as on scrolls."""
    grove = grove.own()
    rng, canvas = grove.rng, grove.canvas
    lean = float(rng.normal(0, 0.22)) * tall
    bends = np.cumsum(rng.normal(0, 0.035, 6)) * tall
    knots = [(x + lean * t + bends[i], foot - tall * 0.92 * t) for i, t in enumerate(np.linspace(0, 1, 6))]
    trunk = curve(knots, 6)
    canvas.line(trunk, tall * 0.055, grove.bark(0.3), taper=0.6)
    tones = grove.tones(grove.air.leaves(rng, evergreen=True))
    finer = _detail(tall)
    for share in (0.45, 0.6, 0.72, 0.85, 0.97):
        at = trunk[int(share * (len(trunk) - 1))]
        side = 1.0 if rng.random() < 0.5 else -1.0
        for way in (side, -side * 0.6):
            reach = tall * (0.36 - 0.22 * share) * way * (0.7 + 0.6 * rng.random())
            cx, cy = float(at[0] + reach), float(at[1] - abs(reach) * 0.10)
            canvas.line(
                curve([tuple(at), ((at[0] + cx) / 2, at[1]), (cx, cy)], 4), tall * 0.018, grove.bark(0.3), taper=0.5
            )
            wide = tall * (0.17 - 0.07 * share) * (0.8 + 0.4 * rng.random())
            clump(
                grove,
                cx,
                cy - wide * 0.1,
                wide,
                wide * 0.36,
                tones,
                int(42 * finer * finer),
                max(0.5, tall * 0.016 / finer),
            )


def bush(grove: Grove, x: float, foot: float, wide: float, leaf: Leaf | None = None) -> None:
    """A low shrub, `wide` pixels across."""
    grove = grove.own()
    tones = grove.tones(leaf or grove.air.leaves(grove.rng))
    finer = _detail(wide)
    for _ in range(4):
        dx = float(grove.rng.uniform(-0.3, 0.3)) * wide
        clump(
            grove,
            x + dx,
            foot - wide * 0.16,
            wide * 0.28,
            wide * 0.2,
            tones,
            int(26 * finer * finer),
            max(0.5, wide * 0.028 / finer),
        )


def branch(grove: Grove, start: tuple[float, float], end: tuple[float, float], leaf: Leaf, petals: bool) -> None:
    """A branch that frames the picture from its edge: wood, side twigs, leaves or blossoms."""
    grove = grove.own()
    rng, canvas = grove.rng, grove.canvas
    length = math.dist(start, end)
    path = _wander(start, end, length * 0.05, rng)
    canvas.line(path, length * 0.030, grove.bark(0.25), taper=0.85)
    tones = grove.tones(leaf)
    heading = math.atan2(end[1] - start[1], end[0] - start[0])
    for share in np.linspace(0.12, 0.98, 15):
        at = path[int(share * (len(path) - 1))]
        for side in (-1, 1):
            reach = length * (0.34 - 0.22 * share) * (0.6 + 0.7 * rng.random())
            turn = heading + side * (0.5 + 0.5 * rng.random())
            tip = (float(at[0] + math.cos(turn) * reach), float(at[1] + math.sin(turn) * reach))
            twig = _wander((float(at[0]), float(at[1])), tip, reach * 0.08, rng)
            canvas.line(twig, length * 0.008, grove.bark(0.3), taper=0.8)
            _sprays(grove, twig, length * 0.020, tones, petals)


def _wander(start: tuple[float, float], end: tuple[float, float], sway: float, rng: np.random.Generator) -> Points:
    t = np.linspace(0, 1, 6)[:, None]
    knots = np.array(start) * (1 - t) + np.array(end) * t
    knots[1:-1] += rng.normal(0, sway, (4, 2))
    return curve([tuple(k) for k in knots], 6)


def _sprays(grove: Grove, twig: Points, size: float, tones: Leaf, petals: bool) -> None:
    rng, canvas = grove.rng, grove.canvas
    for share in np.linspace(0.25, 1.0, 11):
        at = twig[int(share * (len(twig) - 1))] + rng.normal(0, size * 0.8, 2)
        light = float(np.clip(0.5 + 0.3 * rng.normal(), 0, 1))
        color = mix(tones[1], tones[2], light) if rng.random() < 0.75 else tones[0]
        if not petals:
            turn = rng.random() * 360
            canvas.polygon(_leaf_shape(float(at[0]), float(at[1]), size * (0.7 + 0.6 * rng.random()), turn), color)
            continue
        for k in range(5):
            turn = math.radians(72 * k) + rng.random() * 0.3
            x, y = at[0] + math.cos(turn) * size * 0.42, at[1] + math.sin(turn) * size * 0.42
            canvas.ellipse(
                float(x),
                float(y),
                size * 0.42,
                size * 0.34,
                scale(color, 0.93 + 0.12 * rng.random()),
                math.degrees(turn),
            )
        canvas.ellipse(float(at[0]), float(at[1]), size * 0.14, size * 0.14, mix(tones[0], (0.95, 0.75, 0.3), 0.5))


def _leaf_shape(x: float, y: float, size: float, turn: float) -> Points:
    t = np.linspace(-1, 1, 7)
    half = (1 - t * t) * 0.34
    shape = np.concatenate([np.stack([t, half], 1), np.stack([t[::-1], -half[::-1]], 1)]) * size
    a = math.radians(turn)
    turned = shape @ np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]) + (x, y)
    return np.asarray(turned, dtype=np.float64)


def grass(
    grove: Grove, left: float, right: float, foot: float, tall: float, count: int, color: Color, tip: Color
) -> None:
    """Blades along a line, bending with the wind, some light and some dark."""
    grove = grove.own()
    rng = grove.rng
    wind = float(rng.normal(0, 0.25))
    for _ in range(count // 6 if grove.air.snow else count):
        x, y = float(rng.uniform(left, right)), foot + float(rng.normal(0, tall * 0.14))
        high = tall * (0.45 + 0.75 * float(rng.random()))
        bend = high * (wind + 0.30 * float(rng.normal()))
        blade = curve([(x, y), (x + bend * 0.3, y - high * 0.6), (x + bend, y - high)], 4)
        grove.canvas.line(blade, max(0.7, tall * 0.045), mix(color, tip, float(rng.random())), taper=0.9)


def tufts(
    grove: Grove, line: PlaneF, bottom: float, count: int, color: Color, tip: Color, keep: Points | None = None
) -> None:
    """Scatter tufts below the crest `line`, small there and large at row `bottom`, outside the outline `keep`."""
    grove = grove.own()
    rng, canvas = grove.rng, grove.canvas
    size = min(canvas.width, canvas.height)
    depths = np.sort(rng.random(count // 8 if grove.air.snow else count)) ** 0.8
    fixed = None if keep is None else np.round(keep).astype(np.float32)
    for depth in depths:
        x = float(rng.random()) * (canvas.width - 1)
        top = float(line[int(x)]) + size * 0.02
        y = top + (bottom - top) * float(depth)
        if fixed is not None and cv2.pointPolygonTest(fixed, (x, y), False) >= 0:
            continue
        tall = size * (0.005 + 0.016 * depth)
        for _ in range(4):
            bend = tall * float(rng.normal(0, 0.45))
            shade = mix(color, tip, float(rng.random()))
            start = x + float(rng.normal(0, tall * 0.4))
            blade = points([(start - tall * 0.07, y), (start + bend, y - tall), (start + tall * 0.07, y)])
            canvas.polygon(blade, shade)


def cast_shadow(grove: Grove, x: float, foot: float, wide: float) -> None:
    """The soft shadow that a tree or a house lays on the ground, away from the sun."""
    color = grove.air.tone(scale(grove.air.shadow, 0.28), 0.3, grove.far)
    grove.canvas.ellipse(
        x - grove.sun_side * wide * 0.35, foot, wide * 0.75, wide * 0.10, color, 0.0, 0.42, soft=wide * 0.05
    )
