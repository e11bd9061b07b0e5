"""Colour arithmetic: luminance, Lab, optical density, curves and conversions between bytes and floats."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF, Rgb8, RgbF

FloatArray = npt.NDArray[np.float32]


def to_float(image: Rgb8) -> RgbF:
    """Convert sRGB bytes 0..255 to float32 0..1, any shape."""
    return np.asarray(np.multiply(image, np.float32(1 / 255), dtype=np.float32))


def to_bytes(image: FloatArray) -> Rgb8:
    """Convert float 0..1 to bytes with rounding; values outside are clipped. The input is left alone."""
    scaled = np.asarray(image * np.float32(255), dtype=np.float32)
    scaled += 0.5
    np.clip(scaled, 0, 255, out=scaled)
    return scaled.astype(np.uint8)


def luminance(image: RgbF) -> PlaneF:
    """Rec. 601 luma of gamma-encoded sRGB: (h, w, 3) -> (h, w), same range."""
    return np.asarray(cv2.transform(image, np.array([[0.299, 0.587, 0.114]], np.float32)), dtype=np.float32)


def smoothstep(low: float, high: float, values: FloatArray) -> FloatArray:
    """Hermite step: 0 at `low`, 1 at `high` (which may be below `low`), smooth between. New array."""
    t = np.subtract(values, np.float32(low), dtype=np.float32)
    t *= np.float32(1 / (high - low))
    np.clip(t, 0, 1, out=t)
    result = t * np.float32(-2)
    result += 3
    result *= t
    result *= t
    return result


def power(values: FloatArray, exponent: float) -> FloatArray:
    """Raise values 0 or more to a power; OpenCV does it several times as fast as NumPy. New array."""
    return np.asarray(cv2.pow(values, float(exponent)), dtype=np.float32)


def rgb_to_lab(image: RgbF) -> RgbF:
    """Convert sRGB 0..1 to CIE Lab: L 0..100, a and b about -127..127 (values are clipped to 0..1 first)."""
    return np.asarray(cv2.cvtColor(np.clip(image, 0, 1), cv2.COLOR_RGB2LAB), dtype=np.float32)


def lab_to_rgb(lab: RgbF) -> RgbF:
    """Convert CIE Lab (L 0..100) to sRGB 0..1, clipped."""
    return np.asarray(np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1), dtype=np.float32)


def density(image: RgbF, floor: float = 0.03) -> RgbF:
    """Optical density -ln(colour): layers of transparent pigment add in it (Beer-Lambert). 0..-ln(floor)."""
    result = np.asarray(cv2.log(np.clip(image, np.float32(floor), 1)), dtype=np.float32)
    result *= -1
    return result


def hex_color(code: str) -> tuple[float, float, float]:
    """Read '#rrggbb' as sRGB 0..1. Raises ValueError for anything else."""
    if len(code) != 7 or code[0] != "#":
        raise ValueError(f"not a colour: {code!r}")
    return int(code[1:3], 16) / 255, int(code[3:5], 16) / 255, int(code[5:7], 16) / 255


def palette_array(codes: list[str] | tuple[str, ...]) -> npt.NDArray[np.float32]:
    """Read several '#rrggbb' codes: (n, 3) float32, sRGB 0..1."""
    return np.array([hex_color(code) for code in codes], np.float32)


def ramp(values: PlaneF, colors: npt.NDArray[np.float32]) -> RgbF:
    """Colour a plane 0..1 by linear interpolation between n colours spread evenly: (h, w) -> (h, w, 3)."""
    position = np.clip(values, 0, 1) * np.float32(len(colors) - 1)
    index = np.minimum(position.astype(np.int32), len(colors) - 2)
    share = (position - index)[..., None]
    return np.asarray(colors[index] * (1 - share) + colors[index + 1] * share, dtype=np.float32)
