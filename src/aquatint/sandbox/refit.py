"""Decoding a provider's results and fitting references into a provider's limits. Runs inside a worker."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import msgspec
from PIL import Image, ImageOps

from aquatint.sandbox.containers import kind_of, png_is_whole
from aquatint.sandbox.errors import Refused
from aquatint.sandbox.results import CheckedImage, ReferenceBox, ResultWish, Work

_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_FORMATS = {media_type: kind for kind, media_type in _MEDIA_TYPES.items()}
_QUALITIES = (95, 90, 85, 75)
_SMALLER = 0.8  # each further step down when the file stays too large


def check(request: bytes, progress: Callable[[float, str], None]) -> bytes:
    """The job: a msgpack Work with a wish in, a msgpack CheckedImage out. Raises Refused."""
    work = msgspec.msgpack.decode(request, type=Work)
    return msgspec.msgpack.encode(_guarded(lambda: _check(work.data, work.wish or ResultWish())))


def fit(request: bytes, progress: Callable[[float, str], None]) -> bytes:
    """The job: a msgpack Work with a box in, a msgpack CheckedImage out. Raises Refused."""
    work = msgspec.msgpack.decode(request, type=Work)
    if work.box is None:
        raise ValueError("a reference is fitted into a box")
    box = work.box
    return msgspec.msgpack.encode(_guarded(lambda: _fit(work.data, box)))


def _guarded(read: Callable[[], CheckedImage]) -> CheckedImage:
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            return read()
        except Refused:
            raise
        except MemoryError as error:
            raise Refused("the image needs more memory to read than is allowed") from error
        except Exception as error:  # decoders raise anything at all on hostile bytes
            raise Refused("the image file is damaged") from error


def _check(data: bytes, wish: ResultWish) -> CheckedImage:
    Image.MAX_IMAGE_PIXELS = wish.max_pixels
    image = _opened(data)
    media_type = _MEDIA_TYPES[image.format or ""]
    wanted = wish.media_type or media_type
    if wish.shrink_to is not None and _larger(image.size, wish.shrink_to):
        image = ImageOps.fit(_plain(image, wanted), wish.shrink_to, Image.Resampling.LANCZOS)
    elif wanted == media_type:
        return CheckedImage(data, media_type, *image.size)
    return _written(image, wanted, 95)


def _larger(size: tuple[int, int], than: tuple[int, int]) -> bool:
    return size[0] >= than[0] and size[1] >= than[1] and size != than


def _fit(data: bytes, box: ReferenceBox) -> CheckedImage:
    Image.MAX_IMAGE_PIXELS = None  # the intake has checked it
    image = _opened(data)
    width, height = image.size
    if max(width, height) > box.max_aspect * min(width, height):
        raise Refused(f"the image is {width} x {height} pixels; the provider takes none so long and narrow")
    scale = min(1.0, box.max_side / max(width, height), (box.max_pixels / (width * height)) ** 0.5)
    if min(width, height) * scale < box.min_side:
        raise Refused(f"the image is {width} x {height} pixels; the provider takes none so small")
    kind = _MEDIA_TYPES[image.format or ""]
    media_type = kind if kind in box.media_types else "image/jpeg"
    while min(width, height) * scale >= box.min_side:
        sized = image if scale == 1.0 else image.resize(_scaled(image.size, scale), Image.Resampling.LANCZOS)
        for quality in _QUALITIES:
            fitted = _written(sized, media_type, quality)
            if len(fitted.data) <= box.max_bytes:
                return fitted
            media_type = "image/jpeg" if "image/jpeg" in box.media_types else media_type
        scale *= _SMALLER
    raise Refused("the image cannot be made small enough for the provider")


def _scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _opened(data: bytes) -> Image.Image:
    kind = kind_of(data)
    if kind not in _MEDIA_TYPES:
        raise Refused("the file is not an image of a known format")
    if kind == "PNG" and not png_is_whole(data):
        raise Refused("the image file is incomplete")
    image = Image.open(io.BytesIO(data), formats=(kind,))
    image.load()
    return image


def _plain(image: Image.Image, media_type: str) -> Image.Image:
    """A mode that the format can hold; transparency survives where it can and lies on white where it cannot."""
    transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    if not transparent:
        return image.convert("RGB")
    if media_type != "image/jpeg":
        return image.convert("RGBA")
    over = image.convert("RGBA")
    white = Image.new("RGBA", over.size, "white")
    return Image.alpha_composite(white, over).convert("RGB")


def _written(image: Image.Image, media_type: str, quality: int) -> CheckedImage:
    out = io.BytesIO()
    plain = _plain(image, media_type)
    match media_type:
        case "image/jpeg":
            plain.save(out, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
        case "image/webp":
            plain.save(out, "WEBP", quality=quality)
        case _:
            plain.save(out, "PNG", compress_level=1)
    return CheckedImage(out.getvalue(), media_type, *plain.size)
