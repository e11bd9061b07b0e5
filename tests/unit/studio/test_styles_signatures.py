"""Every painted, drawn and printed style has its own signature, which a blur, a tint or another style would miss."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aquatint.engines.studio.kernels.resize import cover
from aquatint.engines.studio.styles.base import Easel, Rgb8, Style

WIDTH, HEIGHT = 400, 225
STYLES = (
    "oil",
    "pencil",
    "ink",
    "ink_wash",
    "charcoal",
    "cartoon",
    "woodcut",
    "pixel_art",
    "halftone",
    "pointillism",
    "stained_glass",
    "mosaic",
    "gouache",
    "low_poly",
    "vintage",
    "black_and_white",
    "cyberpunk",
    "paper_cut",
)
VARIANTS = (
    ("oil", "impasto"),
    ("oil", "swirl"),
    ("oil", "impressionist"),
    ("pencil", "colored"),
    ("cartoon", "anime"),
    ("cartoon", "flat"),
    ("cartoon", "illustration"),
    ("woodcut", "engraving"),
    ("woodcut", "ukiyo_e"),
    ("pixel_art", "gameboy"),
    ("halftone", "pop_art"),
    ("gouache", "pastel"),
    ("vintage", "film"),
    ("vintage", "sepia"),
    ("black_and_white", "noir"),
    ("cyberpunk", "neon"),
)
PHOTOS = ("castle", "raccoon")
# Between which values a measure of the style must lie, on every photo; `_gain` is relative to the photo itself.
# `likeness` keeps the picture recognisable; together the bounds of a style exclude the photo, its blur and its tint.
SIGNATURES: dict[str, dict[str, tuple[float, float]]] = {
    "oil": {
        "flat": (0, 0.04),
        "chroma_gain": (1.0, 1.25),
        "colors_gain": (1.08, 9),
        "fine": (9.6, 14),
        "likeness": (0.95, 1),
        "residual": (8, 60),
    },
    "pencil": {"chroma": (0, 3), "paper": (0.25, 0.75), "border": (88, 97), "fine": (15, 32), "likeness": (0.6, 1)},
    "ink": {"chroma": (0, 4), "bimodal": (0.9, 1), "paper": (0.4, 0.9), "fine": (40, 80), "likeness": (0.75, 1)},
    "ink_wash": {
        "chroma": (2, 9),
        "paper": (0.25, 0.7),
        "border": (82, 97),
        "colors": (5e3, 4e4),
        "likeness": (0.6, 1),
    },
    "charcoal": {
        "chroma": (1.5, 5),
        "paper": (0.1, 0.4),
        "border": (80, 95),
        "dark": (0.08, 0.35),
        "likeness": (0.6, 1),
    },
    "cartoon": {"flat": (0.1, 0.6), "dark": (0.2, 0.4), "fine": (19, 34), "chroma": (15, 40), "likeness": (0.93, 1)},
    "woodcut": {"bimodal": (0.7, 1), "colors": (2, 1500), "fine": (50, 80), "chroma": (4, 12), "likeness": (0.85, 1)},
    "pixel_art": {"colors": (2, 24), "flat": (0.25, 0.9), "likeness": (0.95, 1)},
    "halftone": {"edge": (0.9, 1), "fine": (40, 70), "chroma": (20, 45), "paper": (0.05, 0.4), "likeness": (0.93, 1)},
    "pointillism": {"chroma_gain": (1.26, 2), "edge": (0.6, 0.8), "colors_gain": (1.2, 9), "residual": (12, 60)},
    "stained_glass": {
        "border": (0, 25),
        "dark": (0.25, 0.5),
        "edge": (0.6, 0.9),
        "fine": (22, 45),
        "likeness": (0.7, 1),
    },
    "mosaic": {
        "flat": (0, 0.05),
        "colors_gain": (1.1, 9),
        "fine": (6, 10),
        "residual": (12, 60),
        "likeness": (0.95, 1),
    },
    "gouache": {"border": (90, 98), "dark": (0, 0.07), "fine": (5, 12), "chroma": (14, 30), "likeness": (0.65, 0.95)},
    "low_poly": {
        "flat": (0.1, 0.6),
        "fine": (5, 11),
        "dark": (0.05, 0.2),
        "residual": (8, 60),
        "likeness": (0.95, 1),
    },
    "vintage": {"border": (90, 97), "chroma": (7, 18), "fine": (12, 26), "likeness": (0.6, 0.9)},
    "black_and_white": {"chroma": (0, 1.5), "flat": (0, 0.05), "fine": (15, 30), "likeness": (0.93, 1)},
    "cyberpunk": {"light": (20, 42), "chroma_gain": (1.25, 3), "paper": (0, 0.01), "likeness": (0.7, 1)},
    "paper_cut": {"colors": (2000, 2e4), "edge": (0.15, 0.45), "fine": (4, 9), "dark": (0.1, 0.3), "paper": (0, 0.1)},
}


def paint_of(style: str) -> Style:
    module = import_module(f"aquatint.engines.studio.styles.{style}")
    function: Style = module.paint
    return function


@cache
def photo(name: str) -> Rgb8:
    path = Path(__file__).parents[3] / "examples" / "photos" / f"{name}.jpg"
    decoded = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert decoded is not None
    rgb = np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), dtype=np.uint8)
    return cover(rgb, 2 * WIDTH, 2 * HEIGHT)


@cache
def painted(style: str, name: str, variant: str = "", seed: int = 3, threads: int = 2) -> Rgb8:
    options = {"variant": variant} if variant else {}
    return paint_of(style)(photo(name), Easel(WIDTH, HEIGHT, seed, threads=threads, options=options))


def lightness(image: Rgb8) -> npt.NDArray[np.float32]:
    lab = cv2.cvtColor(image.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    return np.asarray(lab, dtype=np.float32)


def measures(image: Rgb8, source: Rgb8) -> dict[str, float]:
    """The measures of the picture that tell media apart (medium, not content)."""
    lab = lightness(image)
    light, chroma = lab[..., 0], np.hypot(lab[..., 1], lab[..., 2])
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    gx, gy = cv2.Scharr(grey, cv2.CV_32F, 1, 0) / 16, cv2.Scharr(grey, cv2.CV_32F, 0, 1) / 16
    slope = np.hypot(gx, gy)
    frame = np.concatenate([light[:3].ravel(), light[-3:].ravel(), light[:, :3].ravel(), light[:, -3:].ravel()])
    thumbs = [
        cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (64, 36), interpolation=cv2.INTER_AREA)
        for p in (image, source)
    ]
    return {
        "chroma": float(chroma.mean()),
        "light": float(light.mean()),
        "paper": float(((light > 88) & (chroma < 14)).mean()),
        "dark": float((light < 25).mean()),
        "bimodal": float(((light < 25) | (light > 85)).mean()),
        "edge": float((slope > 12).mean()),
        "flat": float((slope < 1).mean()),
        "fine": float((grey - cv2.GaussianBlur(grey, (0, 0), 1.2)).std()),
        "border": float(frame.mean()),
        "colors": float(len(np.unique(image.reshape(-1, 3), axis=0))),
        "likeness": float(np.corrcoef(thumbs[0].ravel(), thumbs[1].ravel())[0, 1]),
    }


def unexplained(image: Rgb8, source: Rgb8) -> float:
    """Levels RMS left after the best global quadratic colour map from the source: a mere grade leaves little."""
    r, g, b = (source[::2, ::2, c].ravel().astype(np.float64) / 255 for c in range(3))
    terms = np.stack([np.ones_like(r), r, g, b, r * r, g * g, b * b, r * g, g * b, r * b], axis=1)
    wanted = image[::2, ::2].reshape(-1, 3).astype(np.float64)
    fit, *_ = np.linalg.lstsq(terms, wanted, rcond=None)
    return float(np.sqrt(((wanted - terms @ fit) ** 2).mean()))


@cache
def measured(style: str, name: str, variant: str = "") -> Mapping[str, float]:
    return compared(painted(style, name, variant), name)


def compared(image: Rgb8, name: str) -> dict[str, float]:
    """All measures of one picture made from a photo, gains over the photo included."""
    source = cover(photo(name), WIDTH, HEIGHT)
    own, base = measures(image, source), measures(source, source)
    gains = {f"{key}_gain": own[key] / max(base[key], 1e-6) for key in ("chroma", "colors", "edge", "fine")}
    return own | gains | {"residual": unexplained(image, source)}


def misses(found: Mapping[str, float], style: str) -> list[str]:
    """Which bounds of the style's signature are broken."""
    bounds = SIGNATURES[style]
    return [f"{key}={found[key]:.3g}" for key, (low, high) in bounds.items() if not low <= found[key] <= high]


