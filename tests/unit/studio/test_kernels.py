"""Kernels: sizes, ranges, independence of threads and of the picture's size."""

from __future__ import annotations

import numpy as np
import pytest

from aquatint.engines.studio.kernels import color, flow, masks, noise, parallel, resize
from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.saliency import saliency
from aquatint.engines.studio.kernels.tensor import detail_map, structure_tensor


def _noisy_steps(height: int = 90, width: int = 140) -> color.RgbF:
    rng = noise.generator(5, "test picture")
    image = np.full((height, width, 3), 0.2, np.float32)
    image[:, width // 2 :] = (0.8, 0.7, 0.3)
    return np.clip(image + rng.normal(0, 0.05, image.shape), 0, 1).astype(np.float32)


def test_noise_is_the_same_picture_at_every_size() -> None:
    small, large = noise.fbm(90, 160, 7, 3, seed=4), noise.fbm(360, 640, 7, 3, seed=4)
    shrunk = resize.resize(large, 160, 90)
    assert np.corrcoef(small.ravel(), shrunk.ravel())[0, 1] > 0.99
    other = noise.fbm(90, 160, 7, 3, seed=5)
    assert abs(np.corrcoef(small.ravel(), other.ravel())[0, 1]) < 0.5


def test_noise_takes_any_seed_and_size() -> None:
    for height, width in ((1, 1), (2, 300), (301, 3)):
        plane = noise.fbm(height, width, 5, 4, seed=2**63 - 1)
        assert plane.shape == (height, width)
        assert plane.dtype == np.float32
        assert np.isfinite(plane).all()


def test_paper_grain_is_the_same_however_it_is_cut() -> None:
    grain = noise.paper_grain(301, 517, seed=9)
    whole = grain.rows(0, 301)
    pieces = np.vstack([grain.rows(0, 100), grain.rows(100, 101), grain.rows(101, 301)])
    assert np.array_equal(whole, pieces)
    assert abs(float(whole.mean())) < 0.1
    assert 0.8 < float(whole.std()) < 1.2


def test_salts_separate_random_streams() -> None:
    draws = [noise.generator(*args).random() for args in ((1,), (2,), (1, "a"), (1, "b"), (1, "a", 2))]
    assert len(set(draws)) == len(draws)
    assert noise.derive_seed(3, "x") == noise.derive_seed(3, "x")
    assert 0 <= noise.derive_seed(2**63 - 1, "x") < 2**63


def test_kuwahara_calms_regions_and_keeps_their_edge() -> None:
    image = _noisy_steps()
    calm = kuwahara(image, 4.0, threads=1)
    assert calm[10:80, 10:55].std() < 0.5 * image[10:80, 10:55].std()
    step = calm[20:70, 73, 0].mean() - calm[20:70, 66, 0].mean()
    assert step > 0.9 * 0.6  # a blur of that size would have smeared the step


@pytest.mark.parametrize("threads", [2, 3])
def test_kernels_do_not_depend_on_threads(threads: int) -> None:
    image = _noisy_steps()
    field = structure_tensor(image, 2)
    plane = color.luminance(image)
    assert np.array_equal(kuwahara(image, 4.0, 1), kuwahara(image, 4.0, threads))
    once = flow.lic(image, field.tx, field.ty, 5, 2.0, 1)
    assert np.array_equal(once, flow.lic(image, field.tx, field.ty, 5, 2.0, threads))
    assert np.array_equal(flow.xdog(plane, threads=1), flow.xdog(plane, threads=threads))


def test_structure_tensor_runs_along_an_edge() -> None:
    field = structure_tensor(_noisy_steps(), 2)
    at_edge = slice(68, 72)
    assert np.abs(field.ty[20:70, at_edge]).mean() > 0.95
    assert field.anisotropy[20:70, at_edge].mean() > 0.8
    detail = detail_map(field, 3)
    assert detail[20:70, at_edge].mean() > 2 * detail[20:70, 10:40].mean()
    assert 0 <= detail.min() <= detail.max() <= 1


def test_lic_smooths_along_and_not_across() -> None:
    rng = noise.generator(1, "lic")
    plane = rng.random((80, 80), dtype=np.float32)
    along_x = np.ones((80, 80), np.float32)
    drawn = flow.lic(plane, along_x, np.zeros_like(along_x), 6, 4.0, 1)
    across, along = np.abs(np.diff(drawn, axis=0)).mean(), np.abs(np.diff(drawn, axis=1)).mean()
    assert across > 2.5 * along


def test_xdog_inks_the_edge_and_leaves_calm_paper() -> None:
    plane = np.full((80, 120), 0.9, np.float32)
    plane[:, 60:] = 0.35
    plane[:, 90:] = 0.9
    ink = 1 - flow.xdog(resize.blur(plane, 1.0), threshold=0.7)
    assert ink[20:60, 62:66].mean() > 0.5
    assert ink[20:60, 5:40].max() < 0.05
    mask = flow.contrast_mask(structure_tensor(plane, 2), 3)
    assert mask[40, 60] > 0.9
    assert mask[40, 20] < 0.1


def test_color_round_trips() -> None:
    image = _noisy_steps()
    assert np.abs(color.lab_to_rgb(color.rgb_to_lab(image)) - image).max() < 0.02
    clipped = np.clip(image, 0.03, 1)
    assert np.allclose(np.exp(-color.density(image)), clipped, atol=1e-5)
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(color.to_bytes(color.to_float(values)), values)


def test_smoothstep_goes_both_ways() -> None:
    values = np.array([0.0, 0.25, 0.5, 0.75, 1.0], np.float32)
    up, down = color.smoothstep(0.25, 0.75, values), color.smoothstep(0.75, 0.25, values)
    assert up.tolist() == [0, 0, 0.5, 1, 1]
    assert np.allclose(up + down, 1)


def test_ramp_and_hex() -> None:
    palette = color.palette_array(["#000000", "#ff0000", "#ffffff"])
    plane = np.array([[0.0, 0.25, 0.5, 1.0]], np.float32)
    assert np.allclose(color.ramp(plane, palette)[0, :, 0], [0, 0.5, 1, 1])
    with pytest.raises(ValueError, match="not a colour"):
        color.hex_color("red")


@pytest.mark.parametrize(("width", "height"), [(64, 64), (31, 77), (200, 9), (5, 5)])
def test_cover_gives_the_exact_size(width: int, height: int) -> None:
    source = np.zeros((50, 80, 3), np.uint8)
    source[:, 30:50] = 255
    covered = resize.cover(source, width, height)
    assert covered.shape == (height, width, 3)
    assert covered[:, width // 2].mean() > 200  # the middle stays in the middle


def test_rows_of_equals_one_enlargement() -> None:
    plane = noise.value_noise(40, 60, 9, seed=3)
    whole = resize.rows_of(plane, 300, 200, 0, 200)
    pieces = np.vstack([resize.rows_of(plane, 300, 200, a, b) for a, b in parallel.strips(200, 64)])
    assert np.abs(whole - pieces).max() < 1e-6
    assert np.corrcoef(resize.resize(whole, 60, 40).ravel(), plane.ravel())[0, 1] > 0.999


def test_wide_blur_is_close_to_the_true_one() -> None:
    plane = noise.value_noise(200, 300, 30, seed=3)
    inner = np.s_[36:-36, 36:-36]
    assert np.abs(resize.blur_wide(plane, 12) - resize.blur(plane, 12))[inner].max() < 0.012


def test_rim_lies_just_inside() -> None:
    disc = (np.hypot(*np.mgrid[-50:50, -50:50]) < 30).astype(np.float32)
    edge = masks.rim(disc, 3)
    assert edge[50, 50] < 0.05
    assert edge[50, 21] > 0.5
    assert edge[50, 15] == 0


def test_strips_cover_every_row_once() -> None:
    for height in (1, 255, 256, 257, 3040):
        cut = parallel.strips(height)
        assert [a for a, _ in cut] == [0, *[b for _, b in cut[:-1]]]
        assert cut[-1][1] == height
        assert max(b - a for a, b in cut) <= parallel.STRIP_ROWS


def test_saliency_finds_the_odd_one_out() -> None:
    image = np.full((120, 200, 3), (70, 120, 60), np.uint8)
    image += noise.generator(2, "grass").integers(0, 12, image.shape, dtype=np.uint8)
    image[40:80, 130:170] = (220, 40, 50)
    found = saliency(image).interest
    height, width = found.shape
    inside = found[round(height / 3) : round(height * 2 / 3), round(width * 0.65) : round(width * 0.85)]
    assert inside.mean() > 1.5 * found[:, : width // 2].mean()
