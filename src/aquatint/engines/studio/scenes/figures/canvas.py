"""A sheet to draw on at output size: antialiased shapes filled with dithered, textured gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import fit_width
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

Color = tuple[float, float, float]  # sRGB 0..1
Points = npt.NDArray[np.float64]  # (n, 2) x and y in pixels
Mask = npt.NDArray[np.uint8]  # (h, w) coverage 0..255
# Colour of the pixels whose centres have columns x (1, w) and rows y (h, 1): anything that broadcasts to (h, w, 3).
Paint = Callable[[PlaneF, PlaneF], npt.NDArray[np.float32]]

_SHIFT = 4  # fractional bits of OpenCV's coordinates
_TILE = 512  # side of the repeating grain
_FIELD_SIDE = 1024
_TINY = 24  # pixels; flat shapes up to at least this size are drawn straight into the picture

_THIN = 7.0  # pixels; strokes up to this breadth too
_CATMULL_ROM = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) * 0.5


def mix(first: Color, second: Color, share: float) -> Color:
    """Blend two colours; share 0 gives the first, 1 the second."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


def scale(color: Color, gain: float) -> Color:
    """Brighten or darken a colour, kept within 0..1."""
    return (
        min(1.0, max(0.0, color[0] * gain)),
        min(1.0, max(0.0, color[1] * gain)),
        min(1.0, max(0.0, color[2] * gain)),
    )


def points(pairs: Iterable[Sequence[float]]) -> Points:
    """Make an (n, 2) array of points."""
    return np.array([tuple(pair) for pair in pairs], np.float64)


def moved(shape: Points, right: float, down: float) -> Points:
    """The same points shifted by these pixels."""
    return np.asarray(shape + np.array([right, down]), dtype=np.float64)


