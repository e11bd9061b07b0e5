"""What holds for every style: exact sizes, the seed decides, threads do not, options never break anything."""

from __future__ import annotations

import pkgutil
from importlib import import_module

import numpy as np
import pytest

from aquatint.engines.studio import styles
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.styles.base import Easel, Rgb8, Style

NAMES = tuple(
    sorted(info.name for info in pkgutil.iter_modules(styles.__path__) if info.name != "base" and not info.ispkg)
)
# What the seed must change visibly. Pixel art's seed only starts the search for its palette.
SEEDED = tuple(name for name in NAMES if name != "pixel_art")


def _paint(name: str) -> Style:
    function: Style = import_module(f"aquatint.engines.studio.styles.{name}").paint
    return function


def _photo(width: int, height: int) -> Rgb8:
    """A tiny landscape with a hard-edged block and sensor noise."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    image = np.array([110, 150, 215], np.float32) * (1 - rows) + np.array([230, 220, 200], np.float32) * rows
    image = np.repeat(image, width, 1)
    land = np.arange(height)[:, None] / height > 0.55 + 0.15 * fbm(1, width, 4, 3, 5)[0][None]
    texture = 60 * fbm(height, width, 30, 2, 6)[..., None]
    image = np.where(land[..., None], np.array([70, 100, 55], np.float32) + texture, image)
    image[height // 3 : height // 2 + 8, width // 3 : width // 2] = (185, 70, 50)
    image += generator(7).normal(0, 2, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_same_seed_same_bytes_on_one_and_two_threads(name: str) -> None:
    source = _photo(160, 96)
    untouched = source.copy()
    steps: list[float] = []
    # 300 rows make more than one strip, so that threads really share the work.
    first = _paint(name)(source, Easel(170, 300, 11, threads=1, progress=lambda done, stage: steps.append(done)))
    second = _paint(name)(source, Easel(170, 300, 11, threads=2))
    assert first.shape == (300, 170, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert np.array_equal(source, untouched)
    assert steps == sorted(steps)
    assert all(0 <= done <= 1 for done in steps)


@pytest.mark.parametrize("name", SEEDED)
def test_another_seed_is_another_picture(name: str) -> None:
    source = _photo(160, 96)
    first, second = (_paint(name)(source, Easel(160, 96, seed)) for seed in (1, 2))
    assert (np.abs(first.astype(int) - second).max(axis=2) > 2).mean() > 0.01


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("width", "height", "strength", "options"),
    [
        (181, 61, 0.45, {"variant": "no such"}),
        (63, 127, 1.6, {"variant": 7, "colors": "many", "pixels": float("nan"), "palette": None}),
    ],
)
def test_odd_sizes_strengths_and_strange_options(
    name: str, width: int, height: int, strength: float, options: dict[str, object]
) -> None:
    source = _photo(40, round(40 * height / width))
    picture = _paint(name)(source, Easel(width, height, 2**62, strength=strength, options=options))
    assert picture.shape == (height, width, 3)
    assert picture.std() > 4  # a picture, not an empty sheet


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("level", [0, 127, 255])
def test_a_blank_photo_is_survived(name: str, level: int) -> None:
    picture = _paint(name)(np.full((50, 80, 3), level, np.uint8), Easel(96, 60, 5))
    assert picture.shape == (60, 96, 3)
