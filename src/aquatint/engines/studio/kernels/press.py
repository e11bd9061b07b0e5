"""A printing press: flat inks with anti-aliased edges and stippled tones on one sheet, at output size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF, Rgb8
from aquatint.engines.studio.kernels.curves import Points
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator, paper_grain
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import rows_of, unit

Ink = tuple[float, float, float]  # sRGB 0..1
PlaneU = npt.NDArray[np.uint8]
_SHIFT = 4
_FAR = 2**22  # fixed-point coordinates beyond it would overflow inside OpenCV
_LARGEST_TILE = 1021  # pixels
_SOFT_SIDE = 220  # pixels at which the form of a shape is judged


@dataclass(frozen=True, slots=True)
class Tone:
    """A stippled second ink inside a shape."""

    ink: Ink
    away: tuple[float, float]  # direction from the light, any length > 0, or (0, 0) for all round
    depth: float = 0.5  # how far it reaches into the shape, 0..1
    amount: float = 1.0  # densest coverage, 0..1


@dataclass(frozen=True, slots=True)
class Press:
    """One sheet being printed. Coordinates are pixels of the sheet."""

    sheet: Rgb8  # written into
    tooth: PlaneU  # tile of stipple thresholds, every value equally common
    threads: int

    @classmethod
    def of(cls, width: int, height: int, seed: int, threads: int) -> Press:
        """A blank sheet. The stipple is about half a unit (width / 1024) fine, never finer than the pixels."""
        k = unit(width, height)
        rng = generator(seed, "tooth")
        side = min(_LARGEST_TILE, max(width, height) + 61)
        total = np.zeros((side, side), np.float32)
        for share, sigma in ((1.0, max(0.45, 0.36 * k)), (0.55, max(0.45, 0.8 * k)), (0.35, 0.3)):
            raw = rng.standard_normal(total.shape, dtype=np.float32)
            pad = int(4 * sigma) + 2
            soft = cv2.GaussianBlur(np.pad(raw, pad, mode="wrap"), (0, 0), sigma)[pad:-pad, pad:-pad]
            total += np.float32(share) * soft / soft.std()
        order = cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)  # type: ignore[call-overload]
        tile = np.asarray(cv2.equalizeHist(order), np.uint8)
        return cls(np.empty((height, width, 3), np.uint8), tile, threads)

    @property
    def width(self) -> int:
        """Pixels across."""
        return int(self.sheet.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.sheet.shape[0])

    def _tooth(self, top: int, bottom: int, left: int, right: int) -> PlaneU:
        side = len(self.tooth)
        rows = np.arange(top, bottom) % side
        first = left % side
        count = -(-(first + right - left) // side)
        wide = np.concatenate([self.tooth] * count, axis=1) if count > 1 else self.tooth
        return wide[rows, first : first + right - left]

    def wash(self, inks: Sequence[Ink], top: int = 0, bottom: int | None = None, rough: float = 0.12) -> None:
        """Cover rows top..bottom with inks from above to below, their borders broken into stipple."""
        bottom = self.height if bottom is None else min(self.height, bottom)
        top = max(0, top)
        if bottom <= top:
            return
        table = _table(inks)

        def strip(upper: int, lower: int) -> None:
            t = ((np.arange(upper, lower, dtype=np.float32) + 0.5) / (bottom - top) * 255)[:, None]
            grain = self._tooth(top + upper, top + lower, 0, self.width).astype(np.float32) - np.float32(127.5)
            grain *= np.float32(rough)
            grain += t
            self.sheet[top + upper : top + lower] = table[np.clip(grain, 0, 255).astype(np.uint8)]

        run_strips(strip, bottom - top, self.threads)

    def lay(self, outlines: Sequence[Points], ink: Ink) -> None:
        """Print closed outlines in one flat ink."""
        color = [255 * c for c in ink]
        for fixed in _fixed(outlines, (0, 0)):
            cv2.fillPoly(self.sheet, [fixed], color, cv2.LINE_AA, _SHIFT)

    def inlay(self, outlines: Sequence[Points], ink: Ink, within: Sequence[Points]) -> None:
        """Print outlines in one flat ink, cut to other outlines."""
        box = self._box(outlines)
        if box is None:
            return
        left, top, right, bottom = box
        mask = cv2.min(self._mask(outlines, box), self._mask(within, box))
        level = mask.astype(np.float32) * np.float32(1 / 255)
        self._blend(top, bottom, left, right, level, np.array(ink, np.float32) * 255)

    def rim(self, outlines: Sequence[Points], ink: Ink, away: tuple[float, float], width: float) -> None:
        """Print a thin edge of light, `width` pixels, on the side that looks to the light."""
        box = self._box(outlines)
        if box is None:
            return
        left, top, right, bottom = box
        norm = float(np.hypot(*away)) or 1.0
        shift = np.array(away, np.float32) * np.float32(width / norm)
        mask = self._mask(outlines, box)
        inner = self._mask([outline + shift for outline in outlines], box)
        level = cv2.subtract(mask, inner).astype(np.float32) * np.float32(1 / 255)
        self._blend(top, bottom, left, right, level, np.array(ink, np.float32) * 255)

    def tone(self, outlines: Sequence[Points], tone: Tone, within: Sequence[Points] = ()) -> None:
        """Stipple a second ink into the side of a shape that looks away from the light."""
        box = self._box(outlines)
        if box is None:
            return
        left, top, right = box[:3]
        mask = self._mask(outlines, box)
        form = self._form(outlines, tone)
        if within:
            mask = np.asarray(cv2.min(mask, self._mask(within, box)), np.uint8)

        def share(upper: int, lower: int) -> PlaneF:
            matrix = form[1].copy()
            matrix[0, 2] += matrix[0, 0] * left
            matrix[1, 2] += matrix[1, 1] * (top + upper)
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            size = (right - left, lower - upper)
            return np.asarray(cv2.warpAffine(form[0], matrix, size, flags=flags), np.float32)

        self._stipple(mask, box, share, tone)

    def stipple(self, outlines: Sequence[Points], ink: Ink, start: Points, end: Points, amount: float = 1.0) -> None:
        """Stipple an ink into a shape, from none at the point `start` to `amount` at the point `end`."""
        box = self._box(outlines)
        if box is None:
            return
        left, top, right = box[:3]
        way = np.asarray(end, np.float32) - np.asarray(start, np.float32)
        way = way / max(float(way @ way), 1e-6)

        def share(upper: int, lower: int) -> PlaneF:
            xs = (np.arange(left, right, dtype=np.float32) - start[0]) * way[0]
            ys = (np.arange(top + upper, top + lower, dtype=np.float32) - start[1]) * way[1]
            return np.asarray(np.clip(xs[None] + ys[:, None], 0, 1) * np.float32(255), np.float32)

        self._stipple(self._mask(outlines, box), box, share, Tone(ink, (0, 0), amount=amount))

    def _stipple(self, mask: PlaneU, box: tuple[int, int, int, int], share: _Share, tone: Tone) -> None:
        left, top, right, bottom = box
        color = np.array(tone.ink, np.float32) * 255

        def strip(upper: int, lower: int) -> None:
            part = mask[upper:lower]
            if not cv2.countNonZero(part):
                return
            level = share(upper, lower)
            level *= np.float32(tone.amount)
            grain = self._tooth(top + upper, top + lower, left, right).astype(np.float32)
            level -= grain * np.float32(0.92)
            level *= np.float32(1 / 56)  # soft enough that dots keep anti-aliased edges
            np.clip(level, 0, 1, out=level)
            level *= part
            level *= np.float32(1 / 255)
            self._blend(top + upper, top + lower, left, right, level, color)

        run_strips(strip, bottom - top, self.threads)

    def veil(self, ink: Ink, shares: Sequence[float], top: int = 0, bottom: int | None = None) -> None:
        """Lay a smooth transparent ink over rows top..bottom; `shares` are its opacities from above to below."""
        bottom = self.height if bottom is None else min(self.height, bottom)
        color = np.array(ink, np.float32) * 255
        knots = np.linspace(0, 1, len(shares))

        def strip(upper: int, lower: int) -> None:
            t = (np.arange(upper, lower) + 0.5) / (bottom - top)
            level = np.interp(t, knots, shares).astype(np.float32)[:, None]
            self._blend(
                top + upper, top + lower, 0, self.width, np.broadcast_to(level, (lower - upper, self.width)), color
            )

        run_strips(strip, bottom - top, self.threads)

    def glow(self, x: float, y: float, radius: float, ink: Ink, amount: float) -> None:
        """Lay a soft round light that fades to nothing at `radius`."""
        left, right = max(0, int(x - radius)), min(self.width, int(x + radius) + 1)
        top, bottom = max(0, int(y - radius)), min(self.height, int(y + radius) + 1)
        if left >= right or top >= bottom:
            return
        color = np.array(ink, np.float32) * 255

        def strip(upper: int, lower: int) -> None:
            xs = ((np.arange(left, right, dtype=np.float32) - x) / radius) ** 2
            ys = ((np.arange(top + upper, top + lower, dtype=np.float32) - y) / radius) ** 2
            level = np.clip(1 - (xs[None] + ys[:, None]), 0, 1)
            level *= level * np.float32(amount)
            self._blend(top + upper, top + lower, left, right, level, color)

        run_strips(strip, bottom - top, self.threads)

    def finish(self, seed: int, paper: Ink = (0.98, 0.96, 0.92)) -> None:
        """Let the paper work: its relief in the inks, pinholes in solid colour, slow unevenness of the roller."""
        grain = paper_grain(self.height, self.width, seed)
        slow = fbm(64, 96, 5, 3, derive_seed(seed, "roller")) * np.float32(0.035)
        pale = np.array(paper, np.float32) * 255

        def strip(top: int, bottom: int) -> None:
            part = self.sheet[top:bottom].astype(np.float32)
            light = np.clip(grain.rows(top, bottom), -3, 3)
            light *= np.float32(0.013)
            light += 1
            light += rows_of(slow, self.width, self.height, top, bottom)
            part *= light[..., None]
            # Offset in the tile, so that pinholes do not follow the stipple.
            holes = self._tooth(top + 311, bottom + 311, 173, 173 + self.width)
            bare = (np.clip(holes.astype(np.float32) - 250, 0, 5) * np.float32(0.06))[..., None]
            part += (pale - part) * bare
            self.sheet[top:bottom] = np.clip(part + np.float32(0.5), 0, 255)

        run_strips(strip, self.height, self.threads)

    def _blend(
        self, top: int, bottom: int, left: int, right: int, level: PlaneF, color: npt.NDArray[np.float32]
    ) -> None:
        window = self.sheet[top:bottom, left:right]
        part = window.astype(np.float32)
        part += (color - part) * level[..., None]
        part += np.float32(0.5)
        window[:] = part.astype(np.uint8)

    def _box(self, outlines: Sequence[Points]) -> tuple[int, int, int, int] | None:
        if not outlines:
            return None
        points = np.concatenate(outlines)
        low, high = points.min(0), points.max(0)
        left, top = max(0, int(low[0]) - 2), max(0, int(low[1]) - 2)
        right, bottom = min(self.width, int(high[0]) + 3), min(self.height, int(high[1]) + 3)
        return (left, top, right, bottom) if right > left and bottom > top else None

    @staticmethod
    def _mask(outlines: Sequence[Points], box: tuple[int, int, int, int]) -> PlaneU:
        mask = np.zeros((box[3] - box[1], box[2] - box[0]), np.uint8)
        for fixed in _fixed(outlines, box[:2]):
            cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        return mask

    @staticmethod
    def _form(outlines: Sequence[Points], tone: Tone) -> tuple[PlaneF, npt.NDArray[np.float32]]:
        """How far each point looks away from the light (small, 0..255), and the map from sheet to it."""
        points = np.concatenate(outlines)
        low, high = points.min(0), points.max(0)
        span = float(max(high - low)) or 1.0
        side = min(float(_SOFT_SIDE), max(28.0, span))
        scale, pad = side / span, 4 + int(side / 10)
        size = np.ceil((high - low) * scale).astype(int) + 2 * pad
        mask = np.zeros((int(size[1]), int(size[0])), np.uint8)
        for fixed in _fixed([(p - low) * np.float32(scale) + pad for p in outlines], (0, 0)):
            cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        thick = float(cv2.distanceTransform((mask > 127).astype(np.uint8), cv2.DIST_L2, 3).max())
        reach = max(1.0, thick * (0.35 + 0.9 * tone.depth))
        away = np.array(tone.away, np.float32)
        norm = float(np.hypot(*away))
        shift = away / norm * reach * 0.75 if norm else np.zeros(2, np.float32)
        soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), reach * 0.55)
        moved = cv2.warpAffine(soft, np.array([[1, 0, -shift[0]], [0, 1, -shift[1]]], np.float32), mask.shape[::-1])
        # Outside the moved shape lies the edge that looks away from the light.
        form = np.clip((np.float32(235) - moved) * np.float32(1.35), 0, 255)
        matrix = np.array([[scale, 0, pad - low[0] * scale], [0, scale, pad - low[1] * scale]], np.float32)
        return np.asarray(form, np.float32), matrix


class _Share(Protocol):
    """Type of the function that gives the density 0..255 of rows upper..lower of a box."""

    def __call__(self, upper: int, lower: int) -> PlaneF: ...


def _fixed(outlines: Sequence[Points], corner: tuple[int, int] | tuple[int, ...]) -> list[npt.NDArray[np.int32]]:
    origin = np.array(corner[:2], np.float32)
    return [
        np.clip(np.round((outline - origin) * (1 << _SHIFT)), -_FAR, _FAR).astype(np.int32) for outline in outlines
    ]


def _table(inks: Sequence[Ink]) -> Rgb8:
    """256 colours from the first ink to the last: (256, 3)."""
    knots = np.linspace(0, 255, len(inks))
    colors = np.array(inks, np.float32)
    channels = [np.interp(np.arange(256), knots, colors[:, c]) for c in range(3)]
    return np.round(np.stack(channels, 1) * 255).astype(np.uint8)
