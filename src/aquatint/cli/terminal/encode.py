"""A picture as the bytes that make a terminal show it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from aquatint.cli.terminal.detect import Protocol

CHUNK = 4096  # characters of base64 in one escape of kitty
COLORS = 256


def encode(protocol: Protocol, picture: Image.Image, columns: int) -> str:
    """Escapes that show `picture` at the cursor, `columns` characters wide where the protocol scales."""
    match protocol:
        case "kitty":
            return "".join(_kitty(_png(picture), columns))
        case "iterm":
            return _iterm(_png(picture), columns)
        case "sixel":
            return sixel(picture)


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _kitty(png: bytes, columns: int) -> Iterator[str]:
    """Kitty's graphics protocol: a PNG (f=100) is transmitted and shown (a=T); q=2 keeps the terminal from answering.

    https://sw.kovidgoyal.net/kitty/graphics-protocol/
    """
    text = base64.standard_b64encode(png).decode("ascii")
    for start in range(0, len(text), CHUNK):
        head = f"a=T,f=100,q=2,c={columns}," if start == 0 else ""
        more = int(start + CHUNK < len(text))
        yield f"\x1b_G{head}m={more};{text[start : start + CHUNK]}\x1b\\"


def _iterm(png: bytes, columns: int) -> str:
    """iTerm2's inline images: https://iterm2.com/documentation-images.html"""
    text = base64.standard_b64encode(png).decode("ascii")
    return f"\x1b]1337;File=inline=1;size={len(png)};width={columns};preserveAspectRatio=1:{text}\x07"


def sixel(picture: Image.Image) -> str:
    """DEC's sixels: at most 256 colours; bands of six rows, and in each band a line for each colour in it."""
    indexed = picture.convert("RGB").quantize(
        COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG
    )
    width, height = indexed.size
    pixels = np.asarray(indexed)
    palette = np.asarray(indexed.getpalette(), dtype=np.int32).reshape(-1, 3)
    percent = (palette * 100 + 127) // 255
    parts = [f'\x1bP0;1q"1;1;{width};{height}']
    parts += [f"#{n};2;{percent[n][0]};{percent[n][1]};{percent[n][2]}" for n in np.unique(pixels)]
    parts += [_band(pixels[top : top + 6]) for top in range(0, height, 6)]
    parts.append("\x1b\\")
    return "".join(parts)


def _band(rows: npt.NDArray[np.uint8]) -> str:
    weights = (1 << np.arange(len(rows)))[:, None]
    lines = [f"#{color}" + _runs(((rows == color) * weights).sum(axis=0)) for color in np.unique(rows)]
    return "$".join(lines) + "-"


def _runs(columns: npt.NDArray[np.int64]) -> str:
    """One line of sixels, equal neighbours counted."""
    ends = np.flatnonzero(np.diff(columns)) + 1
    starts = np.concatenate(([0], ends))
    lengths = np.diff(np.concatenate((starts, [len(columns)])))
    if columns[starts[-1]] == 0:  # nothing of this colour follows
        starts, lengths = starts[:-1], lengths[:-1]
    return "".join(
        chr(63 + int(columns[start])) * int(length) if length < 4 else f"!{length}{chr(63 + int(columns[start]))}"
        for start, length in zip(starts, lengths, strict=True)
    )
