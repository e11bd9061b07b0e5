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

from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.kernels.resize import cover
from aquatint.engines.studio.styles.base import Easel, Rgb8, Style

WIDTH, HEIGHT = 512, 288
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
# Between which values a measure of the style must lie, on every photo. `x_` means relative to the photo's own.
SIGNATURES: dict[str, dict[str, tuple[float, float]]] = {}


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


def small_photo(width: int = 160, height: int = 96) -> Rgb8:
    """A tiny landscape with a hard-edged block, for tests of sizes and odd cases."""
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    image = np.array([110, 150, 215], np.float32) * (1 - rows) + np.array([230, 220, 200], np.float32) * rows
    image = np.repeat(image, width, 1)
    land = np.arange(height)[:, None] / height > 0.55 + 0.15 * fbm(1, width, 4, 3, 5)[0][None]
    image = np.where(land[..., None], np.array([70, 100, 55], np.float32) + 60 * fbm(height, width, 30, 2, 6)[..., None], image)
    image[height // 3 : height // 2 + 8, width // 3 : width // 2] = (185, 70, 50)
    image += generator(7).normal(0, 2, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8)


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
    thumbs = [cv2.resize(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY), (64, 36), interpolation=cv2.INTER_AREA) for p in (image, source)]
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


@cache
def measured(style: str, name: str, variant: str = "") -> Mapping[str, float]:
    return measures(painted(style, name, variant), cover(photo(name), WIDTH, HEIGHT))
