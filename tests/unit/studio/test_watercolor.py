"""Watercolour and line-and-wash: what a blur, a tint or another seed would get wrong."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from aquatint.engines.studio.kernels.color import rgb_to_lab, to_float
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.kernels.resize import cover, resize
from aquatint.engines.studio.styles import wash, watercolor
from aquatint.engines.studio.styles.base import Easel, Rgb8, Style

WIDTH, HEIGHT = 480, 270
STYLES = [watercolor.paint, wash.paint]


def _photo(seed: int = 1, width: int = WIDTH, height: int = HEIGHT) -> Rgb8:
    """A little landscape: sky, textured hills, a house with hard edges, sensor noise."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    image = np.array([120, 160, 215], np.float32) * (1 - rows) + np.array([235, 225, 205], np.float32) * rows
    image = np.repeat(image, width, 1)
    for layer, (base, shade) in enumerate(((0.45, (90, 115, 120)), (0.6, (70, 105, 60)), (0.78, (60, 75, 35)))):
        crest = base + 0.12 * fbm(1, width, 5, 4, seed * 10 + layer)[0]
        land = np.arange(height)[:, None] / height > crest[None]
        texture = fbm(height, width, 60, 3, seed * 10 + 5 + layer)[..., None] * 45
        image = np.where(land[..., None], np.array(shade, np.float32) + texture, image)
    left, top = width // 3, height // 2
    image[top : top + height // 4, left : left + width // 6] = (190, 70, 50)
    image[top + 12 : top + 40, left + 10 : left + 30] = (35, 30, 40)
    image += generator(seed, "sensor").normal(0, 2.5, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


def _easel(seed: int = 3, width: int = WIDTH, height: int = HEIGHT, threads: int = 2) -> Easel:
    return Easel(width, height, seed, threads=threads)


def _lightness(image: Rgb8) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return rgb_to_lab(to_float(image))[..., 0]


def _likeness(a: Rgb8, b: Rgb8) -> float:
    planes = [_lightness(resize(x, 64, 36)).ravel() for x in (a, b)]
    return float(np.corrcoef(planes[0], planes[1])[0, 1])


def _hash(image: Rgb8) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Difference hash 16 x 16."""
    small = _lightness(resize(image, 17, 16))
    return np.asarray(small[:, 1:] > small[:, :-1])


@pytest.fixture(scope="module")
def photo() -> Rgb8:
    return _photo()


@pytest.fixture(scope="module", params=STYLES, ids=["watercolor", "wash"])
def painted(request: pytest.FixtureRequest, photo: Rgb8) -> tuple[Style, Rgb8]:
    return request.param, request.param(photo, _easel())


def test_border_is_bare_paper_and_nothing_is_flat(painted: tuple[Style, Rgb8]) -> None:
    lightness = _lightness(painted[1])
    edge = np.concatenate([lightness[:3].ravel(), lightness[-3:].ravel(), lightness[:, :3].ravel()])
    assert edge.mean() > 92
    gray = cv2.cvtColor(painted[1], cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = np.hypot(cv2.Scharr(gray, cv2.CV_32F, 1, 0), cv2.Scharr(gray, cv2.CV_32F, 0, 1)) / 16
    assert (slope < 0.5).mean() < 0.15  # paper grain reaches everywhere


def test_it_is_the_same_motif_yet_another_picture(painted: tuple[Style, Rgb8], photo: Rgb8) -> None:
    result = painted[1]
    assert _likeness(photo, result) > 0.75
    assert np.abs(result.astype(int) - photo).mean() > 10
    # No global curve and colour matrix turns the photo into it: a tint is not a painting.
    inner = np.s_[20:-20, 20:-20]
    source = photo[inner].reshape(-1, 3).astype(np.float64)
    terms = np.hstack([source, source**2, np.ones((len(source), 1))])
    target = result[inner].reshape(-1, 3).astype(np.float64)
    weights = np.linalg.lstsq(terms, target, rcond=None)[0]
    assert np.abs(target - terms @ weights).mean() > 5


def test_only_pen_lines_are_dark(photo: Rgb8) -> None:
    painting = _lightness(watercolor.paint(photo, _easel()))
    drawing = _lightness(wash.paint(photo, _easel()))
    assert (painting < 20).mean() < 0.02
    assert (drawing < painting - 12).mean() > 0.004  # there is ink
    assert (drawing < painting - 12).mean() < 0.25  # and it is line, not fill


def test_pigment_gathers_at_the_edge_of_a_wash() -> None:
    height, width = 540, 960
    source = np.full((height, width, 3), 250, np.uint8)
    cv2.circle(source, (480, 270), 170, (150, 170, 215), -1)
    source[40:180, 40:180] = 20  # something dark, so that the disc is a middle tone
    painting = watercolor.paint(source, _easel(width=width, height=height)).astype(np.float32).mean(2)
    pigment = -np.log(np.clip(painting, 1, 255) / 255)[:, 250:710]
    wash_area = cv2.GaussianBlur(pigment, (0, 0), 1.5) > 0.1
    inward = cv2.distanceTransform(wash_area[60:480].astype(np.uint8), cv2.DIST_L2, 5)
    rim, inside = (pigment[60:480][(inward > low) & (inward < high)] for low, high in ((2, 6), (20, 60)))
    assert rim.mean() > 1.15 * inside.mean()


def test_strength_changes_the_edges(photo: Rgb8) -> None:
    faint = watercolor.paint(photo, Easel(WIDTH, HEIGHT, 3, strength=0.45))
    bold = watercolor.paint(photo, Easel(WIDTH, HEIGHT, 3, strength=1.6))
    assert np.abs(faint.astype(int) - bold).mean() > 2


def test_same_seed_same_bytes_on_any_threads(painted: tuple[Style, Rgb8], photo: Rgb8) -> None:
    paint, result = painted
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        assert np.array_equal(result, paint(photo, _easel(threads=1)))
        cv2.setNumThreads(2)
        assert np.array_equal(result, paint(photo, _easel(threads=3)))
    finally:
        cv2.setNumThreads(before)


def test_another_seed_is_another_painting(painted: tuple[Style, Rgb8], photo: Rgb8) -> None:
    paint, result = painted
    other = paint(photo, _easel(seed=4))
    assert np.abs(other.astype(int) - result).mean() > 3
    assert _likeness(other, result) > 0.75


def test_the_picture_does_not_change_with_its_size(photo: Rgb8) -> None:
    small = watercolor.paint(_photo(width=960, height=540), _easel(width=960, height=540))
    large = watercolor.paint(_photo(width=960, height=540), _easel(width=1440, height=810))
    assert (_hash(small) != _hash(large)).mean() < 0.04


@pytest.mark.parametrize(("width", "height"), [(64, 64), (97, 31), (31, 97), (257, 129)])
@pytest.mark.parametrize("paint", STYLES, ids=["watercolor", "wash"])
def test_odd_sizes(paint: Style, width: int, height: int) -> None:
    source = cover(_photo(), width, height)
    result = paint(source, _easel(width=width, height=height))
    assert result.shape == (height, width, 3)
    assert result.dtype == np.uint8


@pytest.mark.parametrize("level", [0, 128, 255])
def test_blank_photos_do_not_break_it(level: int) -> None:
    blank = np.full((90, 160, 3), level, np.uint8)
    result = watercolor.paint(blank, _easel(width=160, height=90))
    assert result.shape == (90, 160, 3)
    assert _lightness(result)[:2].mean() > 85
