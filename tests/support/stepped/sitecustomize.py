"""Loaded by a Python that starts with this folder on its path: a wall clock that a file can step.

The file named by STEPPED_CLOCK holds seconds; they are added to what `time.time` and `time.time_ns` say.
"""

import os
import time
from pathlib import Path

_true_time, _true_time_ns = time.time, time.time_ns


def _offset() -> float:
    try:
        return float(Path(os.environ["STEPPED_CLOCK"]).read_text() or 0)
    except (OSError, KeyError, ValueError):
        return 0.0


time.time = lambda: _true_time() + _offset()
time.time_ns = lambda: _true_time_ns() + int(_offset() * 1e9)
