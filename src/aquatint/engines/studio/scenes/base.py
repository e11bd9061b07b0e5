"""What a scene is: one function from a plan to a picture."""

from __future__ import annotations

from collections.abc import Callable

from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.styles.base import Easel, Rgb8

# The result is exactly (easel.height, easel.width, 3). A style may be painted over it afterwards.
Scene = Callable[[Plan, Easel], Rgb8]
