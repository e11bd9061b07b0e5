"""Where the viewer stands in the street: metres to pixels by pinhole projection."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Camera:
    """A level pinhole camera looking along +z. World units are metres, the road is the plane v = 0."""

    width: int  # pixels
    height: int
    focal: float  # pixels
    horizon: float  # pixel row of the horizon
    x: float  # metres right of the street's middle
    eye: float  # metres above the road

    def column(self, x: float, z: float) -> float:
        """Pixel column of a point at depth z."""
        return self.width / 2 + (x - self.x) / z * self.focal

    def row(self, v: float, z: float) -> float:
        """Pixel row of a point v metres above the road at depth z."""
        return self.horizon - (v - self.eye) / z * self.focal

    def mirrored_row(self, v: float, z: float) -> float:
        """Pixel row at which the wet road mirrors that point."""
        return self.horizon + (v + self.eye) / z * self.focal

    def top_visible(self, z: float) -> float:
        """Height in metres at which the upper picture edge cuts depth z."""
        return self.eye + self.horizon / self.focal * z

    def scaled(self, factor: float) -> Camera:
        """The same view on a canvas of another size."""
        return replace(
            self,
            width=max(1, round(self.width * factor)),
            height=max(1, round(self.height * factor)),
            focal=self.focal * factor,
            horizon=self.horizon * factor,
        )
