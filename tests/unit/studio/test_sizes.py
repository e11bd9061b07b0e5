"""Every size of the contract comes out exact, and 4k is really made at 4k."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from aquatint.catalog.load import load
from aquatint.engines.studio.direction import Direction
from aquatint.engines.studio.kernels.color import luminance, to_float
from aquatint.engines.studio.kernels.noise import fbm
from aquatint.engines.studio.messages import RenderRequest
from aquatint.engines.studio.plan import Wish
from aquatint.engines.studio.render import render

SIZES = [
    pytest.param((size.width, size.height), id=f"{resolution}-{ratio}")
    for resolution, ratios in load("", {}, "").find("seedream-4").sizes.items()
    for ratio, size in ratios.items()
]
FOUR_K = (5504, 3040)


def _photo(width: int, height: int, kind: str = "PNG") -> bytes:
    rows = np.linspace(60, 220, height, dtype=np.float32)[:, None, None]
    pixels = np.clip(rows + fbm(height, width, 20, 4, 1)[..., None] * 60 + (20, 0, -30), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def _render(prompt: str, size: tuple[int, int], *photos: bytes, direction: Direction | None = None) -> Image.Image:
    request = RenderRequest(
        prompt=prompt,
        references=photos,
        width=size[0],
        height=size[1],
        seed=3,
        index=0,
        model="seedream-4",
        version="0",
        output_format="png",
        strict=False,
        threads=2,
    )
    made = render(request, lambda fraction, stage: None, direction)
    assert (made.width, made.height) == size
    return Image.open(io.BytesIO(made.data))


def test_the_contract_has_24_sizes() -> None:
    assert len({size.values[0] for size in SIZES}) == 24


@pytest.mark.parametrize("size", SIZES)
def test_exact_size_from_a_photo(size: tuple[int, int]) -> None:
    assert _render("", size, _photo(97, 61), direction=Direction()).size == size


@pytest.mark.parametrize("source", [(640, 480), (3001, 401), (401, 2999), (17, 23)])
@pytest.mark.parametrize("size", [(161, 90), (90, 161), (128, 128)])
def test_exact_size_from_any_ratio_with_edit_and_style(source: tuple[int, int], size: tuple[int, int]) -> None:
    assert _render("warmer, low poly", size, _photo(*source)).size == size


@pytest.mark.parametrize(
    ("prompt", "photos"),
    [("low poly", 1), ("golden hour", 1), ("use the colors of image 2", 2), ("collage", 3), ("a dragon", 0)],
)
def test_one_4k_of_each_family(prompt: str, photos: int) -> None:
    picture = _render(prompt, FOUR_K, *[_photo(800 - 40 * i, 450, "JPEG") for i in range(photos)])
    assert picture.size == FOUR_K


def test_material_is_rendered_at_4k_and_not_enlarged() -> None:
    """The finest octave of a 4k picture has energy of its own: an enlarged one has next to none."""
    made = np.asarray(_render("", FOUR_K, _photo(800, 450), direction=Direction(styles=(Wish("watercolor"),))))
    crop = luminance(to_float(np.ascontiguousarray(made[1200:1712, 2400:2912])))
    enlarged = Image.fromarray(made[1200:1712, 2400:2912]).resize((256, 256), Image.Resampling.BOX)
    smooth = luminance(to_float(np.asarray(enlarged.resize((512, 512), Image.Resampling.BICUBIC))))
    fine = [float(np.abs(np.diff(plane, n=2, axis=1)).mean()) for plane in (crop, smooth)]
    assert fine[0] > 1.6 * fine[1]
