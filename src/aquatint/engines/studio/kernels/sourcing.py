"""Reading the source photo strip by strip at output size, for styles that keep its detail."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.arrays import Rgb8, RgbF
from aquatint.engines.studio.kernels.color import to_float
from aquatint.engines.studio.kernels.resize import cover


@dataclass(frozen=True, slots=True)
class SourceStrips:
    """A photo that covers a picture of `width` x `height`, enlarged only strip by strip."""

    image: Rgb8  # never larger than the picture
    width: int
    height: int

    @classmethod
    def of(cls, source: Rgb8, width: int, height: int) -> SourceStrips:
        """Crop (and shrink, if it is larger) the source to the ratio of the picture."""
        scale = min(1.0, max(source.shape[1] / width, source.shape[0] / height))
        fitted = cover(source, max(1, round(width * scale)), max(1, round(height * scale)))
        return cls(fitted, width, height)

    def rows(self, top: int, bottom: int) -> RgbF:
        """Rows top..bottom as float32 sRGB 0..1, (bottom - top, width, 3)."""
        if self.image.shape[:2] == (self.height, self.width):
            return to_float(self.image[top:bottom])
        sx, sy = self.image.shape[1] / self.width, self.image.shape[0] / self.height
        matrix = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]], np.float32)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        size = (self.width, bottom - top)
        drawn = cv2.warpAffine(self.image, matrix, size, flags=flags, borderMode=cv2.BORDER_REFLECT)
        return to_float(np.asarray(drawn, dtype=np.uint8))
