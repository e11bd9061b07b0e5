"""Negative."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.styles.base import Easel, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Turn every tone and hue into its opposite."""
    return np.subtract(np.uint8(255), source, dtype=np.uint8)
