"""The near ground, painted over the developed picture at output size: bank, grass, flowers, framing trees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.scenes.terrain.foliage import Sprite, leafy, spruce
from aquatint.engines.studio.scenes.terrain.groves import tree_colors
from aquatint.engines.studio.scenes.terrain.light import Light, Rgb
from aquatint.engines.studio.scenes.terrain.picture import tone
from aquatint.engines.studio.styles.base import Rgb8

PlaneF = npt.NDArray[np.float32]

_SHADES = 12  # tones of grass


@dataclass(frozen=True, slots=True)
class Bank:
    """What grows at the viewer's feet. Fractions are of the picture's height."""

    depth: float = 0.06  # how high the bank reaches at its lowest
    rise: float = 0.08  # how much higher at the framing side
    side: int = -1  # framing side: -1 left, 1 right
    grass: tuple[Rgb, Rgb] = ((0.05, 0.08, 0.02), (0.24, 0.27, 0.09))  # albedo of blades, root to tip
    flowers: tuple[Rgb, ...] = ()
    flower_share: float = 0.0  # flowers per blade
    snow: bool = False
    trees: int = 3  # framing spruces on the main side
    opposite: int = 1  # and on the other
    tallest: float = 0.85
    tree_leaf: Rgb = (0.06, 0.10, 0.035)
    gold: Rgb | None = None  # leaf colour of the leafy trees that mix in, None for spruces only
    bare: float = 0.0


def lit_color(albedo: Rgb, light: Light, sun: float, sky: float = 1.0) -> tuple[int, int, int]:
    """Bytes of a surface of that albedo that gets these shares of sun and sky light."""
    values = [tone(albedo[c] * (light.sun[c] * sun + light.ambient[c] * sky) * light.exposure) for c in range(3)]
    return values[0], values[1], values[2]


def _outline(bank: Bank, width: int, height: int, seed: int) -> PlaneF:
    """Row of the bank's upper edge for every column: (width,) float32."""
    u = np.linspace(0, 1, width, dtype=np.float32)
    edge = u if bank.side > 0 else 1 - u
    swell = fbm(2, width, 2.5, 4, seed)[0] * 0.055 + fbm(2, width, 9, 3, seed + 1)[0] * 0.010
    rise = bank.depth + bank.rise * smoothstep(0.45, 1.05, edge) + bank.rise * 0.45 * smoothstep(0.30, -0.05, edge)
    return np.asarray(height * (1 - rise - swell), dtype=np.float32)


def _blend(picture: Rgb8, color: npt.NDArray[np.float32], share: PlaneF, top: int) -> None:
    area = picture[top : top + share.shape[0]]
    area[:] = (area + (color - area) * share[..., None] + 0.5).astype(np.uint8)


def _fill(picture: Rgb8, bank: Bank, outline: PlaneF, light: Light, seed: int) -> None:
    height = picture.shape[0]
    top = max(0, int(outline.min()) - 2)
    for start in range(top, height, 256):
        stop = min(height, start + 256)
        rows = np.arange(start, stop, dtype=np.float32)[:, None]
        below = rows - outline[None]
        cover = np.clip(below + 0.5, 0, 1)
        fade = np.clip(below / (height * 0.10), 0, 1)[..., None]
        if bank.snow:
            upper = np.array(lit_color((0.90, 0.92, 0.96), light, 0.34, 0.85), np.float32)
            lower = np.array(lit_color((0.62, 0.70, 0.84), light, 0.05, 0.75), np.float32)
        else:
            upper = np.array(lit_color(bank.grass[1], light, 0.28, 0.7), np.float32)
            lower = np.array(lit_color(bank.grass[0], light, 0.06, 0.5), np.float32)
        _blend(picture, upper + (lower - upper) * fade**0.7, cover, start)


def _blades(picture: Rgb8, bank: Bank, outline: PlaneF, light: Light, rng: np.random.Generator) -> None:
    """Grass from the bank's edge down to the frame, far rows first; near blades are longer."""
    height, width = picture.shape[:2]
    finer = min(2.2, max(0.6, (height / 900) ** 0.7))  # larger pictures show more and finer grass
    count = 350 if bank.snow else int(5600 * finer * min(1.6, max(0.5, width / height)))
    where = np.sort(rng.random(count) ** 0.9)  # 0 at the edge .. 1 at the lower frame
    x = rng.random(count) * width
    edge = outline[np.minimum(width - 1, x.astype(np.intp))]
    y = edge + (height * 1.03 - edge) * where
    size = height * (0.009 + 0.026 * where) * (0.45 + 1.1 * rng.random(count))
    lean = rng.normal(0, 0.28, count) * size
    # Blades stand darker toward the lower frame, so that the picture rests on them.
    shade = np.minimum(rng.random(count) * (1 - 0.62 * where) * _SHADES, _SHADES - 1).astype(np.intp)
    tufts = fbm(2, 512, 7, 4, int(rng.integers(1 << 30)))[0][(x / width * 511).astype(np.intp)]
    flower = rng.random(count) < bank.flower_share * np.clip(tufts * 3.2 + 0.55, 0, 2)
    curve = np.stack(
        [np.stack([x, y], 1), np.stack([x + lean * 0.3, y - size * 0.6], 1), np.stack([x + lean, y - size], 1)], 1
    )
    curve = np.round(curve * 16).astype(np.int32)
    tips = [lit_color(_between(bank.grass, v), light, 0.12 + 0.50 * v, 0.8) for v in np.linspace(0, 1, _SHADES)]
    for row in np.array_split(np.arange(count), 26):
        thick = max(1, round(float(size[row].mean()) / (24 * max(1.0, finer * 0.8))))
        for index in range(_SHADES):
            bunch = row[shade[row] == index]
            if bunch.size:
                cv2.polylines(picture, list(curve[bunch]), False, tips[index], thick, cv2.LINE_AA, 4)
        if bank.flowers:
            for i in row[flower[row]]:
                albedo = bank.flowers[int(tufts[i] * 9 + i % 2) % len(bank.flowers)]
                _flower(picture, (int(curve[i, 2, 0]), int(curve[i, 2, 1])), float(size[i]), albedo, light, rng)


