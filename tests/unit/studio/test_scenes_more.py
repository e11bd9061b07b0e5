"""The illustrated scenes: villages, forests, still lifes, portraits, logos, products, geometry and fractals."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import pytest

from aquatint.engines.studio import registry
from aquatint.engines.studio.casting import cast
from aquatint.engines.studio.grammar import parse
from aquatint.engines.studio.kernels.color import luminance, rgb_to_lab, to_float
from aquatint.engines.studio.scenes.figures.canvas import Canvas, coverage, curve, gradient, oval, ribbon
from aquatint.engines.studio.styles.base import Easel, Rgb8

PROMPTS = {
    "village": "an old village with a church, morning",
    "forest": "a path through the forest, morning",
    "still_life": "still life with apples and flowers",
    "portrait": "portrait of a woman",
    "logo": 'logo "NORTH"',
    "product": "perfume bottle product shot",
    "geometric": "bauhaus geometric art",
    "fractal": "fractal",
}


@lru_cache(maxsize=64)
def draw(scene: str, prompt: str, seed: int = 3, width: int = 161, height: int = 97, threads: int = 1) -> Rgb8:
    return registry.scene(scene)(parse(prompt), Easel(width, height, seed, threads=threads))


def mean_lab(image: Rgb8) -> np.ndarray:
    return rgb_to_lab(to_float(image)).reshape(-1, 3).mean(0)


@pytest.mark.parametrize("scene", PROMPTS)
def test_exact_odd_size_and_same_bytes_on_any_number_of_threads(scene: str) -> None:
    once = draw(scene, PROMPTS[scene])
    again = draw(scene, PROMPTS[scene], threads=2)
    assert once.shape == (97, 161, 3)
    assert once.dtype == np.uint8
    assert np.array_equal(once, again)


@pytest.mark.parametrize("scene", PROMPTS)
def test_seeds_give_different_compositions(scene: str) -> None:
    small = [
        cv2.resize(draw(scene, PROMPTS[scene], seed), (16, 9), interpolation=cv2.INTER_AREA).astype(int)
        for seed in (3, 4)
    ]
    assert np.abs(small[0] - small[1]).mean() > 5, "no more than noise tells the seeds apart"


@pytest.mark.parametrize("scene", PROMPTS)
def test_casting_finds_the_scene(scene: str) -> None:
    assert cast(parse(PROMPTS[scene]), registry.scene_names()).scene == scene


@pytest.mark.parametrize("scene", ["village", "forest"])
def test_portrait_format_is_composed_and_not_stretched(scene: str) -> None:
    image = draw(scene, PROMPTS[scene], width=90, height=160)
    assert image.shape == (160, 90, 3)
    assert luminance(to_float(image)).std() > 0.06


def test_night_is_darker_than_noon_and_winter_ground_lighter_than_summer() -> None:
    summer = draw("village", "a village at noon in summer", 5)
    night = draw("village", "a village at night in summer", 5)
    winter = draw("village", "a village at noon in winter", 5)
    assert mean_lab(night)[0] + 15 < mean_lab(summer)[0]
    ground = slice(70, 96)
    assert mean_lab(winter[ground])[0] > mean_lab(summer[ground])[0] + 10
    assert mean_lab(winter[ground])[2] < mean_lab(summer[ground])[2] - 8  # less yellow-green


def test_autumn_leaves_are_red_and_summer_leaves_green() -> None:
    autumn, summer = (mean_lab(draw("forest", f"{season} forest path, noon")) for season in ("autumn", "summer"))
    assert autumn[1] > summer[1] + 8


def test_river_town_mirrors_itself_in_the_water() -> None:
    image = luminance(to_float(draw("village", "江南古镇 小桥流水 早晨", 3, 240, 136)))
    # The shore is where the flipped upper part fits the lower part best.
    fits = []
    for shore in range(70, 100):
        depth = min(24, 136 - shore)
        above, below = image[shore - depth : shore][::-1], image[shore : shore + depth]
        fits.append(np.corrcoef(above.ravel(), below.ravel())[0, 1])
    assert max(fits) > 0.45


def test_colors_asked_for_arrive() -> None:
    red = mean_lab(draw("geometric", "geometric art in red", 4))
    blue = mean_lab(draw("geometric", "geometric art in blue", 4))
    assert red[1] > blue[1] + 10
    assert blue[2] < red[2] - 10


def test_logo_sets_the_name_in_type() -> None:
    with_name, without = draw("logo", 'logo "NORTHERN LIGHT"', 6, 320, 180), draw("logo", 'logo "I"', 6, 320, 180)
    edges = [float((cv2.Canny(image, 60, 160) > 0).mean()) for image in (with_name, without)]
    assert edges[0] > edges[1] * 1.15


def test_fractal_has_fine_structure_that_a_blur_lacks() -> None:
    image = draw("fractal", "fractal", 4, 240, 136)
    luma = luminance(to_float(image))
    fine = float((luma - cv2.GaussianBlur(luma, (0, 0), 1.2)).std())
    assert fine > 0.03


def test_gradients_are_dithered_and_do_not_band() -> None:
    canvas = Canvas(Easel(512, 64, 1))
    canvas.wash(gradient((0, 0), (512, 0), ((0.40, 0.40, 0.40), (0.44, 0.44, 0.44))))
    row = canvas.pixels[:, :, 0].astype(float)
    # Bands of a plain gradient would be 50 columns of one value; the dither mixes neighbouring values.
    assert (row.std(axis=0) > 0.2).mean() > 0.6
    assert np.abs(row.mean(axis=0) - np.linspace(102, 112.2, 512)).max() < 0.6


def test_shapes_are_antialiased_without_growing() -> None:
    mask = coverage([oval(50.0, 50.0, 30.25, 30.25)], 101, 101)
    assert abs(mask.sum() / 255 - np.pi * 30.25**2) < 25  # a rim of an eighth of a pixel; OpenCV's own edges: 95
    partial = (mask > 0) & (mask < 255)
    assert 120 < partial.sum() < 400


def test_curves_pass_through_their_knots_and_ribbons_have_their_breadth() -> None:
    knots = [(0.0, 0.0), (10.0, 4.0), (20.0, 0.0)]
    path = curve(knots, 8)
    assert all(np.min(np.hypot(*(path - knot).T)) < 1e-9 for knot in knots)
    band = ribbon(np.array([[0.0, 0.0], [5.0, 0.0], [10.0, 0.0]]), 3.0)
    assert np.allclose(np.abs(band[:, 1]), 1.5, atol=1e-6)


@pytest.mark.parametrize("scene", PROMPTS)
def test_one_seed_gives_one_picture_at_every_size(scene: str) -> None:
    small, large = draw(scene, PROMPTS[scene]), draw(scene, PROMPTS[scene], width=322, height=194)
    planes = [
        cv2.resize(image, (20, 12), interpolation=cv2.INTER_AREA).astype(float).ravel() for image in (small, large)
    ]
    assert np.corrcoef(*planes)[0, 1] > 0.93
