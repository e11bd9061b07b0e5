"""The media themselves: strokes follow forms, hatching runs its way, tiles turn, dots carry the tone."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aquatint.engines.studio.kernels.cells import means, oriented_tiles, scattered_points, superpixels, tidied
from aquatint.engines.studio.kernels.choices import number, variant, word
from aquatint.engines.studio.kernels.color import rgb_to_lab
from aquatint.engines.studio.kernels.filmgrain import FilmGrain
from aquatint.engines.studio.kernels.hatching import HatchField, Tooth, drawn_lines, graphite_tone, ink_on_paper
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.painterly import Layer, Manner, paint_in_layers
from aquatint.engines.studio.kernels.palette import closest, found_palette, named_palette, to_lab
from aquatint.engines.studio.kernels.sourcing import SourceStrips
from aquatint.engines.studio.kernels.strokes import Strokes, lay_strokes, new_canvas, stamp_bank
from aquatint.engines.studio.styles import halftone, ink, oil, pencil, pixel_art, woodcut
from aquatint.engines.studio.styles.base import Easel, Rgb8

Plane = npt.NDArray[np.float32]


def _direction(plane: Plane, inner: int = 12) -> float:
    """Main direction of texture in radians, -pi/2..pi/2: along it the plane changes least."""
    gx, gy = cv2.Scharr(plane, cv2.CV_32F, 1, 0), cv2.Scharr(plane, cv2.CV_32F, 0, 1)
    cut = (slice(inner, -inner), slice(inner, -inner))
    xx, yy, xy = (gx * gx)[cut].mean(), (gy * gy)[cut].mean(), (gx * gy)[cut].mean()
    return float(0.5 * math.atan2(2 * xy, xx - yy) + math.pi / 2 + math.pi / 2) % math.pi - math.pi / 2


def _apart(first: float, second: float) -> float:
    """Angle between two directions, 0..pi/2."""
    return abs((first - second + math.pi / 2) % math.pi - math.pi / 2)


def _waves(angle: float, size: int = 240, period: float = 60.0) -> Rgb8:
    """Soft stripes along `angle`, with no fine texture of their own."""
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    across = -math.sin(angle) * x + math.cos(angle) * y
    level = 128 + 70 * np.sin(across * 2 * math.pi / period)
    return np.repeat(level[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("angle", [0.5, -0.9])
def test_oil_strokes_follow_the_forms(angle: float) -> None:
    picture = oil.paint(_waves(angle), Easel(480, 480, 4))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    texture = cv2.GaussianBlur(grey, (0, 0), 1.0) - cv2.GaussianBlur(grey, (0, 0), 4.0)
    assert _apart(_direction(texture), angle) < 0.35
    assert texture.std() > 1.5  # there is a brush to be seen in a picture that had none


def test_one_stroke_covers_its_length_and_leaves_relief() -> None:
    canvas = new_canvas(np.full((80, 160, 3), 0.5, np.float32), margin=90)
    one = np.ones(1, np.float32)
    stroke = Strokes(
        one * 80, one * 40, one * 0, one * 100, one * 30, np.zeros(1, np.int64), np.zeros(1, np.int64),
        np.array([[0.9, 0.1, 0.1]], np.float32), one,
    )  # fmt: skip
    lay_strokes(canvas, stroke, stamp_bank(1, variants=1, fade=0.0), seed=1)
    paint, _ = canvas.picture()
    assert paint[40, 80, 0] > 0.75
    assert paint[40, 80, 1] < 0.25
    assert np.allclose(paint[2, :, :3], 0.5)  # far above the stroke nothing happened
    assert paint[40, 45:115, 3].min() > 0.1
    assert not paint[5, :, 3].any()


def test_layers_paint_only_where_the_canvas_is_wrong() -> None:
    image = np.full((120, 160, 3), 0.6, np.float32)
    image[30:90, 100:150] = np.random.Generator(np.random.PCG64(1)).random((60, 50, 3), dtype=np.float32)
    broad = Manner((Layer(60, 0.0),), jitter=(0, 0, 0))
    fine = Manner((Layer(60, 0.0), Layer(12, 0.08, sprinkle=0.0)), jitter=(0, 0, 0))
    first, second = (paint_in_layers(image, manner, 3, lambda done: None).picture()[0] for manner in (broad, fine))
    changed = np.abs(first[..., :3] - cv2.resize(second[..., :3], first.shape[1::-1], interpolation=cv2.INTER_AREA))
    h, w = first.shape[:2]
    assert changed[h // 4 : h * 3 // 4, w * 5 // 8 : w * 15 // 16].mean() > 5 * changed[:, : w // 3].mean()


@pytest.mark.parametrize("angle", [-0.85, -0.28, 1.2])
def test_hatching_runs_along_its_angle(angle: float) -> None:
    field = HatchField.of(300, 400, angle, 5.0, seed=2, sway=0.3)
    drawn = field.rows(0, 300)
    assert _apart(_direction(drawn), angle) < 0.12
    assert abs(float(drawn.mean())) < 0.25
    assert 0.7 < float(drawn.std()) < 1.3
    assert np.array_equal(drawn[100:140], field.rows(100, 140))  # strips fit together


def test_pencil_shades_a_grey_wedge_evenly_and_darker() -> None:
    wedge = np.repeat(np.linspace(250, 10, 320, dtype=np.float32)[None], 180, axis=0)
    picture = pencil.paint(np.repeat(wedge[..., None], 3, axis=2).astype(np.uint8), Easel(640, 360, 1))
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[90:270].astype(np.float32)
    columns = grey[:, 80:560].reshape(180, 4, 120).mean(axis=(0, 2))
    assert (np.diff(columns) < -5).all()
    assert columns[0] - columns[-1] > 75
    lights = grey[:, 120:250]  # only the first pass of hatching reaches the light tones
    assert _apart(_direction(lights - cv2.GaussianBlur(lights, (0, 0), 6)), -0.85) < 0.4


def test_drawn_lines_overshoot_corners() -> None:
    plane = np.ones((120, 120), np.float32)
    plane[40:80, 40:80] = 0
    lines = drawn_lines(plane, length=24, directions=8, thickness=1.0)
    assert lines[39:41, 60].max() > 0.5
    assert lines[39:41, 30:36].max() > 0.05  # beyond the corner along the edge
    assert lines[:20].max() < 0.02


def test_graphite_keeps_order_and_lightens() -> None:
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None].repeat(8, 0)
    tone = graphite_tone(ramp)
    assert (np.diff(tone[0]) >= -1e-3).all()
    assert tone.mean() > ramp.mean() + 0.1


def test_ink_keeps_a_calm_sky_clean() -> None:
    sky = np.repeat(np.linspace(235, 190, 200, dtype=np.float32)[:, None], 320, axis=1)
    photo = sky + np.random.Generator(np.random.PCG64(2)).normal(0, 2.5, sky.shape)
    photo[120:, 60:140] = 60
    source = np.repeat(np.clip(photo, 0, 255)[..., None], 3, axis=2).astype(np.uint8)
    picture = ink.paint(source, Easel(640, 400, 1))
    light = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert (light[:160] < 128).mean() < 0.002
    edge = light[260:390, 108:132]
    assert (edge < 128).mean(axis=1).min() > 0.04  # the side of the block is drawn on every row


def test_woodcut_lines_carry_the_tone() -> None:
    shares = []
    for level in (210, 130, 60):
        flat = np.full((60, 100, 3), level, np.uint8)
        flat[:, 50:] = (level + 20, level + 20, level + 20)
        picture = woodcut.paint(flat, Easel(600, 360, 1))
        shares.append(float((cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) < 110).mean()))
    assert shares[0] < shares[1] < shares[2]


def test_halftone_dots_have_the_pitch_and_print_the_tone() -> None:
    pitch = 6.6 * (400 * 400) ** 0.5 / 768 * 1.0
    inks = []
    for level in (200, 128, 70):
        picture = halftone.paint(np.full((100, 100, 3), level, np.uint8), Easel(400, 400, 1))
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        inks.append(255 - float(grey.mean()))
        spectrum = np.abs(np.fft.fft2(grey - grey.mean()))
        fy, fx = np.unravel_index(int(spectrum[:, :200].argmax()), spectrum[:, :200].shape)
        frequency = math.hypot(min(int(fy), 400 - int(fy)) / 400, int(fx) / 400)
        assert frequency == pytest.approx(1 / max(3.0, pitch), rel=0.12)
    assert inks[0] < inks[1] < inks[2]


@pytest.mark.parametrize(("width", "height"), [(704, 396), (413, 731)])
def test_pixel_art_is_blocks_of_a_small_palette(width: int, height: int) -> None:
    picture = pixel_art.paint(_waves(0.4), Easel(width, height, 1, options={"pixels": 60, "colors": 8}))
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) <= 8
    changes = (np.abs(np.diff(picture.astype(int), axis=1)).sum(axis=2) > 0).any(axis=0)
    edges = np.flatnonzero(changes)
    side = max(width, height) / 60
    assert np.diff(edges).min() >= math.floor(side)  # no change inside a block
    four = pixel_art.paint(_waves(0.4), Easel(width, height, 1, options={"variant": "gameboy"}))
    known = named_palette("gameboy")
    assert known is not None
    allowed = {tuple(color) for color in np.rint(known * 255).astype(int).tolist()}
    assert {tuple(color) for color in np.unique(four.reshape(-1, 3), axis=0).tolist()} <= allowed


def test_found_palette_finds_the_colours_that_are_there() -> None:
    wanted = to_lab(np.array([[0.9, 0.1, 0.1], [0.1, 0.6, 0.2], [0.1, 0.2, 0.8], [0.95, 0.95, 0.9]], np.float32))
    rng = generator(1)
    pixels = wanted[rng.integers(0, 4, 3000)] + rng.normal(0, 1.5, (3000, 3)).astype(np.float32)
    found = found_palette(pixels, 4, seed=9)
    assert np.sort(closest(wanted, found)).tolist() == [0, 1, 2, 3]
    assert max(float(np.linalg.norm(found[i] - w)) for i, w in zip(closest(wanted, found), wanted, strict=True)) < 1


def test_superpixels_follow_an_edge_and_survive_tidying() -> None:
    image = np.full((90, 120, 3), 0.85, np.float32)
    image[:, 47:] = (0.2, 0.3, 0.5)
    labels = superpixels(rgb_to_lab(image), step=15, compactness=12, seed=1)
    assert not set(np.unique(labels[:, :47])) & set(np.unique(labels[:, 47:]))
    clean = tidied(labels, 1.5)
    assert clean.min() == 0
    sizes = np.bincount(clean.ravel())
    assert sizes[sizes > 0].min() > 9
    mean = means(image, clean, int(clean.max()) + 1)
    assert np.abs(mean[clean] - image).mean() < 0.02


def test_tiles_turn_with_the_direction_and_fill_the_plane() -> None:
    image = np.full((96, 128, 3), 0.5, np.float32)
    tiles = oriented_tiles(image, np.full((96, 128), 0.6, np.float32), step=10, seed=3)
    assert np.allclose(tiles.angle, 0.6)
    assert (tiles.side**2).sum() == pytest.approx(96 * 128, rel=0.12)
    gaps = np.hypot(tiles.x[:, None] - tiles.x, tiles.y[:, None] - tiles.y) + np.eye(tiles.x.size) * 99
    assert gaps.min() > 3


def test_points_crowd_where_the_detail_is() -> None:
    detail = np.zeros((100, 200), np.float32)
    detail[:, 100:] = 1
    points = scattered_points(detail, 400, seed=2)
    assert (points[:, 0] >= 100).mean() > 0.75
    assert 0.3 * 400 <= len(points) <= 400


@pytest.mark.parametrize("grain", [Tooth.of(1.3, 4), FilmGrain.of(1.3, 4)])
def test_grain_tiles_join_without_a_seam(grain: Tooth | FilmGrain) -> None:
    rows = grain.rows(0, 1100, 1700)
    assert rows.shape == (1100, 1700)
    assert np.array_equal(rows[700:750], grain.rows(700, 750, 1700))
    down = np.abs(np.diff(rows, axis=0)).mean(axis=1)
    across = np.abs(np.diff(rows, axis=1)).mean(axis=0)
    assert down.max() < 1.4 * np.median(down)
    if isinstance(grain, Tooth):  # film grain shifts its repetitions on purpose; there a seam is only noise
        assert across.max() < 1.4 * np.median(across)


def test_source_strips_are_the_rows_of_one_enlargement() -> None:
    source = _waves(0.3, 90)
    strips = SourceStrips.of(source, 200, 200)
    whole = strips.rows(0, 200)
    assert whole.shape == (200, 200, 3)
    assert np.array_equal(whole[60:90], strips.rows(60, 90))
    assert np.abs(whole - cv2.resize(source, (200, 200), interpolation=cv2.INTER_CUBIC) / 255).max() < 0.03


def test_ink_on_paper_runs_from_paper_to_ink() -> None:
    paper, black = np.array([0.9, 0.85, 0.8], np.float32), np.array([0.1, 0.1, 0.2], np.float32)
    share = np.array([[0.0, 0.5, 1.0]], np.float32)
    mixed = ink_on_paper(share, np.ones_like(share), paper, black).astype(int)
    assert np.abs(mixed[0] - np.array([paper, (paper + black) / 2, black]) * 255).max() <= 1


def test_options_fall_back_on_nonsense() -> None:
    assert variant({"variant": "x"}, ("swirl",)) == ""
    assert variant({"variant": ["swirl"]}, ("swirl",)) == ""
    assert variant({"variant": "swirl"}, ("swirl",)) == "swirl"
    assert number({"n": "12"}, "n", 5, 1, 10) == 10
    assert number({"n": "nan"}, "n", 5, 1, 10) == 5
    assert number({"n": True}, "n", 5, 1, 10) == 5
    assert number({"n": "many"}, "n", 5, 1, 10) == 5
    assert word({"w": " Arcade "}, "w") == "arcade"
    assert word({"w": 3}, "w", "none") == "none"
