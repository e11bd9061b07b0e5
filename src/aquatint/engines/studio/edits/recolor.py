"""Recolouring: everything of one named colour takes another and keeps its light and shade."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.choices import word
from aquatint.engines.studio.kernels.color import luminance, rgb_to_lab, smoothstep, to_float
from aquatint.engines.studio.kernels.grading import grade_lab_rows, guided
from aquatint.engines.studio.kernels.named_colors import COLORS, NamedColor, membership
from aquatint.engines.studio.kernels.resize import blur, fit_width, resize, rows_of
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_MAP_SIDE = 1024
_LEAST_AREA = 0.0012  # share of the picture below which the colour counts as absent
_COLORLESS = 12.0  # mean chroma up to which a region counts as black, grey or white
_SPECK = 0.03  # regions smaller than this share of the largest are left alone


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Change option `target` (a colour name) into option `color`.

    Pixels are chosen by hue, chroma and lightness in Lab, in connected regions with a soft outline. Without a target
    the strongest hue is taken, without a colour its complement. Where the target does not occur, the source itself
    comes back.
    """
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _MAP_SIDE)))
    lab = rgb_to_lab(small)
    old = COLORS.get(word(easel.options, "target")) or _strongest(lab)
    new = COLORS.get(word(easel.options, "color")) or _complement(old)
    matte = _matte(small, lab, old)
    area = float(matte.mean())
    if area < _LEAST_AREA:
        return source
    own_light = float((lab[..., 0] * matte).sum() / matte.sum())
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    own_chroma = float((chroma * matte).sum() / matte.sum())

    def work(pixels: RgbF, top: int, bottom: int) -> None:
        inside = np.clip(rows_of(matte, width, height, top, bottom), 0, 1)
        # The full picture decides on the outline, the map only on the region.
        share = inside * np.clip(0.12 + 1.1 * membership(pixels, old), 0, 1)
        _paint(pixels, smoothstep(0.05, 0.6, share), new, own_light, own_chroma)

    return grade_lab_rows(source, easel, work)


def _matte(small: RgbF, lab: RgbF, old: NamedColor) -> PlaneF:
    """Where the colour is, 0..1: connected regions, specks dropped, outline along the picture's edges."""
    likely = blur(membership(lab, old), 1.2)
    solid = (likely > 0.4).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count < 2:
        return np.zeros_like(likely)
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0
    kept = np.flatnonzero(areas >= max(4.0, _SPECK * areas.max()))
    region = cv2.dilate(np.isin(labels, kept).astype(np.uint8), np.ones((5, 5), np.uint8))
    radius = max(2, small.shape[1] // 200)
    return guided(luminance(small), np.asarray(likely * region, dtype=np.float32), radius)


def _paint(lab: RgbF, share: PlaneF, new: NamedColor, own_light: float, own_chroma: float) -> None:
    """Move Lab pixels towards the new colour in place; shading and the fading of chroma in glints stay."""
    light = lab[..., 0]
    chroma = np.asarray(np.hypot(lab[..., 1], lab[..., 2]), dtype=np.float32)
    lift = new.paint_light - own_light
    if new.hue is None:  # black, grey and white are a lightness: all of the way, with flatter shading
        wanted = new.paint_light + (light - own_light) * np.float32(0.62)
    else:
        wanted = light + np.float32(0.55 * lift)
    if own_chroma > _COLORLESS:
        strength = chroma * np.float32(min(2.2, new.paint_chroma / own_chroma))
    else:  # black, grey or white: there is no chroma to scale
        strength = np.full_like(chroma, new.paint_chroma)
    # Very light and very dark places cannot hold chroma.
    strength *= smoothstep(101, 84, np.asarray(wanted, dtype=np.float32)) * smoothstep(
        -2, 12, np.asarray(wanted, dtype=np.float32)
    )
    angle = np.radians(new.hue or 0.0)
    lab[..., 0] += (np.clip(wanted, 0, 100) - light) * share
    lab[..., 1] += (strength * np.float32(np.cos(angle)) - lab[..., 1]) * share
    lab[..., 2] += (strength * np.float32(np.sin(angle)) - lab[..., 2]) * share


def _strongest(lab: RgbF) -> NamedColor:
    scores = {name: float(membership(lab, color).sum()) for name, color in COLORS.items() if color.hue is not None}
    return COLORS[max(scores, key=lambda name: scores[name])]


def _complement(old: NamedColor) -> NamedColor:
    angle = ((old.hue or 0.0) + 180) % 360
    near = {n: abs((angle - c.hue + 180) % 360 - 180) for n, c in COLORS.items() if c.hue is not None}
    return COLORS[min(near, key=lambda name: near[name])]
