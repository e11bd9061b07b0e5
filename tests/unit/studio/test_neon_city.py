"""The neon street and the city by day: exact sizes, determinism, obedience to the plan, wet road, daylight."""

from __future__ import annotations

import itertools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from aquatint.engines.studio.plan import Plan, Wish
from aquatint.engines.studio.scenes import city, neon_city
from aquatint.engines.studio.scenes.street import brief as briefs
from aquatint.engines.studio.scenes.street.camera import Camera
from aquatint.engines.studio.scenes.street.layout import build_street, houses
from aquatint.engines.studio.scenes.street.picture import render
from aquatint.engines.studio.scenes.street.stage import Piece, View, perform
from aquatint.engines.studio.scenes.street.texture import Texture
from aquatint.engines.studio.styles.base import Easel, Rgb8

PLAN = Plan(prompt="Cyberpunk Tokyo street")
SIZE = 288, 162


def paint(plan: Plan = PLAN, seed: int = 3, size: tuple[int, int] = SIZE, threads: int = 2) -> Rgb8:
    return neon_city.compose(plan, Easel(*size, seed=seed, threads=threads))


@pytest.fixture(scope="module")
def night() -> Rgb8:
    return paint()


def lab(image: Rgb8) -> np.ndarray:
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


def test_same_seed_same_bytes_on_one_or_two_threads(night: Rgb8) -> None:
    assert np.array_equal(night, paint(threads=1))


def test_another_seed_gives_another_street(night: Rgb8) -> None:
    other = paint(seed=4)
    small = [
        cv2.resize(cv2.cvtColor(i, cv2.COLOR_RGB2GRAY), (17, 16), interpolation=cv2.INTER_AREA)
        for i in (night, other)
    ]
    hashes = [image[:, 1:] > image[:, :-1] for image in small]
    assert (hashes[0] != hashes[1]).mean() > 0.10


@pytest.mark.parametrize("size", [(333, 187), (160, 301), (240, 240)])
def test_any_size_comes_out_exactly(size: tuple[int, int]) -> None:
    image = paint(size=size)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8


def test_it_is_dark_and_vivid_with_lamps_that_clip_nowhere_large(night: Rgb8) -> None:
    values = lab(night)
    chroma = np.hypot(values[..., 1], values[..., 2])
    assert 12 < values[..., 0].mean() < 48
    assert chroma.mean() > 12
    assert (chroma > 45).mean() > 0.02
    assert (values[..., 0] > 80).mean() > 0.005
    assert (values[..., 0] > 99).mean() < 0.03


def test_the_wet_road_mirrors_the_street() -> None:
    """The lower part resembles the flipped upper part far more when wet than when the street lies dry."""

    def likeness(image: Rgb8) -> float:
        small = cv2.resize(image, (64, 36), interpolation=cv2.INTER_AREA).astype(np.float32).mean(axis=2)
        above, below = small[12:20], small[23:31][::-1]
        return float(np.corrcoef(above.mean(axis=0), below.mean(axis=0))[0, 1])

    wet = replace(briefs.read_brief(PLAN, 3), people=0, traffic=False)
    dry = replace(wet, wet=0.0)
    easel = Easel(*SIZE, seed=3)
    assert likeness(render(wet, easel)) > max(0.2, likeness(render(dry, easel)) + 0.1)


def test_no_people_removes_the_walkers_and_nothing_else() -> None:
    empty = replace(PLAN, excluded=frozenset({"people"}))
    assert briefs.read_brief(empty, 3).people == 0
    assert briefs.read_brief(PLAN, 3).people > 0
    difference = np.abs(paint(empty).astype(int) - paint().astype(int)).max(axis=2) > 24
    assert 0.003 < difference.mean() < 0.35


def test_rain_is_the_default_and_no_rain_is_obeyed(night: Rgb8) -> None:
    dry = replace(PLAN, excluded=frozenset({"rain"}))
    assert briefs.read_brief(PLAN, 3).rain > 0.5
    assert briefs.read_brief(dry, 3).rain == 0
    snowy = briefs.read_brief(replace(PLAN, weather=(Wish("snow"),)), 3)
    assert snowy.snow > 0
    assert snowy.rain == 0