def _flower(
    picture: Rgb8, tip: tuple[int, int], size: float, albedo: Rgb, light: Light, rng: np.random.Generator
) -> None:
    radius = max(9, int(size * 16 * (0.050 + 0.045 * rng.random())))
    dark, bright = lit_color(albedo, light, 0.15, 0.55), lit_color(albedo, light, 0.50, 0.8)
    turn = rng.random()
    for petal in range(5):
        angle = petal * 1.2566 + turn
        at = (tip[0] + int(math.cos(angle) * radius * 0.8), tip[1] + int(math.sin(angle) * radius * 0.55))
        color = bright if math.sin(angle) < 0.2 else dark
        cv2.ellipse(picture, at, (radius, int(radius * 0.7)), 0, 0, 360, color, -1, cv2.LINE_AA, 4)
    centre = lit_color((0.75, 0.50, 0.06), light, 0.5, 0.8)
    cv2.circle(picture, tip, int(radius * 0.5), centre, -1, cv2.LINE_AA, 4)


def _between(pair: tuple[Rgb, Rgb], share: float) -> Rgb:
    a, b = pair
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share


def paste_developed(picture: Rgb8, sprite: Sprite, left: int, top: int, dark: Rgb, lit: Rgb, exposure: float) -> None:
    """Lay a sprite over sRGB bytes, its radiance between `dark` and `lit` sent through the tone curve."""
    y0, y1 = max(0, top), min(picture.shape[0], top + sprite.cover.shape[0])
    x0, x1 = max(0, left), min(picture.shape[1], left + sprite.cover.shape[1])
    if y0 >= y1 or x0 >= x1:
        return
    levels = np.linspace(0, 1, 256)
    table = np.array(
        [[tone((dark[c] + (lit[c] - dark[c]) * v) * exposure) for c in range(3)] for v in levels[::8]], np.float32
    )
    table = np.asarray(cv2.resize(table[:, None], (1, 256), interpolation=cv2.INTER_LINEAR)[:, 0], np.float32)
    for start in range(y0, y1, 256):
        stop = min(y1, start + 256)
        part = np.s_[start - top : stop - top, x0 - left : x1 - left]
        share = sprite.cover[part].astype(np.float32) * np.float32(1 / 255)
        area = picture[start:stop, x0:x1]
        area[:] = (area + (table[sprite.bright[part]] - area) * share[..., None] + 0.5).astype(np.uint8)


def _frame_trees(picture: Rgb8, bank: Bank, outline: PlaneF, light: Light, seed: int) -> None:
    height, width = picture.shape[:2]
    rng = generator(seed, "framing trees")
    dark, lit = tree_colors(light, bank.tree_leaf)
    if bank.snow:
        lit = tree_colors(light, (0.62, 0.66, 0.72))[1]
    # The frame stands in the shade of its own trees: darker than the view, but not black.
    lit = (lit[0] * 0.42, lit[1] * 0.42, lit[2] * 0.42)
    from_right = light.direction[0] > 0
    for side, count in ((bank.side, bank.trees), (-bank.side, bank.opposite)):
        spots = sorted((float(rng.random()) for _ in range(count)), reverse=True)
        for index, spot in enumerate(spots):
            inset = spot * 0.15
            x = (1 - inset) * width if side > 0 else inset * width
            near = 1 - spot  # trees at the rim are nearer and taller
            scale = bank.tallest * (0.42 + 0.58 * near) * (0.8 + 0.3 * float(rng.random()))
            scale *= 1.0 if side == bank.side else 0.62
            tall = int(min(height, width * 1.15) * scale)
            tree_rng = generator(derive_seed(seed, "framing tree"), side + 1, index)
            golden = bank.gold is not None and index % 2 == 0
            if golden:
                gold_dark, gold_lit = tree_colors(light, bank.gold or (0, 0, 0))
                sprite = leafy(max(40, int(tall * 0.75)), tree_rng, bank.bare)
                colors = (gold_dark, (gold_lit[0] * 0.6, gold_lit[1] * 0.6, gold_lit[2] * 0.6))
            else:
                sprite, colors = spruce(max(40, tall), tree_rng, 0.6 if bank.snow else 0.0), (dark, lit)
            if from_right:
                sprite = Sprite(sprite.cover[:, ::-1], sprite.bright[:, ::-1])
            foot = int(outline[min(width - 1, max(0, int(x)))] + height * (0.012 + 0.05 * near))
            left = int(x - sprite.cover.shape[1] / 2)
            paste_developed(picture, sprite, left, foot - sprite.cover.shape[0], *colors, light.exposure)


def paint_foreground(picture: Rgb8, bank: Bank, light: Light, seed: int) -> None:
    """Paint bank, framing trees and grass over the developed picture, in place."""
    height, width = picture.shape[:2]
    outline = _outline(bank, width, height, derive_seed(seed, "bank"))
    _frame_trees(picture, bank, outline, light, seed)
    _fill(picture, bank, outline, light, seed)
    _blades(picture, bank, outline, light, generator(seed, "blades"))
