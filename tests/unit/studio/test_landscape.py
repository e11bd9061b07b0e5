"""The landscape scene: what the words ask for can be measured in the picture."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from aquatint.engines.studio.kernels.terrain_erosion import Rain, erode
from aquatint.engines.studio.kernels.terrain_march import first_hits, mirrored_hits
from aquatint.engines.studio.kernels.terrain_noise import make_tile, tile_fbm
from aquatint.engines.studio.plan import Plan, Subject, Wish
from aquatint.engines.studio.scenes import landscape
from aquatint.engines.studio.styles.base import Easel, Rgb8

SEED = 11
LAKE = (Subject("mountain"), Subject("lake"))
Painter = Callable[..., Rgb8]


@pytest.fixture(scope="module")
def paint() -> Iterator[Painter]:
    """Compose small pictures; land of the same relief and seed is raised once, as it does not depend on more."""
    patch = pytest.MonkeyPatch()
    patch.setattr(landscape, "raise_land", functools.cache(landscape.raise_land))

    @functools.cache
    def compose(width: int = 320, height: int = 180, seed: int = SEED, threads: int = 2, **wishes: object) -> Rgb8:
        plan = Plan(prompt="", subjects=LAKE, **wishes)  # type: ignore[arg-type]
        return landscape.compose(plan, Easel(width, height, seed, threads=threads))

    yield compose
    patch.undo()


def lab(picture: Rgb8) -> np.ndarray:
    return cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def sky_of(picture: Rgb8) -> np.ndarray:
    return lab(picture)[: picture.shape[0] // 6]


def land_of(picture: Rgb8) -> np.ndarray:
    """Rows just above the middle: the slopes over the far shore."""
    height = picture.shape[0]
    return lab(picture)[int(height * 0.34) : int(height * 0.44)]


def test_size_and_bytes_do_not_depend_on_threads(paint: Painter) -> None:
    one = paint(width=255, height=143, threads=1, time="noon")
    two = paint(width=255, height=143, threads=2, time="noon")
    assert one.shape == (143, 255, 3)
    assert one.dtype == np.uint8
    assert np.array_equal(one, two)


def test_portrait_format_has_its_exact_size(paint: Painter) -> None:
    assert paint(width=121, height=217, time="noon").shape == (217, 121, 3)


def test_seeds_give_other_land(paint: Painter) -> None:
    first = lab(paint(time="noon"))[..., 0]
    second = lab(paint(time="noon", seed=12))[..., 0]
    assert np.abs(first - second).mean() > 8


def test_sunset_sky_is_warmer_than_noon(paint: Painter) -> None:
    noon, sunset = sky_of(paint(time="noon")), sky_of(paint(time="sunset"))
    assert sunset[..., 2].mean() > noon[..., 2].mean() + 15  # b: blue to yellow
    assert sunset[..., 1].mean() > noon[..., 1].mean() + 8  # a: green to red


def test_night_is_dark_but_not_black(paint: Painter) -> None:
    light = lab(paint(time="night"))[..., 0]
    assert 4 < light.mean() < 35
    assert light.max() > 60  # moon or stars


def test_winter_ground_is_lighter_than_summer(paint: Painter) -> None:
    winter, summer = land_of(paint(time="noon", season="winter")), land_of(paint(time="noon", season="summer"))
    assert winter[..., 0].mean() > summer[..., 0].mean() + 8


def test_autumn_woods_are_warmer_than_summer(paint: Painter) -> None:
    autumn, summer = land_of(paint(time="noon", season="autumn")), land_of(paint(time="noon", season="summer"))
    assert autumn[..., 1].mean() > summer[..., 1].mean() + 3


def test_no_snow_leaves_no_white_on_the_mountains(paint: Painter) -> None:
    def white_share(picture: Rgb8) -> float:
        area = lab(picture)[: int(picture.shape[0] * 0.44)]
        rows = area[int(picture.shape[0] * 0.12) :]
        return float(((rows[..., 0] > 78) & (np.hypot(rows[..., 1], rows[..., 2]) < 9)).mean())

    with_snow = paint(time="noon", season="winter", weather=(Wish("clear"),))
    without = paint(time="noon", season="winter", weather=(Wish("clear"),), excluded=frozenset({"snow"}))
    assert white_share(with_snow) > 0.08
    assert white_share(without) < 0.25 * white_share(with_snow)


def test_lake_mirrors_the_mountains(paint: Painter) -> None:
    """The water correlates with the flipped view above it, and not with the unflipped one."""
    light = lab(paint(time="noon", weather=(Wish("clear"),)))[..., 0]
    light = cv2.GaussianBlur(light, (0, 0), 1.5)
    height, width = light.shape
    inner = slice(int(width * 0.2), int(width * 0.8))

    def likeness(flip: bool) -> float:
        best = -1.0
        for horizon in range(int(height * 0.42), int(height * 0.60)):
            depth = int(height * 0.30)
            above = light[max(0, horizon - depth) : horizon, inner]
            below = light[horizon : horizon + above.shape[0], inner]
            other = above[::-1] if flip else above
            best = max(best, float(np.corrcoef(other.ravel(), below.ravel())[0, 1]))
        return best

    assert likeness(flip=True) > 0.6
    assert likeness(flip=True) > likeness(flip=False) + 0.2


def test_fog_hides_the_distance(paint: Painter) -> None:
    clear = land_of(paint(time="noon"))[..., 0].std()
    fog = land_of(paint(time="noon", weather=(Wish("fog"),)))[..., 0].std()
    assert fog < 0.6 * clear


def test_excluded_lake_leaves_dry_land() -> None:
    plan = Plan(prompt="", subjects=LAKE, excluded=frozenset({"lake"}))
    assert landscape.read_plan(plan, SEED).water == "none"


def test_erosion_moves_soil_and_makes_none() -> None:
    slope = np.linspace(40, 0, 96, dtype=np.float32)[:, None] + tile_fbm(96, 6, 3, 1) * np.float32(0.6)
    worn = erode(slope, Rain(droplets=180, batches=4), seed=3)
    assert np.abs(worn - slope).max() > 0.05
    # Some soil leaves with the water, none appears.
    assert -1.0 < float((worn - slope).mean()) <= 0.0
    assert np.array_equal(worn, erode(slope, Rain(droplets=180, batches=4), seed=3))


def test_first_hits_agree_with_a_plain_search() -> None:
    rows = np.random.Generator(np.random.PCG64(1)).uniform(0, 20, (40, 7)).astype(np.float32)
    hits = first_hits(rows, 20).direct
    for y in range(20):
        for x in range(7):
            at = np.nonzero(rows[:, x] <= y + 0.5)[0]
            assert hits[y, x] == (at[0] if at.size else 40)


def test_water_does_not_mirror_land_before_it() -> None:
    # Near bank, water, far hill: only the hill may appear in the water.
    wet = np.array([False, True, True, False, False])[:, None]
    mirror_rows = np.array([30, -1e4, -1e4, 12, 14], np.float32)[:, None]
    direct = np.full((20, 1), 2, np.int32)
    found = mirrored_hits(mirror_rows, wet, direct, 0)[:, 0]
    assert found[10] == 3
    assert found[13] == 4
    assert found[16] == 5  # the sky


def test_tiles_are_seamless() -> None:
    tile = make_tile(tile_fbm(64, 4, 4, 5))
    x = np.array([[0.25, 64.25, -63.75]], np.float32)
    values = tile.read(x, np.full_like(x, 3.5), 1.0)
    assert np.allclose(values, values[0, 0], atol=1e-4)
