"""Sea, desert, space and ink landscape: sizes, seeds, threads, and what sets each apart."""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import ModuleType

import cv2
import numpy as np
import pytest

from aquatint.engines.studio.kernels.terrain_ocean import ocean_patch
from aquatint.engines.studio.plan import Plan, Subject
from aquatint.engines.studio.scenes import desert, sea, shanshui, space
from aquatint.engines.studio.styles.base import Easel, Rgb8

SCENES = (desert, sea, shanshui, space)


@functools.cache
def paint(
    scene: ModuleType, time: str | None = None, seed: int = 3, threads: int = 2, subjects: tuple[str, ...] = ()
) -> Rgb8:
    compose: Callable[[Plan, Easel], Rgb8] = scene.compose
    plan = Plan(prompt="", time=time, subjects=tuple(Subject(name) for name in subjects))
    return compose(plan, Easel(255, 143, seed, threads=threads))


def lab(picture: Rgb8) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


@pytest.mark.parametrize("scene", SCENES)
def test_size_threads_and_seeds(scene: ModuleType) -> None:
    two = paint(scene)
    assert two.shape == (143, 255, 3)
    assert two.dtype == np.uint8
    assert np.array_equal(two, paint(scene, threads=1))
    assert np.abs(lab(two) - lab(paint(scene, seed=4))).mean() > 2


def test_sea_has_a_level_horizon_and_a_path_of_sun() -> None:
    picture = lab(paint(sea, "sunset", subjects=("sea",)))
    light = cv2.GaussianBlur(picture[..., 0], (0, 0), 1)
    rows = np.median(light, axis=1)
    horizon = 45 + int(np.argmin(np.diff(rows[45:85])))
    # Under the brightest column of the sky lies the brightest column of the water.
    above = light[horizon - 14 : horizon - 1].mean(axis=0)
    below = light[horizon + 2 : horizon + 22].mean(axis=0)
    assert abs(int(np.argmax(cv2.blur(above[None], (15, 1)))) - int(np.argmax(cv2.blur(below[None], (15, 1))))) < 25
    assert below.max() > below.mean() + 8


def test_sea_by_day_is_blue_and_beach_has_sand() -> None:
    water = lab(paint(sea, "noon", subjects=("sea",)))[90:]
    assert water[..., 2].mean() < -12
    beach = lab(paint(sea, "noon", subjects=("beach",)))[90:]
    assert np.percentile(beach[..., 2], 95) > np.percentile(water[..., 2], 95) + 8


def test_desert_is_sand_coloured_below_and_sky_above() -> None:
    picture = lab(paint(desert, "morning"))
    assert picture[100:, :, 2].mean() > 12
    assert picture[:30, :, 2].mean() < picture[100:, :, 2].mean() - 20


def test_night_is_dark_everywhere() -> None:
    for scene in (sea, desert):
        assert 3 < lab(paint(scene, "night"))[..., 0].mean() < 35


def test_space_is_dark_with_bright_stars_and_planet_adds_a_disc() -> None:
    stars = lab(paint(space, subjects=("stars",)))[..., 0]
    assert np.median(stars) < 30
    assert stars.max() > 75
    # Same seed, same stars and gas: what differs is the planet, its moon and the glare.
    planet = lab(paint(space, subjects=("planet",)))[..., 0]
    changed = cv2.GaussianBlur(np.abs(planet - stars), (0, 0), 1) > 6
    assert 0.08 < changed.mean() < 0.75


def test_shanshui_is_ink_on_paper_with_a_red_seal() -> None:
    picture = paint(shanshui)
    colors = lab(picture)
    assert np.percentile(colors[..., 0], 90) > 90  # blank paper
    assert np.percentile(colors[..., 0], 2) < 55  # ink
    chroma = np.hypot(colors[..., 1], colors[..., 2])
    assert np.median(chroma) < 14
    corner = colors[int(143 * 0.82) :, : int(255 * 0.12)]
    assert (corner[..., 1] > 25).sum() > 12  # the seal


def test_ocean_patch_slopes_are_those_of_its_heights() -> None:
    metres, side = 40.0, 64
    patch = ocean_patch(side, metres, 6.0, 0.4, 1.5, seed=2)
    step = metres / side
    measured = (np.roll(patch[..., 0], -1, 1) - np.roll(patch[..., 0], 1, 1)) / (2 * step)
    assert np.corrcoef(measured.ravel(), patch[..., 1].ravel())[0, 1] > 0.97
