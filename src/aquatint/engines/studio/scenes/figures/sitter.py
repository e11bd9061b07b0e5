"""Who sits for a portrait, and where the head is: what shapes of face and hair are placed by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Paint,
    Points,
    curve,
    gradient,
    mix,
    scale,
    textured,
)  # fmt: skip

# Mirrors places given for a head that looks right, when it looks left.
Mirror = Callable[[list[tuple[float, float]]], list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Sitter:
    """The decisions of one portrait."""

    ground: Color
    disc: Color
    skin: Color
    shade: Color
    hair: Color
    cloth: Color
    accent: Color
    side: int  # where the light comes from: -1 left, 1 right
    cut: str  # bob, bun, long, short, curls or hat
    profile: bool
    man: bool


@dataclass(frozen=True, slots=True)
class Head:
    """Where the head is: its centre and height in pixels. Shapes are given in heads, x toward the light."""

    canvas: Canvas
    sitter: Sitter
    x: float
    y: float
    tall: float

    @property
    def lid(self) -> Color:
        """Colour of a closed eyelid in the light."""
        if self.sitter.man:
            return mix(self.sitter.skin, self.sitter.shade, 0.6)
        return mix(self.sitter.accent, self.sitter.shade, 0.45)

    def at(self, dx: float, dy: float) -> tuple[float, float]:
        """Pixels of a place: dx in heads (positive: right), dy in heads downwards from the centre."""
        return self.x + dx * self.tall, self.y + dy * self.tall

    def shape(self, knots: list[tuple[float, float]], closed: bool = True) -> Points:
        """A smooth outline through places."""
        return curve([self.at(*knot) for knot in knots], 22, closed=closed)

    def fade(self, color: Color, low: float = 0.80, high: float = 0.10) -> Paint:
        """A colour lighter toward the light and the top, with the grain of a print."""
        s = self.sitter.side
        ends = self.at(0.6 * s, -0.7), self.at(-0.6 * s, 0.9)
        return textured(
            self.canvas, gradient(*ends, (mix(color, (1, 1, 1), high), color, scale(color, low))), 0.04, 0.025
        )