def test_named_colours_rule_the_picture() -> None:
    def share(colors: tuple[str, ...]) -> np.ndarray:
        values = lab(paint(replace(PLAN, colors=colors)))
        return values[..., 1:].reshape(-1, 2).mean(axis=0)

    green, red = share(("green",)), share(("red",))
    assert green[0] < red[0] - 8


def test_dusk_is_lighter_than_night(night: Rgb8) -> None:
    dusk = paint(replace(PLAN, time="dusk"))
    assert lab(dusk)[..., 0].mean() > lab(night)[..., 0].mean() + 3


def test_by_day_the_sky_is_blue_the_walls_are_lit_and_sunset_is_warm(night: Rgb8) -> None:
    day = city.compose(replace(PLAN, prompt="a street in Paris", time="day"), Easel(*SIZE, seed=3))
    low = city.compose(replace(PLAN, prompt="a street at sunset", time="sunset"), Easel(*SIZE, seed=3))
    assert day.shape == night.shape
    assert lab(day)[..., 0].mean() > lab(night)[..., 0].mean() + 8
    upper = day[: SIZE[1] // 3].reshape(-1, 3).astype(float)
    sky = upper[upper.sum(axis=1) > 300].mean(axis=0)
    assert sky[2] > sky[0]
    assert lab(low)[..., 2].mean() > lab(day)[..., 2].mean() + 4


def test_quoted_text_goes_on_the_gate_and_signs() -> None:
    brief = briefs.read_brief(replace(PLAN, text=("AQUATINT",)), 3)
    assert brief.landmark == "gate"
    assert brief.words == ("AQUATINT",)


def test_city_names_choose_the_language_of_the_signs() -> None:
    assert briefs.read_brief(replace(PLAN, options={"city": "shanghai"}), 3).language == "chinese"
    assert briefs.read_brief(replace(PLAN, options={"city": "new_york"}), 3).language == "english"
    assert briefs.read_brief(PLAN, 3).language == "japanese"


def test_houses_never_overlap_and_line_both_sides() -> None:
    brief = briefs.read_brief(PLAN, 11)
    for side in (-1, 1):
        row = [house for house in houses(brief) if house.side == side]
        assert len(row) > 10
        assert all(near.z1 <= far.z0 for near, far in itertools.pairwise(row))
    assert build_street(Camera(320, 180, 165, 105, 0.0, 1.9), brief).pieces


def test_texture_cells_have_exact_coverage_at_any_density() -> None:
    """A window pattern keeps its mean however few pixels it gets: no shimmering, no lost light."""
    means = []
    for pixels in (7, 23, 160):
        texture = Texture(0, 10, 0, 6, pixels, pixels)
        starts, lows = np.arange(5) * 2.0 + 0.5, np.arange(3) * 2.0 + 0.4
        cells = np.full((3, 5, 3), 0.8, np.float32)
        texture.grid(texture.along(starts, starts + 1), texture.above(lows, lows + 1.2), cells)
        means.append(texture.emission.mean())
    assert np.allclose(means, 0.8 * 0.5 * 0.6, rtol=1e-4)


def test_near_pieces_hide_far_ones_and_edges_add_up() -> None:
    def flat(level: float, x0: float, x1: float, z: float) -> Piece:
        return Piece(x0, x1, z, z, -50, 50, lambda w, h: (np.full((2, 2, 3), level, np.float32), None), haze=0.0)

    view = View.empty(Camera(64, 40, 40, 20, 0.0, 1.5), mirrored=False)
    light = briefs.read_brief(PLAN, 3).light
    pieces = [flat(1.0, -99, 99, 20), flat(0.25, -99, 0.13, 4)]
    perform(pieces, [view], light, threads=2, progress=lambda share: None)
    row = view.light[20, :, 0] / 4096
    assert np.allclose(row[:30], 0.25, atol=0.01)
    assert np.allclose(row[38:], 1.0, atol=0.01)
    assert (view.coverage >= 254).all()
