"""The stage of a printed scene: sheet, climate and chance, and where figures may stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels.curves import Points
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.press import Ink, Press
from aquatint.engines.studio.plan import Plan, Subject
from aquatint.engines.studio.scenes.beasts.climate import Climate
from aquatint.engines.studio.scenes.beasts.figure import Drawing, Lighting, Pose

_SIDES = {"left": 0.30, "right": 0.70, "center": 0.5, "middle": 0.5}


@dataclass(frozen=True, slots=True)
class Stage:
    """What every part of one printed scene is given."""

    press: Press
    climate: Climate
    plan: Plan
    seed: int

    @property
    def width(self) -> int:
        """Pixels across."""
        return self.press.width

    @property
    def height(self) -> int:
        """Pixels down."""
        return self.press.height

    @property
    def side(self) -> float:
        """The shorter side in pixels, for things that should look alike in any ratio; panoramas count as 16:9."""
        return float(min(self.width, self.height * 1.05))

    def rng(self, *salts: int | str) -> np.random.Generator:
        """Chance for one purpose."""
        return generator(self.seed, *salts)

    def has(self, name: str) -> bool:
        """Whether the prompt names a subject and does not exclude it."""
        return any(subject.name == name for subject in self.plan.subjects) and name not in self.plan.excluded

    def lighting(self, rim_width: float = 0.9) -> Lighting:
        """Light on figures: from the side of the disc."""
        climate = self.climate
        side = -1.0 if self.disc_x() > 0.5 else 1.0
        dull = min(1.0, 0.5 * (climate.rain + climate.fog + climate.snow))
        return Lighting(
            (side, 0.75), climate.shadow, 0.72 - 0.25 * dull, climate.rim, rim_width * (1 - 0.6 * dull), climate.ambient
        )

    def disc_x(self) -> float:
        """Where the sun or the moon stands, as a share of the width: away from the main figure."""
        rng = self.rng("disc")
        left, right = float(rng.uniform(0.16, 0.34)), float(rng.uniform(0.66, 0.84))
        return right if self.main_x() < 0.5 else left

    def main_x(self) -> float:
        """Where the main figure stands, as a share of the width."""
        lead = self.plan.subjects[0] if self.plan.subjects else None
        if lead and lead.place in _SIDES:
            return _SIDES[lead.place]
        if self.height > self.width * 1.2:
            return 0.5
        return float(self.rng("main").choice([0.35, 0.38, 0.62, 0.65]))


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


def ridge_line(stage: Stage, y: float, swing: float, waves: float, salt: str, bottom: float = 1.02) -> Points:
    """Outline of land below a rolling line around y (share of the height); `swing` likewise; `waves` across."""
    rng = stage.rng("ridge", salt)
    xs = np.linspace(-0.02, 1.02, 220, dtype=np.float32)
    line = np.zeros_like(xs)
    for i in range(4):
        frequency, phase = waves * 1.9**i * rng.uniform(0.75, 1.25), rng.uniform(0, 2 * np.pi)
        line += np.float32(0.55**i) * np.sin(xs * np.float32(frequency * 2 * np.pi) + np.float32(phase))
    top = y + swing * line / 1.6
    points = np.column_stack([xs * stage.width, top * stage.height])
    corners = [[1.02 * stage.width, bottom * stage.height], [-0.02 * stage.width, bottom * stage.height]]
    return np.asarray(np.concatenate([points, corners]), np.float32)


def ground_at(line: Points, x: float) -> float:
    """Height of a ridge line at x pixels."""
    return float(np.interp(x, line[:-2, 0], line[:-2, 1]))


def rectangle(left: float, top: float, right: float, bottom: float) -> Points:
    """An upright rectangle."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def lighter(ink: Ink, share: float) -> Ink:
    """An ink mixed with white."""
    return (ink[0] + (1 - ink[0]) * share, ink[1] + (1 - ink[1]) * share, ink[2] + (1 - ink[2]) * share)


def darker(ink: Ink, share: float) -> Ink:
    """An ink with a deep blue in it."""
    deep = (0.06, 0.07, 0.14)
    return (
        ink[0] + (deep[0] - ink[0]) * share,
        ink[1] + (deep[1] - ink[1]) * share,
        ink[2] + (deep[2] - ink[2]) * share,
    )


def deeper(ink: Ink, share: float) -> Ink:
    """An ink laid twice: darker and more saturated in its own hue, as petals are in their folds."""
    r, g, b = (c**2.4 for c in ink)
    rich = (r * 0.97, g * 0.93, b * 0.96)
    return (ink[0] + (rich[0] - ink[0]) * share, ink[1] + (rich[1] - ink[1]) * share, ink[2] + (rich[2] - ink[2]) * share)
