"""Decoding a provider's results and fitting references into a provider's limits. Runs inside a worker."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import msgspec
from PIL import Image, ImageOps

from aquatint.sandbox.containers import kind_of, png_is_whole
from aquatint.sandbox.errors import Refused
from aquatint.sandbox.pixels import foreign_profile, has_transparency, orientation_of, to_plain_rgb
from aquatint.sandbox.results import CheckedImage, ReferenceBox, ResultWish, Work

_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_FORMATS = {media_type: kind for kind, media_type in _MEDIA_TYPES.items()}
_QUALITIES = (95, 90, 85, 75)
_ON_ITS_SIDE = 5  # EXIF orientations from here on exchange width and height
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
    image, media_type = _opened(data)
    size = image.size if orientation_of(image) < _ON_ITS_SIDE else image.size[::-1]
    wanted = wish.media_type or media_type
    if wish.shrink_to is not None and _larger(size, wish.shrink_to):
        image = ImageOps.fit(_plain(image, wanted), wish.shrink_to, Image.Resampling.LANCZOS)
    elif wanted == media_type:
        return CheckedImage(data, media_type, *size)
    return _written(image, wanted, 95)


def _larger(size: tuple[int, int], than: tuple[int, int]) -> bool:
    return size[0] >= than[0] and size[1] >= than[1] and size != than


def _fit(data: bytes, box: ReferenceBox) -> CheckedImage:
    Image.MAX_IMAGE_PIXELS = None  # the intake has checked it
    image, kind = _opened(data)
    width, height = image.size
    if max(width, height) > box.max_aspect * min(width, height):
        raise Refused(f"the image is {width} x {height} pixels; the provider takes none so long and narrow")
    scale = min(1.0, box.max_side / max(width, height), (box.max_pixels / (width * height)) ** 0.5)
    if min(width, height) * scale < box.min_side:
        raise Refused(f"the image is {width} x {height} pixels; the provider takes none so small")
    # A provider that takes neither its kind nor JPEG takes whatever it names first.
    media_type = next(kind for kind in (kind, "image/jpeg", *box.media_types) if kind in box.media_types)
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


def _opened(data: bytes) -> tuple[Image.Image, str]:
    """The decoded picture and its media type."""
    kind = kind_of(data)
    if kind not in _MEDIA_TYPES:
        raise Refused("the file is not an image of a known format")
    if kind == "PNG" and not png_is_whole(data):
        raise Refused("the image file is incomplete")
    image = Image.open(io.BytesIO(data), formats=(kind,))
    image.load()
    return image, _MEDIA_TYPES[kind]


def _plain(image: Image.Image, media_type: str) -> Image.Image:
    """Upright and 8-bit; transparency survives where the format can hold it and lies on white where it cannot.

    What is written anew loses the metadata that say how to turn it and how to read its colours.
    """
    turned = orientation_of(image)
    if has_transparency(image) and media_type != "image/jpeg":
        upright = image if turned == 1 else ImageOps.exif_transpose(image)
        return upright.convert("RGBA")
    return to_plain_rgb(image, turned, foreign_profile(image))


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
