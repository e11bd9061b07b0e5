"""Drawing with a point: hatching fields at output size, searched-out contour lines, graphite tone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.parallel import map_ordered
from aquatint.engines.studio.kernels.resize import fit_width

# Tiles repeat; larger ones than this cost time and show nothing more.
_TILE_LONG = 2048
_TILE_WIDE = 1400
# Gathered gradient (luminance per pixel) below which nothing counts as a full line, however empty the picture.
_FAINTEST_LINE = 0.04


@dataclass(frozen=True, slots=True)
class HatchField:
    """Parallel strokes of one direction over a whole picture, drawn strip by strip at output size."""

    width: int
    texture: PlaneF  # strokes along x, tileable both ways, mean 0, deviation 1
    angle: float  # radians; 0 runs to the right, positive turns down
    sway: PlaneF  # how far the strokes leave the straight, output pixels; a small plane, it is very smooth
    height: int
    origin: tuple[float, float]

    @classmethod
    def of(
        cls, height: int, width: int, angle: float, spacing: float, seed: int, sway: float = 1.0, reach: float = 9.0
    ) -> HatchField:
        """Prepare strokes `spacing` pixels apart and about `reach` spacings long (Praun 2001 draws them likewise)."""
        rng = generator(seed, "hatch origin")
        small_w, small_h = fit_width(width, height, 256)
        bend = fbm(small_h, small_w, 2.5, 3, derive_seed(seed, "sway"), gain=0.3) * np.float32(6.0 * spacing * sway)
        diagonal = int(math.hypot(width, height)) + 64
        size = min(_TILE_LONG, diagonal), min(_TILE_WIDE, diagonal)
        texture = stroke_texture(size, spacing, reach, derive_seed(seed, "strokes"))
        return cls(width, texture, angle, bend, height, (float(rng.random() * 512), float(rng.random() * 512)))

    def rows(self, top: int, bottom: int) -> PlaneF:
        """Draw rows top..bottom: (bottom - top, width) float32, mean 0, deviation about 1."""
        c, s = np.float32(math.cos(self.angle)), np.float32(math.sin(self.angle))
        x = np.arange(self.width, dtype=np.float32)[None]
        y = np.arange(top, bottom, dtype=np.float32)[:, None]
        along = (c * x + np.float32(self.origin[0])) + s * y
        across = (-s * x + np.float32(self.origin[1])) + c * y
        across += rows_linear(self.sway, self.width, self.height, top, bottom)
        drawn = cv2.remap(self.texture, along, across, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        return np.asarray(drawn, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Tooth:
    """The tooth of drawing paper as a tile that repeats; fine enough that nobody sees it repeat."""

    tile: PlaneF  # mean 0, deviation 1

    @classmethod
    def of(cls, unit: float, seed: int) -> Tooth:
        """Make tooth for a picture whose width / 1024 is `unit`: pulp, felt marks and single fibres."""
        shape = (min(1187, int(700 * unit) + 97), min(1361, int(1100 * unit) + 131))
        raw = generator(seed, "tooth").standard_normal(shape, dtype=np.float32)
        layers = [(0.45, 0.17), (0.55, 0.40), (0.8, 0.95), (0.4, 2.2)]
        total = np.zeros_like(raw)
        for share, size in layers:
            sigma = max(0.35, size * unit)
            pad = int(sigma * 4) + 2
            soft = cv2.GaussianBlur(np.pad(raw, pad, mode="wrap"), (0, 0), sigma)[pad:-pad, pad:-pad]
            total += share * soft / soft.std()
            raw = np.ascontiguousarray(raw[::-1, ::-1])
        return cls(np.asarray((total - total.mean()) / total.std(), dtype=np.float32))

    def rows(self, top: int, bottom: int, width: int) -> PlaneF:
        """Rows top..bottom, `width` wide, clipped to -2.2..2.2."""
        high, wide = self.tile.shape
        block = np.clip(self.tile[np.arange(top, bottom) % high], -2.2, 2.2)
        return np.concatenate([block] * (-(-width // wide)), axis=1)[:, :width]


def rows_linear(image: PlaneF, width: int, height: int, top: int, bottom: int) -> PlaneF:
    """Rows top..bottom of `image` (h, w[, c]) enlarged to width x height, linearly: for what is smooth anyway."""
    sx, sy = image.shape[1] / width, image.shape[0] / height
    matrix = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(image, matrix, (width, bottom - top), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, dtype=np.float32)


def ink_on_paper(
    ink: PlaneF, light: PlaneF, paper: npt.NDArray[np.float32], color: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    """Colour a drawing: ink 0..1 (h, w) over paper whose brightness varies by `light` (about 1); bytes (h, w, 3)."""
    mixing = np.stack([(color - paper) * 255, paper * 255], axis=1).astype(np.float32)
    mixed = np.maximum(cv2.transform(cv2.merge([ink * light, light]), mixing), 0)
    return np.asarray(cv2.convertScaleAbs(mixed), dtype=np.uint8)


def stroke_texture(size: tuple[int, int], spacing: float, reach: float, seed: int) -> PlaneF:
    """Streaks of pencil along x, tileable: float32, mean 0, deviation 1; spacing in pixels.

    `size` is (columns, rows); the columns come out rounded to whole steps of the drawing.
    """
    squeeze = max(1, int(spacing * reach / 8))  # long blurs are drawn on a squeezed copy and stretched
    columns, rows = max(8, size[0] // squeeze), size[1]
    rng = generator(seed, "texture")
    layers = []
    for share, fine, long in ((0.85, 0.33, 0.5), (0.45, 0.14, 0.9), (0.5, 0.9, 0.35), (0.3, 0.055, 0.5)):
        raw = rng.standard_normal((rows, columns), dtype=np.float32)
        pad = 8 + int(spacing * fine * 4), 8 + int(spacing * reach * long * 4 / squeeze)
        wrapped = np.pad(raw, ((pad[0], pad[0]), (pad[1], pad[1])), mode="wrap")
        soft = cv2.GaussianBlur(
            wrapped, (0, 0), sigmaX=max(0.3, spacing * reach * long / squeeze), sigmaY=max(0.3, spacing * fine)
        )[pad[0] : -pad[0], pad[1] : -pad[1]]
        layers.append(share * soft / soft.std())
    total = np.asarray(np.sum(layers, axis=0), dtype=np.float32)
    edged = np.concatenate([total[:, -2:], total, total[:, :2]], axis=1)
    stretched = cv2.resize(edged, ((columns + 4) * squeeze, rows), interpolation=cv2.INTER_CUBIC)
    stretched = stretched[:, 2 * squeeze : -2 * squeeze]
    return np.asarray((stretched - stretched.mean()) / stretched.std(), dtype=np.float32)


def drawn_lines(luma: PlaneF, length: float, directions: int, thickness: float, threads: int = 2) -> PlaneF:
    """Contours as straight strokes that overshoot at corners (Lu, Xu and Jia 2012).

    `luma` is (h, w) 0..1; `length` and `thickness` in pixels. The gradient is gathered along every direction,
    each pixel kept only in its best one, then drawn out again. Result (h, w), 98.5 % of it below 1.
    """
    gx = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3) / 8
    gy = cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3) / 8
    gradient = np.sqrt(gx * gx + gy * gy)
    kernels = [_line_kernel(length, i * math.pi / directions, thickness) for i in range(directions)]
    answers = map_ordered(lambda k: cv2.filter2D(gradient, -1, k), kernels, threads)
    best = np.argmax(np.stack(answers), axis=0)
    drawn = map_ordered(
        lambda i: cv2.filter2D(np.where(best == i, gradient, np.float32(0)), -1, kernels[i]),
        range(directions),
        threads,
    )
    total = np.asarray(np.sum(drawn, axis=0), dtype=np.float32)
    # Without a floor the steps of an 8-bit gradient would become lines in an empty sky.
    strongest = max(_FAINTEST_LINE, float(np.percentile(total[::2, ::2], 98.5)))
    return np.asarray(total / np.float32(strongest), dtype=np.float32)


def _line_kernel(length: float, angle: float, thickness: float) -> PlaneF:
    reach = int(length / 2 + 2)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = -x * math.sin(angle) + y * math.cos(angle)
    taper = np.clip((length / 2 + 1 - np.abs(along)) / 2, 0, 1)
    kernel = np.exp(-(across**2) / (2 * (0.45 * thickness) ** 2)) * taper
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def graphite_tone(luma: PlaneF, shares: tuple[float, float, float] = (46.0, 37.0, 17.0)) -> PlaneF:
    """Give a picture the histogram of pencil drawings: much paper, even greys, few darks (Lu, Xu and Jia 2012).

    `shares` weigh the light, middle and dark parts. (h, w) 0..1 in and out, 1 = paper.
    """
    value = np.arange(256, dtype=np.float64)
    light = np.exp(-(255 - value) / 9)
    middle = ((value >= 105) & (value <= 225)).astype(np.float64)
    dark = np.exp(-((value - 90) ** 2) / (2 * 11.0**2))
    wanted = sum(share * part / part.sum() for share, part in zip(shares, (light, middle, dark), strict=True))
    counts = np.bincount(_bytes(luma).ravel(), minlength=256).astype(np.float64)
    lookup = np.interp(np.cumsum(counts) / counts.sum(), np.cumsum(wanted) / np.sum(wanted), value)
    # A half-way curve keeps the light of the scene: full matching makes fog and night alike.
    straight = 255 * (value / 255) ** 0.68
    return np.asarray((0.4 * lookup + 0.6 * straight)[_bytes(luma)] / 255, dtype=np.float32)


def local_contrast(luma: PlaneF, clip: float = 1.8, share: float = 0.45) -> PlaneF:
    """Mix in a contrast-limited equalised copy (CLAHE): (h, w) 0..1 in and out."""
    equal = cv2.createCLAHE(clip, (6, 6)).apply(_bytes(luma))
    return np.asarray((1 - share) * luma + share / 255 * equal, dtype=np.float32)


def _bytes(plane: PlaneF) -> npt.NDArray[np.uint8]:
    return np.asarray(np.clip(plane * 255 + 0.5, 0, 255), dtype=np.uint8)
