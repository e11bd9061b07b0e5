"""Finish: PNG and its metadata, other formats, fitting to the ratio, words on pictures."""

from __future__ import annotations

import builtins
import io
import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from PIL import Image

from aquatint.engines.studio.finish import caption
from aquatint.engines.studio.finish.crop import fit
from aquatint.engines.studio.finish.encode import FORMATS, Format, encode
from aquatint.engines.studio.finish.metadata import Provenance
from aquatint.engines.studio.finish.png import write_png
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.styles.base import Rgb8

ORIGIN = Provenance("studio", "1.2.3", 'seed"ream<4.5>', 2**63 - 1, "algorithmicallyEnhanced")


def _noise(height: int, width: int) -> Rgb8:
    return generator(3, "pixels").integers(0, 256, (height, width, 3), dtype=np.uint8)


def _open(data: bytes) -> Rgb8:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 1), (1, 7), (255, 33), (513, 40), (1100, 17)])
def test_png_comes_back_bit_for_bit(height: int, width: int) -> None:
    image = _noise(height, width)
    assert np.array_equal(_open(write_png(image)), image)
    assert write_png(image, threads=1) == write_png(image, threads=3)


def test_png_works_without_isal(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(
        name: str,
        globals_: Mapping[str, object] | None = None,
        locals_: Mapping[str, object] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> object:
        if name == "isal":
            raise ImportError(name)
        return real(name, globals_, locals_, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", refuse)
    image = _noise(700, 30)
    assert np.array_equal(_open(write_png(image)), image)


def test_png_checksums_are_right() -> None:
    data = write_png(_noise(600, 20), {"Software": "x"}, b"<xmp/>")
    position, kinds = 8, []
    while position < len(data):
        length = int.from_bytes(data[position : position + 4], "big")
        body = data[position + 4 : position + 8 + length]
        assert zlib.crc32(body) == int.from_bytes(data[position + 8 + length : position + 12 + length], "big")
        kinds.append(body[:4])
        position += 12 + length
    assert kinds == [b"IHDR", b"sRGB", b"tEXt", b"iTXt", b"IDAT", b"IEND"]


def test_png_compresses_smooth_pictures() -> None:
    smooth = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 300, 1).repeat(3, 2)
    assert len(write_png(smooth)) < smooth.nbytes / 20


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 4), (4, 4, 1)])
def test_png_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not an RGB"):
        write_png(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("output_format", FORMATS)
def test_every_format_says_who_made_it(output_format: Format) -> None:
    image = np.ascontiguousarray(_noise(40, 60) // 8 + 100)
    encoded = encode(image, output_format, ORIGIN)
    opened = Image.open(io.BytesIO(encoded.data))
    assert opened.format == output_format.upper()
    assert encoded.media_type == Image.MIME[opened.format]
    xmp = opened.info["xmp"]
    assert b"digitalsourcetype/algorithmicallyEnhanced" in xmp
    assert b"9223372036854775807" in xmp
    assert b'seed"ream&lt;4.5&gt;' in xmp
    assert np.abs(_open(encoded.data).astype(int) - image).mean() < 12


def test_png_text_names_engine_model_and_seed() -> None:
    info = Image.open(io.BytesIO(encode(_noise(4, 4), "png", ORIGIN).data)).info
    assert info["Software"] == "Aquatint studio 1.2.3"
    assert info["Aquatint-Seed"] == str(2**63 - 1)
    assert "machine" in info["Source"]


def _subject_at(x: float, y: float, height: int = 300, width: int = 480) -> Rgb8:
    image = np.full((height, width, 3), (120, 150, 180), np.uint8)
    image += generator(1, "ground").integers(0, 10, image.shape, dtype=np.uint8)
    rows, columns = np.mgrid[:height, :width]
    inside = np.hypot(rows - y * height, columns - x * width) < 0.14 * height
    image[inside] = (210, 40, 30)
    return image


@pytest.mark.parametrize("ratio", [(1, 1), (9, 16), (21, 9), (16, 9), (3, 2)])
@pytest.mark.parametrize("place", [(0.2, 0.5), (0.8, 0.3), (0.5, 0.8)])
def test_fit_keeps_the_subject_whole(ratio: tuple[int, int], place: tuple[float, float]) -> None:
    source = _subject_at(*place)
    fitted = fit(source, *ratio)
    height, width = fitted.image.shape[:2]
    assert abs(width / height - ratio[0] / ratio[1]) < 0.02
    red = (source[..., 0] > 180) & (source[..., 2] < 90)
    red_after = (fitted.image[..., 0] > 180) & (fitted.image[..., 2] < 90)
    assert red_after.sum() >= 0.98 * red.sum()
    assert fitted.image.reshape(-1, 3).max(1).min() > 25  # no black bars


def test_fit_grows_rather_than_cuts_a_wide_subject() -> None:
    source = np.full((200, 600, 3), (90, 140, 90), np.uint8)
    for x in (40, 520):
        source[80:140, x : x + 40] = (230, 60, 40)
    fitted = fit(source, 9, 16)
    assert fitted.grown > 0.05
    assert abs(fitted.image.shape[1] / fitted.image.shape[0] - 9 / 16) < 0.02


def test_fit_leaves_a_fitting_photo_alone() -> None:
    source = _noise(90, 160)
    assert fit(source, 1600, 900).image is source


@pytest.mark.parametrize(
    "words", [("replace the sky with a castle",), ("把天空换成海",), ("x" * 400,), ("\u0e01\u0e02",)]
)
def test_preview_strip_covers_only_the_foot(words: tuple[str, ...]) -> None:
    image = _noise(200, 320)
    marked = caption.preview_strip(image, words)
    assert marked.shape == image.shape
    assert np.array_equal(marked[:170], image[:170])
    strip = marked[-15:]
    assert (strip.min(2) > 200).mean() > 0.5
    assert (strip.max(2) < 140).any()


@pytest.mark.parametrize("size", [(40, 40), (90, 400), (400, 90), (300, 500)])
def test_title_fits_any_picture(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 128, np.uint8)
    titled = caption.set_title(image, "Hello 世界\nsecond line")
    assert titled.shape == image.shape
    assert (titled > 170).any()
    assert np.array_equal(titled[: size[0] // 3], image[: size[0] // 3])
    assert (image == 128).all()
