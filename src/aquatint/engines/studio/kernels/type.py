"""Setting type: text to coverage masks with the shipped fonts; fits, wraps, stacks, never draws boxes."""

from __future__ import annotations

import struct
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Mask = npt.NDArray[np.uint8]  # (h, w), coverage 0..255
Face = Literal["sans", "sans-bold", "serif-bold"]
Align = Literal["left", "center", "right"]

# Each face is a pair: Chinese with most of Latin, and a companion with the Latin letters it lacks.
_FILES: dict[Face, tuple[str, str]] = {
    "sans": ("studio-sans-regular.otf", "studio-latin-sans-regular.ttf"),
    "sans-bold": ("studio-sans-bold.otf", "studio-latin-sans-bold.ttf"),
    "serif-bold": ("studio-serif-bold.otf", "studio-latin-serif-bold.ttf"),
}
_WIDEST: Face = "sans-bold"  # the face with the largest character set
_TURNED = frozenset("ー—–-~〜…")  # characters that lie on their side in a vertical line
_LATIN_END = 0x250
_NO_LINE_START = frozenset("，。、；：？！）》」』】〉”’…,.;:?!)]}%")
_NO_LINE_END = frozenset("（《「『【〈“‘([{")


@dataclass(frozen=True, slots=True)
class Block:
    """Text broken into lines at one size."""

    lines: tuple[str, ...]
    size: int  # pixels per em
    face: Face
    leading: float = 1.28  # line distance in em


@dataclass(frozen=True, slots=True)
class Typeface:
    """A face opened at one size: the Chinese font and its Latin companion, used character by character."""

    main: ImageFont.FreeTypeFont
    companion: ImageFont.FreeTypeFont
    known: frozenset[int]  # code points of the main font

    def runs(self, text: str) -> list[tuple[str, ImageFont.FreeTypeFont]]:
        """Split text into stretches that one of the two fonts draws."""
        pieces = groupby(text, key=lambda char: ord(char) in self.known)
        return [("".join(chars), self.main if inside else self.companion) for inside, chars in pieces]

    def length(self, text: str) -> float:
        """Advance width in pixels."""
        return sum(used.getlength(piece) for piece, used in self.runs(text))

    def draw(self, pen: ImageDraw.ImageDraw, x: float, baseline: float, text: str) -> None:
        """Draw text with its left end at x and its base line at `baseline`."""
        for piece, used in self.runs(text):
            pen.text((x, baseline), piece, fill=255, font=used, anchor="ls")
            x += used.getlength(piece)


def _path(file: str) -> str:
    return str(Path(__file__).parent.parent / "fonts" / file)


def open_face(face: Face, size: int, text: str = "") -> Typeface:
    """Open a face at `size` pixels per em (at least 1).

    When `text` has a letter that only the companion draws, the companion draws all its Latin letters, so that
    no word mixes two designs.
    """
    main_file, companion_file = _FILES[face]
    known = _cmap(main_file)
    main = _open_file(main_file, size)
    if all(char.isspace() or ord(char) in known for char in text):
        return Typeface(main, main, known)
    return Typeface(main, _open_file(companion_file, size), frozenset(p for p in known if p >= _LATIN_END))


