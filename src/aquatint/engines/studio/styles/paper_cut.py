"""Paper cut: sheets of coloured paper stacked by lightness, cut along the shapes, each casting its shadow."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.choices import number
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab, smoothstep, to_bytes, to_float
from aquatint.engines.studio.kernels.hatching import Tooth, rows_linear
from aquatint.engines.studio.kernels.noise import derive_seed, warp
from aquatint.engines.studio.kernels.palette import closest, found_palette
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, blur_wide, cover, fit_width, resize, rows_of
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_WORK_SIZE = 896
_LIGHT_SIZE = 1536


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Stack sheets of paper: k-means colours in Lab, the darkest sheet in front (a lit shadow box).

    Option `colors` is the number of sheets (3..14, default 9). Strength deepens the shadows.
    """
    work_w, work_h = fit_width(easel.width, easel.height, _WORK_SIZE)
    unit = (work_w * work_h) ** 0.5 / 768
    seed = derive_seed(easel.seed, "paper cut")
    image = to_float(cover(source, work_w, work_h))
    calm = kuwahara(kuwahara(image, 7 * unit, easel.threads), 6 * unit, easel.threads)
    calm = warp(calm, 2.0 * unit, 26, derive_seed(seed, "scissors"))
    easel.progress(0.4, "shapes")
    count = int(number(easel.options, "colors", 9, 3, 14))
    colors, masks = _sheets(calm, count, unit, seed)
    easel.progress(0.6, "sheets")
    return _stack(colors, masks, easel, seed)


def _sheets(calm: RgbF, count: int, unit: float, seed: int) -> tuple[npt.NDArray[np.float32], list[PlaneF]]:
    """Colour of each sheet, back (light) to front (dark), and where the sheets from the second on have paper.

    Masks are soft at work scale; their level .5 is the cut, rounded as scissors round it.
    """
    h, w = calm.shape[:2]
    lab = rgb_to_lab(calm)
    palette = found_palette(lab.reshape(-1, 3), count, seed)
    palette = palette[np.argsort(-palette[:, 0])]
    label = closest(lab.reshape(-1, 3), palette).reshape(h, w)
    colors = palette.copy()
    # Papers of a good set differ clearly: lightness is spread, colour made purer.
    spread = np.linspace(93, 12, len(colors), dtype=np.float32)
    colors[:, 0] = 0.55 * colors[:, 0] + 0.45 * spread
    colors[:, 1:] *= 1.35
    masks = [blur((label >= i).astype(np.float32), 2.0 * unit) for i in range(1, len(colors))]
    return lab_to_rgb(colors[None])[0], masks


def _stack(colors: npt.NDArray[np.float32], masks: list[PlaneF], easel: Easel, seed: int) -> Rgb8:
    """Cut the sheets at output size; their light, which is soft, comes from a middle size."""
    w, h = easel.width, easel.height
    unit = (w * h) ** 0.5 / 768
    light = _light(masks, np.float32(0.42 * (0.6 + 0.4 * easel.strength)), *fit_width(w, h, _LIGHT_SIZE))
    easel.progress(0.75, "shadows")
    paper = Tooth.of(1.1 * unit, derive_seed(seed, "paper"))
    # A sheet lies wholly within the one behind it, so that each cut only exchanges two neighbouring colours.
    exchanged = np.diff(colors, axis=0)
    # The blurred mask climbs over some 5 units; this cut is about one output pixel wide.
    steepness = np.float32(3.9 * max(unit, 0.3))
    out = np.empty((h, w, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        channels = [np.full((bottom - top, w), value, np.float32) for value in colors[0]]
        for mask, change in zip(masks, exchanged, strict=True):
            cut = rows_of(mask, w, h, top, bottom)
            cut -= 0.5
            cut *= steepness
            cut += 0.5
            np.clip(cut, 0, 1, out=cut)
            for channel, difference in zip(channels, change, strict=True):
                cv2.scaleAdd(cut, float(difference), channel, channel)
        shade = rows_linear(light, w, h, top, bottom)
        shade *= 1 + np.float32(0.014) * paper.rows(top, bottom, w)
        for channel in channels:
            channel *= shade
        out[top:bottom] = to_bytes(np.asarray(cv2.merge(channels), dtype=np.float32))

    run_strips(strip, h, easel.threads)
    easel.progress(1.0, "paper")
    return out


def _light(masks: list[PlaneF], depth: np.float32, width: int, height: int) -> PlaneF:
    """Brightness of whatever lies on top: shadows of the sheets before it, a lit rim where its own edge is."""
    unit = (width * height) ** 0.5 / 768
    light = np.ones((height, width), np.float32)
    for mask in masks:
        light *= 1 - depth * resize(_shadow(mask), width, height)
        soft = resize(mask, width, height)
        gx, gy = cv2.Sobel(soft, cv2.CV_32F, 1, 0, ksize=3), cv2.Sobel(soft, cv2.CV_32F, 0, 1, ksize=3)
        rim = 1 + np.float32(0.22) * np.clip((0.6 * gx + 0.8 * gy) * np.float32(unit), -0.5, 0.5)
        rim = 1 + (rim - 1) * smoothstep(0.95, 0.6, soft)
        cut = np.clip((soft - 0.5) * np.float32(3.9 * max(unit, 0.3)) + 0.5, 0, 1)
        light += (np.asarray(rim, dtype=np.float32) - light) * cut
    return light


def _shadow(mask: PlaneF) -> PlaneF:
    """Shadow that a sheet throws on those behind it: a narrow and a wide one, towards the lower right, 0..1."""
    unit = (mask.shape[0] * mask.shape[1]) ** 0.5 / 768
    sheet = smoothstep(0.4, 0.6, mask)
    total = np.zeros_like(mask)
    for share, shift, sigma in ((0.6, 2.2, 1.8), (0.4, 6.0, 6.5)):
        move = np.array([[1, 0, shift * unit * 0.8], [0, 1, shift * unit]], np.float32)
        size = (mask.shape[1], mask.shape[0])
        moved = cv2.warpAffine(sheet, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        total += np.float32(share) * blur_wide(np.asarray(moved, dtype=np.float32), sigma * unit)
    return total
