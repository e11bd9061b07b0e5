"""A wall's texture: boxes, grids, plates and light in metres, rasterised with exact box coverage at any density."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import FloatArray

Color = tuple[float, float, float] | FloatArray


class Texture:
    """The part u0..u1 x v0..v1 (metres along and above the wall) of one wall, at width x height pixels.

    Row 0 is the top. `albedo` is reflectance, `emission` is light, both (3, height, width) float32 linear: colour
    planes, because cells are matrix products. All drawing calls take metres and anti-alias by exact coverage, so
    that far windows melt into their mean instead of shimmering.
    """

    def __init__(self, u0: float, u1: float, v0: float, v1: float, width: int, height: int) -> None:
        self.u0, self.u1, self.v0, self.v1 = u0, u1, v0, v1
        self.width, self.height = width, height
        self.albedo = np.zeros((3, height, width), np.float32)
        self.emission = np.zeros((3, height, width), np.float32)
        self.u_edges = np.linspace(u0, u1, width + 1, dtype=np.float32)
        self.v_edges = np.linspace(v1, v0, height + 1, dtype=np.float32)

    @property
    def meters_per_pixel(self) -> float:
        """The coarser of the two pixel sizes, in metres."""
        return max((self.u1 - self.u0) / self.width, (self.v1 - self.v0) / self.height)

    def shows(self, u0: float, u1: float, v0: float, v1: float) -> bool:
        """Whether a box touches this part of the wall."""
        return u1 > self.u0 and u0 < self.u1 and v1 > self.v0 and v0 < self.v1

    def along(self, starts: npt.ArrayLike, ends: npt.ArrayLike) -> FloatArray:
        """Share of each pixel column that each interval starts[i]..ends[i] covers: (n, width), 0..1."""
        a, b = np.asarray(starts, np.float32)[:, None], np.asarray(ends, np.float32)[:, None]
        left, right = self.u_edges[None, :-1], self.u_edges[None, 1:]
        overlap = np.minimum(b, right) - np.maximum(a, left)
        return np.asarray(np.clip(overlap, 0, None) / ((self.u1 - self.u0) / self.width), dtype=np.float32)

    def above(self, starts: npt.ArrayLike, ends: npt.ArrayLike) -> FloatArray:
        """Share of each pixel row that each height interval covers: (n, height), 0..1."""
        a, b = np.asarray(starts, np.float32)[:, None], np.asarray(ends, np.float32)[:, None]
        upper, lower = self.v_edges[None, :-1], self.v_edges[None, 1:]
        overlap = np.minimum(b, upper) - np.maximum(a, lower)
        return np.asarray(np.clip(overlap, 0, None) / ((self.v1 - self.v0) / self.height), dtype=np.float32)

    def _patch(self, u0: float, u1: float, v0: float, v1: float) -> tuple[slice, slice, FloatArray]:
        """Pixel window of a box and the coverage in it (rows, columns)."""
        across, down = self.along([u0], [u1])[0], self.above([v0], [v1])[0]
        columns, rows = np.flatnonzero(across), np.flatnonzero(down)
        if not columns.size or not rows.size:
            return slice(0, 0), slice(0, 0), np.zeros((0, 0), np.float32)
        window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        return *window, np.asarray(down[window[0], None] * across[None, window[1]], np.float32)

    def paint(self, u0: float, u1: float, v0: float, v1: float, color: Color, opacity: float = 1.0) -> None:
        """Lay a matte box over the wall; it covers lights behind it."""
        if self.shows(u0, u1, v0, v1):
            self._lay(self.albedo, self.emission, self._patch(u0, u1, v0, v1), color, opacity)

    def shine(self, u0: float, u1: float, v0: float, v1: float, color: Color, opacity: float = 1.0) -> None:
        """Lay a glowing box over the wall."""
        if self.shows(u0, u1, v0, v1):
            self._lay(self.emission, self.albedo, self._patch(u0, u1, v0, v1), color, opacity)

    @staticmethod
    def _lay(
        target: FloatArray,
        other: FloatArray,
        patch: tuple[slice, slice, FloatArray],
        color: Color,
        opacity: float,
    ) -> None:
        rows, columns, coverage = patch
        coverage = coverage * np.float32(opacity)
        keep = 1 - coverage
        other[:, rows, columns] *= keep
        part = target[:, rows, columns]
        part *= keep
        part += coverage * np.asarray(color, np.float32)[:, None, None]

    def grid(
        self,
        across: FloatArray,
        up: FloatArray,
        colors: FloatArray,
        *,
        matte: bool = False,
        opacity: float = 1.0,
    ) -> None:
        """Lay cells over the wall: `across` (nx, width) and `up` (ny, height) from `along` and `above`.

        `colors` (ny, nx, 3) is light, or reflectance when `matte`. Cells must not overlap.
        """
        across_any, up_any = across.sum(axis=0), up.sum(axis=0)
        columns, rows = np.flatnonzero(across_any), np.flatnonzero(up_any)
        if not columns.size or not rows.size:
            return
        xs, ys = _index(columns), _index(rows)
        keep = 1 - up_any[ys][:, None] * (across_any[xs] * np.float32(opacity))[None]
        used_y, used_x = np.flatnonzero(up.any(axis=1)), np.flatnonzero(across.any(axis=1))
        planes = np.moveaxis(colors, 2, 0)[:, used_y[:, None], used_x[None]].astype(np.float32) * np.float32(opacity)
        stretched = _weigh(planes, across[used_x][:, xs])
        light = np.swapaxes(_weigh(np.swapaxes(stretched, 1, 2), up[used_y][:, ys]), 1, 2)
        target, other = (self.albedo, self.emission) if matte else (self.emission, self.albedo)
        for plane, own, new in zip(target, other, light, strict=True):
            window = (ys, xs) if isinstance(ys, slice) or isinstance(xs, slice) else np.ix_(ys, xs)
            if not isinstance(window[0], slice) or not isinstance(window[1], slice):
                own[window] *= keep
                plane[window] = plane[window] * keep + new
                continue
            own[window] *= keep  # slices are views: no copies
            part = plane[window]
            part *= keep
            part += new

    def plate(
        self,
        u0: float,
        u1: float,
        v0: float,
        v1: float,
        light: FloatArray,
        alpha: FloatArray | None = None,
    ) -> None:
        """Mount a picture (h, w, 3) of light, with optional opacity (h, w), into the box."""
        if not self.shows(u0, u1, v0, v1):
            return
        step_u, step_v = (self.u1 - self.u0) / self.width, (self.v1 - self.v0) / self.height
        size = max(1, round((u1 - u0) / step_u)), max(1, round((v1 - v0) / step_v))
        left, top = round((u0 - self.u0) / step_u), round((self.v1 - v1) / step_v)
        x0, x1 = max(0, left), min(self.width, left + size[0])
        y0, y1 = max(0, top), min(self.height, top + size[1])
        if x1 <= x0 or y1 <= y0:
            return
        shrinks = size[0] * size[1] < light.shape[0] * light.shape[1]
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        cut = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
        lit = np.moveaxis(cv2.resize(light, size, interpolation=how)[cut], 2, 0)
        if alpha is None:
            self.emission[:, y0:y1, x0:x1] = lit
            self.albedo[:, y0:y1, x0:x1] = 0
            return
        keep = 1 - cv2.resize(alpha, size, interpolation=how)[cut]
        self.emission[:, y0:y1, x0:x1] *= keep
        self.emission[:, y0:y1, x0:x1] += lit
        self.albedo[:, y0:y1, x0:x1] *= keep

    def roughen(self, tile: FloatArray, tile_meters: float, amount: float, stretch: float = 1.0) -> None:
        """Vary the reflectance with a noise tile (n, n) about -1..1; `stretch` > 1 draws it out downwards."""
        # Wherever a texture is that large, its pixels are finer than the tile's: half the density shows it all.
        half = 2 if self.width * self.height > 300_000 else 1
        width, height = -(-self.width // half), -(-self.height // half)
        scale = tile.shape[0] / tile_meters
        step_u = (self.u1 - self.u0) / width * scale
        step_v = (self.v1 - self.v0) / height * scale / stretch
        matrix = np.array([[step_u, 0, self.u0 * scale], [0, step_v, -self.v1 * scale / stretch]], np.float32)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        noise = cv2.warpAffine(tile, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        if half > 1:
            noise = cv2.resize(noise, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        self.albedo *= np.clip(1 + amount * noise, 0.1, 2.5)

    def lit(self, irradiance: FloatArray) -> FloatArray:
        """The finished wall in linear light, (height, width, 3); irradiance broadcasts to (3, height, width)."""
        self.albedo *= irradiance
        self.albedo += self.emission
        return np.asarray(cv2.merge(list(self.albedo)), np.float32)


def _weigh(cells: FloatArray, weights: FloatArray) -> FloatArray:
    """`cells @ weights`, (3, m, n) by (n, w), using that a pixel mostly lies in one cell or on one edge.

    Near walls, where it matters, every column of `weights` has at most two entries.
    """
    if np.count_nonzero(weights, axis=0).max() > 2:
        return np.asarray(cells @ weights, np.float32)
    pixels = np.arange(weights.shape[1])
    first = weights.argmax(axis=0)
    result = np.take(cells, first, axis=2)
    result *= weights[first, pixels]
    rest = weights.copy()
    rest[first, pixels] = 0
    second = rest.argmax(axis=0)
    edges = np.flatnonzero(rest[second, pixels])
    if edges.size:
        result[:, :, edges] += cells[:, :, second[edges]] * rest[second[edges], edges]
    return np.asarray(result, np.float32)


def _index(found: npt.NDArray[np.intp]) -> slice | npt.NDArray[np.intp]:
    """A slice where most of the range is used, else the positions themselves."""
    span = int(found[-1] - found[0] + 1)
    return slice(int(found[0]), int(found[-1]) + 1) if found.size * 2 > span else found
