"""Words on pictures: where titles go, whether they can be read, and what cannot be set."""

from __future__ import annotations

import numpy as np
import pytest

from aquatint.engines.studio.arrays import Rgb8
from aquatint.engines.studio.finish.caption import poster_colors, preview_strip, set_title
from aquatint.engines.studio.kernels.noise import generator


def _half_busy(busy_half: str, level: int) -> Rgb8:
    image = np.full((240, 400, 3), level, np.uint8)
    texture = generator(1, "busy").integers(0, 256, (120, 400, 3), dtype=np.uint8)
    image[slice(0, 120) if busy_half == "top" else slice(120, 240)] = texture
    return image


def _changed(before: Rgb8, after: Rgb8) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.abs(before.astype(int) - after).max(2) > 30


def _contrast(first: float, second: float) -> float:
    def linear(value: float) -> float:
        share = value / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    low, high = sorted((linear(first), linear(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("level", [20, 128, 235])
@pytest.mark.parametrize("busy", ["top", "bottom"])
def test_a_title_goes_where_it_is_calm(busy: str, level: int) -> None:
    image = _half_busy(busy, level)
    changed = _changed(image, set_title(image, "QUIET"))
    calm, wild = (changed[120:], changed[:120]) if busy == "top" else (changed[:120], changed[120:])
    assert calm.sum() > 300
    assert wild.sum() < 0.02 * calm.sum()


@pytest.mark.parametrize("level", [0, 60, 110, 128, 150, 200, 255])
def test_a_title_can_be_read_on_any_ground(level: int) -> None:
    image = np.full((240, 400, 3), level, np.uint8)
    titled = set_title(image, "READ ME").astype(float).mean(2)
    changed = np.flatnonzero(np.abs(titled - level).max(1) > 2)
    part = titled[changed[0] : changed[-1] + 1]
    light, dark = np.percentile(part, [99.5, 0.5])
    assert _contrast(light, dark) > 4.5


def test_chinese_is_set_and_no_face_is_hidden() -> None:
    image = np.full((240, 400, 3), 90, np.uint8)
    assert _changed(image, set_title(image, "春江花月夜")).sum() > 300


def test_a_preview_names_what_was_not_done() -> None:
    image = np.full((240, 400, 3), 90, np.uint8)
    strips = [preview_strip(image, (words,))[-15:] for words in ("remove the car", "add a hat", "去掉行人")]
    assert all((strip.min(2) > 220).mean() > 0.6 for strip in strips)
    assert not np.array_equal(strips[0], strips[1])
    assert np.array_equal(preview_strip(image, ("x",))[:200], image[:200])


def test_poster_colors_contrast() -> None:
    art = generator(2, "art").integers(30, 225, (60, 80, 3), dtype=np.uint8)
    dark, light, _ = poster_colors(art)
    assert dark.mean() < 0.3 < 0.75 < light.mean()
