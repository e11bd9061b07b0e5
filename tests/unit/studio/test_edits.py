"""Edits: each does to a photo what its word says, at any size and on any number of threads."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aquatint.engines.studio import registry
from aquatint.engines.studio.kernels.color import rgb_to_lab, to_float
from aquatint.engines.studio.kernels.grading import outdoors
from aquatint.engines.studio.kernels.named_colors import COLORS
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.styles.base import Easel, Rgb8

Floats = npt.NDArray[np.float32]
WIDTH, HEIGHT = 320, 180


def _photo(width: int = WIDTH, height: int = HEIGHT) -> Rgb8:
    """Blue sky, green textured land below the middle, a red house with a lit window."""
    image = np.full((height, width, 3), (120, 165, 225), np.float32)
    image += np.linspace(0, 40, height, dtype=np.float32)[:, None, None]
    land = np.arange(height)[:, None] > height * (0.5 + 0.06 * fbm(1, width, 5, 3, 4))
    grass = np.array((70, 110, 45), np.float32) + fbm(height, width, 50, 3, 5)[..., None] * 70
    image = np.where(land[..., None], grass, image)
    image[height // 3 : height * 3 // 4, width // 2 : width * 3 // 4] = (165, 60, 50)
    image[height // 2 : height // 2 + height // 12, width * 5 // 8 : width * 5 // 8 + width // 20] = (255, 225, 140)
    return np.clip(image + generator(1, "sensor").normal(0, 2, image.shape), 0, 255).astype(np.uint8)


def _apply(name: str, source: Rgb8, seed: int = 3, strength: float = 1.0, threads: int = 2) -> Rgb8:
    return registry.edit(name)(source, Easel(source.shape[1], source.shape[0], seed, strength, threads))


def _lab(image: Rgb8) -> Floats:
    return rgb_to_lab(to_float(image))


def _chroma(image: Rgb8) -> float:
    lab = _lab(image)
    return float(np.hypot(lab[..., 1], lab[..., 2]).mean())


def _light(image: Rgb8) -> float:
    return float(_lab(image)[..., 0].mean())


def _warmth(image: Rgb8) -> float:
    return float(_lab(image)[..., 2].mean())


def _contrast(image: Rgb8) -> float:
    return float(_lab(image)[..., 0].std())


def _fine(image: Rgb8) -> float:
    light = _lab(image)[..., 0]
    return float(np.abs(np.diff(light, axis=1)).mean())


def _grass(image: Rgb8) -> float:
    """Green against red in the meadow: negative is green."""
    return float(_lab(image)[HEIGHT * 4 // 5 :, :, 1].mean())


def _sky_chroma(image: Rgb8) -> float:
    return _chroma(image[: HEIGHT // 3])


SAYS: list[tuple[str, Callable[[Rgb8], float], int, float]] = [
    ("warm", _warmth, 1, 3),
    ("cool", _warmth, -1, 3),
    ("golden_hour", _warmth, 1, 6),
    ("brighten", _light, 1, 4),
    ("darken", _light, -1, 4),
    ("night", _light, -1, 18),
    ("dusk", _light, -1, 8),
    ("contrast", _contrast, 1, 1),
    ("low_contrast", _contrast, -1, 2),
    ("saturate", _chroma, 1, 5),
    ("desaturate", _chroma, -1, 6),
    ("winter", _chroma, -1, 6),
    ("fog", _chroma, -1, 6),
    ("sharpen", _fine, 1, 0.3),
    ("grain", _fine, 1, 0.3),
    ("denoise", _fine, -1, 0.2),
    ("autumn", _grass, 1, 12),
    ("spring", _grass, -1, 2),
    ("rain", _chroma, -1, 3),
    ("snow", _light, 1, 4),
    ("sunset", _warmth, 1, 6),
    ("day", _light, 1, 4),
    ("noon", _chroma, 1, 3),
    ("morning", _warmth, 1, 3),
    ("clear", _chroma, 1, 4),
    ("clouds", _sky_chroma, -1, 6),
    ("tilt_shift", _chroma, 1, 4),
    ("smooth", _fine, -1, 0.3),
    ("motion_blur", _fine, -1, 0.3),
    ("wind", _fine, -1, 0.2),
]


@pytest.mark.parametrize(("name", "measure", "sign", "least"), SAYS, ids=[case[0] for case in SAYS])
def test_it_does_what_its_word_says(name: str, measure: Callable[[Rgb8], float], sign: int, least: float) -> None:
    photo = _photo()
    assert sign * (measure(_apply(name, photo)) - measure(photo)) > least


@pytest.mark.parametrize("name", sorted({case[0] for case in SAYS} - {"spring", "denoise"}))
def test_strength_scales_it(name: str) -> None:
    photo = _photo()
    slight, strong = (np.abs(_apply(name, photo, strength=s).astype(int) - photo).mean() for s in (0.45, 1.6))
    assert strong > 1.15 * slight > 0


@pytest.mark.parametrize("name", sorted(registry.edit_names()))
def test_same_size_same_bytes_and_source_untouched(name: str) -> None:
    photo = _photo(233, 301)
    before = photo.copy()
    first = _apply(name, photo, threads=1)
    assert first.shape == photo.shape
    assert first.dtype == np.uint8
    assert np.array_equal(first, _apply(name, photo, threads=3))
    assert np.array_equal(photo, before)
    assert not np.array_equal(first, photo)


@pytest.mark.parametrize("name", sorted(registry.edit_names()))
@pytest.mark.parametrize("size", [(16, 16), (9, 40), (40, 9)])
def test_tiny_and_blank_pictures(name: str, size: tuple[int, int]) -> None:
    for level in (0, 255):
        blank = np.full((*size, 3), level, np.uint8)
        assert _apply(name, blank).shape == blank.shape


@pytest.mark.parametrize("name", ["snow", "rain", "fog", "golden_hour", "night"])
def test_weather_depends_on_the_seed(name: str) -> None:
    photo = _photo()
    assert not np.array_equal(_apply(name, photo, seed=1), _apply(name, photo, seed=2))


def test_flips_are_their_own_inverse() -> None:
    photo = _photo()
    for name in ("flip", "flip_vertical", "invert"):
        once = _apply(name, photo)
        assert not np.array_equal(once, photo)
        assert np.array_equal(_apply(name, once), photo)


def test_sky_is_found_above_the_land() -> None:
    sky = outdoors(_photo()).sky
    assert sky[: HEIGHT // 4].mean() > 0.8
    assert sky[HEIGHT * 3 // 4 :].mean() < 0.1


def test_sunset_burns_near_the_horizon() -> None:
    after = _apply("sunset", _photo()).astype(int)
    left = np.s_[:, : WIDTH // 3]
    low, high = after[HEIGHT * 2 // 5 : HEIGHT * 9 // 20][left], after[: HEIGHT // 10][left]
    assert (low[..., 0] - low[..., 2]).mean() > 30
    assert (high[..., 0] - high[..., 2]).mean() < (low[..., 0] - low[..., 2]).mean() - 20


def test_snow_lies_on_top_of_the_house_and_not_under_it() -> None:
    photo = np.full((HEIGHT, WIDTH, 3), 150, np.uint8)
    photo[60:120, 100:220] = 60
    added = _lab(_apply("snow", photo))[..., 0] - _lab(photo)[..., 0]
    assert added[56:64, 110:210].mean() > added[116:124, 110:210].mean() + 8


def test_background_blur_keeps_the_subject_sharp() -> None:
    photo = _photo()
    texture = generator(2, "texture").integers(-35, 35, (HEIGHT, WIDTH, 1))
    photo = np.clip(photo.astype(int) + texture, 0, 255).astype(np.uint8)
    after = _apply("blur_background", photo)
    house, meadow = np.s_[75:120, 175:225], np.s_[150:178, 5:90]
    kept = [_fine(after[part]) / _fine(photo[part]) for part in (house, meadow)]
    assert kept[0] > 2 * kept[1]


def test_night_keeps_lamps_lit() -> None:
    photo = _photo()
    after = _lab(_apply("night", photo))[..., 0]
    window = after[HEIGHT // 2 + 4 : HEIGHT // 2 + 10, WIDTH * 5 // 8 + 3 : WIDTH * 5 // 8 + 12]
    assert window.mean() > after.mean() + 25


def _wished(name: str, source: Rgb8, **options: object) -> Rgb8:
    return registry.edit(name)(source, Easel(source.shape[1], source.shape[0], 3, options=options))


@pytest.mark.parametrize("color", ["blue", "green", "purple", "gold", "white", "black"])
def test_recolouring_changes_the_named_colour_only(color: str) -> None:
    photo = _photo()
    after = _lab(_wished("recolor", photo, target="red", color=color))
    before = _lab(photo)
    house, meadow, sky = np.s_[70:85, 170:230], np.s_[150:178, 5:140], np.s_[5:40, :]
    wanted = COLORS[color]
    found = after[house].mean((0, 1))
    if wanted.hue is None:
        assert abs(found[0] - wanted.paint_light) < 15
        assert np.hypot(found[1], found[2]) < 10
    else:
        away = abs((np.degrees(np.arctan2(found[2], found[1])) - wanted.hue + 180) % 360 - 180)
        assert away < 15
    for part in (meadow, sky):
        assert np.abs(after[part] - before[part]).mean() < 1.0


def test_recolouring_keeps_light_and_shade() -> None:
    photo = _photo().astype(np.float32)
    photo[60:135, 160:240] *= np.linspace(0.6, 1.3, 80, dtype=np.float32)[None, :, None]
    photo = np.clip(photo, 0, 255).astype(np.uint8)
    after = _lab(_wished("recolor", photo, target="red", color="blue"))[70:85, 165:195, 0].ravel()
    assert np.corrcoef(after, _lab(photo)[70:85, 165:195, 0].ravel())[0, 1] > 0.9


def test_recolouring_an_absent_colour_changes_nothing() -> None:
    photo = _photo()
    assert np.array_equal(_wished("recolor", photo, target="purple", color="blue"), photo)


LEFT, RIGHT = np.s_[:, :107], np.s_[:, 213:]


@pytest.mark.parametrize(("side", "lit", "dim"), [("left", LEFT, RIGHT), ("right", RIGHT, LEFT)])
def test_light_comes_from_the_side_asked_for(side: str, lit: tuple[slice, slice], dim: tuple[slice, slice]) -> None:
    photo = _photo()
    gain = _lab(_wished("relight", photo, variant=side))[..., 0] - _lab(photo)[..., 0]
    assert gain[lit].mean() > gain[dim].mean() + 8


def test_crop_comes_closer_to_the_subject() -> None:
    def red(image: Rgb8) -> float:
        return float((_lab(image)[..., 1] > 30).mean())

    photo = _photo()
    assert red(_apply("crop", photo)) > 1.15 * red(photo)


def test_outpainting_shows_the_whole_picture_smaller_and_no_bars() -> None:
    photo = _photo()
    wide = _apply("outpaint", photo)
    small = cv2.resize(photo, None, fx=1 / 1.36, fy=1 / 1.36, interpolation=cv2.INTER_AREA)
    assert cv2.matchTemplate(wide, small, cv2.TM_CCOEFF_NORMED).max() > 0.97
    for edge in (np.s_[:12], np.s_[-12:], np.s_[:, :12], np.s_[:, -12:]):
        new, old = wide[edge].reshape(-1, 3).astype(float), photo[edge].reshape(-1, 3).astype(float)
        assert np.abs(new.mean(0) - old.mean(0)).max() < 30  # the margins go on with what is there
    for edge in (np.s_[:, :12], np.s_[:, -12:]):
        assert wide[edge].reshape(-1, 3).astype(float).std(0).max() > 12


def test_tilt_shift_is_sharp_in_the_middle_only() -> None:
    photo = _photo()
    texture = generator(2, "texture").integers(-35, 35, (HEIGHT, WIDTH, 1))
    photo = np.clip(photo.astype(int) + texture, 0, 255).astype(np.uint8)
    after = _apply("tilt_shift", photo)
    kept = [_fine(after[rows]) / _fine(photo[rows]) for rows in (slice(80, 100), slice(0, 20), slice(160, 180))]
    assert kept[0] > 2 * max(kept[1:])


def test_border_and_frame_surround_the_whole_picture() -> None:
    photo = _photo()
    mat, frame = _wished("border", photo), _wished("border", photo, variant="frame")
    assert mat[:3].min() > 225
    assert mat[60:120, 60:260].std() > 10
    assert frame[1:4, 20:-20].mean() < 150
    assert frame[9:11, 40:-40].mean() > 180


def test_motion_blur_runs_sideways() -> None:
    photo = np.clip(generator(5, "dots").integers(0, 255, (HEIGHT, WIDTH, 1)) * np.ones(3), 0, 255).astype(np.uint8)
    after = _lab(_apply("motion_blur", photo))[..., 0]
    across, down = np.abs(np.diff(after, axis=1)).mean(), np.abs(np.diff(after, axis=0)).mean()
    assert down > 1.5 * across


def test_collage_of_one_picture_has_paper_between_details() -> None:
    made = _apply("collage", _photo())
    paper = (made.min(2) > 225) & (np.ptp(made, axis=2) < 16)
    assert 0.02 < paper.mean() < 0.3
    assert paper[0].all()
