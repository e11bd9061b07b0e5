"""The camera's part: bloom, exposure, tone, grade, rain streaks, lens and grain, in strips at output size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import FloatArray, luminance
from aquatint.engines.studio.kernels.filmgrain import FilmGrain
from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.scenes.street.brief import Brief
from aquatint.engines.studio.scenes.street.stage import LINEAR_ONE, View
from aquatint.engines.studio.styles.base import Rgb8

_SMALL = 900  # pixels at which light is spread
_GRAIN = 0.012  # deviation of the film grain in the shadows, sRGB 0..1


@dataclass(frozen=True, slots=True)
class Film:
    """What the lens adds, prepared once."""

    bloom: FloatArray  # (h, w, 3) small, to add
    ambient: FloatArray  # (h, w, 3) small: mean light around a point, which lights the rain
    grain: FilmGrain


def expose(view: View, extra: FloatArray, brief: Brief) -> Film:
    """Spread the picture's bright light over several radii (a lens' veiling glare) and prepare the grain.

    `extra` is steam, (h, w, 3) linear at any size.
    """
    height, width = view.coverage.shape
    factor = min(1.0, _SMALL / width)
    size = max(8, round(width * factor)), max(8, round(height * factor))
    small = cv2.resize(view.light, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    small *= np.float32(1 / LINEAR_ONE)
    bright = np.clip(small - (0.55 if not brief.daylight else 1.6), 0, 4.0)
    unit = max(size) / 1024
    bloom = np.zeros_like(small)
    for sigma, share in ((2.0, 0.16), (6.5, 0.19), (20.0, 0.21), (64.0, 0.20)):
        bloom += np.float32(share) * _blur(bright, sigma * unit)
    steam = cv2.resize(extra, size, interpolation=cv2.INTER_LINEAR)
    ambient = _blur(small, 26 * unit)
    seed = derive_seed(brief.seed, "film")
    grain = FilmGrain.of(max(width, height) / 1024, seed)
    return Film(np.asarray(bloom + steam, np.float32), ambient, grain)


def _blur(image: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur; wide ones at reduced size."""
    if sigma < 8:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.5, sigma)), np.float32)
    step = 4 if sigma < 40 else 8
    height, width = image.shape[:2]
    tiny = cv2.resize(image, (max(2, width // step), max(2, height // step)), interpolation=cv2.INTER_AREA)
    tiny = cv2.GaussianBlur(tiny, (0, 0), sigma / step)
    return np.asarray(cv2.resize(tiny, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def filmic(light: FloatArray) -> FloatArray:
    """Tone curve from linear light to 0..1 display linear (fitted ACES, Narkowicz 2015)."""
    top = light * (2.51 * light + 0.03)
    return np.asarray(np.clip(top / (light * (2.43 * light + 0.59) + 0.14), 0, 1), np.float32)


def _rows_of(small: FloatArray, top: int, bottom: int, height: int, width: int) -> FloatArray:
    """Rows top..bottom of a small picture enlarged to height x width."""
    rows, columns = small.shape[:2]
    scale_x, scale_y = columns / width, rows / height
    matrix = np.array([[scale_x, 0, 0.5 * scale_x - 0.5], [0, scale_y, (top + 0.5) * scale_y - 0.5]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(small, matrix, (width, bottom - top), flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


def develop(
    view: View,
    film: Film,
    rain: npt.NDArray[np.uint8],
    cables: npt.NDArray[np.uint8],
    brief: Brief,
    threads: int,
) -> Rgb8:
    """Turn the finished canvas into the picture: (h, w, 3) sRGB bytes."""
    height, width = view.coverage.shape
    result = np.empty((height, width, 3), np.uint8)
    across = ((np.arange(width, dtype=np.float32) + 0.5) / width - 0.5)[None]
    table = _tone_table(brief.light.exposure)

    def strip(top: int, bottom: int) -> None:
        light = view.light[top:bottom].astype(np.float32)
        light *= np.float32(1 / LINEAR_ONE)
        light *= 1 - (cables[top:bottom].astype(np.float32) * np.float32(0.88 / 255))[..., None]
        light += _rows_of(film.bloom, top, bottom, height, width)
        streaks = (rain[top:bottom].astype(np.float32) * np.float32(1 / 255))[..., None]
        light += streaks * (_rows_of(film.ambient, top, bottom, height, width) * np.float32(1.2) + np.float32(0.035))
        image = _grade(light, table)
        down = ((np.arange(top, bottom, dtype=np.float32) + 0.5) / height - 0.5)[:, None]
        vignette = 1 - 0.62 * (across * across + down * down)
        image *= vignette[..., None]
        red, green, blue = cv2.split(image)
        shade = np.asarray(cv2.max(cv2.max(red, green), blue), np.float32)
        shade *= np.float32(-0.6 * _GRAIN)
        shade += np.float32(_GRAIN)
        shade *= film.grain.rows(top, bottom, width)
        image += shade[..., None]
        image *= np.float32(255)
        result[top:bottom] = np.clip(image + 0.5, 0, 255).astype(np.uint8)

    run_strips(strip, height, threads, rows=128)
    return _fringe(result)


_STEPS = 1 << 14  # of the tone table
_BRIGHTEST = 8.0  # linear light that the table covers


def _tone_table(exposure: float) -> FloatArray:
    """Filmic tone, display gamma and a touch of contrast for light 0..8, spaced by square root: (_STEPS,)."""
    light = np.linspace(0, 1, _STEPS, dtype=np.float32) ** 2 * np.float32(_BRIGHTEST * exposure)
    tone = filmic(light) ** np.float32(1 / 2.15)
    return np.asarray(tone + 0.22 * (tone * tone * (3 - 2 * tone) - tone), np.float32)


def _grade(light: FloatArray, table: FloatArray) -> FloatArray:
    """Apply the tone table; more saturation; shadows lean to blue."""
    np.clip(light, 0, _BRIGHTEST, out=light)
    np.multiply(light, np.float32((_STEPS - 1) ** 2 / _BRIGHTEST), out=light)
    image = np.asarray(table[cv2.sqrt(light).astype(np.uint16)], np.float32)
    gray = luminance(image)
    image *= np.float32(1.12)
    cool = (1 - gray) ** 3
    gray *= np.float32(-0.12)
    image[..., 0] += gray - np.float32(0.006) * cool
    image[..., 1] += gray
    image[..., 2] += gray + np.float32(0.018) * cool
    return np.asarray(np.clip(image, 0, 1, out=image), np.float32)


def _fringe(image: Rgb8) -> Rgb8:
    """Slight lateral colour: red a little larger, blue a little smaller, as simple lenses do."""
    height, width = image.shape[:2]
    for channel, scale in ((0, 1.0008), (2, 0.9992)):
        matrix = np.array([[scale, 0, (1 - scale) * width / 2], [0, scale, (1 - scale) * height / 2]], np.float32)
        plane = np.ascontiguousarray(image[..., channel])
        image[..., channel] = cv2.warpAffine(
            plane, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return image
