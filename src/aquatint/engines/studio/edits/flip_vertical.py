"""Upside down."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.styles.base import Easel, Rgb8


def apply(source: Rgb8, easel: Easel) -> Rgb8:
    """Swap top and bottom."""
    return np.ascontiguousarray(source[::-1])
