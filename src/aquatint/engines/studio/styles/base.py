"""What a style is: one function from a picture to a picture."""

from __future__ import annotations

from collections.abc import Callable

from aquatint.engines.studio.arrays import PlaneF, Rgb8, RgbF
from aquatint.engines.studio.easel import Easel

__all__ = ["Easel", "PlaneF", "Rgb8", "RgbF", "Style"]


# `source` has the ratio of the output (within a pixel) and any size, usually not larger than the output; the
# result is exactly (easel.height, easel.width, 3).
Style = Callable[[Rgb8, Easel], Rgb8]
