"""Results and references in the sandbox: hostile bytes are refused, the rest becomes what was promised."""

from __future__ import annotations

import asyncio
import io
import struct
import time
from collections.abc import AsyncIterator, Callable

import pictures as p
import psutil
import pytest
import pytest_asyncio
from PIL import Image

from aquatint.sandbox.errors import SandboxError, SandboxRefused
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.sandbox.results import CheckedImage, ReferenceBox, ResultWish, check_result, fit_reference

pytestmark = pytest.mark.asyncio(loop_scope="module")

AS_IT_IS = ResultWish()
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
ALL = tuple(MEDIA_TYPES.values())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    opened = Sandbox(1, Limits(address_space=3 << 29, cpu_seconds=10), warm=("aquatint.sandbox.refit",))
    await opened.open()
    yield opened
    await opened.close()


def box(**more: object) -> ReferenceBox:
    fields = {"max_bytes": 10_000_000, "media_types": ALL, "max_pixels": 36_000_000, "min_side": 15}
    return ReferenceBox(**{**fields, "max_side": 100_000, "max_aspect": 16.0, **more})  # type: ignore[arg-type]


def opened(found: CheckedImage) -> Image.Image:
    """The picture, which is what it is said to be."""
    image = p.decoded(found.data)
    assert (MEDIA_TYPES[image.format or ""], image.size) == (found.media_type, (found.width, found.height))
    return image


def near(pixel: object, colour: tuple[int, ...], off: int = 12) -> bool:
    return all(abs(a - b) <= off for a, b in zip(pixel, colour, strict=True))  # type: ignore[call-overload]


def halves(size: tuple[int, int] = (80, 40)) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    return image


def see_through(mode: str = "RGBA") -> Image.Image:
    """Green, and see-through on the left."""
    image = Image.new("RGBA", (80, 40), (0, 200, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 40, 40))
    return image.convert(mode)


# what is no picture

HOSTILE: dict[str, Callable[[], bytes]] = {
    "nothing": lambda: b"",
    "text": lambda: b"hello " * 100,
    "web page": lambda: b"<!DOCTYPE html><html>Sign in</html>",
    "json": lambda: b'{"error": "expired"}',
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>',
    "eps": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n",
    "gif": lambda: p.encoded(p.photo(), "GIF"),
    "bmp": lambda: p.encoded(p.photo(), "BMP"),
    "tiff": lambda: p.encoded(p.photo(), "TIFF"),
    "mp4": lambda: b"\0\0\0\x20ftypisom" + b"\0" * 500,
    "png signature only": lambda: b"\x89PNG\r\n\x1a\n",
    "png without data": lambda: p.png(100, 100, rows=0),
    "png with half the rows": lambda: p.png(100, 100, rows=50),
    "png cut": lambda: p.encoded(p.photo(), "PNG")[:5000],
    "png broken check sum": p.damaged_crc,
    "png without size": lambda: p.png(0, 0, rows=0),
    "jpeg cut": lambda: p.encoded(p.photo(), "JPEG")[:3000],
    "jpeg head only": lambda: b"\xff\xd8\xff\xe0" + b"\0" * 100,
    "webp cut": lambda: p.encoded(p.photo(), "WEBP")[:1000],
    "webp head only": lambda: b"RIFF\0\0\0\0WEBP",
    "riff that is none": lambda: b"RIFF" + struct.pack("<I", 100) + b"WAVE" + bytes(100),
}
BOMBS: dict[str, Callable[[], bytes]] = {
    "png 30000 squared": lambda: p.png(30000, 30000, 1, 0),
    "png 16000 squared": lambda: p.png(16000, 16000, rows=200),
    "png lies about four billion": lambda: p.png(2**32 - 1, 20, rows=0),
    "png profile bomb": p.profile_bomb,
    "png text bomb": p.text_bomb,
    "png many text bombs": p.many_text_bombs,
    "jpeg 20000 squared": lambda: p.huge_jpeg(20000),
    "webp of 250 megapixels": lambda: p.webp_lossless(16000, 16000),
    "webp with a huge canvas": lambda: p.webp_canvas(16000, 16000),
}


