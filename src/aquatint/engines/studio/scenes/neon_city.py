"""A cyberpunk street at night: neon signs, wet road, rain, walkers under umbrellas."""

from __future__ import annotations

from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.street.brief import read_brief
from aquatint.engines.studio.scenes.street.picture import render
from aquatint.engines.studio.styles.base import Easel, Rgb8


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Compose the rainy neon street of the plan: (easel.height, easel.width, 3)."""
    return render(read_brief(plan, easel.seed), easel)