def _open_file(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(_path(file), max(1, size), layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=4)
def coverage(face: Face) -> frozenset[int]:
    """Code points that a face can draw."""
    main, companion = _FILES[face]
    return _cmap(main) | _cmap(companion)


@lru_cache(maxsize=8)
def _cmap(file: str) -> frozenset[int]:
    """Read a font's `cmap` table (OpenType specification, formats 4 and 12)."""
    data = Path(_path(file)).read_bytes()
    tables = struct.unpack_from(">H", data, 4)[0]
    records = (struct.unpack_from(">4sIII", data, 12 + 16 * i) for i in range(tables))
    start = next(offset for tag, _, offset, _ in records if tag == b"cmap")
    points: set[int] = set()
    for i in range(struct.unpack_from(">H", data, start + 2)[0]):
        subtable = start + struct.unpack_from(">HHI", data, start + 4 + 8 * i)[2]
        form = struct.unpack_from(">H", data, subtable)[0]
        if form == 12:
            points |= _format_12(data, subtable)
        elif form == 4:
            points |= _format_4(data, subtable)
    return frozenset(points)


def _format_12(data: bytes, start: int) -> set[int]:
    count = struct.unpack_from(">I", data, start + 12)[0]
    groups = (struct.unpack_from(">III", data, start + 16 + 12 * i) for i in range(count))
    return {point for first, last, _ in groups for point in range(first, last + 1)}


def _format_4(data: bytes, start: int) -> set[int]:
    segments = struct.unpack_from(">H", data, start + 6)[0] // 2
    ends = struct.unpack_from(f">{segments}H", data, start + 14)
    starts = struct.unpack_from(f">{segments}H", data, start + 16 + 2 * segments)
    return {p for first, last in zip(starts, ends, strict=True) if last != 0xFFFF for p in range(first, last + 1)}


def drawable(text: str, face: Face = _WIDEST) -> tuple[str, str]:
    """Split text into what the face can draw and what it cannot (distinct characters, in order).

    Compatibility forms are folded first when that helps (a ligature becomes its letters). Line breaks stay;
    emoji selectors and other marks without ink are dropped silently.
    """
    known = coverage(face)
    kept: list[str] = []
    missing: dict[str, None] = {}
    for char in text:
        if char == "\n" or ord(char) in known:
            kept.append(char)
        elif char.isspace():
            kept.append(" ")
        elif unicodedata.category(char) in ("Mn", "Cf", "Cc"):
            continue
        elif all(ord(c) in known for c in unicodedata.normalize("NFKC", char)):
            kept.append(unicodedata.normalize("NFKC", char))
        else:
            missing[char] = None
    return "".join(kept).strip(), "".join(missing)


def best_face(text: str, wish: Face) -> Face:
    """The wished face if it covers the text, else the one with the largest character set."""
    if wish == _WIDEST:
        return wish
    known = coverage(wish)
    return wish if all(char.isspace() or ord(char) in known for char in text) else _WIDEST


def is_wide(char: str) -> bool:
    """Whether a character takes a full em square (Chinese, kana, full-width forms)."""
    return unicodedata.east_asian_width(char) in ("W", "F")


def _units(text: str) -> list[str]:
    """Unbreakable pieces: words with the space after them, single wide characters with their punctuation."""
    units: list[str] = []
    for char in text:
        last = units[-1] if units else ""
        joins = bool(last) and (
            char in _NO_LINE_START
            or last[-1] in _NO_LINE_END
            or (not is_wide(char) and not is_wide(last[-1]) and (char == " " or not last[-1].isspace()))
        )
        if joins:
            units[-1] += char
        else:
            units.append(char)
    return units


def wrap(text: str, face: Typeface, width: float) -> tuple[str, ...]:
    """Break text into lines no wider than `width` pixels; a word that is wider alone is cut.

    Chinese breaks between any two characters, except that closing punctuation never starts a line.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for unit in _units(paragraph):
            if not line or face.length((line + unit).rstrip()) <= width:
                line += unit
            else:
                lines.append(line.rstrip())
                line = unit
            while len(line) > 1 and face.length(line.rstrip()) > width:
                cut = max((i for i in range(1, len(line)) if face.length(line[:i]) <= width), default=1)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line.rstrip())
    return tuple(line for line in lines if line)


def fit(
    text: str, width: int, height: int, wish: Face = "sans-bold", largest: int = 400, leading: float = 1.28
) -> Block:
    """Find the largest size at which the wrapped text fits width x height pixels.

    Characters that no shipped face has are left out (ask `drawable` to report them). Never below 6 px: then
    lines that do not fit are dropped and the last one ends in an ellipsis.
    """
    face = best_face(drawable(text)[0], wish)
    clean = drawable(text, face)[0]
    low, high = 6, max(6, largest)
    while low < high:
        size = (low + high + 1) // 2
        opened = open_face(face, size, clean)
        lines = wrap(clean, opened, width)
        longest_word = max((opened.length(w) for line in clean.split() for w in _units(line)), default=0.0)
        tall = size * leading * max(0, len(lines) - 1) + size * 1.1
        if tall <= height and longest_word <= width:
            low = size
        else:
            high = size - 1
    lines = wrap(clean, open_face(face, low, clean), width)
    room = max(1, int((height - low * 1.1) / (low * leading)) + 1)
    if len(lines) > room:
        lines = (*lines[: room - 1], lines[room - 1][:-1] + "…")
    return Block(lines, low, face, leading)


def block_mask(block: Block, align: Align = "left", tracking: float = 0.0) -> Mask:
    """Draw a block: coverage 0..255, (h, w) with the height of its lines and the width of its longest one.

    `tracking` is extra space between letters in em.
    """
    opened = open_face(block.face, block.size, "".join(block.lines))
    extra = tracking * block.size
    widths = [opened.length(line) + extra * max(0, len(line) - 1) for line in block.lines] or [1.0]
    wide = max(1, int(max(widths)) + 2)
    tall = max(1, int(block.size * (block.leading * max(0, len(block.lines) - 1) + 1.25)) + 2)
    sheet = Image.new("L", (wide, tall), 0)
    pen = ImageDraw.Draw(sheet)
    share = {"left": 0.0, "center": 0.5, "right": 1.0}[align]
    for row, (line, length) in enumerate(zip(block.lines, widths, strict=False)):
        x = (wide - length) * share
        y = block.size * (0.98 + row * block.leading)
        if not extra:
            opened.draw(pen, x, y, line)
            continue
        for char in line:
            opened.draw(pen, x, y, char)
            x += opened.length(char) + extra
    return np.asarray(sheet, dtype=np.uint8)


def line_mask(text: str, size: int, face: Face = "sans-bold", tracking: float = 0.0) -> Mask:
    """Draw one line cropped to its ink: (h, w) coverage 0..255; (1, 1) zeros when nothing can be drawn."""
    chosen = best_face(drawable(text)[0], face)
    clean = drawable(text, chosen)[0].replace("\n", " ")
    return crop_to_ink(block_mask(Block((clean,), max(1, size), chosen), tracking=tracking))


def vertical_mask(text: str, width: int, face: Face = "sans-bold", pitch: float = 1.08) -> Mask:
    """Stack characters top to bottom as shop signs do: (about len * width * pitch, width) coverage 0..255."""
    chosen = best_face(drawable(text)[0], face)
    clean = drawable(text, chosen)[0].replace(" ", "").replace("\n", "") or " "
    opened = open_face(chosen, width, clean)
    step = width * pitch
    sheet = Image.new("L", (width, max(1, round(step * len(clean)))), 0)
    for i, char in enumerate(clean):
        tile = Image.new("L", (width, width), 0)
        used = opened.runs(char)[0][1]
        ImageDraw.Draw(tile).text((width / 2, width / 2), char, fill=255, font=used, anchor="mm")
        if char in _TURNED:
            tile = tile.transpose(Image.Transpose.ROTATE_270)
        sheet.paste(tile, (0, round(step * (i + 0.5) - width / 2)))
    return np.asarray(sheet, dtype=np.uint8)


def crop_to_ink(mask: Mask) -> Mask:
    """Cut the empty margins off a mask; (1, 1) zeros when it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return np.zeros((1, 1), np.uint8)
    return np.ascontiguousarray(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
