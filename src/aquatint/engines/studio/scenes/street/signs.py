"""Signs and screens: light boxes, neon tubes and animated-looking billboards as pictures of light."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.type import Mask, block_mask, crop_to_ink, fit, line_mask, vertical_mask
from aquatint.engines.studio.scenes.street.brief import Brief, Rgb
from aquatint.engines.studio.scenes.street.words import LYING, STANDING


@dataclass(frozen=True, slots=True)
class SignStyle:
    """How one sign looks."""

    kind: str  # box, tube, bare, stack, screen
    text: str
    color: Rgb
    second: Rgb
    vertical: bool
    seed: int
    language: str = "japanese"


def pick_color(neon: tuple[Rgb, ...], rng: np.random.Generator) -> Rgb:
    """Draw a hue; the dominant ones come up most."""
    weights = np.array([0.52**i for i in range(len(neon))])
    return neon[int(rng.choice(len(neon), p=weights / weights.sum()))]


def pick_style(brief: Brief, rng: np.random.Generator, vertical: bool, large: bool = False) -> SignStyle:
    """Choose kind, words and colours of a projecting or wall sign."""
    kinds = ("box", "tube", "bare", "stack") if vertical else ("box", "tube", "bare")
    chances = np.array((0.36, 0.40, 0.10, 0.14) if vertical else (0.45, 0.35, 0.20))
    if brief.daylight:  # tubes are off
        chances = np.array((0.8, 0.0, 0.0, 0.2) if vertical else (1.0, 0.0, 0.0))
    kind = str(rng.choice(kinds, p=chances / chances.sum()))
    if large and kind == "stack":
        kind = "tube"
    words = (STANDING if vertical else LYING)[brief.language]
    text = words[int(rng.integers(len(words)))]
    if vertical and rng.random() < 0.2:
        text = STANDING["english"][int(rng.integers(len(STANDING["english"])))]
    first, second = pick_color(brief.neon, rng), pick_color(brief.neon, rng)
    if second == first:
        second = brief.neon[(brief.neon.index(first) + 1) % len(brief.neon)]
    return SignStyle(kind, text, first, second, vertical, int(rng.integers(2**31)), brief.language)


def _text_mask(style: SignStyle, width: int, height: int, margin: float) -> FloatArray:
    """The sign's words set to fill width x height with a margin: (height, width) 0..1."""
    room = max(4, int(width * (1 - 2 * margin))), max(4, int(height - 2 * margin * min(width, height)))
    mask: Mask
    if style.vertical:
        drawn = max(8, min(160, room[0]))
        mask = vertical_mask(style.text, drawn, pitch=1.06)
    elif len(style.text) > 14:
        mask = crop_to_ink(block_mask(fit(style.text, *room), "center"))
    else:
        mask = line_mask(style.text, max(8, min(220, room[1])))
    factor = min(room[0] / mask.shape[1], room[1] / mask.shape[0])
    size = max(1, round(mask.shape[1] * factor)), max(1, round(mask.shape[0] * factor))
    if style.vertical and size[1] < room[1] * 0.86:
        size = size[0], int(room[1] * 0.86)  # tall boards spread their characters
        mask = _spread(style.text, mask, size[1] / (size[0] / mask.shape[1]))
    scaled = cv2.resize(mask, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)
    sheet = np.zeros((height, width), np.float32)
    scaled = scaled[:height, :width]
    top, left = (height - scaled.shape[0]) // 2, (width - scaled.shape[1]) // 2
    sheet[top : top + scaled.shape[0], left : left + scaled.shape[1]] = scaled / np.float32(255)
    return sheet


def _spread(text: str, mask: Mask, height: float) -> Mask:
    """Move stacked characters apart until they fill a height, in the mask's own pixels."""
    count = max(1, len(text.replace(" ", "")))
    sheet = np.zeros((max(mask.shape[0], round(height)), mask.shape[1]), np.uint8)
    pitch, cell = mask.shape[0] / count, sheet.shape[0] / count
    for i in range(count):
        part = mask[round(i * pitch) : round((i + 1) * pitch)]
        top = round(i * cell + (cell - part.shape[0]) / 2)
        sheet[top : top + part.shape[0]] = part[: sheet.shape[0] - top]
    return sheet


