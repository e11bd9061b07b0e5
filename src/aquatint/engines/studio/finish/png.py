"""A quick PNG writer: every row filtered by Up, deflated at level 1 by ISA-L when that is installed."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.parallel import map_ordered, strips
from aquatint.engines.studio.styles.base import Rgb8

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_FILTER_UP = 2
_ZLIB_HEADER = b"\x78\x01"  # deflate, 32 KiB window, quickest level
_SEGMENT_ROWS = 512
_XMP_KEYWORD = b"XML:com.adobe.xmp"


class _Deflate(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...

    def flush(self, mode: int = ..., /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Tools:
    """Deflate and its checksum, from the quickest library at hand."""

    raw_deflate: Callable[[], _Deflate]
    adler32: Callable[[memoryview, int], int]


def _quickest_tools() -> _Tools:
    try:
        from isal import isal_zlib
    except ImportError:  # no wheel for this platform: the standard library does the same, slower
        return _Tools(lambda: zlib.compressobj(1, zlib.DEFLATED, -15), zlib.adler32)
    return _Tools(lambda: isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15), isal_zlib.adler32)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _text_chunk(keyword: str, text: str) -> bytes:
    return _chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1"))


def _xmp_chunk(packet: bytes) -> bytes:
    # Keyword, then: no compression, method 0, no language tag, no translated keyword.
    return _chunk(b"iTXt", _XMP_KEYWORD + b"\0\0\0\0\0" + packet)


def _filtered(flat: npt.NDArray[np.uint8], top: int, bottom: int) -> npt.NDArray[np.uint8]:
    """Rows top..bottom as PNG wants them: a filter byte, then the difference from the row above."""
    rows = np.empty((bottom - top, flat.shape[1] + 1), np.uint8)
    rows[:, 0] = _FILTER_UP
    if top == 0:
        rows[0, 1:] = flat[0]
        np.subtract(flat[1:bottom], flat[: bottom - 1], out=rows[1:, 1:])
    else:
        np.subtract(flat[top:bottom], flat[top - 1 : bottom - 1], out=rows[:, 1:])
    return rows


def _pixel_chunk(image: Rgb8, threads: int) -> bytes:
    """One zlib stream made of segments that end in a full flush, so that threads can deflate them apart."""
    height, width, _ = image.shape
    flat = image.reshape(height, width * 3)
    tools = _quickest_tools()
    checksum = 1

    def segment(rows: tuple[int, int]) -> tuple[bytes, npt.NDArray[np.uint8]]:
        filtered = _filtered(flat, *rows)
        deflate = tools.raw_deflate()
        body = deflate.compress(filtered.data)  # type: ignore[arg-type]
        return body + deflate.flush(zlib.Z_FINISH if rows[1] == height else zlib.Z_FULL_FLUSH), filtered

    pieces = [_ZLIB_HEADER]
    for body, filtered in map_ordered(segment, strips(height, _SEGMENT_ROWS), threads):
        pieces.append(body)
        checksum = tools.adler32(filtered.data, checksum)
    pieces.append(struct.pack(">I", checksum))
    return _chunk(b"IDAT", b"".join(pieces))


def write_png(
    image: Rgb8, texts: Mapping[str, str] | None = None, xmp: bytes | None = None, threads: int = 2
) -> bytes:
    """Encode (h, w, 3) sRGB bytes losslessly.

    `texts` become tEXt chunks (Latin-1 keyword and text), `xmp` an iTXt chunk. Raises ValueError for an array
    of another shape or type.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"not an RGB byte image: {image.shape} {image.dtype}")
    height, width, _ = image.shape
    parts = [
        _SIGNATURE,
        _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        _chunk(b"sRGB", b"\0"),
        *(_text_chunk(keyword, text) for keyword, text in (texts or {}).items()),
    ]
    if xmp is not None:
        parts.append(_xmp_chunk(xmp))
    parts += [_pixel_chunk(np.ascontiguousarray(image), threads), _chunk(b"IEND", b"")]
    return b"".join(parts)
