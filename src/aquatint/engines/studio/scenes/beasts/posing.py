"""Where the figures of one picture stand."""

from __future__ import annotations

from aquatint.engines.studio.plan import Subject
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Pose
from aquatint.engines.studio.scenes.printed.stage import Stage


def poses(stage: Stage, drawing: Drawing, subject: Subject, ground: float, share: float, tall: float) -> list[Pose]:
    """Stand `subject.count` figures (5 at most) on a ground line, back to front.

    `ground` is a share of the height; the main figure takes `share` of the shorter side, being `tall` units.
    """
    count = min(5, max(1, subject.count))
    rng = stage.rng("poses")
    main = stage.main_x()
    scale = share * stage.side / tall / (1 + 0.16 * (count - 1))
    found = [Pose(main * stage.width, ground * stage.height, scale, main < 0.5)]
    if count == 1:
        return found
    reach = 0.80 if stage.width >= stage.height else 0.74
    left = 0.5 - reach / 2
    slots = [left + reach * (i + 0.5) / count for i in range(count)]
    slots.remove(min(slots, key=lambda x: abs(x - main)))
    for x in slots:
        back = float(rng.uniform(0.0, 1.0))
        size = scale * (0.94 - 0.2 * back)
        y = ground * stage.height - back * 0.03 * stage.height
        found.append(Pose((x + rng.uniform(-0.02, 0.02)) * stage.width, y, size, bool(x < 0.5)))
    return sorted(found, key=lambda pose: pose.y)
