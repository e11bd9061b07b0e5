"""A city street by daylight: house fronts in sun and shade, shops, cars and passers-by."""

from __future__ import annotations

from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.street.brief import read_day_brief
from aquatint.engines.studio.scenes.street.picture import render
from aquatint.engines.studio.styles.base import Easel, Rgb8


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Compose the street of the plan by day, low sun or under clouds: (easel.height, easel.width, 3)."""
    return render(read_day_brief(plan, easel.seed), easel)
