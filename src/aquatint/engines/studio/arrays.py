"""The kinds of arrays that travel through the studio."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rgb8 = npt.NDArray[np.uint8]  # (h, w, 3), sRGB 0..255
RgbF = npt.NDArray[np.float32]  # (h, w, 3), sRGB 0..1
PlaneF = npt.NDArray[np.float32]  # (h, w)