@pytest.mark.parametrize("name", [*HOSTILE, *BOMBS])
async def test_hostile_results(sandbox: Sandbox, name: str) -> None:
    """Whatever a provider sends that is no whole picture is refused in plain words, and the worker lives on."""
    with pytest.raises(SandboxRefused) as caught:
        await check_result(sandbox, {**HOSTILE, **BOMBS}[name](), AS_IT_IS)
    assert caught.value.message.startswith("the ")
    assert "Traceback" not in caught.value.message


@pytest.mark.parametrize("name", list(HOSTILE))
async def test_hostile_references(sandbox: Sandbox, name: str) -> None:
    """What got into the store by mistake is refused as well."""
    with pytest.raises(SandboxRefused):
        await fit_reference(sandbox, HOSTILE[name](), box(max_side=50))


@pytest.mark.parametrize("name", list(BOMBS))
async def test_bombs_cost_little(sandbox: Sandbox, name: str) -> None:
    """A bomb costs its worker neither its life nor seconds, nor the server memory."""
    data = BOMBS[name]()
    before = psutil.Process().memory_info().rss
    began = time.monotonic()
    with pytest.raises(SandboxError):
        await check_result(sandbox, data, ResultWish((10, 10), "image/png"))
    assert time.monotonic() - began < 3.0
    assert psutil.Process().memory_info().rss - before < 100 << 20
    assert (await check_result(sandbox, p.encoded(p.photo(), "PNG"), AS_IT_IS)).width == 240


async def test_a_limit_of_pixels(sandbox: Sandbox) -> None:
    """Just at the limit a picture passes, just over it it does not, whatever was asked for before."""
    data = p.encoded(p.photo(100, 100), "PNG")
    assert (await check_result(sandbox, data, ResultWish(max_pixels=10_000))).width == 100
    with pytest.raises(SandboxRefused):
        await check_result(sandbox, data, ResultWish(max_pixels=9_999))
    assert (await check_result(sandbox, data, AS_IT_IS)).width == 100


async def test_a_real_result_of_four_k(sandbox: Sandbox) -> None:
    """The largest size that models make is read."""
    data = p.encoded(Image.new("RGB", (5504, 3040), "teal"), "JPEG")
    found = await check_result(sandbox, data, AS_IT_IS)
    assert (found.width, found.height) == (5504, 3040)


# what stays as it is


@pytest.mark.parametrize("kind", list(MEDIA_TYPES))
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
async def test_untouched(sandbox: Sandbox, kind: str, mode: str) -> None:
    """A result that needs nothing keeps every byte: its metadata and credentials are the provider's and stay."""
    image = p.photo().convert(mode if kind != "JPEG" or mode == "L" else "RGB")
    data = p.encoded(image, kind, exif=p.gps_exif())
    for wish in (AS_IT_IS, ResultWish(None, MEDIA_TYPES[kind]), ResultWish((240, 160)), ResultWish((1000, 20))):
        found = await check_result(sandbox, data, wish)
        assert (found.data, found.media_type, found.width, found.height) == (data, MEDIA_TYPES[kind], 240, 160)


async def test_a_jpeg_of_several_pictures(sandbox: Sandbox) -> None:
    """A JPEG with a second picture inside, as phones and gain maps have it, is a JPEG."""
    data = p.encoded(p.photo(), "MPO", save_all=True, append_images=[p.photo(64, 64)])
    assert data.startswith(b"\xff\xd8\xff")
    found = await check_result(sandbox, data, AS_IT_IS)
    assert (found.data, found.media_type) == (data, "image/jpeg")
    assert opened(await check_result(sandbox, data, ResultWish((120, 80)))).format == "JPEG"


# what is made anew


@pytest.mark.parametrize("kind", list(MEDIA_TYPES))
async def test_shrunk(sandbox: Sandbox, kind: str) -> None:
    """A larger picture gets the promised size in its own format, and is the same picture."""
    image = opened(await check_result(sandbox, p.encoded(halves(), kind), ResultWish((40, 20))))
    assert (image.format, image.size) == (kind, (40, 20))
    assert near(image.convert("RGB").getpixel((5, 10)), (255, 0, 0))
    assert near(image.convert("RGB").getpixel((35, 10)), (0, 0, 255))


async def test_shrunk_to_another_shape(sandbox: Sandbox) -> None:
    """Where the provider's shape differs the middle is kept, not squeezed."""
    image = opened(await check_result(sandbox, p.encoded(halves((80, 40)), "PNG"), ResultWish((20, 20))))
    assert image.size == (20, 20)
    assert near(image.getpixel((2, 10)), (255, 0, 0))
    assert near(image.getpixel((17, 10)), (0, 0, 255))


