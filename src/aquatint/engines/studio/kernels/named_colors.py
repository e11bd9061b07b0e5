"""Colours by name in CIE Lab: what counts as red in a picture, and what red to paint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from aquatint.engines.studio.arrays import PlaneF, RgbF
from aquatint.engines.studio.kernels.color import smoothstep


@dataclass(frozen=True, slots=True)
class NamedColor:
    """A colour word: a wedge of hue for chromatic ones, a span of lightness for black, grey and white."""

    hue: float | None  # degrees in the a-b plane; None: hardly any chroma
    reach: float  # half width of the wedge in degrees
    light: tuple[float, float]  # L that still counts
    paint_light: float  # L of a typical sample
    paint_chroma: float


COLORS: Mapping[str, NamedColor] = MappingProxyType(
    {
        "red": NamedColor(32, 26, (8, 78), 44, 66),
        "orange": NamedColor(62, 20, (30, 92), 66, 70),
        "brown": NamedColor(62, 28, (6, 52), 36, 28),
        "gold": NamedColor(82, 18, (30, 92), 70, 58),
        "yellow": NamedColor(96, 22, (40, 100), 86, 76),
        "green": NamedColor(138, 40, (5, 96), 50, 52),
        "cyan": NamedColor(202, 30, (20, 98), 68, 38),
        "blue": NamedColor(272, 36, (5, 92), 42, 56),
        "purple": NamedColor(316, 24, (5, 85), 40, 56),
        "pink": NamedColor(358, 32, (45, 98), 72, 42),
        "black": NamedColor(None, 0, (0, 24), 11, 0),
        "gray": NamedColor(None, 0, (25, 78), 52, 0),
        "silver": NamedColor(None, 0, (40, 88), 70, 0),
        "white": NamedColor(None, 0, (70, 100), 92, 0),
    }
)
_LEAST_CHROMA = 11.0  # below it no hue can be named


def hue_of(lab: RgbF) -> PlaneF:
    """Hue angle of Lab pixels in degrees, 0..360."""
    return np.asarray(np.degrees(np.arctan2(lab[..., 2], lab[..., 1])) % 360, dtype=np.float32)


def membership(lab: RgbF, color: NamedColor) -> PlaneF:
    """How much each Lab pixel (h, w, 3) has a named colour, 0..1 with soft limits."""
    light = lab[..., 0]
    chroma = np.asarray(np.hypot(lab[..., 1], lab[..., 2]), dtype=np.float32)
    low, high = color.light
    bright = smoothstep(low - 6, low + 4, light) * smoothstep(high + 6, high - 4, light)
    if color.hue is None:
        return np.asarray(bright * smoothstep(16, 7, chroma), dtype=np.float32)
    away = np.abs((hue_of(lab) - np.float32(color.hue) + 180) % 360 - 180)
    return np.asarray(
        bright * smoothstep(color.reach + 9, color.reach - 5, away) * smoothstep(_LEAST_CHROMA, 24, chroma),
        dtype=np.float32,
    )
