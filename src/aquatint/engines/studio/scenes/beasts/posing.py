"""Where the figures of one picture stand."""

from __future__ import annotations

from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.printed.stage import Stage

_ROOM = 0.86  # share of the width that a group takes
_BREADTH = 100.0  # units: no figure is broader


def poses(stage: Stage, drawing: Drawing, subject: Subject, ground: float, share: float, tall: float) -> list[Pose]:
    """Stand `subject.count` figures (5 at most) on a ground line, back to front.

    `ground` is a share of the height; the main figure takes `share` of the shorter side, being `tall` units.
    """
    count = min(5, max(1, subject.count))
    rng = stage.rng("poses")
    main = stage.main_x()
    scale = share * stage.side / tall / (1 + 0.12 * (count - 1))
    if count == 1:
        return [Pose(main * stage.width, ground * stage.height, scale, main < 0.5)]
    room = _ROOM * stage.width / count  # of one figure
    scale = min(scale, 1.12 * room / _BREADTH)
    xs = [(0.5 + _ROOM * ((i + 0.5) / count - 0.5)) * stage.width for i in range(count)]
    front = min(range(count), key=lambda i: abs(xs[i] - main * stage.width))
    found = []
    for i, x in enumerate(xs):
        back = 0.0 if i == front else float(rng.uniform(0.1, 1.0))
        y = (ground - 0.03 * back) * stage.height
        away = x + (0.0 if i == front else float(rng.normal(0, 0.04)) * room)
        found.append(Pose(away, y, scale * (1 - 0.16 * back), bool(x < 0.5 * stage.width)))
    return sorted(found, key=lambda pose: pose.y)
