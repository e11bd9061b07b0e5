"""Image files as containers: what they are, how large they say they are, and how to drop all but the picture.

Nothing here decodes pixels. Every function reads untrusted bytes in time that grows with their number only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from isal import isal_zlib as zlib

_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")

# JPEG markers (ITU-T T.81, table B.1).
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_RESTARTS = range(0xD0, 0xD8)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_APP0, _APP14, _APP15, _COMMENT = 0xE0, 0xEE, 0xEF, 0xFE
_JFIF_HEAD_BYTES = 14  # of the payload; a thumbnail may follow
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_INFLATE_STEP = 1 << 20
_PNG_PICTURE = (b"IHDR", b"PLTE", b"IDAT", b"IEND")


def kind_of(data: bytes) -> str | None:
    """The format by content, in Pillow's spelling, or None: JPEG, PNG, WEBP, BMP, GIF, TIFF, AVIF, HEIF."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(_PNG_SIGNATURE):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF"
    if data[4:8] == b"ftyp":
        if data[8:12] in _AVIF_BRANDS:
            return "AVIF"
        return "HEIF" if data[8:12] in _HEIC_BRANDS else None
    if data[:2] == b"BM" and len(data) >= 26:
        return "BMP"
    return None


def looks_like_web_page(data: bytes) -> bool:
    """Whether the bytes are HTML: the most common mistake of all."""
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def stated_size(kind: str, data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as the header states them; None where the header is not read here or
    broken.
    """
    try:
        match kind:
            case "JPEG":
                return _jpeg_size(data)
            case "PNG":
                width, height = struct.unpack_from(">II", data, 16)
                return (width, height) if data[12:16] == b"IHDR" else None
            case "GIF":
                width, height = struct.unpack_from("<HH", data, 6)
                return (width, height)
            case "BMP":
                old_header = struct.unpack_from("<I", data, 14) == (12,)
                width, height = struct.unpack_from("<HH" if old_header else "<ii", data, 18)
                return (abs(width), abs(height))
            case "WEBP":
                return _webp_size(data)
    except struct.error:
        return None
    return None


def jpeg_scan_markers(data: bytes) -> int:
    """How often the start-of-scan marker occurs: an upper bound of the scans, thumbnails included."""
    return data.count(b"\xff\xda")


def bare_jpeg(data: bytes) -> bytes | None:
    """The same JPEG without EXIF, XMP, ICC, comments, thumbnails and anything after its end.

    The coded picture is unchanged, bit for bit. None when the structure is not plain.
    """
    kept = [data[:2]]
    at = 2
    while (marker := _marker_at(data, at)) is not None:
        if marker == _EOI:
            kept.append(data[at : at + 2])
            return b"".join(kept)
        end = _jpeg_segment_end(data, at)
        if end is None:
            return None
        segment = data[at:end]
        if marker == _APP0:
            kept.append(_plain_jfif(segment))
        elif marker == _APP14 or not (_APP0 < marker <= _APP15 or marker == _COMMENT):
            kept.append(segment)
        at = end
        if marker == _SOS:
            following = _NEXT_MARKER.search(data, at)
            if following is None:
                return None
            kept.append(data[at : following.start()])
            at = following.start()
    return None


def bare_png(data: bytes) -> bytes | None:
    """The same PNG with its picture chunks only. None unless it is 8-bit RGB without transparency."""
    kept = [_PNG_SIGNATURE]
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name = data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data) or name == b"tRNS" or (name == b"IHDR" and data[at + 16 : at + 18] != b"\x08\x02"):
            return None
        if name in _PNG_PICTURE:
            kept.append(data[at:end])
        if name == b"IEND":
            return b"".join(kept)
        at = end
    return None


def png_is_whole(data: bytes) -> bool:
    """Whether the compressed data hold every row: Pillow fills missing rows with black and says nothing.

    Inflates no more than the header promises. True for headers that only a decoder can judge.
    """
    try:
        width, height, depth, colour, _, _, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    except struct.error:
        return False
    channels = _PNG_CHANNELS.get(colour)
    if channels is None or interlace > 1:
        return True
    passes = _ADAM7 if interlace else ((0, 0, 1, 1),)
    missing = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            missing += rows * (1 + (columns * channels * depth + 7) // 8)
    inflater = zlib.decompressobj()
    for piece in _png_data(data):
        while piece and missing > 0 and not inflater.eof:
            missing -= len(inflater.decompress(piece, _INFLATE_STEP))
            piece = inflater.unconsumed_tail
    return missing <= 0


def bare_webp(data: bytes) -> bytes | None:
    """The same still WebP as a simple file: one picture chunk, nothing else. None when animated or with
    alpha.
    """
    picture: bytes | None = None
    at = 12
    while at + 8 <= len(data):
        name = data[at : at + 4]
        (length,) = struct.unpack_from("<I", data, at + 4)
        end = at + 8 + length
        if end > len(data) or name in (b"ANIM", b"ANMF", b"ALPH"):
            return None
        if name in (b"VP8 ", b"VP8L"):
            if picture is not None:
                return None
            picture = data[at:end] + b"\0" * (length & 1)
        at = end + (length & 1)
    if picture is None:
        return None
    return b"RIFF" + struct.pack("<I", 4 + len(picture)) + b"WEBP" + picture


def _png_data(data: bytes) -> Iterator[bytes]:
    at = len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if data[at + 4 : at + 8] == b"IDAT":
            yield data[at + 8 : at + 8 + length]
        at += 12 + length


def _marker_at(data: bytes, at: int) -> int | None:
    if at + 2 > len(data) or data[at] != 0xFF:
        return None
    return data[at + 1]


def _jpeg_segment_end(data: bytes, at: int) -> int | None:
    """Where the segment that starts at `at` ends (for a scan: where its coded data begin); None if out of
    bounds.
    """
    marker = data[at + 1]
    if marker in _RESTARTS or marker == _TEM:
        return at + 2
    if marker in (0x00, 0xFF, _SOI) or at + 4 > len(data):
        return None
    (length,) = struct.unpack_from(">H", data, at + 2)
    end = at + 2 + length
    return end if length >= 2 and end <= len(data) else None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while (marker := _marker_at(data, at)) is not None:
        if marker == 0xFF:
            at += 1  # fill byte
            continue
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return (width, height)
        end = _jpeg_segment_end(data, at)
        if end is None or marker == _SOS:
            return None
        at = end
    return None


def _plain_jfif(segment: bytes) -> bytes:
    """A JFIF header without its thumbnail; nothing for other uses of the segment."""
    payload = segment[4:]
    if not payload.startswith(b"JFIF\0") or len(payload) < _JFIF_HEAD_BYTES:
        return b""
    return b"\xff\xe0" + struct.pack(">H", _JFIF_HEAD_BYTES + 2) + payload[: _JFIF_HEAD_BYTES - 2] + b"\0\0"


def _webp_size(data: bytes) -> tuple[int, int] | None:
    name = data[12:16]
    if name == b"VP8X":
        width, height = (int.from_bytes(data[at : at + 3], "little") + 1 for at in (24, 27))
        return (width, height)
    if name == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return ((bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1)
    if name == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return (width & 0x3FFF, height & 0x3FFF)
    return None
