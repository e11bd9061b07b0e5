"""The intake of untrusted images: check, decode, make plain, drop all metadata. Runs inside a worker."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable

import msgspec
from PIL import Image

from aquatint.sandbox.containers import (
    bare_jpeg,
    bare_png,
    bare_webp,
    jpeg_scan_markers,
    kind_of,
    looks_like_web_page,
    png_is_whole,
    stated_size,
)
from aquatint.sandbox.errors import Refused
from aquatint.sandbox.images import CleanImage, IntakeLimits, IntakeRequest
from aquatint.sandbox.pixels import foreign_profile, has_transparency, orientation_of, to_plain_rgb

_ALWAYS_READ = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
_NAMES = {"HEIF": "HEIC", "WEBP": "WebP"}
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_STRIPPERS: dict[str, Callable[[bytes], bytes | None]] = {"JPEG": bare_jpeg, "PNG": bare_png, "WEBP": bare_webp}
_LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF")
_PNG_PIXELS = 8_000_000  # above this a PNG takes seconds to write; JPEG at 95 without subsampling looks the same


def clean(request: bytes, progress: Callable[[float, str], None]) -> bytes:
    """The job: a msgpack IntakeRequest in, a msgpack CleanImage out. Raises Refused."""
    order = msgspec.msgpack.decode(request, type=IntakeRequest)
    return msgspec.msgpack.encode(clean_data(order.data, order.limits))


def clean_data(data: bytes, limits: IntakeLimits) -> CleanImage:
    """Clean one image.

    A plain sRGB JPEG, PNG or WebP keeps its coded picture bit for bit and only loses its metadata; everything
    else is decoded and written anew. Raises Refused with a sentence that the caller may read.
    """
    kind = _check_container(data, limits)
    with warnings.catch_warnings():
        # Pillow only warns up to twice its limit; for us the limit is the limit.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        Image.MAX_IMAGE_PIXELS = limits.max_pixels
        try:
            return _read(kind, data, limits)
        except Refused:
            raise
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Refused(f"the image has more than {_megapixels(limits)} megapixels") from error
        except MemoryError as error:
            raise Refused("the image needs more memory to read than is allowed") from error
        except Exception as error:  # decoders raise anything at all on hostile bytes
            cut = "truncated" in str(error) or isinstance(error, EOFError)
            raise Refused("the image file is incomplete" if cut else "the image file is damaged") from error


def _check_container(data: bytes, limits: IntakeLimits) -> str:
    if len(data) > limits.max_bytes:
        raise Refused(
            f"the image file has {_mebibytes(len(data))} MB; at most {_mebibytes(limits.max_bytes)} are accepted"
        )
    kind = kind_of(data)
    readable = (*_ALWAYS_READ, *limits.extra_formats)
    if kind not in readable:
        names = ", ".join(_NAMES.get(name, name) for name in readable)
        if kind is not None:
            raise Refused(f"{_NAMES.get(kind, kind)} images are not accepted here; accepted are {names}")
        if looks_like_web_page(data):
            raise Refused("the address leads to a web page, not to an image file")
        raise Refused(f"the file is not an image of an accepted format ({names})")
    if kind == "JPEG" and jpeg_scan_markers(data) > limits.max_scans:
        raise Refused(f"the JPEG has more than {limits.max_scans} scans")
    size = stated_size(kind, data)
    if size is not None:
        _check_size(*size, limits)
    return kind


def _check_size(width: int, height: int, limits: IntakeLimits) -> None:
    if width * height > limits.max_pixels:
        raise Refused(
            f"the image is {width} x {height} pixels; at most {_megapixels(limits)} megapixels are accepted"
        )
    if min(width, height) < limits.min_side:
        raise Refused(f"the image is {width} x {height} pixels; each side must have at least {limits.min_side}")
    if max(width, height) > limits.max_aspect * min(width, height):
        raise Refused(
            f"the image is {width} x {height} pixels; its longer side may be at most "
            f"{limits.max_aspect:g} times its shorter side"
        )


def _read(kind: str, data: bytes, limits: IntakeLimits) -> CleanImage:
    if kind == "PNG" and not png_is_whole(data):
        raise Refused("the image file is incomplete")
    Image.init()
    if kind not in Image.OPEN:
        raise Refused(f"this server cannot read {_NAMES.get(kind, kind)} images")
    with Image.open(io.BytesIO(data), formats=(kind,)) as image:
        _check_size(*image.size, limits)
        profile = foreign_profile(image)
        if orientation_of(image) == 1 and profile is None and image.mode == "RGB" and not has_transparency(image):
            kept = _keep_coded(kind, data)
            if kept is not None:
                return kept
        image.load()
        _check_size(*image.size, limits)
        # Asked again: some decoders turn the picture themselves while loading, and say so only afterwards.
        plain = to_plain_rgb(image, orientation_of(image), profile)
    return _write(kind, plain)


def _keep_coded(kind: str, data: bytes) -> CleanImage | None:
    """The picture as it is coded, without the rest; decoded once to be sure that it is whole."""
    strip = _STRIPPERS.get(kind)
    bare = strip(data) if strip is not None else None
    if bare is None:
        return None
    with Image.open(io.BytesIO(bare), formats=(kind,)) as image:
        image.load()
        return CleanImage(bare, _MEDIA_TYPES[kind], *image.size)


def _write(kind: str, image: Image.Image) -> CleanImage:
    out = io.BytesIO()
    as_jpeg = kind in _LOSSY or image.width * image.height > _PNG_PIXELS
    if as_jpeg:
        image.save(out, "JPEG", quality=95, subsampling=0)
    else:
        image.save(out, "PNG", compress_level=1)
    return CleanImage(out.getvalue(), _MEDIA_TYPES["JPEG" if as_jpeg else "PNG"], *image.size)


def _megapixels(limits: IntakeLimits) -> str:
    return f"{limits.max_pixels / 1_000_000:g}"


def _mebibytes(count: int) -> str:
    return f"{count / (1 << 20):.4g}"
