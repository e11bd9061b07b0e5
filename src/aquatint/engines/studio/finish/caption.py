"""Words on a finished picture: a title where it is calm, a poster's foot, and the strip that marks a preview."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels import type as typeset
from aquatint.engines.studio.kernels.color import luminance, smoothstep, to_float
from aquatint.engines.studio.kernels.resize import blur, fit_width, resize
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.styles.base import PlaneF, Rgb8

_STRIP_PAPER = (247, 245, 240)
_STRIP_INK = (52, 50, 56)
_LIGHT_INK = np.array([253, 251, 246], np.float32)
_DARK_INK = np.array([24, 24, 30], np.float32)
_LEAST_CONTRAST = 5.0  # WCAG 2 asks 4.5 of running text, 3 of large type
_MAP_SIDE = 320
_HEIGHTS = 9
# Blocks to try: room as shares of width and height, and alignment.
_BLOCKS: tuple[tuple[float, float, typeset.Align], ...] = (
    (0.86, 0.2, "center"),
    (0.62, 0.3, "left"),
    (0.62, 0.3, "center"),
    (0.62, 0.3, "right"),
    (0.42, 0.42, "left"),
    (0.42, 0.42, "right"),
)
Color = npt.NDArray[np.float32]  # (3,)


@dataclass(frozen=True, slots=True)
class _Place:
    """A block of type and where its ink goes, in pixels of the picture."""

    block: typeset.Block
    mask: typeset.Mask
    left: int
    top: int
    cost: float


def preview_strip(image: Rgb8, not_done: tuple[str, ...]) -> Rgb8:
    """Lay a strip over the foot of a picture that says what was not done. Same size, new array."""
    words = "; ".join(not_done)
    chinese = any(typeset.is_wide(char) for char in words)
    text = f"预览 · 未执行：{words}" if chinese else f"Preview - not done: {words}"
    height, width = image.shape[:2]
    tall = max(18, round(0.085 * min(height, width)))
    pad = max(3, round(0.22 * tall))
    block = typeset.fit(text, width - 4 * pad, tall - 2 * pad, "sans", largest=round(0.5 * tall))
    mask = typeset.crop_to_ink(typeset.block_mask(block))
    result = image.copy()
    strip = result[height - tall :]
    strip[:] = _STRIP_PAPER
    _ink(strip, mask, 2 * pad, (tall - mask.shape[0]) // 2, np.array(_STRIP_INK, np.float32))
    return result


def set_title(image: Rgb8, title: str) -> Rgb8:
    """Set a title where the picture is calm and nothing is hidden. Same size, new array.

    Several blocks are tried over the frame; the cost is texture, saliency (faces most) and uneven light under the
    type, against its size. The ink is light or dark, whichever the ground asks for, and the ground is toned
    softly until the contrast ratio of WCAG 2 reaches 5.
    """
    place = _best_place(image, title)
    tall, wide = place.mask.shape
    ground = image[max(0, place.top) : place.top + tall, max(0, place.left) : place.left + wide]
    light = _relative_luminance(ground)
    ink = _LIGHT_INK if float(np.median(light)) < 0.55 else _DARK_INK
    result = image.copy()
    toning = _toning_needed(light, ink)
    halo = max(3, place.block.size // 3)
    wide_mask = cv2.copyMakeBorder(place.mask, *(2 * halo,) * 4, cv2.BORDER_CONSTANT, value=0)
    near = np.asarray(cv2.GaussianBlur(wide_mask, (0, 0), halo * 0.8), dtype=np.float32)
    # Full tone under and beside the letters, nothing a letter's height away.
    shade = np.clip(np.minimum(near * 6, 255) * np.float32(toning), 0, 255).astype(np.uint8)
    tone = np.zeros(3, np.float32) if ink is _LIGHT_INK else np.full(3, 255, np.float32)
    _ink(result, shade, place.left - 2 * halo, place.top - 2 * halo, tone)
    _ink(result, place.mask, place.left, place.top, ink)
    return result


def poster_title(canvas: Rgb8, title: str, dark: Color, light: Color, accent: Color) -> None:
    """Set the words over a darkened foot of a poster, as large as they fit, with a rule above. Changes `canvas`.

    Colours are sRGB 0..1: of the foot, of the type and of the rule.
    """
    height, width = canvas.shape[:2]
    short = min(width, height)
    margin = round(0.06 * short)
    room_w, room_h = round(width * 0.86) - margin, round(height * 0.3)
    block = typeset.fit(title, room_w, room_h, "serif-bold", largest=round(0.13 * short), leading=1.2)
    mask = typeset.crop_to_ink(typeset.block_mask(block))
    top = height - margin - mask.shape[0]
    _darken_foot(canvas, max(0, top - 3 * margin), dark)
    _ink(canvas, mask, margin, top, light * 255)
    rule = max(2, round(0.004 * short))
    line_top = max(0, top - round(0.6 * margin))
    canvas[line_top : line_top + rule, margin : margin + round(0.16 * short)] = accent * 255


def poster_colors(art: Rgb8) -> tuple[Color, Color, Color]:
    """Dark, light and accent colour (sRGB 0..1) for the type of a poster, taken from its own art."""
    pixels = to_float(resize(art, 48, 48)).reshape(-1, 3)
    tone = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    order = np.argsort(tone, kind="stable")
    dark = pixels[order[: len(order) // 12]].mean(0) * np.float32(0.55)
    accent = pixels[order[-len(order) // 4 :]].mean(0)
    return dark.astype(np.float32), (0.25 * accent + 0.75).astype(np.float32), accent.astype(np.float32)


def _darken_foot(canvas: Rgb8, top: int, color: Color) -> None:
    height = canvas.shape[0]
    rows = np.arange(top, height, dtype=np.float32)
    share = smoothstep(top, height - 0.25 * (height - top), rows)[:, None, None] * np.float32(0.86)
    foot = canvas[top:]
    foot[:] = (foot * (1 - share) + color * 255 * share + np.float32(0.5)).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class _Ground:
    """Integral images of a small copy of the picture, for the mean over any box."""

    unrest: npt.NDArray[np.float64]
    light: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]  # of the light
    scale: float  # pixels of the copy per pixel of the picture

    @classmethod
    def of(cls, image: Rgb8) -> _Ground:
        busy = _unrest(image)
        light = luminance(to_float(resize(image, busy.shape[1], busy.shape[0])))
        unrest, sums, squares = (_integral(plane) for plane in (busy, light, light * light))
        return cls(unrest, sums, squares, busy.shape[1] / image.shape[1])

    def cost(self, left: int, top: int, wide: int, tall: int) -> float:
        """How bad it would be to set type there: texture, interest and uneven light."""
        shape = (self.unrest.shape[0] - 1, self.unrest.shape[1] - 1)
        box = _scaled_box(left, top, wide, tall, self.scale, shape)
        mean = _box_mean(self.light, box)
        uneven = float(np.sqrt(max(0.0, _box_mean(self.squares, box) - mean * mean)))
        return _box_mean(self.unrest, box) + 0.9 * uneven


def _best_place(image: Rgb8, title: str) -> _Place:
    height, width = image.shape[:2]
    ground = _Ground.of(image)
    best: _Place | None = None
    short = min(width, height)
    margin = round(0.055 * short)
    for share_w, share_h, align in _BLOCKS:
        room = (max(8, round(share_w * width) - margin), max(8, round(share_h * height)))
        block = typeset.fit(title, *room, "serif-bold", largest=round(0.15 * short), leading=1.2)
        mask = typeset.crop_to_ink(typeset.block_mask(block, align))
        tall, wide = mask.shape
        spare = width - 2 * margin - wide
        left = margin + {"left": 0, "center": spare // 2, "right": spare}[align]
        size = float(np.log2(max(1, block.size) / (0.1 * short)))
        for down in np.linspace(margin, max(margin, height - margin - tall), _HEIGHTS):
            top = round(float(down))
            from_middle = abs((top + tall / 2) / height - 0.5)
            cost = ground.cost(left, top, wide, tall) - 0.11 * size - 0.25 * from_middle
            if best is None or cost < best.cost:
                best = _Place(block, mask, left, top, cost)
    assert best is not None  # noqa: S101 - there are blocks and heights to try
    return best


def _unrest(image: Rgb8) -> PlaneF:
    """How bad a ground for type each place is, about 0..1, longer side 320."""
    wide, tall = fit_width(image.shape[1], image.shape[0], _MAP_SIDE)
    small = resize(image, wide, tall)
    light = luminance(to_float(small))
    texture = blur(np.abs(light - blur(light, 2.0)), 2.5)
    interest = resize(saliency(small).interest, wide, tall)
    found = 9 * texture + 0.5 * np.minimum(interest / max(float(np.percentile(interest, 97)), 1e-6), 3.0)
    return np.asarray(found, dtype=np.float32)


def _scaled_box(
    left: int, top: int, wide: int, tall: int, scale: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    x0, y0 = min(max(0, int(left * scale)), shape[1] - 1), min(max(0, int(top * scale)), shape[0] - 1)
    x1, y1 = int((left + wide) * scale) + 1, int((top + tall) * scale) + 1
    return x0, y0, max(x0 + 1, min(shape[1], x1)), max(y0 + 1, min(shape[0], y1))


def _integral(plane: PlaneF) -> npt.NDArray[np.float64]:
    return np.asarray(cv2.integral(plane), dtype=np.float64)


def _box_mean(total: npt.NDArray[np.float64], box: tuple[int, int, int, int]) -> float:
    x0, y0, x1, y1 = box
    return float(total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]) / ((x1 - x0) * (y1 - y0))


def _relative_luminance(pixels: Rgb8) -> PlaneF:
    """WCAG 2 relative luminance 0..1."""
    values = to_float(pixels)
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** np.float32(2.4))
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32), dtype=np.float32)


def _toning_needed(light: PlaneF, ink: Color) -> float:
    """Share of black (or white) to mix into the ground so that nearly all of it contrasts with the ink."""
    own = float(_relative_luminance(np.round(ink)[None, None].astype(np.uint8))[0, 0])
    if own > 0.5:
        hardest, allowed = float(np.percentile(light, 95)), (own + 0.05) / _LEAST_CONTRAST - 0.05
        if hardest <= allowed:
            return 0.0
        return min(0.9, 1 - float((allowed / hardest) ** (1 / 2.4)))  # toning works on gamma-encoded values
    hardest, allowed = float(np.percentile(light, 5)), (own + 0.05) * _LEAST_CONTRAST - 0.05
    if hardest >= allowed:
        return 0.0
    encoded, wanted = float(hardest ** (1 / 2.4)), float(allowed ** (1 / 2.4))
    return min(0.9, (wanted - encoded) / max(1 - encoded, 1e-3))


def _ink(canvas: Rgb8, mask: typeset.Mask, left: int, top: int, color: Color) -> None:
    """Mix a colour (0..255) into the canvas through a coverage mask whose corner may lie outside."""
    mask = mask[max(0, -top) :, max(0, -left) :]
    left, top = max(0, left), max(0, top)
    area = canvas[top : top + mask.shape[0], left : left + mask.shape[1]]
    cover = mask[: area.shape[0], : area.shape[1], None].astype(np.float32) / np.float32(255)
    area[:] = (area * (1 - cover) + color * cover + np.float32(0.5)).astype(np.uint8)
