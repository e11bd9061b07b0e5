"""Grading: float work on byte pictures strip by strip, maps of sky and depth, and changes of the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF, Rgb8, RgbF
from aquatint.engines.studio.easel import Easel
from aquatint.engines.studio.kernels.color import (
    lab_to_rgb,
    luminance,
    power,
    rgb_to_lab,
    smoothstep,
    to_bytes,
    to_float,
)
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, fit_width, resize, rows_of
from aquatint.engines.studio.kernels.tensor import structure_tensor

_MAP_SIDE = 512
Color = tuple[float, float, float]


def grade(source: Rgb8, easel: Easel, work: Callable[[RgbF, int, int], RgbF]) -> Rgb8:
    """Run `work(rgb, top, bottom)` on every strip as float32 sRGB 0..1; the result may leave that range."""
    result = np.empty_like(source)

    def strip(top: int, bottom: int) -> None:
        result[top:bottom] = to_bytes(work(to_float(source[top:bottom]), top, bottom))

    run_strips(strip, source.shape[0], easel.threads)
    return result


def grade_lab(source: Rgb8, easel: Easel, work: Callable[[RgbF], None]) -> Rgb8:
    """Run `work(lab)` in place on every strip: CIE Lab, L 0..100."""

    def through_lab(rgb: RgbF, top: int, bottom: int) -> RgbF:
        lab = rgb_to_lab(rgb)
        work(lab)
        np.clip(lab[..., 0], 0, 100, out=lab[..., 0])
        return lab_to_rgb(lab)

    return grade(source, easel, through_lab)


def grade_lab_rows(source: Rgb8, easel: Easel, work: Callable[[RgbF, int, int], None]) -> Rgb8:
    """Run `work(lab, top, bottom)` in place on every strip: CIE Lab, L 0..100."""

    def through_lab(rgb: RgbF, top: int, bottom: int) -> RgbF:
        lab = rgb_to_lab(rgb)
        work(lab, top, bottom)
        return lab_to_rgb(lab)

    return grade(source, easel, through_lab)


@dataclass(frozen=True, slots=True)
class Outdoors:
    """A guess at what is where in an outdoor photo, at most 512 px on the longer side."""

    sky: PlaneF  # 0..1
    depth: PlaneF  # 0 near .. 1 far


def outdoors(source: Rgb8) -> Outdoors:
    """Guess sky and depth from calmness seen from the top, height, haze (dark channel) and local contrast.

    The dark channel is that of He, Sun and Tang 2009. It is a guess: pictures taken indoors have no sky.
    """
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _MAP_SIDE)))
    tall, wide = small.shape[:2]
    light = luminance(small)
    edges = structure_tensor(small, 1.2).strength
    sky = np.exp(-9 * _met_from_top(np.maximum(edges - np.float32(0.03), 0)) * np.float32(512 / wide))
    bluish = small[..., 2] - small[..., 0]
    sky = sky * smoothstep(0.3, 0.55, np.asarray(light + np.maximum(bluish, 0) * 0.8, dtype=np.float32))
    sky = guided(light, np.asarray(sky, dtype=np.float32), 9)
    darkest = np.asarray(cv2.erode(small.min(2), np.ones((9, 9), np.uint8)), dtype=np.float32)
    rows = np.linspace(1, 0, tall, dtype=np.float32)[:, None]
    calm = 1 - np.clip(blur(edges, 6) / np.float32(0.08), 0, 1)
    depth = 0.5 * rows + 0.3 * smoothstep(0.05, 0.7, darkest) + 0.2 * calm * smoothstep(0.1, 0.5, light)
    depth = blur(np.asarray(np.maximum(depth, sky), dtype=np.float32), 3)
    return Outdoors(sky, depth)


def _met_from_top(edges: PlaneF) -> PlaneF:
    """How much edge the easiest way down from the top crosses; ways may bend around clouds."""
    met = np.empty_like(edges)
    reach = np.ones((1, 13), np.uint8)
    above = np.zeros((1, edges.shape[1]), np.float32)
    for row in range(edges.shape[0]):
        above = np.asarray(cv2.erode(above, reach), dtype=np.float32) + edges[row]
        met[row] = above
    return met


def guided(guide: PlaneF, plane: PlaneF, radius: int) -> PlaneF:
    """Guided filter (He, Sun and Tang 2013): smooth the plane, but along the edges of the guide."""

    def mean(values: PlaneF) -> PlaneF:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)), dtype=np.float32)

    guide_mean, plane_mean = mean(guide), mean(plane)
    slope = (mean(guide * plane) - guide_mean * plane_mean) / (mean(guide * guide) - guide_mean**2 + np.float32(2e-3))
    offset = plane_mean - slope * guide_mean
    return np.asarray(np.clip(mean(slope) * guide + mean(offset), 0, 1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Light:
    """A change of daylight. Colours are sRGB multipliers around 1."""

    exposure: float  # factor on all tones
    gamma: float  # above 1 deepens the middle tones
    shadows: Color
    lights: Color
    saturation: float
    sky_high: Color  # what the top of the sky is drawn towards
    sky_low: Color  # and its foot
    sky_share: float  # how far, 0..1
    glow: Color = (0.0, 0.0, 0.0)  # light added around the sun, 0..1


def relight(source: Rgb8, easel: Easel, light: Light, sun_x: float = 0.5) -> Rgb8:
    """Put a photo into another light: sky colours, split toning, exposure and the glow of a low sun."""
    height, width = source.shape[:2]
    place = outdoors(source)
    share = min(1.0, 0.4 + 0.6 * easel.strength)
    glow = _glow(place, sun_x)
    shadows, lights = np.array(light.shadows, np.float32), np.array(light.lights, np.float32)
    high, low = np.array(light.sky_high, np.float32), np.array(light.sky_low, np.float32)
    added = np.array(light.glow, np.float32)
    horizon = _horizon(place.sky)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        sky = np.clip(rows_of(place.sky, width, height, top, bottom), 0, 1)[..., None]
        tone = luminance(rgb)[..., None]
        gray = tone + (rgb - tone) * np.float32(light.saturation)
        lit = power(np.clip(gray, 0, 1), light.gamma) * np.float32(light.exposure)
        lit *= shadows * (1 - tone) + lights * tone
        down = np.linspace(top / height, bottom / height, bottom - top, dtype=np.float32)[:, None, None]
        wanted = high + (low - high) * np.clip(down / horizon, 0, 1) ** np.float32(1.2)
        clouds = 0.72 + 0.42 * tone  # keep the clouds' own light and shade
        lit += (wanted * clouds - lit) * (sky * np.float32(light.sky_share))
        shine = np.clip(rows_of(glow, width, height, top, bottom), 0, 1)[..., None] * added
        lit = 1 - (1 - np.clip(lit, 0, 1)) * (1 - shine)
        return np.asarray(rgb + (lit - rgb) * np.float32(share), dtype=np.float32)

    return grade(source, easel, work)


def _horizon(sky: PlaneF) -> float:
    """Where the sky ends, as a share of the height; at least a quarter."""
    rows = np.flatnonzero(sky.mean(1) > 0.25)
    return max(0.25, float(rows[-1] + 1) / sky.shape[0]) if rows.size else 0.5


def _glow(place: Outdoors, sun_x: float) -> PlaneF:
    tall, wide = place.sky.shape
    y = (np.arange(tall, dtype=np.float32)[:, None] - np.float32(_horizon(place.sky) * 0.9 * tall)) / wide
    x = np.arange(wide, dtype=np.float32)[None] / wide - np.float32(sun_x)
    around = np.exp(-(x * x + 2.2 * y * y) / np.float32(0.06))
    spread = around * (0.25 + 0.75 * place.depth)
    return blur_wide(np.asarray(spread, dtype=np.float32), 6)
