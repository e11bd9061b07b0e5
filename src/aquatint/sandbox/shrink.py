"""Large pictures made small ones. Runs inside a worker."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import msgspec
from PIL import Image

from aquatint.sandbox.errors import Refused
from aquatint.sandbox.pixels import foreign_profile, has_transparency, orientation_of, to_plain_rgb
from aquatint.sandbox.thumbs import ThumbRequest

_KINDS = ("JPEG", "PNG", "WEBP")
_QUALITY = 82
_MAX_PIXELS = 64_000_000


def shrink(request: bytes, progress: Callable[[float, str], None]) -> bytes:
    """The job: a msgpack ThumbRequest in, a WebP of that width at most out. Raises Refused."""
    order = msgspec.msgpack.decode(request, type=ThumbRequest)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = _MAX_PIXELS
        try:
            return _shrunk(order)
        except Exception as error:  # decoders raise anything at all on hostile bytes
            raise Refused("the image cannot be made smaller") from error


def _shrunk(order: ThumbRequest) -> bytes:
    with Image.open(io.BytesIO(order.data), formats=_KINDS) as image:
        height = max(1, round(image.height * order.width / image.width))
        turned, profile = orientation_of(image), foreign_profile(image)
        image.draft("RGB", (order.width, height))  # a JPEG is not decoded larger than it needs to be
        image.thumbnail((order.width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        plain = image.convert("RGBA") if has_transparency(image) else to_plain_rgb(image, turned, profile)
        out = io.BytesIO()
        plain.save(out, "WEBP", quality=_QUALITY, method=3)
        return out.getvalue()
