"""Outpainting, as far as it goes without a model: the view gets wider, its new margins are mirrored and painterly."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.extend import extend
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.resize import resize
from aquatint.engines.studio.styles.base import Easel, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Shrink the picture and grow it on all four sides; strength 0.45..1.6 goes from a little to much wider."""
    height, width = source.shape[:2]
    scale = 1 / (1 + 0.36 * easel.strength)
    wide, tall = max(1, round(width * scale)), max(1, round(height * scale))
    rng = generator(easel.seed, "place")
    left = round((width - wide) * float(rng.uniform(0.38, 0.62)))
    top = round((height - tall) * float(rng.uniform(0.42, 0.6)))
    small = resize(source, wide, tall)
    grown = extend(small, left, top, width - wide - left, height - tall - top, easel.seed, easel.threads)
    return np.ascontiguousarray(grown)
