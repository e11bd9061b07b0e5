"""Printed animals and the press they are printed on: sizes, seeds, threads, colours, counts, weather."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from aquatint.engines.studio.arrays import Rgb8
from aquatint.engines.studio.kernels.curves import ellipse, limb, melt, smooth_closed
from aquatint.engines.studio.kernels.press import Press, Tone
from aquatint.engines.studio.plan import Plan, Subject, Wish
from aquatint.engines.studio.scenes import animals
from aquatint.engines.studio.scenes.beasts import figure
from aquatint.engines.studio.styles.base import Easel

SIZE = 240, 136
KINDS = ["cat", "dog", "bird", "horse", "fish", "deer"]


def paint(subject: Subject, seed: int = 5, size: tuple[int, int] = SIZE, threads: int = 2, **more: object) -> Rgb8:
    plan = replace(Plan(prompt=f"one {subject.name}", subjects=(subject,), time="day", season="summer"), **more)
    return animals.compose(plan, Easel(*size, seed=seed, threads=threads))


def lab(image: Rgb8) -> np.ndarray:
    return cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)


@pytest.mark.parametrize("kind", ["cat", "deer", "fish"])
def test_same_bytes_on_one_or_two_threads_and_another_seed_differs(kind: str) -> None:
    image = paint(Subject(kind))
    assert np.array_equal(image, paint(Subject(kind), threads=1))
    assert np.abs(image.astype(int) - paint(Subject(kind), seed=6)).mean() > 4


@pytest.mark.parametrize("size", [(211, 137), (121, 203), (160, 160)])
def test_any_size_comes_out_exactly(size: tuple[int, int]) -> None:
    image = paint(Subject("bird", variant="crane"), size=size)
    assert image.shape == (size[1], size[0], 3)
    assert image.dtype == np.uint8


def test_a_large_print_shows_the_same_picture_as_a_small_one() -> None:
    small, large = paint(Subject("horse")), paint(Subject("horse"), size=(SIZE[0] * 3, SIZE[1] * 3))
    shrunk = cv2.resize(large, SIZE, interpolation=cv2.INTER_AREA)
    apart = np.abs(cv2.GaussianBlur(shrunk, (0, 0), 2).astype(int) - cv2.GaussianBlur(small, (0, 0), 2)).mean()
    assert apart < 6


@pytest.mark.parametrize("kind", ["cat", "horse"])
def test_the_colour_of_the_animal_is_obeyed_and_is_not_the_picture_s(kind: str) -> None:
    black, white = lab(paint(Subject(kind, color="black"))), lab(paint(Subject(kind, color="white")))
    change = np.abs(black - white)[..., 0]
    assert 0.04 < (change > 35).mean() < 0.4  # the animal, and only the animal
    assert np.median(change) < 3


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_dogs_sit_there_as_were_asked_for(count: int) -> None:
    """Orange dogs on a green meadow are told apart by their colour."""
    values = lab(paint(Subject("dog", color="orange", count=count), size=(400, 225)))
    orange = ((values[..., 1] > 16) & (values[..., 2] > 28)).astype(np.uint8)
    solid = cv2.morphologyEx(orange, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    _, _, stats, _ = cv2.connectedComponentsWithStats(solid)
    assert int((stats[1:, cv2.CC_STAT_AREA] > 0.005 * 400 * 225).sum()) == count


def test_night_is_dark_and_rain_and_snow_leave_marks() -> None:
    day, night = paint(Subject("deer")), paint(Subject("deer"), time="night")
    assert lab(night)[..., 0].mean() < lab(day)[..., 0].mean() - 15
    for name in ("rain", "snow"):
        wet = paint(Subject("deer"), weather=(Wish(name),))
        assert np.abs(wet.astype(int) - day).mean() > 3


def test_a_figure_on_a_base_adds_to_it() -> None:
    horse, zebra = figure.load("horse"), figure.load("zebra")
    assert zebra.layer[: len(horse.layer)] == horse.layer
    assert len(zebra.layer) > len(horse.layer)
    assert (zebra.stands, zebra.center) == (horse.stands, horse.center)
    plain, striped = (paint(Subject("horse", color="white", variant=v)) for v in (None, "zebra"))
    assert np.abs(plain.astype(int) - striped).mean() > 1


def test_every_figure_s_data_is_whole() -> None:
    """Each ink role that a figure uses has an ink in each of its coats or is common to all."""
    for kind in (*KINDS, "crane", "owl", "duck", "unicorn", "zebra", "whale"):
        drawing = figure.load(kind)
        for number in range(8):
            inks = animals.coat(drawing, Subject(kind), seed=3, number=number)
            assert {layer.ink for layer in drawing.layer} <= set(inks)
        names = {layer.name for layer in drawing.layer}
        assert {layer.within for layer in drawing.layer if layer.within} <= names


def test_stipple_grows_from_start_to_end() -> None:
    press = Press.of(200, 200, 1, 1)
    press.wash([(1.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
    square = np.array([[20, 20], [180, 20], [180, 180], [20, 180]], np.float32)
    press.stipple([square], (0, 0, 0), np.array([20, 0], np.float32), np.array([180, 0], np.float32))
    density = 255 - press.sheet[30:170, :, 0].mean(axis=0)
    parts = [density[a : a + 32].mean() for a in (24, 64, 104, 144)]
    assert all(b > a + 15 for a, b in pairwise(parts))
    assert (press.sheet[:15] == 255).all()  # nothing outside the shape
    middle = press.sheet[30:170, 90:110, 0]
    assert middle.std() > 60  # dots, not a tint


def test_tone_shades_the_side_away_from_the_light_inside_the_shape_only() -> None:
    press = Press.of(160, 160, 1, 1)
    press.wash([(1.0, 1.0, 1.0), (1.0, 1.0, 1.0)])
    press.tone([ellipse(80, 80, 50, 50)], Tone((0, 0, 0), (1, 0), 0.6))
    dark = 255 - press.sheet[..., 0].astype(float)
    assert dark[60:100, 105:128].mean() > 4 * dark[60:100, 34:60].mean() + 10
    assert dark[:, :25].max() == 0


def test_melting_unites_and_rounds_the_crease() -> None:
    parts = [ellipse(30, 30, 20, 20), ellipse(60, 30, 20, 20)]
    (outline,) = melt(parts, 6)
    area = cv2.contourArea(outline)
    lens = 2 * 20**2 * np.arccos(30 / 40) - 15 * np.sqrt(4 * 20**2 - 30**2)
    union = 2 * np.pi * 20**2 - lens
    assert union * 0.98 < area < union * 1.08
    inside = cv2.pointPolygonTest(outline, (45.0, 15.5), False)
    assert inside > 0  # the crease between the circles, outside both of them


def test_curves_pass_through_their_knots_and_limbs_have_their_radius() -> None:
    knots = [[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]]
    curve = smooth_closed(knots)
    for knot in knots:
        assert np.abs(curve - knot).sum(axis=1).min() < 1e-4
    outline = limb([[0.0, 0.0, 3.0], [40.0, 0.0, 3.0]])
    assert np.abs(outline[:, 1]).max() == pytest.approx(3.0, abs=0.05)
    assert outline[:, 0].max() == pytest.approx(43.0, abs=0.1)
