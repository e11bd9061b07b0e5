"""Perspective view of a height map: which depth sample every pixel of a column sees, directly and in still water."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PlaneF = npt.NDArray[np.float32]
PlaneI = npt.NDArray[np.int32]
VectorF = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """A level camera. Pixels are of the picture being rendered; lengths in metres; water lies at height 0."""

    width: int
    height: int
    focal: float  # pixels
    horizon: float  # row of the horizon, pixels from the top
    eye: float  # metres above the water
    x: float  # where the eye stands on the map
    z: float

    def bearing(self, columns: VectorF) -> VectorF:
        """Tangent of the angle between the view axis and each pixel column (pixel centres)."""
        return ((columns + 0.5 - self.width * 0.5) / self.focal).astype(np.float32)

    def row_of(self, height: float, depth: float) -> float:
        """Row where a point `height` metres up at `depth` metres appears."""
        return self.horizon - self.focal * (height - self.eye) / depth

    def column_of(self, x: float, depth: float) -> float:
        """Column where a point at map position x and `depth` metres appears."""
        return self.width * 0.5 + self.focal * (x - self.x) / depth


def depth_samples(near: float, far: float, count: int) -> VectorF:
    """Depths in metres that grow in proportion, as pixel footprints do: (count,) float32."""
    return np.geomspace(near, far, count).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Hits:
    """First samples seen by every pixel of a band, and the crest rows that hide what lies behind."""

    direct: PlaneI  # (rows, columns): sample index, or the sample count where only sky is seen
    crest: PlaneF  # (samples, columns): highest row (smallest number) reached by samples 0..i


def first_hits(rows_of_surface: PlaneF, height: int) -> Hits:
    """Find the first surface sample at or above every pixel centre.

    `rows_of_surface` is (samples, columns) float32: the row where each sample appears, near to far. A running
    minimum makes the columns monotone, so that one binary search per column does it.
    """
    crest = np.minimum.accumulate(rows_of_surface, axis=0)
    columns = crest.shape[1]
    centres = np.arange(height, dtype=np.float32) + np.float32(0.5)
    direct = np.empty((height, columns), np.int32)
    falling = np.ascontiguousarray(-crest.T)
    for column in range(columns):
        direct[:, column] = np.searchsorted(falling[column], -centres, "left")
    return Hits(direct, crest)


def depth_of_hits(rows_of_surface: PlaneF, hits: PlaneI, depths: VectorF, first_row: int = 0) -> PlaneF:
    """Depth in metres where the line of sight meets the surface, between the sample hit and the one before it.

    Steep faces span many rows per sample; without this every one of those rows would show the same point.
    Shapes: (samples, columns), (rows, columns), (samples,) -> (rows, columns) float32.
    """
    samples, columns = rows_of_surface.shape
    at = np.arange(columns)[None]
    here = np.clip(hits, 1, samples - 1)
    before = here - 1
    centres = np.arange(first_row, first_row + hits.shape[0], dtype=np.float32)[:, None] + np.float32(0.5)
    from_row, to_row = rows_of_surface[before, at], rows_of_surface[here, at]
    span = to_row - from_row
    safe = np.where(np.abs(span) < 1e-4, np.float32(1), span)
    share = np.clip((centres - from_row) / safe, 0, 1)
    return np.asarray(depths[before] + (depths[here] - depths[before]) * share, dtype=np.float32)


def mirrored_hits(rows_of_mirror: PlaneF, wet: npt.NDArray[np.bool_], direct: PlaneI, first_row: int) -> PlaneI:
    """Find what every water pixel mirrors: the first land sample beyond it at or below the pixel's centre.

    `rows_of_mirror` (samples, columns) is the row where each sample appears upside down; `wet` marks the samples
    that are water; `direct` (rows, columns) is what `first_hits` found, for rows from `first_row` on. Land nearer
    than the water is left out, as it must be: its mirror image lies behind itself. Pixels that mirror the sky get
    the sample count; pixels that are not water get what water just before the next shore would mirror.
    """
    samples, columns = rows_of_mirror.shape
    centres = np.arange(first_row, first_row + direct.shape[0], dtype=np.float32) + np.float32(0.5)
    result = np.full(direct.shape, samples, np.int32)
    landfall = wet[:-1] & ~wet[1:]
    for column in range(columns):
        mirror, seen = np.ascontiguousarray(rows_of_mirror[:, column]), direct[:, column]
        shores = np.nonzero(landfall[:, column])[0] + 1
        before = -1
        for shore in shores:
            last = shore == shores[-1]
            # Land over the last waterline is filled as well, so that blurs and ripples meet no gap there.
            until = samples if last and not wet[shore:, column].any() else shore
            pixels = np.nonzero((seen < until) & (seen >= before))[0]
            if pixels.size:
                deepest = np.maximum.accumulate(mirror[shore:])
                result[pixels, column] = shore + np.searchsorted(deepest, centres[pixels], "left")
            before = int(shore)
    return result
