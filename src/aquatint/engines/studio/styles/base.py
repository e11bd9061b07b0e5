"""What a style is: one function from a picture to a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Rgb8 = npt.NDArray[np.uint8]  # (h, w, 3), sRGB 0..255
RgbF = npt.NDArray[np.float32]  # (h, w, 3), sRGB 0..1
PlaneF = npt.NDArray[np.float32]  # (h, w)


@dataclass(frozen=True, slots=True)
class Easel:
    """The circumstances of one painting."""

    width: int  # output pixels
    height: int
    seed: int  # 0..2**63-1; the only source of randomness
    strength: float = 1.0  # 0.45 (slightly) .. 1.6 (extremely)
    threads: int = 2  # threads a kernel may use; the result never depends on it
    options: Mapping[str, object] = field(default_factory=dict)  # style parameters from the plan, such as palette
    progress: Callable[[float, str], None] = lambda fraction, stage: None


# `source` has the ratio of the output (within a pixel) and any size, usually not larger than the output; the
# result is exactly (easel.height, easel.width, 3).
Style = Callable[[Rgb8, Easel], Rgb8]