@pytest.mark.parametrize("size", [(81, 40), (80, 41), (200, 30), (79, 400)], ids=str)
async def test_never_enlarged(sandbox: Sandbox, size: tuple[int, int]) -> None:
    """A picture that is smaller than promised on any side stays as it is."""
    data = p.encoded(halves((80, 40)), "PNG")
    assert (await check_result(sandbox, data, ResultWish(size))).data == data


@pytest.mark.parametrize("target", list(MEDIA_TYPES))
@pytest.mark.parametrize("kind", list(MEDIA_TYPES))
async def test_another_format(sandbox: Sandbox, kind: str, target: str) -> None:
    """Each format becomes each other; the picture is the same."""
    found = await check_result(sandbox, p.encoded(halves(), kind), ResultWish(None, MEDIA_TYPES[target]))
    image = opened(found)
    assert image.format == target
    assert near(image.convert("RGB").getpixel((10, 20)), (255, 0, 0))


@pytest.mark.parametrize("target", ["PNG", "WEBP"])
@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
async def test_transparency_survives(sandbox: Sandbox, target: str, mode: str) -> None:
    """Where the new format can hold it, what was see-through stays so, also when it is shrunk."""
    data = p.encoded(see_through(mode), "PNG")
    for wish in (ResultWish(None, MEDIA_TYPES[target]), ResultWish((40, 20), MEDIA_TYPES[target])):
        image = opened(await check_result(sandbox, data, wish)).convert("RGBA")
        assert image.getpixel((2, 2))[3] < 10  # type: ignore[index]
        assert image.getpixel((image.width - 3, 2))[3] > 245  # type: ignore[index]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
async def test_transparency_lies_on_white(sandbox: Sandbox, mode: str) -> None:
    """JPEG cannot hold it: what was see-through becomes white, not black."""
    found = await check_result(sandbox, p.encoded(see_through(mode), "PNG"), ResultWish(None, "image/jpeg"))
    assert near(opened(found).getpixel((5, 5)), (255, 255, 255))


