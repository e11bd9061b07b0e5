"""Vintage: faded print with lifted blacks, split tones, halation, grain, dust. Variants: film, sepia."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.choices import variant
from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.filmgrain import FilmGrain
from aquatint.engines.studio.kernels.hatching import rows_linear
from aquatint.engines.studio.kernels.masks import border_distance, vignette
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur_wide, cover, fit_width
from aquatint.engines.studio.kernels.sourcing import SourceStrips
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 768
Color = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class _Stock:
    """A film and the paper it was printed on."""

    chroma: float  # how much of the colour is left
    shadow: Color  # colour of black
    middle: Color  # colour of middle grey
    light: Color  # colour of white
    grain: float
    halation: float
    edge_fall: float  # vignette
    wear: float  # dust and scratches
    border: bool


_STOCKS = {
    "": _Stock(
        chroma=0.62,
        shadow=(0.12, 0.085, 0.10),
        middle=(0.535, 0.485, 0.42),
        light=(0.985, 0.945, 0.845),
        grain=0.034,
        halation=0.20,
        edge_fall=0.34,
        wear=0.8,
        border=True,
    ),
    "film": _Stock(
        chroma=0.92,
        shadow=(0.045, 0.055, 0.065),
        middle=(0.50, 0.485, 0.455),
        light=(1.0, 0.975, 0.93),
        grain=0.034,
        halation=0.34,
        edge_fall=0.20,
        wear=0.15,
        border=False,
    ),
    "sepia": _Stock(
        chroma=0.0,
        shadow=(0.115, 0.075, 0.045),
        middle=(0.52, 0.40, 0.275),
        light=(0.975, 0.915, 0.795),
        grain=0.040,
        halation=0.08,
        edge_fall=0.46,
        wear=1.0,
        border=True,
    ),
}


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Print on an old stock: tone curve with toe and shoulder, three-point toning, halation, grain and wear.

    Strength mixes between a light and a strong ageing.
    """
    stock = _STOCKS[variant(easel.options, tuple(_STOCKS))]
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "vintage")
    small = to_float(cover(source, *fit_width(w, h, _WORK_SIZE)))
    low, high = (float(v) for v in np.percentile(luminance(small)[::3, ::3], [0.5, 99.5]))
    halo = _halation(small) * np.float32(stock.halation)
    grain = FilmGrain.of(unit, seed, 1.25)
    stain = fbm(max(2, h // 16), max(2, w // 16), 2.5, 4, derive_seed(seed, "stain"))
    wear = _wear(w, h, unit, stock.wear * easel.strength, seed)
    curves = _toning(stock)
    strips = SourceStrips.of(source, w, h)
    easel.progress(0.3, "exposure")
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        part = np.clip((strips.rows(top, bottom) - low) / max(0.2, high - low), 0, 1)
        part = 1 - (1 - part) * (1 - rows_linear(halo, w, h, top, bottom))
        luma = luminance(part)
        fade = 1 - np.float32(stock.edge_fall * (0.6 + 0.4 * easel.strength)) * vignette(h, w, top, bottom) ** 1.3
        curved = (0.5 * luma + 0.5 * smoothstep(-0.08, 1.08, luma)) * fade
        curved += grain.rows(top, bottom, w) * np.float32(stock.grain) * (0.35 + curved * (1 - curved) * 2.2)
        curved += np.float32(0.035 * stock.wear) * rows_linear(stain, w, h, top, bottom)
        toned = _toned(np.clip(curved, 0, 1), curves)
        toned += (part - luma[..., None]) * (np.float32(stock.chroma) * fade)[..., None]
        marks = rows_linear(wear, w, h, top, bottom)[..., None]
        toned += (np.array(stock.light, np.float32) * 0.97 - toned) * marks
        if stock.border:
            _mount(toned, h, w, top, bottom, np.array(stock.light, np.float32))
        out[top:bottom] = to_bytes(toned)

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "print")
    return out


def _toning(stock: _Stock) -> npt.NDArray[np.float32]:
    """Colour of each of 1024 grey levels, a smooth curve through shadow, middle and light: (1024, 3)."""
    t = np.linspace(0, 1, 1024)
    points = np.array([stock.shadow, stock.middle, stock.light])
    quadratic = [np.polyval(np.polyfit([0.0, 0.5, 1.0], points[:, c], 2), t) for c in range(3)]
    return np.stack(quadratic, axis=1).astype(np.float32)


def _toned(grey: PlaneF, curves: npt.NDArray[np.float32]) -> RgbF:
    return curves[(grey * 1023 + 0.5).astype(np.int32)]


def _halation(small: RgbF) -> RgbF:
    """Red-orange glow around highlights: light that came back from the film's base."""
    unit = (small.shape[0] * small.shape[1]) ** 0.5 / 768
    bright = smoothstep(0.70, 0.98, luminance(small))
    glow = 0.6 * blur_wide(bright, 7 * unit) + 0.4 * blur_wide(bright, 26 * unit)
    return np.asarray(glow[..., None] * np.array([1.0, 0.52, 0.26], np.float32), dtype=np.float32)


def _wear(w: int, h: int, unit: float, amount: float, seed: int) -> PlaneF:
    """Faint dust, hairs and scratches, drawn at up to 2048 px: coverage 0..0.4."""
    dw, dh = fit_width(w, h, 2048)
    zoom = unit * dw / w
    rng = generator(seed, "wear")
    plate = np.zeros((dh, dw), np.uint8)
    for _ in range(int(90 * amount)):
        center = (int(rng.random() * dw * 16), int(rng.random() * dh * 16))
        cv2.circle(
            plate,
            center,
            int(16 * zoom * (0.3 + 0.8 * rng.random() ** 3)),
            int(rng.integers(40, 150)),
            -1,
            cv2.LINE_AA,
            4,
        )
    for _ in range(int(7 * amount)):
        start = rng.random(2) * (dw, dh)
        turn, bend = rng.random() * 6.28, rng.normal(0, 0.5)
        steps = np.arange(14)
        path = (
            start
            + np.stack([np.cos(turn + bend * steps / 4), np.sin(turn + bend * steps / 4)], 1).cumsum(0) * 2.2 * zoom
        )
        cv2.polylines(
            plate, [np.rint(path * 16).astype(np.int32)], False, 90, max(1, round(0.5 * zoom)), cv2.LINE_AA, 4
        )
    for _ in range(int(3 * amount)):
        x = rng.random() * dw
        line = np.array(
            [[x, rng.random() * dh * 0.5], [x + rng.normal(0, 4 * zoom), dh * (0.5 + 0.5 * rng.random())]]
        )
        cv2.polylines(
            plate, [np.rint(line * 16).astype(np.int32)], False, 45, max(1, round(0.4 * zoom)), cv2.LINE_AA, 4
        )
    return plate.astype(np.float32) * np.float32(0.4 / 255)


def _mount(picture: RgbF, h: int, w: int, top: int, bottom: int, paper: npt.NDArray[np.float32]) -> None:
    """The white border of an old print, in place."""
    unit = (w * h) ** 0.5 / 768
    edge = border_distance(h, w, top, bottom) * np.float32(w)
    side = 0.028 * min(w, h)
    border = smoothstep(side + 0.7 * unit, side - 0.7 * unit, edge)[..., None]
    picture += (paper * np.float32(0.985) - picture) * border