def _frame(width: int, height: int, inset: float, thickness: float) -> FloatArray:
    """A rounded rectangular tube: (height, width) 0..1."""
    unit = min(width, height)
    sheet = np.zeros((height, width), np.uint8)
    edge, line = max(1, round(unit * inset)), max(1, round(unit * thickness))
    cv2.rectangle(sheet, (edge, edge), (width - 1 - edge, height - 1 - edge), 255, line, cv2.LINE_AA)
    return np.asarray(sheet / np.float32(255), np.float32)


def _glow(mask: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.6, sigma)), dtype=np.float32)


def tube_light(mask: FloatArray, color: Rgb, unit: float, core: float = 0.75) -> FloatArray:
    """Neon tubes from a coverage mask: a white-hot core, a saturated skin and a halo. (h, w, 3) linear."""
    halo = _glow(mask, unit * 0.10)
    inner = np.clip(_glow(mask, unit * 0.012) * 1.6 - 0.6, 0, 1)
    hue = np.asarray(color, np.float32)
    light = mask[..., None] * hue * 2.1 + halo[..., None] * hue * 0.55
    return np.asarray(light + inner[..., None] * np.float32(core) * (0.35 + 0.65 * hue), np.float32)


def _tube_sign(style: SignStyle, width: int, height: int) -> tuple[FloatArray, FloatArray | None]:
    unit = min(width, height)
    text = _text_mask(style, width, height, 0.17)
    light = tube_light(text, style.color, unit)
    light += tube_light(_frame(width, height, 0.055, 0.025), style.second, unit, 0.4) * 0.8
    backing = np.array((0.012, 0.012, 0.02), np.float32) + 0.02 * np.asarray(style.color, np.float32)
    return light + backing, None


def _bare_sign(style: SignStyle, width: int, height: int) -> tuple[FloatArray, FloatArray | None]:
    text = _text_mask(style, width, height, 0.06)
    light = tube_light(text, style.color, min(width, height))
    return light, np.asarray(np.clip(text * 1.2 + 0.08, 0, 1), np.float32)


def _box_sign(style: SignStyle, width: int, height: int) -> tuple[FloatArray, FloatArray | None]:
    rng = np.random.Generator(np.random.PCG64(style.seed))
    hue = np.asarray(style.color, np.float32)
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    ys = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    tubes = 0.86 + 0.14 * np.cos(ys * np.float32(2 * np.pi * rng.integers(2, 5)))
    level = (1.05 - 0.28 * xs * xs) * tubes
    text = _text_mask(style, width, height, 0.13)[..., None]
    pale = rng.random() < 0.45
    if pale:  # white plastic with coloured letters
        ground, letters = 0.95 * (0.55 + 0.45 * hue), hue * np.float32(0.42) * (1 - 0.75 * hue.min())
    else:  # coloured plastic with white letters
        ground, letters = hue * 0.85 + 0.03, np.array((1.7, 1.65, 1.6), np.float32)
    light = (ground * (1 - text) + letters * text) * level
    frame = _frame(width, height, 0.0, 0.05)[..., None]
    light = light * (1 - frame) + frame * np.float32(0.03)
    return np.asarray(light, np.float32), None


def _stack_sign(style: SignStyle, width: int, height: int) -> tuple[FloatArray, FloatArray | None]:
    """A tenant board: one small light box per floor."""
    rng = np.random.Generator(np.random.PCG64(style.seed))
    light = np.full((height, width, 3), 0.012, np.float32)
    rows = int(np.clip(round(height / max(1, width) * 1.7), 3, 9))
    for i in range(rows):
        top, bottom = round(height * (i + 0.06) / rows), round(height * (i + 0.94) / rows)
        if bottom - top < 2 or width < 4:
            continue
        choice = LYING[style.language]
        words = choice[int(rng.integers(len(choice)))].split(" ")[0]
        color = (style.color, style.second, (1.0, 0.93, 0.82))[int(rng.integers(3))]
        panel = SignStyle("box", words, color, style.second, False, int(rng.integers(2**31)))
        inset = max(1, round(width * 0.05))
        part, _ = _box_sign(panel, max(2, width - 2 * inset), bottom - top)
        light[top:bottom, inset : inset + part.shape[1]] = part * np.float32(0.85)
    return light, None