@pytest.mark.parametrize("style", STYLES)
def test_signature_on_every_photo(style: str) -> None:
    for name in PHOTOS:
        assert misses(measured(style, name), style) == [], name


def _fakes(name: str) -> dict[str, Rgb8]:
    source = cover(photo(name), WIDTH, HEIGHT)
    sepia = np.array([[0.272, 0.534, 0.131], [0.349, 0.686, 0.168], [0.393, 0.769, 0.189]])
    grey = np.repeat(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    return {
        "the photo": source,
        "a blur": np.asarray(cv2.GaussianBlur(source, (0, 0), 3), dtype=np.uint8),
        "a sepia tint": np.clip(cv2.transform(source, sepia), 0, 255).astype(np.uint8),
        "a grey copy": np.asarray(grey, dtype=np.uint8),
        "cv2.stylization": np.asarray(cv2.stylization(source, sigma_s=60, sigma_r=0.45), dtype=np.uint8),
    }


@pytest.mark.parametrize("name", PHOTOS)
def test_fakes_have_no_signature(name: str) -> None:
    for title, fake in _fakes(name).items():
        found = compared(fake, name)
        passed = [style for style in STYLES if not misses(found, style)]
        assert passed == [], title


def test_other_styles_do_not_pass_for_one_another() -> None:
    for style in STYLES:
        for name in PHOTOS:
            taken_for = [other for other in STYLES if other != style and not misses(measured(style, name), other)]
            assert taken_for == [], f"{style} on {name}"


def test_nearest_centroid_tells_styles_apart_on_another_photo() -> None:
    keys = (
        "chroma_gain",
        "light",
        "paper",
        "dark",
        "bimodal",
        "edge",
        "flat",
        "fine",
        "border",
        "likeness",
        "residual",
    )

    def vectors(name: str) -> npt.NDArray[np.float64]:
        return np.array([[measured(style, name)[key] for key in keys] for style in STYLES])

    known, unknown = vectors(PHOTOS[0]), vectors(PHOTOS[1])
    scale = known.std(axis=0) + 1e-9
    distance = np.linalg.norm((unknown[:, None] - known[None]) / scale, axis=2)
    right = (distance.argmin(axis=1) == np.arange(len(STYLES))).mean()
    assert right >= 0.85
    apart = np.linalg.norm((known[:, None] - known[None]) / scale, axis=2) + np.eye(len(STYLES)) * 99
    assert apart.min() > 0.4


@pytest.mark.parametrize(("style", "variant"), VARIANTS)
def test_variant_is_its_own_picture(style: str, variant: str) -> None:
    plain, varied = painted(style, PHOTOS[0]), painted(style, PHOTOS[0], variant)
    assert varied.shape == plain.shape
    assert np.abs(plain.astype(int) - varied).mean() > 5
    assert measured(style, PHOTOS[0], variant)["likeness"] > 0.4


def test_no_style_is_only_a_grade() -> None:
    # Black and white and old prints are grades by nature; their grain and border still leave something.
    for style in STYLES:
        floor = 4 if style in ("black_and_white", "vintage") else 8
        assert measured(style, PHOTOS[0])["residual"] >= floor, style
