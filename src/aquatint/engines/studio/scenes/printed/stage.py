"""The stage of a printed scene: sheet, climate and chance, and where figures may stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels.curves import Points
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.press import Ink, Press
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.printed.climate import Climate

_SIDES = {"left": 0.30, "right": 0.70, "center": 0.5, "middle": 0.5}


@dataclass(frozen=True, slots=True)
class Lighting:
    """The light on a figure: where shadows fall and what colours they and the lit rim have."""

    away: tuple[float, float]  # direction from the light
    shadow: Ink
    depth: float  # strength of the shadow, 0..1
    rim: Ink
    rim_width: float = 1.1  # units; 0 draws none
    ambient: Ink = (1.0, 1.0, 1.0)  # multiplies every ink


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
            (side, 0.75),
            climate.shadow,
            0.72 - 0.25 * dull,
            climate.rim,
            rim_width * (1 - 0.6 * dull),
            climate.ambient,
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