@pytest.mark.parametrize("wish", [ResultWish((20, 40)), ResultWish(None, "image/png")], ids=["shrunk", "format"])
async def test_what_is_made_anew_is_upright(sandbox: Sandbox, wish: ResultWish) -> None:
    """A picture that its metadata turn is turned for good when it loses them; its size is what people see."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise for viewing
    data = p.encoded(halves((80, 40)), "JPEG", exif=exif)
    image = opened(await check_result(sandbox, data, wish))
    width, height = image.size
    assert height == 2 * width
    assert near(image.getpixel((width // 2, 3)), (255, 0, 0), 30)
    assert near(image.getpixel((width // 2, height - 3)), (0, 0, 255), 30)
    untouched = await check_result(sandbox, data, AS_IT_IS)
    assert (untouched.data, untouched.width, untouched.height) == (data, 40, 80)


async def test_broken_metadata_lose_no_picture(sandbox: Sandbox) -> None:
    """A picture is paid for; that its EXIF block is rubbish is no reason to lose it."""
    data = p.encoded(halves(), "JPEG", exif=b"Exif\0\0" + b"MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 30)
    for wish in (AS_IT_IS, ResultWish((40, 20)), ResultWish(None, "image/png")):
        assert (await check_result(sandbox, data, wish)).width in (80, 40)


async def test_deep_grey(sandbox: Sandbox) -> None:
    """Sixteen bits of grey keep their tone in eight."""
    out = io.BytesIO()
    Image.new("I;16", (40, 40), 0x8000).save(out, "PNG")
    image = opened(await check_result(sandbox, out.getvalue(), ResultWish(None, "image/jpeg")))
    assert near(image.convert("RGB").getpixel((5, 5)), (128, 128, 128))


async def test_foreign_colours(sandbox: Sandbox) -> None:
    """A picture that is made anew does not lose what its colours mean together with its profile."""
    data = p.encoded(halves(), "PNG", icc_profile=p.swapped_profile())
    image = opened(await check_result(sandbox, data, ResultWish(None, "image/jpeg"))).convert("RGB")
    assert near(image.getpixel((10, 20)), (0, 255, 0), 40)


# references


async def test_a_reference_that_is_too_large(sandbox: Sandbox) -> None:
    """Pixels and sides come down together, the shape stays, and PNG stays PNG while its bytes allow it."""
    data = p.encoded(p.photo(400, 200), "PNG")
    for limits in (box(max_side=100), box(max_pixels=5000), box(max_side=100, max_pixels=80_000)):
        fitted = await fit_reference(sandbox, data, limits)
        image = opened(fitted)
        assert fitted.media_type == "image/png"
        assert max(image.size) <= limits.max_side
        assert image.width * image.height <= limits.max_pixels
        assert max(image.size) >= 97, "no smaller than it must be"
        assert image.width == pytest.approx(2 * image.height, abs=2)


@pytest.mark.parametrize("kind", list(MEDIA_TYPES))
@pytest.mark.parametrize("most", [20_000, 6_000, 2_000])
async def test_a_reference_of_too_many_bytes(sandbox: Sandbox, kind: str, most: int) -> None:
    """Quality goes before size, and what comes fits."""
    data = p.encoded(p.photo(300, 200), kind, quality=100)
    assert len(data) > most
    fitted = await fit_reference(sandbox, data, box(max_bytes=most))
    assert len(fitted.data) <= most
    assert opened(fitted).width == pytest.approx(1.5 * fitted.height, abs=2)
    if most == 20_000:
        assert (fitted.width, fitted.height) == (300, 200)


@pytest.mark.parametrize(
    ("kind", "accepted", "expected"),
    [
        ("WEBP", ("image/jpeg", "image/png"), "image/jpeg"),
        ("PNG", ("image/jpeg",), "image/jpeg"),
        ("JPEG", ("image/png",), "image/png"),
        ("WEBP", ("image/png",), "image/png"),
        ("PNG", ("image/webp",), "image/webp"),
        ("WEBP", ("image/png", "image/webp"), "image/webp"),
    ],
)
async def test_a_reference_of_another_format(
    sandbox: Sandbox, kind: str, accepted: tuple[str, ...], expected: str
) -> None:
    """It becomes one that the provider takes: its own where it may, else JPEG, else what there is."""
    fitted = await fit_reference(sandbox, p.encoded(p.photo(), kind), box(media_types=accepted))
    assert opened(fitted).size == (240, 160)
    assert fitted.media_type == expected


@pytest.mark.parametrize("most", [60_000, 8_000])
async def test_a_provider_that_takes_png_alone(sandbox: Sandbox, most: int) -> None:
    """Where only the size can give, it does."""
    data = p.encoded(p.photo(300, 200), "PNG")
    fitted = await fit_reference(sandbox, data, box(max_bytes=most, media_types=("image/png",)))
    assert (fitted.media_type, len(fitted.data) <= most) == ("image/png", True)
    assert opened(fitted).width < 300


@pytest.mark.parametrize(
    ("size", "limits", "words"),
    [
        ((400, 20), box(), "400 x 20 pixels; the provider takes none so long and narrow"),
        ((20, 400), box(max_aspect=10.0), "20 x 400 pixels; the provider takes none so long and narrow"),
        ((100, 14), box(), "100 x 14 pixels; the provider takes none so small"),
        ((1000, 100), box(max_side=100), "1000 x 100 pixels; the provider takes none so small"),
        ((100, 100), box(max_bytes=50), "cannot be made small enough"),
        ((100, 100), box(max_bytes=50, media_types=("image/png",)), "cannot be made small enough"),
    ],
)
async def test_a_reference_that_cannot_fit(
    sandbox: Sandbox, size: tuple[int, int], limits: ReferenceBox, words: str
) -> None:
    """What no re-encoding mends is refused with its size and the reason."""
    with pytest.raises(SandboxRefused, match=words):
        await fit_reference(sandbox, p.encoded(p.photo(*size), "PNG"), limits)


async def test_jobs_follow_each_other(sandbox: Sandbox) -> None:
    """Many at once on one worker: each gets its own picture."""
    sizes = [(20 + n, 30) for n in range(20)]
    found = await asyncio.gather(
        *(check_result(sandbox, p.encoded(Image.new("RGB", size), "PNG"), AS_IT_IS) for size in sizes)
    )
    assert [(each.width, each.height) for each in found] == sizes