class Canvas:
    """A picture being drawn, in sRGB bytes; every gradient is dithered so that no band shows.

    Coordinates are pixels of the output, y downwards. `unit` is 1/1024 of the longer side.
    """

    def __init__(self, easel: Easel) -> None:
        self.pixels: Rgb8 = np.zeros((easel.height, easel.width, 3), np.uint8)
        self.width, self.height = easel.width, easel.height
        self.unit = max(easel.width, easel.height) / 1024
        # What OpenCV's antialiasing adds to an edge is a pixel: the finer the pixels, the less it matters.
        self._tiny, self._thin = max(_TINY, 9 * self.unit), max(_THIN, 2.6 * self.unit)
        self.threads = easel.threads
        rng = generator(easel.seed, "canvas grain")
        self._dither = rng.random((_TILE, _TILE), dtype=np.float32)
        self._grain = rng.standard_normal((_TILE, _TILE), dtype=np.float32)
        columns, rows = fit_width(easel.width, easel.height, _FIELD_SIDE)
        self._mottle = fbm(rows, columns, 26, 5, derive_seed(easel.seed, "mottle"), 0.62)

    # Textures -------------------------------------------------------------------------------------------------

    def grain(self, x: PlaneF, y: PlaneF) -> PlaneF:
        """White noise of deviation 1 for pixels at columns x and rows y."""
        return self._tile(self._grain, x, y)

    def mottle(self, x: PlaneF, y: PlaneF, stretch: float = 1.0) -> PlaneF:
        """Cloudy unevenness about -1..1 for pixels at columns x and rows y; `stretch` above 1 makes it coarser."""
        ratio = self._mottle.shape[1] / self.width / stretch
        matrix = np.array([[ratio, 0, float(x.flat[0]) * ratio], [0, ratio, float(y.flat[0]) * ratio]], np.float32)
        read = cv2.warpAffine(
            self._mottle, matrix, (x.size, y.size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )  # fmt: skip
        return np.asarray(read, dtype=np.float32)

    @staticmethod
    def _tile(tile: PlaneF, x: PlaneF, y: PlaneF) -> PlaneF:
        top, left = int(y.flat[0]) % _TILE, int(x.flat[0]) % _TILE
        if top + y.size <= _TILE and left + x.size <= _TILE and int(x.flat[-1]) - int(x.flat[0]) == x.size - 1:
            return tile[top : top + y.size, left : left + x.size]
        rows = y.ravel().astype(np.int64) % _TILE
        columns = x.ravel().astype(np.int64) % _TILE
        return np.asarray(tile[rows[:, None], columns[None]], dtype=np.float32)

    # Whole-sheet work -----------------------------------------------------------------------------------------

    def wash(self, paint: Paint) -> None:
        """Fill the whole sheet."""
        self.fill_box(0, 0, self.width, self.height, paint)

    def fill_box(
        self, left: int, top: int, right: int, bottom: int, paint: Paint, opacity: PlaneF | None = None
    ) -> None:
        """Fill pixels left..right x top..bottom, through `opacity` 0..1 (rows, columns) if given."""
        x0, x1 = max(0, left), min(self.width, right)
        y0, y1 = max(0, top), min(self.height, bottom)
        if x0 >= x1 or y0 >= y1:
            return
        x = np.arange(x0, x1, dtype=np.float32)[None]

        def strip(first: int, last: int) -> None:
            y = np.arange(y0 + first, y0 + last, dtype=np.float32)[:, None]
            share = None
            if opacity is not None:
                share = opacity[y0 + first - top : y0 + last - top, x0 - left : x1 - left]
            self._blend(x, y, paint, share)

        run_strips(strip, y1 - y0, self.threads if (y1 - y0) * (x1 - x0) > 400_000 else 1)

    def _blend(self, x: PlaneF, y: PlaneF, paint: Paint, share: PlaneF | None) -> None:
        top, left = int(y.flat[0]), int(x.flat[0])
        area = self.pixels[top : top + y.size, left : left + x.size]
        color = np.asarray(paint(x, y), dtype=np.float32) * np.float32(255)
        if share is not None:
            color = area + (color - area) * share[..., None]
        elif color.shape != area.shape:
            color = np.broadcast_to(color, area.shape)
        color = color + self._tile(self._dither, x, y)[..., None]
        np.clip(color, 0, 255, out=color)
        area[:] = color

    def adjust(self, change: Callable[[RgbF, PlaneF, PlaneF], RgbF]) -> None:
        """Recompute every pixel from its colour 0..1 and its place, strip by strip."""
        x = np.arange(self.width, dtype=np.float32)[None]

        def strip(top: int, bottom: int) -> None:
            y = np.arange(top, bottom, dtype=np.float32)[:, None]
            area = self.pixels[top:bottom]
            color = change(np.multiply(area, np.float32(1 / 255), dtype=np.float32), x, y)
            area[:] = np.clip(color * np.float32(255) + self._tile(self._dither, x, y)[..., None], 0, 255)

        run_strips(strip, self.height, self.threads)

    # Shapes ---------------------------------------------------------------------------------------------------

    def polygon(self, outline: Points, paint: Paint | Color, opacity: float = 1.0, soft: float = 0.0) -> None:
        """Fill a closed outline; `soft` blurs its edge by that many pixels."""
        if not callable(paint) and opacity >= 1 and soft <= 0 and np.ptp(outline, axis=0).max() < self._tiny:
            cv2.fillPoly(self.pixels, [_fixed(outline)], _ink(paint), cv2.LINE_AA, _SHIFT)
            return
        self.polygons([outline], paint, opacity, soft)

    def polygons(
        self, outlines: Sequence[Points], paint: Paint | Color, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Fill several outlines as one shape: where they overlap the even-odd rule does not apply."""
        box = self._box(np.concatenate(outlines), soft)
        if box is None:
            return
        left, top, right, bottom = box
        mask = coverage([outline - (left, top) for outline in outlines], right - left, bottom - top)
        self.stamp(mask, left, top, paint, opacity, soft)

    def stamp(
        self, mask: Mask, left: int, top: int, paint: Paint | Color, opacity: float = 1.0, soft: float = 0.0
    ) -> None:
        """Lay paint through a coverage mask whose upper left corner is at (left, top)."""
        cover = mask.astype(np.float32) * np.float32(opacity / 255)
        if soft > 0.3:
            cover = _soften(cover, soft)
        fill = paint if callable(paint) else flat(paint)
        self.fill_box(left, top, left + mask.shape[1], top + mask.shape[0], fill, cover)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, paint: Paint | Color, angle: float = 0.0,
        opacity: float = 1.0, soft: float = 0.0,
    ) -> None:  # fmt: skip
        """Fill an ellipse turned by `angle` degrees."""
        if not callable(paint) and opacity >= 1 and soft <= 0 and max(rx, ry) < self._tiny / 2:
            axes = (max(1, round(rx * 16)), max(1, round(ry * 16)))
            center = (round(x * 16), round(y * 16))
            cv2.ellipse(self.pixels, center, axes, angle, 0, 360, _ink(paint), -1, cv2.LINE_AA, _SHIFT)
            return
        self.polygons([oval(x, y, rx, ry, angle)], paint, opacity, soft)

    def line(
        self, path: Points, width: float, paint: Paint | Color, taper: float = 0.0, opacity: float = 1.0
    ) -> None:
        """Draw a path `width` pixels broad; `taper` 0..1 thins it towards its end."""
        breadths = np.maximum(width * (1 - taper * np.linspace(0, 1, len(path))), 0.5)
        outline = ribbon(path, breadths)
        if width <= self._thin and opacity >= 1 and not callable(paint):
            cv2.fillPoly(self.pixels, [_fixed(outline)], _ink(paint), cv2.LINE_AA, _SHIFT)
            return
        self.polygon(outline, paint, opacity)

    def dabs(
        self, at: Points, radii: Points, angles: npt.NDArray[np.float64], colors: npt.NDArray[np.float64]
    ) -> None:
        """Draw many small ellipses in order: centres and radii (n, 2) in pixels, degrees (n,), colours (n, 3)."""
        centers = np.round(at * 16).astype(np.int64).tolist()
        axes = np.maximum(1, np.round(radii * 16)).astype(np.int64).tolist()
        inks = np.clip(np.round(colors * 255), 0, 255).astype(np.int64).tolist()
        for center, axis, angle, ink in zip(centers, axes, angles.tolist(), inks, strict=True):
            cv2.ellipse(self.pixels, center, axis, angle, 0, 360, ink, -1, cv2.LINE_AA, _SHIFT)

    def blades(self, outlines: npt.NDArray[np.float64], colors: npt.NDArray[np.float64]) -> None:
        """Draw many slim flat shapes in order: outlines (n, points, 2) in pixels, colours (n, 3)."""
        shapes = np.round(outlines * (1 << _SHIFT)).astype(np.int32)
        inks = np.clip(np.round(colors * 255), 0, 255).astype(np.int64).tolist()
        for shape, ink in zip(shapes, inks, strict=True):
            cv2.fillPoly(self.pixels, [shape], ink, cv2.LINE_AA, _SHIFT)

    def glow(self, x: float, y: float, radius: float, color: Color, strength: float) -> None:
        """Add soft light around a point (screen blend); it has faded out at `radius` pixels."""
        x0, x1 = max(0, int(x - radius)), min(self.width, int(x + radius) + 1)
        y0, y1 = max(0, int(y - radius)), min(self.height, int(y + radius) + 1)
        if x0 >= x1 or y0 >= y1:
            return
        columns = np.arange(x0, x1, dtype=np.float32)[None]
        light = np.array(color, np.float32)

        def strip(first: int, last: int) -> None:
            rows = np.arange(y0 + first, y0 + last, dtype=np.float32)[:, None]
            away = ((columns - np.float32(x)) ** 2 + (rows - np.float32(y)) ** 2) / np.float32(radius * radius)
            near = np.clip(1 - away, 0, 1)
            lift = (near * near * near * np.float32(strength))[..., None] * light
            area = self.pixels[y0 + first : y0 + last, x0:x1]
            lifted = area + (255 - area) * np.minimum(lift, 1)
            area[:] = np.clip(lifted + self._tile(self._dither, columns, rows)[..., None], 0, 255)

        run_strips(strip, y1 - y0, self.threads if (y1 - y0) * (x1 - x0) > 400_000 else 1)

    def _box(self, outline: Points, soft: float) -> tuple[int, int, int, int] | None:
        margin = 2 + 3 * soft
        low, high = outline.min(0) - margin, outline.max(0) + margin
        left, top = max(0, int(low[0])), max(0, int(low[1]))
        right, bottom = min(self.width, int(high[0]) + 1), min(self.height, int(high[1]) + 1)
        return (left, top, right, bottom) if left < right and top < bottom else None


def coverage(outlines: Sequence[Points], width: int, height: int) -> Mask:
    """Draw outlines as a coverage mask (height, width) by supersampling.

    OpenCV's own antialiasing thickens every edge by about a pixel, which makes curves of many short edges
    scalloped; it serves for huge shapes only, where supersampling would cost too much.
    """
    fine = 4 if width * height < 600_000 else 2 if width * height < 5_000_000 else 1
    mask = np.zeros((height * fine, width * fine), np.uint8)
    kind = cv2.LINE_8 if fine > 1 else cv2.LINE_AA
    for outline in outlines:
        # Pixel centres lie on whole numbers, in both grids.
        cv2.fillPoly(mask, [_fixed((outline + 0.5) * fine - 0.5)], 255, kind, _SHIFT)
    if fine == 1:
        return mask
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def oval(x: float, y: float, rx: float, ry: float, angle: float = 0.0, count: int = 0) -> Points:
    """Outline of an ellipse turned by `angle` degrees; enough points that no corner shows."""
    turn = np.linspace(0, 2 * np.pi, count or int(min(720, 24 + 1.2 * max(rx, ry))), endpoint=False)
    a, cos, sin = np.radians(angle), np.cos(turn) * rx, np.sin(turn) * ry
    return np.stack([x + cos * np.cos(a) - sin * np.sin(a), y + cos * np.sin(a) + sin * np.cos(a)], 1)


def ribbon(path: Points, breadths: npt.NDArray[np.float64] | float) -> Points:
    """Outline of a band along a path (n, 2) with the given breadth at each point."""
    along = np.empty_like(path)
    along[1:-1] = path[2:] - path[:-2]
    along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    factor = 0.5 * np.asarray(breadths) / (np.sqrt((along * along).sum(1)) + 1e-9)
    offset = along[:, ::-1] * factor[:, None]
    offset[:, 0] *= -1
    return np.concatenate([path + offset, (path - offset)[::-1]])


def curve(controls: Iterable[Sequence[float]], steps: int = 16, closed: bool = False) -> Points:
    """A smooth path through control points (Catmull and Rom 1974), `steps` points from one to the next."""
    knots = points(controls)
    if closed:
        padded = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.arange(steps)[:, None] / steps
    powers = np.concatenate([np.ones_like(t), t, t * t, t * t * t], 1)
    weights = powers @ _CATMULL_ROM
    windows = np.stack([padded[:-3], padded[1:-2], padded[2:-1], padded[3:]], 1)
    smooth = (weights @ windows).reshape(-1, 2)
    return smooth if closed else np.concatenate([smooth, knots[-1:]])


def flat(color: Color) -> Paint:
    """One colour everywhere."""
    ink = np.array(color, np.float32)
    return lambda x, y: ink


def gradient(
    start: tuple[float, float], end: tuple[float, float], colors: Sequence[Color], ease: float = 1.0
) -> Paint:
    """Colours in even steps along the line from `start` to `end`; `ease` bends the progress (a power)."""
    stops = np.array(colors, np.float32)
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy or 1.0

    def paint(x: PlaneF, y: PlaneF) -> RgbF:
        # A level gradient needs one column only; broadcasting does the rest.
        columns = x if dx else x[:, :1]
        t = ((columns - np.float32(start[0])) * np.float32(dx) + (y - np.float32(start[1])) * np.float32(dy)) / length
        return spread(np.asarray(np.clip(t, 0, 1) ** np.float32(ease), dtype=np.float32), stops)

    return paint


def radial(x: float, y: float, radius: float, colors: Sequence[Color], ease: float = 1.0) -> Paint:
    """Colours in even steps from a centre outwards to `radius`."""
    stops = np.array(colors, np.float32)

    def paint(columns: PlaneF, rows: PlaneF) -> RgbF:
        away = np.hypot(columns - np.float32(x), rows - np.float32(y)) / np.float32(radius)
        return spread(np.asarray(np.clip(away, 0, 1) ** np.float32(ease), dtype=np.float32), stops)

    return paint


def spread(share: PlaneF, stops: npt.NDArray[np.float32]) -> RgbF:
    """Colour a plane 0..1 by smooth steps between (n, 3) stops spread evenly."""
    # A table of 4096 steps is finer than the dither, and much quicker than interpolating every pixel.
    steps = np.linspace(0, len(stops) - 1, 4096)
    table = np.stack([np.interp(steps, np.arange(len(stops)), stops[:, c]) for c in range(3)], 1).astype(np.float32)
    return np.asarray(table[(share * np.float32(4095)).astype(np.int32)], dtype=np.float32)


def textured(
    canvas: Canvas, paint: Paint | Color, mottle: float = 0.0, grain: float = 0.0, stretch: float = 1.0
) -> Paint:
    """Vary the brightness of a paint: by cloudy unevenness and by fine grain (both as shares, such as .06)."""
    under = paint if callable(paint) else flat(paint)

    def over(x: PlaneF, y: PlaneF) -> RgbF:
        gain: PlaneF = np.ones((y.size, x.size), np.float32)
        if mottle:
            gain += canvas.mottle(x, y, stretch) * np.float32(mottle)
        if grain:
            gain += canvas.grain(x, y) * np.float32(grain)
        return np.asarray(under(x, y) * gain[..., None], dtype=np.float32)

    return over


def _fixed(outline: Points) -> npt.NDArray[np.int32]:
    return np.round(outline * (1 << _SHIFT)).astype(np.int32)


def _ink(color: Color) -> tuple[int, int, int]:
    return (
        int(min(255.0, max(0.0, color[0] * 255 + 0.5))),
        int(min(255.0, max(0.0, color[1] * 255 + 0.5))),
        int(min(255.0, max(0.0, color[2] * 255 + 0.5))),
    )


def _soften(cover: PlaneF, sigma: float) -> PlaneF:
    """Blur a mask on a smaller copy when it is wide."""
    shrink = 1
    while sigma / (shrink * 2) >= 2.5:
        shrink *= 2
    height, width = cover.shape
    small = cover
    if shrink > 1:
        size = (max(1, width // shrink), max(1, height // shrink))
        small = np.asarray(cv2.resize(cover, size, interpolation=cv2.INTER_AREA), dtype=np.float32)
    small = np.asarray(cv2.GaussianBlur(small, (0, 0), sigma / shrink), dtype=np.float32)
    if shrink == 1:
        return small
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), dtype=np.float32)
