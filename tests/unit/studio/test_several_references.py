"""Several references: roles, colours by optimal transport, surface statistics, and sheets."""

from __future__ import annotations

import numpy as np
import pytest

from aquatint.engines.studio import sheet
from aquatint.engines.studio.arrays import Rgb8
from aquatint.engines.studio.easel import Easel
from aquatint.engines.studio.grammar import parse
from aquatint.engines.studio.kernels.color import luminance, rgb_to_lab, to_float
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.kernels.oklab import oklab_to_rgb, rgb_to_oklab
from aquatint.engines.studio.kernels.surface import take_surface
from aquatint.engines.studio.kernels.transport import take_palette, transport
from aquatint.engines.studio.references import Roles, assign


def _roles(prompt: str, count: int) -> Roles:
    return assign(parse(prompt), count)


@pytest.mark.parametrize(
    ("prompt", "count", "contents", "palette", "style"),
    [
        ("watercolor", 1, (0,), None, None),
        ("make it pretty", 2, (0,), 1, None),
        ("watercolor", 2, (0,), None, None),
        ("use the colors of image 2", 2, (0,), 1, None),
        ("use the colors of image 1", 2, (1,), 0, None),
        ("@1 in the style of @2", 2, (0,), None, 1),
        ("图1用图2的配色", 2, (0,), 1, None),
        ("把图2变成图1的风格", 2, (1,), None, 0),
        ("参考图2的色调，把图1画成油画", 2, (0,), 1, None),
        ("make @2 a pencil sketch", 3, (1,), None, None),
        ("watercolor", 3, (0, 1, 2), None, None),
        ("拼图", 4, (0, 1, 2, 3), None, None),
        ("a collage", 2, (0, 1), None, None),
        ("collage of image 3 and image 1", 3, (2, 0), None, None),
        ("put the person of image 1 into image 2", 2, (0,), None, None),
        ("remove the car", 3, (0,), None, None),
        ("use the palette of image 7", 2, (0,), 1, None),
    ],
)
def test_roles(prompt: str, count: int, contents: tuple[int, ...], palette: int | None, style: int | None) -> None:
    roles = _roles(prompt, count)
    assert (roles.contents, roles.palette, roles.style) == (contents, palette, style)


@pytest.mark.parametrize(
    ("prompt", "count", "said"),
    [
        ("watercolor", 2, "image 2 was not used"),
        ("make @2 a pencil sketch", 3, "images 1 and 3 were not used"),
        ("watercolor", 3, "images 1, 2 and 3 were laid out on one sheet"),
        ("@1 in the style of @2", 2, "not neural style transfer"),
        ("blend image 1 and image 2", 2, "cannot fuse"),
        ("watercolor of image 5", 1, "speaks of image 5"),
        ("make it pretty", 2, "image 2 has no role"),
    ],
)
def test_no_reference_is_dropped_in_silence(prompt: str, count: int, said: str) -> None:
    assert any(said in warning for warning in _roles(prompt, count).warnings)


@pytest.mark.parametrize(("prompt", "count"), [("use the colors of image 2", 2), ("watercolor", 1), ("collage", 3)])
def test_what_was_asked_for_needs_no_warning(prompt: str, count: int) -> None:
    assert _roles(prompt, count).warnings == ()


