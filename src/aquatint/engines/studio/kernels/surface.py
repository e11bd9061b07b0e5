"""Surface of one picture for another: how much detail it has at each scale, and its fine texture."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import luminance, to_bytes, to_float
from aquatint.engines.studio.kernels.grading import guided
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, fit_width, resize, rows_of
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

_WORK_SIDE = 1280
_BANDS = 4
_LEAST_GAIN, _MOST_GAIN = 0.25, 1.9
