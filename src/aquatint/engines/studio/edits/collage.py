"""Collage of one picture: the whole beside three of its details."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio import sheet
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.styles.base import Easel, Rgb8

_DETAILS = 3


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Set the picture and the details around its three most interesting places on a sheet."""
    height, width = source.shape[:2]
    interest = saliency(source).interest.copy()
    tall, wide = interest.shape
    pictures = [source]
    rng = generator(easel.seed, "details")
    for _ in range(_DETAILS):
        share = float(rng.uniform(0.34, 0.46))
        row, column = np.unravel_index(int(np.argmax(interest)), interest.shape)
        half_h, half_w = share / 2, share * float(rng.choice([0.75, 1.0, 1.2])) / 2
        y = float(np.clip((row + 0.5) / tall, half_h, 1 - half_h))
        x = float(np.clip((column + 0.5) / wide, half_w, 1 - half_w))
        top, bottom = int((y - half_h) * height), max(1, int((y + half_h) * height))
        left, right = int((x - half_w) * width), max(1, int((x + half_w) * width))
        pictures.append(np.ascontiguousarray(source[top : max(bottom, top + 1), left : max(right, left + 1)]))
        # The next detail comes from elsewhere.
        reach_h, reach_w = int(half_h * tall) + 1, int(half_w * wide) + 1
        interest[max(0, row - reach_h) : row + reach_h, max(0, column - reach_w) : column + reach_w] = 0
    size = Easel(width, height, easel.seed, threads=easel.threads, progress=easel.progress)
    return sheet.compose(pictures, size)
