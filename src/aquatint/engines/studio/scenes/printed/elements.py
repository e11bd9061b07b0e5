"""Elements of printed scenes: sky, disc, clouds, land, trees, grass, leaves and blossoms."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, ellipse, limb, melt, place
from aquatint.engines.studio.kernels.press import Ink, Tone
from aquatint.engines.studio.scenes.printed.inks import darker, lighter, mix
from aquatint.engines.studio.scenes.printed.stage import Stage, ground_at, rectangle, ridge_line


def sky(stage: Stage, horizon: float, disc_y: float = 0.3, disc_size: float = 0.11) -> None:
    """Print the sky down to the horizon (share of the height), with stars, disc and clouds as the climate says."""
    climate, press = stage.climate, stage.press
    press.wash(climate.sky, 0, int(horizon * stage.height) + 2)
    if climate.stars and climate.rain + climate.snow + climate.fog < 0.3:
        stars(stage, horizon)
    if climate.disc:
        disc(stage, stage.disc_x() * stage.width, disc_y * stage.height, disc_size * stage.side)
    if not climate.fog:
        clouds(stage, horizon)


def stars(stage: Stage, horizon: float) -> None:
    """Scatter stars, the brightest with four points."""
    rng = stage.rng("stars")
    for _ in range(150):
        x, y = rng.uniform(0, stage.width), rng.uniform(0, horizon * stage.height) * rng.uniform(0.3, 1)
        size = stage.side * float(rng.choice([0.0009, 0.0013, 0.0019], p=[0.5, 0.35, 0.15]))
        stage.press.lay([ellipse(x, y, size, size, count=12)], mix(stage.climate.sky[0], (1, 0.97, 0.88), 0.85))
        if rng.random() < 0.06:
            long, thin = size * 4.5, size * 0.6
            for turn in (0.0, np.pi / 2):
                tip = np.array([[-long, 0], [0, thin], [long, 0], [0, -thin]], np.float32)
                stage.press.lay([place(tip, 1.0, turn, (x, y))], (0.98, 0.96, 0.88))


def disc(stage: Stage, x: float, y: float, radius: float, ink: Ink | None = None) -> None:
    """Print the sun or the moon with its glow; another `ink` makes it a plain ornament."""
    climate, press = stage.climate, stage.press
    if ink:
        press.lay([ellipse(x, y, radius, radius, count=120)], ink)
        return
    press.glow(x, y, radius * 4.2, lighter(climate.sun, 0.2), 0.42 if climate.night else 0.55)
    outline = [ellipse(x, y, radius, radius, count=90)]
    press.lay(outline, climate.sun)
    if climate.moon:
        press.tone(outline, Tone(mix(climate.sun, climate.sky[1], 0.5), (0.8, 0.6), 0.3, 0.75))
        rng = stage.rng("craters")
        spots = []
        for _ in range(5):
            a, r = rng.uniform(0, 2 * np.pi), radius * 0.62 * rng.uniform(0.15, 1)
            size = radius * rng.uniform(0.09, 0.21)
            spots.append(ellipse(x + r * np.cos(a), y + r * np.sin(a), size, size * 0.86))
        for spot in spots:
            press.tone([spot], Tone(mix(climate.sun, climate.sky[1], 0.34), (-0.5, -0.5), 0.9, 0.8), outline)


def clouds(stage: Stage, horizon: float) -> None:
    """Long flat-bottomed clouds, lit from the side of the disc."""
    climate = stage.climate
    rng = stage.rng("clouds")
    heavy = climate.rain + climate.snow
    ink = mix(climate.sky[min(2, len(climate.sky) - 1)], lighter(climate.sky[-1], 0.35), 0.75)
    if heavy:
        ink = mix(ink, climate.sky[0], 0.35)
    for _ in range(3 + int(4 * min(1.0, heavy))):
        x = rng.uniform(0, 1) * stage.width
        y = rng.uniform(0.08, 0.62) * horizon * stage.height
        size = stage.side * rng.uniform(0.05, 0.11)
        puffs = []
        for i in range(7):
            t = i / 6 * 2 - 1
            r = size * (0.62 - 0.36 * t * t) * rng.uniform(0.7, 1.1)
            puffs.append(ellipse(x + t * size * 2.7, y - r * 0.45, r * 1.25, r * 0.72))
        puffs.append(ellipse(x, y, size * 3.3, size * 0.2))
        outline = melt(puffs, size * 0.16)
        stage.press.lay(outline, ink)
        stage.press.tone(outline, Tone(climate.sky[1], (0.25, 1.0), 0.7, 0.75))


def hills(stage: Stage, horizon: float, layers: int = 3, tall: float = 0.13) -> None:
    """Rolling land from the horizon towards us, each layer with mist at its foot."""
    climate, press = stage.climate, stage.press
    for i in range(layers):
        t = i / max(1, layers - 1)
        ink = mix(climate.far, climate.mid, t)
        y = horizon - tall * (1 - t) * 0.75 + 0.02 * t
        line = ridge_line(stage, y, tall * (0.55 - 0.25 * t), 1.3 + 0.6 * t, f"hill {i}")
        press.lay([line], ink)
        low = (y + tall * 1.2) * stage.height
        point = np.array([0, (y - tall * 0.3) * stage.height], np.float32)
        press.stipple([line], mix(ink, climate.sky[-1], 0.55), point, np.array([0, low], np.float32), 0.85)
        if climate.season != "winter" or i:
            grove(stage, line, 14 + 10 * i, 0.018 + 0.018 * t, darker(ink, 0.16 + 0.1 * t), f"grove {i}")
        if climate.fog:
            press.veil(climate.sky[-1], [0.0, 0.55 * climate.fog, 0.7 * climate.fog], int((y - 0.1) * stage.height))


def grove(stage: Stage, line: Points, count: int, size: float, ink: Ink, salt: str) -> None:
    """Trees in loose groups along a ridge line; `size` is their height as a share of the shorter side."""
    rng = stage.rng(salt)
    centers = rng.uniform(0, 1, 4)
    pointed = rng.random() < 0.5
    for _ in range(count):
        x = float(rng.choice(centers) + rng.normal(0, 0.06)) * stage.width
        high = stage.side * size * rng.uniform(0.7, 1.5)
        y = ground_at(line, x) + high * 0.08
        tree = conifer(x, y, high * 1.5, rng) if pointed else crown(x, y, high, rng)
        stage.press.lay(tree, ink)


def conifer(x: float, y: float, high: float, rng: np.random.Generator) -> list[Points]:
    """A spruce: a jagged triangle whose foot is at x, y."""
    steps = 6
    half = high * rng.uniform(0.17, 0.23)
    left, right = [], []
    for i in range(steps):
        t = (i + 1) / steps
        out = half * t * rng.uniform(0.85, 1.1)
        left += [[x - out, y - high * (1 - t)], [x - out * 0.62, y - high * (1 - t) - high * 0.02]]
        right += [[x + out, y - high * (1 - t)], [x + out * 0.62, y - high * (1 - t) - high * 0.02]]
    return [np.array([[x, y - high], *left, *right[::-1]], np.float32)]


def crown(x: float, y: float, high: float, rng: np.random.Generator) -> list[Points]:
    """A round tree: an egg on a stem."""
    wide = high * rng.uniform(0.30, 0.42)
    stem = rectangle(x - high * 0.03, y - high * 0.4, x + high * 0.03, y)
    return [stem, ellipse(x, y - high * 0.62, wide, high * 0.42)]


def big_tree(stage: Stage, x: float, y: float, high: float, salt: str) -> None:
    """One tree near enough to have branches, a stippled crown and, in winter, no leaves but snow."""
    rng = stage.rng("big tree", salt)
    climate, press = stage.climate, stage.press
    bark = mix((0.33, 0.24, 0.22), climate.near, 0.35)
    lean = rng.uniform(-0.06, 0.06) * high
    trunk = [
        limb(
            [
                [x, y, high * 0.045],
                [x + lean * 0.4, y - high * 0.3, high * 0.03],
                [x + lean, y - high * 0.62, high * 0.018],
            ]
        )
    ]
    tips = []
    for i in range(7):
        t = 0.32 + 0.1 * i
        side = -1 if i % 2 else 1
        ax, ay = x + lean * t, y - high * min(t, 0.66)
        bx, by = ax + side * high * rng.uniform(0.14, 0.26), ay - high * rng.uniform(0.1, 0.24)
        trunk.append(
            limb(
                [[ax, ay, high * 0.014], [(ax + bx) / 2, ay - (ay - by) * 0.35, high * 0.009], [bx, by, high * 0.004]]
            )
        )
        tips.append((bx, by))
    press.lay(trunk, bark)
    if climate.season == "winter":
        return
    ink = climate.blossom[0] if climate.season == "spring" else climate.leaf
    puffs = [ellipse(bx, by, high * rng.uniform(0.11, 0.16), high * rng.uniform(0.09, 0.13)) for bx, by in tips]
    middle = x + lean, y - high * 0.70
    puffs += [ellipse(*middle, high * 0.27, high * 0.25)]
    for a in np.linspace(0, 2 * np.pi, 9)[:-1]:
        out = middle[0] + np.cos(a) * high * 0.24, middle[1] + np.sin(a) * high * 0.21
        puffs.append(ellipse(*out, high * rng.uniform(0.08, 0.13), high * rng.uniform(0.07, 0.11)))
    shapes = melt(puffs, high * 0.02)
    press.lay(shapes, ink)
    away = stage.lighting().away
    press.tone(shapes, Tone(darker(ink, 0.42), away, 0.5, 0.85))
    press.tone(shapes, Tone(lighter(ink, 0.35), (-away[0], -away[1]), 0.15, 0.6))


def blades(
    stage: Stage, line: Points, count: int, high: float, inks: tuple[Ink, ...], salt: str, sunk: float = 0.0
) -> None:
    """Blades of grass rooted in a band below a ridge line; `high` and `sunk` are shares of the shorter side."""
    rng = stage.rng("blades", salt)
    bend = 0.35 + 0.5 * stage.climate.wind
    xs = np.sort(rng.uniform(-0.02, 1.02, count)) * stage.width
    drops = rng.uniform(0, 1, count) ** 1.3 * sunk * stage.side
    order = np.argsort(drops, kind="stable")
    t = np.linspace(0, 1, 6, dtype=np.float32)
    for i in order:
        tall = stage.side * high * rng.uniform(0.5, 1.25) * (1 + 0.6 * drops[i] / max(sunk * stage.side, 1))
        lean = tall * (rng.normal(0.12, 0.3) + bend * 0.4)
        half = tall * rng.uniform(0.022, 0.05) * (1 - t) + 0.15
        y = ground_at(line, float(xs[i])) + drops[i] + tall * 0.06
        spine_x, spine_y = xs[i] + lean * t * t, y - tall * (t - 0.12 * t * t)
        outline = np.concatenate(
            [np.column_stack([spine_x - half, spine_y]), np.column_stack([spine_x + half, spine_y])[::-1]]
        )
        stage.press.lay([np.asarray(outline, np.float32)], inks[int(rng.integers(len(inks)))])


def posies(
    stage: Stage, line: Points, count: int, size: float, inks: tuple[Ink, ...], salt: str, sunk: float
) -> None:
    """Small flowers on stems along a ridge line; sizes are shares of the shorter side."""
    rng = stage.rng("posies", salt)
    for _ in range(count):
        x = rng.uniform(0, 1) * stage.width
        drop = rng.uniform(0, 1) * sunk * stage.side
        grown = 0.7 + 0.6 * drop / max(sunk * stage.side, 1)
        y, tall = ground_at(line, x) + drop, stage.side * size * rng.uniform(2.2, 4.2) * grown
        tip = x + rng.normal(0.1, 0.12) * tall, y - tall
        stem = limb(
            [[x, y, tall * 0.02], [(x + tip[0]) / 2 - tall * 0.04, y - tall / 2, tall * 0.016], [*tip, tall * 0.012]],
            per=5,
        )
        stage.press.lay([stem], darker(stage.climate.leaf, 0.15))
        floret(
            stage,
            tip[0],
            tip[1],
            stage.side * size * grown * rng.uniform(0.7, 1.2),
            inks[int(rng.integers(len(inks)))],
            rng,
        )


def floret(
    stage: Stage, x: float, y: float, size: float, ink: Ink, rng: np.random.Generator, petals: int = 5
) -> None:
    """A little flower seen from a little above."""
    ink = mix(
        ink,
        (ink[0] * stage.climate.ambient[0], ink[1] * stage.climate.ambient[1], ink[2] * stage.climate.ambient[2]),
        0.8,
    )
    start, flat = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.0)
    for i in range(petals):
        a = start + 2 * np.pi * i / petals
        petal = ellipse(
            x + np.cos(a) * size * 0.55, y + np.sin(a) * size * 0.55 * flat, size * 0.5, size * 0.34, a, 14
        )
        stage.press.lay([petal], mix(ink, darker(ink, 0.3), 0.5 * (i % 2)))
    heart = (0.93, 0.72, 0.28) if ink[0] + ink[1] < 1.75 or ink[2] > 0.5 else (0.35, 0.22, 0.16)
    stage.press.lay([ellipse(x, y, size * 0.26, size * 0.22 * flat, count=14)], heart)


def _leaf_outline() -> tuple[Points, Points]:
    """Both edges of a leaf from stalk to tip and back at fatness 1, and the bend of its rib: (28, 2) each."""
    t = np.linspace(0, 1, 14, dtype=np.float32)
    half = np.float32(1.9) * t**0.75 * (1 - t) ** 0.9
    edges = np.concatenate([np.column_stack([t, -half]), np.column_stack([t, half])[::-1]])
    bend = np.float32(0.12) * np.sin(np.concatenate([t, t[::-1]]) * np.float32(np.pi))
    return np.asarray(edges, np.float32), np.column_stack([np.zeros_like(bend), bend])


_LEAF, _LEAF_BEND = _leaf_outline()


def leaf(x: float, y: float, long: float, turn: float, fat: float = 0.24) -> Points:
    """A pointed leaf from its stalk at x, y in the direction `turn`."""
    shape = _LEAF * np.array([1, fat], np.float32) + _LEAF_BEND
    return place(shape, long, turn, (x, y))