def _scene(seed: int, colors: list[tuple[int, int, int]], height: int = 120, width: int = 200) -> Rgb8:
    """Bands of colour with shading: a picture with regions and edges."""
    image = np.zeros((height, width, 3), np.float32)
    for number, color in enumerate(colors):
        image[height * number // len(colors) : height * (number + 1) // len(colors)] = color
    shade = 1 + 0.25 * fbm(height, width, 6, 4, seed)[..., None]
    return np.clip(image * shade, 0, 255).astype(np.uint8)


COOL = _scene(1, [(60, 110, 190), (180, 200, 220), (30, 70, 50)])
WARM = _scene(2, [(240, 190, 110), (180, 80, 40), (60, 25, 20), (250, 225, 170)])


def _sliced_distance(first: Rgb8, second: Rgb8) -> float:
    """Sliced Wasserstein distance of the colours in Oklab, along fixed directions other than the ones used."""
    rng = generator(99, "directions")
    clouds = [rgb_to_oklab(to_float(i)).reshape(-1, 3) for i in (first, second)]
    steps = np.linspace(0, 1, 64)
    distances = []
    for _ in range(16):
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        quantiles = [np.quantile(cloud @ direction, steps) for cloud in clouds]
        distances.append(np.abs(quantiles[0] - quantiles[1]).mean())
    return float(np.mean(distances))


def test_oklab_round_trip_and_known_white() -> None:
    image = to_float(COOL)
    assert np.abs(oklab_to_rgb(rgb_to_oklab(image)) - image).max() < 2e-3
    white = rgb_to_oklab(np.ones((1, 1, 3), np.float32))[0, 0]
    assert np.allclose(white, (1, 0, 0), atol=1e-3)


def test_transport_moves_a_cloud_onto_another() -> None:
    rng = generator(5, "clouds")
    cloud = rng.normal(size=(3000, 3)).astype(np.float32) * 0.1
    goal = (rng.normal(size=(2500, 3)) @ np.array([[0.2, 0.1, 0], [0, 0.05, 0], [0, 0, 0.1]]) + 0.4).astype(
        np.float32
    )
    moved = transport(cloud, goal)
    assert np.abs(moved.mean(0) - goal.mean(0)).max() < 0.01
    assert np.abs(np.cov(moved.T) - np.cov(goal.T)).max() < 0.004


def test_palette_is_taken_and_the_picture_kept() -> None:
    before = _sliced_distance(COOL, WARM)
    painted = take_palette(COOL, WARM)
    assert _sliced_distance(painted, WARM) < 0.4 * before
    tones = [luminance(to_float(i)).ravel() for i in (COOL, painted)]
    assert np.corrcoef(*tones)[0, 1] > 0.8
    # Only the mean moved, as a tint would do it: that leaves far more distance.
    tint = np.clip(COOL.astype(float) + WARM.mean((0, 1)) - COOL.mean((0, 1)), 0, 255).astype(np.uint8)
    assert _sliced_distance(painted, WARM) < 0.75 * _sliced_distance(tint, WARM)


def test_palette_does_not_amplify_grain() -> None:
    flat = np.full((120, 200, 3), (90, 130, 180), np.float32) + np.linspace(0, 25, 200)[None, :, None]
    noisy = np.clip(flat + generator(3, "grain").normal(0, 2.5, flat.shape), 0, 255).astype(np.uint8)
    painted = take_palette(noisy, WARM)
    fine = [float(np.abs(np.diff(i.astype(np.float32).mean(2), axis=1)).mean()) for i in (noisy, painted)]
    assert fine[1] < 2.2 * fine[0]


def test_palette_is_the_same_on_any_threads_and_sizes_are_kept() -> None:
    odd = COOL[:97, :133]
    painted = take_palette(odd, WARM, threads=1)
    assert painted.shape == odd.shape
    assert np.array_equal(painted, take_palette(odd, WARM, threads=3))


def test_surface_takes_contrast_and_texture() -> None:
    rough = np.clip(COOL + generator(7, "rough").normal(0, 22, COOL.shape[:2])[..., None], 0, 255).astype(np.uint8)
    easel = Easel(200, 120, 3)

    def fine(image: Rgb8) -> float:
        return float(np.abs(np.diff(luminance(to_float(image)), axis=1)).mean())

    smooth = take_surface(WARM, COOL, easel)
    grainy = take_surface(WARM, rough, easel)
    assert fine(grainy) > 1.6 * fine(smooth)
    lab = [rgb_to_lab(to_float(i))[..., 1:].mean((0, 1)) for i in (WARM, grainy)]
    assert np.abs(lab[0] - lab[1]).max() < 4  # the colours are not its business
    assert not np.array_equal(grainy, take_surface(WARM, rough, Easel(200, 120, 4)))
    assert np.array_equal(grainy, take_surface(WARM, rough, Easel(200, 120, 3, threads=1)))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 10, 14])
@pytest.mark.parametrize("size", [(1024, 576), (577, 1023), (400, 400), (64, 64)])
def test_cells_fill_the_sheet_without_overlap(count: int, size: tuple[int, int]) -> None:
    ratios = list(generator(count, "ratios").uniform(0.5, 2.0, count))
    gutter = 3
    owner = np.zeros((size[1], size[0]), np.int32)
    for cell in sheet.layout(ratios, *size, gutter, 5):
        part = owner[cell.top : cell.top + cell.height, cell.left : cell.left + cell.width]
        assert part.shape == (cell.height, cell.width)
        part += 1
    assert owner.max() == 1
    margin = owner[[*range(gutter), *range(-gutter, 0)]].sum() + owner[:, [*range(gutter), *range(-gutter, 0)]].sum()
    assert margin == 0
    assert (owner > 0).mean() > (0.85 if min(size) > 300 else 0.5)


def test_pictures_are_cut_little() -> None:
    ratios = [1.78, 0.75, 1.33, 1.0, 1.5]
    cells = sheet.layout(ratios, 1600, 900, 12, 1)
    stretch = [abs(np.log(cell.width / cell.height / ratio)) for cell, ratio in zip(cells, ratios, strict=True)]
    assert max(stretch) < 0.5


def test_sheet_shows_every_picture_on_paper() -> None:
    pictures = [np.full((60, 90, 3), color, np.uint8) for color in ((200, 30, 30), (30, 180, 40), (40, 60, 210))]
    made = sheet.compose(pictures, Easel(301, 203, 3))
    assert made.shape == (203, 301, 3)
    for picture in pictures:
        near = np.abs(made.astype(int) - picture[0, 0]).max(2) < 12
        assert near.mean() > 0.15
    assert made[0].min() > 200
