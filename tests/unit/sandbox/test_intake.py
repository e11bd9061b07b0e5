"""Reference images: hostile ones are refused in plain words, cheaply; good ones come out plain."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable

import numpy as np
import pictures as p
import psutil
import pytest
import pytest_asyncio
from PIL import Image

from aquatint.sandbox.errors import Refused, SandboxRefused
from aquatint.sandbox.images import INTAKE_MODULE, IntakeLimits, clean_image
from aquatint.sandbox.intake import clean_data
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")

MEBIBYTE = 1 << 20
RESERVED_WORDS = ("safety", "explicit", "timeout", "timed out", "network", "socket", "flagged", "moderation")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    sandbox = Sandbox(1, Limits(address_space=3 << 29, cpu_seconds=10), warm=(INTAKE_MODULE,))
    await sandbox.open()
    yield sandbox
    await sandbox.close()


def cut(data: bytes, part: float = 0.6) -> bytes:
    return data[: int(len(data) * part)]


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not an image"),
    "text": (lambda: b"hello " * 100, "not an image"),
    "web page": (lambda: b"\n<!DOCTYPE html><html>404</html>", "web page"),
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>', "not an image"),
    "svg bomb": (lambda: b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa">]><svg>&a;</svg>', "not an image"),
    "eps": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "not an image"),
    "pdf": (lambda: b"%PDF-1.7\n" + b" " * 500, "not an image"),
    "zip": (lambda: b"PK\x03\x04" + b"\0" * 500, "not an image"),
    "psd": (lambda: b"8BPS\0\x01" + b"\0" * 500, "not an image"),
    "jpeg 2000": (lambda: p.encoded(p.photo(), "JPEG2000"), "not an image"),
    "ico": (lambda: p.encoded(p.photo(64, 64), "ICO"), "not an image"),
    "tga": (lambda: p.encoded(p.photo(), "TGA"), "not an image"),
    "fits": (lambda: b"SIMPLE  =                    T" + b" " * 3000, "not an image"),
    "mp4": (lambda: b"\0\0\0\x20ftypisom" + b"\0" * 500, "not an image"),
    "tiff": (lambda: p.encoded(p.photo(), "TIFF"), "TIFF images are not accepted"),
    "avif": (lambda: b"\0\0\0\x20ftypavif" + b"\0" * 500, "AVIF images are not accepted"),
    "heic": (lambda: b"\0\0\0\x20ftypheic" + b"\0" * 500, "HEIC images are not accepted"),
    "too many bytes": (lambda: p.encoded(p.photo(), "JPEG") + bytes(20 * MEBIBYTE), "at most 20 are accepted"),
    "png 1 bit 30000 squared": (lambda: p.png(30000, 30000, 1, 0), "30000 x 30000 pixels; at most 36 megapixels"),
    "png 16000 squared": (lambda: p.png(16000, 16000, rows=200), "16000 x 16000 pixels"),
    "png just over": (lambda: p.png(6001, 6000, rows=1), "6001 x 6000 pixels"),
    "png interlaced 20000 squared": (lambda: p.png(20000, 20000, rows=10, lace=1), "megapixels"),
    "png one column": (lambda: p.png(1, 50_000_000, 1, 0), "megapixels"),
    "png one row": (lambda: p.png(30_000_000, 1, 1, 0), "each side"),
    "png lies about two billion": (lambda: p.png(2**31 - 1, 2**31 - 1, rows=0), "megapixels"),
    "png lies about four billion": (lambda: p.png(2**32 - 1, 20, rows=0), "megapixels"),
    "png without size": (lambda: p.png(0, 0, rows=0), "each side"),
    "png profile bomb": (p.profile_bomb, "damaged"),
    "png text bomb": (p.text_bomb, "damaged"),
    "png many text bombs": (p.many_text_bombs, "damaged"),
    "png signature only": (lambda: b"\x89PNG\r\n\x1a\n", ""),
    "png without data": (lambda: p.png(100, 100, rows=0), ""),
    "png with half the rows": (lambda: p.png(100, 100, rows=50), "incomplete"),
    "interlaced png with half the rows": (lambda: p.png(100, 100, rows=50, lace=1), "incomplete"),
    "png cut": (lambda: cut(p.encoded(p.photo(), "PNG")), "incomplete"),
    "png broken check sum": (p.damaged_crc, "damaged"),
    "png 14 pixels": (lambda: p.encoded(p.photo(14, 100), "PNG"), "14 x 100 pixels; each side must have at least 15"),
    "png too long": (lambda: p.encoded(p.photo(400, 24), "PNG"), "at most 16 times"),
    "jpeg 20000 squared": (lambda: p.huge_jpeg(20000), "20000 x 20000 pixels; at most 36 megapixels are accepted"),
    "jpeg 65500 squared": (lambda: p.huge_jpeg(65500), "megapixels"),
    "jpeg with a thousand scans": (lambda: p.scan_bomb(1000), "more than 64 scans"),
    "jpeg cut": (lambda: cut(p.encoded(p.photo(), "JPEG")), "incomplete"),
    "jpeg cut in its last row": (lambda: cut(p.encoded(p.photo(600, 400), "JPEG"), 0.97), "incomplete"),
    "progressive jpeg cut": (lambda: cut(p.encoded(p.photo(), "JPEG", progressive=True)), "incomplete"),
    "jpeg head only": (lambda: b"\xff\xd8\xff\xe0\x00\x10JFIF\0", ""),
    "jpeg of noise": (lambda: b"\xff\xd8\xff" + random.Random(1).randbytes(5000), ""),
    "jpeg endless segment": (lambda: b"\xff\xd8" + b"\xff\xe1\xff\xff" + b"x" * 100, ""),
    "webp 16383 x 12000": (lambda: p.webp_lossless(16383, 12000), "16383 x 12000 pixels"),
    "webp canvas of 2^48": (lambda: p.webp_canvas(1 << 24, 1 << 24), "megapixels"),
    "webp cut": (lambda: cut(p.encoded(p.photo(), "WEBP")), ""),
    "webp lossless cut": (lambda: cut(p.encoded(p.photo(), "WEBP", lossless=True)), ""),
    "webp empty": (lambda: b"RIFF\x04\0\0\0WEBP", ""),
    "gif 65535 squared": (lambda: p.gif(65535, 65535), "megapixels"),
    "gif frame beyond its screen": (lambda: p.gif(64, 64, (65535, 65535)), ""),
    "gif cut": (lambda: cut(p.encoded(p.photo(mode="P"), "GIF")), "incomplete"),
    "bmp 30000 squared": (lambda: p.bmp(30000, 30000), "megapixels"),
    "bmp upside down and huge": (lambda: p.bmp(30000, -30000), "megapixels"),
    "bmp cut": (lambda: cut(p.encoded(p.photo(), "BMP")), "incomplete"),
}


async def test_the_table_is_long_enough() -> None:
    assert len(HOSTILE) >= 50


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_images_are_refused(name: str, sandbox: Sandbox) -> None:
    make, words = HOSTILE[name]
    data = make()
    started = time.monotonic()
    with pytest.raises(SandboxRefused) as refusal:
        await clean_image(sandbox, data)
    assert time.monotonic() - started < 2
    message = refusal.value.message
    assert words in message
    assert not message[:3].isdigit()
    assert not [word for word in RESERVED_WORDS if word in message]
    assert peak_memory() < 300 * MEBIBYTE


def peak_memory() -> int:
    """Largest resident size of the workers so far, in bytes."""
    peaks = []
    for child in psutil.Process().children():
        if "aquatint.sandbox.worker" not in child.cmdline():
            continue  # a server of other tests
        with open(f"/proc/{child.pid}/status") as status:  # noqa: PTH123
            peaks += [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM")]
    assert peaks
    return max(peaks)


@pytest.mark.parametrize("extra", ["TIFF", "AVIF"])
async def test_formats_can_be_turned_on(extra: str) -> None:
    limits = IntakeLimits(extra_formats=("TIFF", "AVIF", "HEIF"))
    clean = clean_data(p.encoded(p.photo(), extra, exif=p.gps_exif(6)), limits)
    assert (clean.width, clean.height) == (160, 240)
    assert p.SECRET not in clean.data
    with pytest.raises(Refused, match="megapixels"):
        clean_data(p.encoded(Image.new("1", (6001, 6000)), "TIFF"), limits)
    with pytest.raises(Refused, match="HEIC"):
        clean_data(b"\0\0\0\x20ftypheic" + b"\0" * 500, limits)


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("make", [p.jpeg_with_everything, p.png_with_everything, p.webp_with_everything])
async def test_where_it_was_taken_never_survives(make: Callable[[int], bytes], orientation: int) -> None:
    source = make(orientation)
    assert p.SECRET in source
    clean = clean_data(source, IntakeLimits())
    assert p.SECRET not in clean.data
    for mark in (b"Exif", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"Photoshop", b"adobe", b"XMP ", b"EXIF"):
        assert mark not in clean.data
    image = p.decoded(clean.data)
    assert not image.getexif()
    assert not set(image.info) & {"exif", "xmp", "comment", "icc_profile", "Location", "photoshop"}
    assert (clean.width, clean.height) == ((240, 160) if orientation == 1 else (160, 240)) == image.size


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 80}),
        ("JPEG", {"quality": 80, "progressive": True}),
        ("JPEG", {"quality": 90, "restart_marker_rows": 1}),
        ("JPEG", {"quality": 90, "subsampling": 0, "dpi": (300, 300)}),
        ("PNG", {}),
        ("PNG", {"dpi": (300, 300)}),
        ("WEBP", {"quality": 80}),
        ("WEBP", {"lossless": True}),
    ],
)
@pytest.mark.parametrize("profile", [None, p.srgb_profile()])
async def test_plain_pictures_keep_every_pixel(kind: str, options: dict[str, object], profile: bytes | None) -> None:
    exif = {} if kind == "PNG" else {"exif": p.gps_exif()}
    source = p.encoded(p.photo(), kind, icc_profile=profile, **exif, **options)
    clean = clean_data(source, IntakeLimits())
    assert clean.media_type == f"image/{kind.lower()}"
    assert np.array_equal(p.decoded(clean.data), p.decoded(source))
    assert len(clean.data) <= len(source)


@pytest.mark.parametrize("orientation", range(1, 9))
async def test_orientation_is_applied(orientation: int) -> None:
    upright = p.photo(120, 80)
    stored_as = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if stored_as is None else upright.transpose(stored_as)
    clean = clean_data(p.encoded(stored, "PNG", exif=p.gps_exif(orientation)), IntakeLimits())
    assert np.array_equal(p.decoded(clean.data), upright)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_colours_go_through_the_profile(kind: str) -> None:
    """In the swapped space, red numbers mean green light."""
    red = Image.new("RGB", (64, 64), (250, 10, 10))
    clean = clean_data(p.encoded(red, kind, icc_profile=p.swapped_profile()), IntakeLimits())
    r, g, b = np.asarray(p.decoded(clean.data))[32, 32].tolist()
    assert g > 200
    assert r < 60
    assert b < 60
    assert "icc_profile" not in p.decoded(clean.data).info


@pytest.mark.parametrize("profile", [b"x" * 500, b"", p.srgb_profile()[:200]])
async def test_broken_profiles_are_ignored(profile: bytes) -> None:
    source = p.encoded(p.photo(), "JPEG", icc_profile=profile)
    assert np.array_equal(p.decoded(clean_data(source, IntakeLimits()).data), p.decoded(source))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *(("L", kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP")),
        *(("1", kind) for kind in ("PNG", "BMP")),
        *(("P", kind) for kind in ("PNG", "GIF", "BMP")),
        ("CMYK", "JPEG"),
        ("RGB", "BMP"),
        ("LA", "PNG"),
        ("RGBA", "PNG"),
        ("RGBA", "WEBP"),
    ],
)
async def test_every_mode_becomes_rgb(mode: str, kind: str) -> None:
    source = p.photo(mode=mode)
    clean = clean_data(p.encoded(source, kind), IntakeLimits())
    image = p.decoded(clean.data)
    assert image.mode == "RGB"
    assert image.size == (240, 160) == (clean.width, clean.height)
    assert image.format is not None
    assert clean.media_type == f"image/{image.format.lower()}"
    expected = np.asarray(p.decoded(p.encoded(source, kind)).convert("RGB"), dtype=float)
    assert np.abs(np.asarray(image, dtype=float) - expected).mean() < 4


async def test_sixteen_bits_become_eight() -> None:
    ramp = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(1, 256).repeat(32, 0)
    image = p.decoded(clean_data(p.encoded(Image.fromarray(ramp), "PNG"), IntakeLimits()).data)
    assert image.mode == "RGB"
    assert np.abs(np.asarray(image)[0, :, 0].astype(int) - np.arange(256)).max() <= 1


async def test_sixteen_bit_colour_is_written_anew() -> None:
    clean = clean_data(p.png(64, 64, 16, 2), IntakeLimits())
    assert p.decoded(clean.data).mode == "RGB"
    assert clean.data[24] == 8  # bits a channel


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
async def test_transparency_is_laid_on_white(mode: str) -> None:
    source = Image.new("RGBA", (64, 64), (200, 0, 0, 0))
    source.paste((0, 0, 200, 255), (0, 0, 32, 64))
    if mode == "P":
        data = p.encoded(source, "GIF")
    else:
        data = p.encoded(source.convert(mode), "PNG")
    pixels = np.asarray(p.decoded(clean_data(data, IntakeLimits()).data))
    assert pixels[32, 50].tolist() == [255, 255, 255]
    assert pixels[32, 10].tolist() != [255, 255, 255]


async def test_one_transparent_colour_in_rgb() -> None:
    clean = clean_data(
        p.encoded(Image.new("RGB", (32, 32), (1, 2, 3)), "PNG", transparency=(1, 2, 3)), IntakeLimits()
    )
    assert np.asarray(p.decoded(clean.data)).min() == 255


async def test_animations_give_their_first_picture() -> None:
    clean = clean_data(p.animated_gif(20), IntakeLimits())
    first = p.decoded(p.animated_gif(20)).convert("RGB")
    assert np.array_equal(p.decoded(clean.data), first)
    frames = [p.photo(90, 60), p.photo(90, 60).rotate(180)]
    for kind in ("WEBP", "PNG"):
        data = p.encoded(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
        clean = clean_data(data, IntakeLimits())
        assert getattr(p.decoded(clean.data), "n_frames", 1) == 1
        assert (clean.width, clean.height) == (90, 60)


async def test_a_file_of_many_pictures_gives_the_first() -> None:
    data = p.encoded(p.photo(), "MPO", save_all=True, append_images=[p.photo(80, 80)])
    clean = clean_data(data, IntakeLimits())
    assert clean.media_type == "image/jpeg"
    assert np.array_equal(p.decoded(clean.data), p.decoded(data))
    assert clean.data.count(b"\xff\xd9") == 1


@pytest.mark.parametrize("colour", [0, 2, 3, 4, 6])
@pytest.mark.parametrize("size", [(16, 16), (33, 17), (100, 61)])
async def test_interlaced_pictures_are_whole(size: tuple[int, int], colour: int) -> None:
    """Rows of all seven passes are counted right; one byte less is too few."""
    width, height = size
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    needed = 0
    for left, top, across, down in passes:
        columns, rows = len(range(left, width, across)), len(range(top, height, down))
        needed += rows * (1 + columns * channels) if columns else 0
    palette = p.chunk(b"PLTE", bytes(768)) if colour == 3 else b""
    whole = p.png(width, height, 8, colour, lace=1, extra=palette, data_bytes=needed)
    clean = clean_data(whole, IntakeLimits())
    assert (clean.width, clean.height) == size
    with pytest.raises(Refused, match="incomplete"):
        clean_data(p.png(width, height, 8, colour, lace=1, extra=palette, data_bytes=needed - 1), IntakeLimits())


async def test_limits_are_inclusive() -> None:
    clean_data(p.encoded(p.photo(15, 15 * 16), "PNG"), IntakeLimits())
    clean_data(p.encoded(p.photo(60, 50), "PNG"), IntakeLimits(max_pixels=3000))
    with pytest.raises(Refused, match=r"0\.002999 megapixels"):
        clean_data(p.encoded(p.photo(60, 50), "PNG"), IntakeLimits(max_pixels=2999))
    data = p.encoded(p.photo(), "JPEG")
    clean_data(data, IntakeLimits(max_bytes=len(data)))
    with pytest.raises(Refused, match="MB"):
        clean_data(data, IntakeLimits(max_bytes=len(data) - 1))


async def test_the_largest_photo_passes(sandbox: Sandbox) -> None:
    """36 megapixels, turned: the most work that the rules allow."""
    source = p.encoded(p.photo(720, 500).resize((7200, 5000)), "JPEG", quality=60, exif=p.gps_exif(8))
    started = time.monotonic()
    clean = await clean_image(sandbox, source)
    assert time.monotonic() - started < 10
    assert (clean.width, clean.height, clean.media_type) == (5000, 7200, "image/jpeg")


async def test_many_at_once(sandbox: Sandbox) -> None:
    source = p.encoded(p.photo(), "JPEG")
    cleaned = await asyncio.gather(*(clean_image(sandbox, source) for _ in range(20)))
    assert len({one.data for one in cleaned}) == 1


SEEDS = {
    "jpeg": lambda: p.jpeg_with_everything(),
    "progressive": lambda: p.encoded(p.photo(), "JPEG", progressive=True),
    "png": lambda: p.png_with_everything(),
    "palette": lambda: p.encoded(p.photo(mode="P"), "PNG"),
    "webp": lambda: p.webp_with_everything(),
    "lossless": lambda: p.encoded(p.photo(mode="RGBA"), "WEBP", lossless=True),
    "gif": lambda: p.animated_gif(3),
    "bmp": lambda: p.encoded(p.photo(64, 64), "BMP"),
    "profile": lambda: p.encoded(p.photo(64, 64), "JPEG", icc_profile=p.swapped_profile()),
}


@pytest.mark.parametrize("name", SEEDS)
async def test_mutated_files_are_cleaned_or_refused(name: str, sandbox: Sandbox) -> None:
    """No crash, no hang, no other exception: SandboxCrashed or SandboxTimedOut would fail this test."""
    source, chance = SEEDS[name](), random.Random(name)
    outcomes = {"cleaned": 0, "refused": 0}
    for _ in range(60):
        data = bytearray(source)
        for _ in range(chance.choice((1, 2, 8))):
            data[chance.randrange(min(len(data), chance.choice((64, 1024, len(data)))))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        try:
            clean = await clean_image(sandbox, bytes(data), IntakeLimits(wall_seconds=5))
        except SandboxRefused:
            outcomes["refused"] += 1
        else:
            outcomes["cleaned"] += 1
            assert p.decoded(clean.data).size == (clean.width, clean.height)
    assert outcomes["refused"]
