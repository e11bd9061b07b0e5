"""Encoding a finished picture as PNG, JPEG or WebP, with its provenance inside."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from aquatint.engines.studio.finish.metadata import Provenance, text_fields, xmp_packet
from aquatint.engines.studio.finish.png import write_png
from aquatint.engines.studio.styles.base import Rgb8

Format = Literal["png", "jpeg", "webp"]
FORMATS: tuple[Format, ...] = ("png", "jpeg", "webp")

_JPEG_QUALITY = 92
_WEBP_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Encoded:
    """One picture as a file in memory."""

    data: bytes
    media_type: str


def encode(image: Rgb8, output_format: Format, origin: Provenance, threads: int = 2) -> Encoded:
    """Encode (h, w, 3) sRGB bytes: PNG lossless, JPEG quality 92 without chroma subsampling, WebP quality 90."""
    xmp = xmp_packet(origin)
    match output_format:
        case "png":
            return Encoded(write_png(image, text_fields(origin), xmp, threads), "image/png")
        case "jpeg":
            options = {"quality": _JPEG_QUALITY, "subsampling": 0, "comment": text_fields(origin)["Software"]}
            return Encoded(_by_pillow(image, "JPEG", xmp, options), "image/jpeg")
        case "webp":
            # Method 0: the slower ones save some tenths of the file and cost seconds at 4k.
            return Encoded(_by_pillow(image, "WEBP", xmp, {"quality": _WEBP_QUALITY, "method": 0}), "image/webp")


def _by_pillow(image: Rgb8, kind: str, xmp: bytes, options: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, kind, xmp=xmp, **options)
    return buffer.getvalue()