def screen_art(style: SignStyle, width: int, height: int) -> FloatArray:
    """A video billboard: sun, waves, bars or one giant character in two hues, with scan lines. (h, w, 3)."""
    rng = np.random.Generator(np.random.PCG64(style.seed))
    first, second = np.asarray(style.color, np.float32), np.asarray(style.second, np.float32)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    xs, ys = (xs + 0.5) / width, (ys + 0.5) / height
    aspect = width / height
    light = first * (0.10 + 0.5 * ys[..., None] ** 2) + second * (0.30 * (1 - ys[..., None]))
    motif = int(rng.integers(4))
    if motif == 0:  # a striped sun over a grid
        far = np.hypot((xs - 0.5) * aspect, ys - 0.46)
        disc = np.clip((0.30 - far) * height / 1.5, 0, 1)
        gaps = 1 - (np.mod(ys * 17, 1) < np.clip((ys - 0.42) * 1.9, 0, 0.75)) * (ys > 0.42)
        sun = (disc * gaps)[..., None]
        light = light * (1 - sun) + sun * (second * (1.7 - ys[..., None]) + first * ys[..., None] * 1.2)
    elif motif == 1:  # scale-shaped waves
        cell = 0.17
        row = np.floor(ys / (cell * 0.5))
        cx = (np.mod(xs * aspect / cell + 0.5 * np.mod(row, 2), 1) - 0.5) * cell
        cy = np.mod(ys, cell * 0.5) - cell * 0.5
        ring = 0.5 + 0.5 * np.cos(np.hypot(cx, cy) / cell * 38)
        light = light + (ring * (0.2 + 0.9 * ys))[..., None] * (second * 0.9)
    elif motif == 2:  # an equaliser
        count = 14
        levels = 0.2 + 0.65 * rng.random(count).astype(np.float32)
        index = np.clip((xs * count).astype(np.int32), 0, count - 1)
        bar = (ys > 1 - levels[index]) & (np.mod(xs * count, 1) > 0.22) & (np.mod(ys * 26, 1) > 0.25)
        light = light + bar[..., None] * (first * ys[..., None] + second * (1 - ys[..., None])) * 1.4
    else:  # one giant character
        char = ("NEON24" if style.language == "english" else "夢龍電未光夜")[int(rng.integers(6))]
        giant = SignStyle("tube", char, style.color, style.second, True, style.seed)
        text = _text_mask(giant, width, height, 0.12)[..., None]
        light = light * 0.8 + text * (second * 1.3 + 0.25)
    caption = SignStyle("bare", str(rng.choice(LYING[style.language])), style.color, style.second, False, style.seed)
    strip = max(3, round(height * 0.12))
    text = _text_mask(caption, width, strip, 0.08)[..., None]
    light[-strip:] = light[-strip:] * 0.25 * (1 - text) + text * np.array((1.4, 1.4, 1.4), np.float32)
    scan = 0.86 + 0.14 * np.cos(ys * np.float32(2 * np.pi * 90))
    if height > 300:
        light = light * scan[..., None]
    frame = _frame(width, height, 0.0, 0.02)[..., None]
    return np.asarray(light * (1 - frame) + frame * second * 0.8, np.float32)


def draw_sign(style: SignStyle, width: int, height: int, gain: float = 1.0) -> tuple[FloatArray, FloatArray | None]:
    """Draw a sign at width x height pixels: linear light (h, w, 3) and opacity (h, w), None when solid."""
    width, height = max(2, width), max(2, height)
    if min(width, height) < 6:  # too far away to read
        level = 0.34 if style.kind in ("tube", "bare") else 0.7
        return np.full((2, 2, 3), np.asarray(style.color, np.float32) * np.float32(level * gain), np.float32), None
    if style.kind == "screen":
        light, alpha = screen_art(style, width, height), None
    else:
        makers = {"tube": _tube_sign, "bare": _bare_sign, "box": _box_sign, "stack": _stack_sign}
        light, alpha = makers[style.kind](style, width, height)
    return np.asarray(light * np.float32(gain), np.float32), alpha
