"""Surface of one picture for another: how much detail it has at each scale, and its fine texture."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np

from aquatint.engines.studio.arrays import PlaneF, Rgb8, RgbF
from aquatint.engines.studio.easel import Easel
from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import luminance, to_bytes, to_float
from aquatint.engines.studio.kernels.grading import guided
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import blur, fit_width, resize, rows_of

_WORK_SIDE = 1280
_BANDS = 4
_LEAST_GAIN, _MOST_GAIN = 0.25, 1.9
_TEXTURE_SIDE = 2048
_PATCH = 160  # of a picture 2048 long: the largest pattern that counts as texture


def take_surface(source: Rgb8, model: Rgb8, easel: Easel) -> Rgb8:
    """Give `source` the local contrast and the microtexture of `model`; the result has the easel's size.

    Contrast: the deviations of four band-pass layers of lightness are matched (in the manner of Heeger and Bergen
    1995). Texture: what a guided filter takes off the calm parts of the model, synthesised anew for the whole
    sheet as spot noise with the same spectrum (van Wijk 1991; Galerne, Gousseau and Morel 2011). No network.
    """
    width, height = easel.width, easel.height
    share = min(1.0, 0.3 + 0.7 * easel.strength)
    painted = _match_bands(source, model, easel, share)
    texture = _spot_noise(model, width, height, easel.seed) * np.float32(share)
    result = np.empty((height, width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        rgb = rows_of(painted, width, height, top, bottom)
        grain = rows_of(texture, width, height, top, bottom)
        # Pigment and paper show in the middle tones, neither in pure black nor in pure white.
        middle = np.clip(luminance(np.clip(rgb, 0, 1)), 0, 1)
        result[top:bottom] = to_bytes(rgb + (grain * (0.35 + 2.6 * middle * (1 - middle)))[..., None])

    run_strips(strip, height, easel.threads)
    return result


def _bands(light: PlaneF) -> list[PlaneF]:
    """Band-pass layers of a plane, fine to coarse."""
    k = max(light.shape) / 1024
    blurred = [light, *(blur(light, 0.9 * k * 2**i) for i in range(_BANDS))]
    return [np.asarray(fine - coarse, dtype=np.float32) for fine, coarse in pairwise(blurred)]


def _match_bands(source: Rgb8, model: Rgb8, easel: Easel, share: float) -> RgbF:
    small = to_float(resize(source, *fit_width(easel.width, easel.height, _WORK_SIDE)))
    goal = to_float(resize(model, *fit_width(model.shape[1], model.shape[0], _WORK_SIDE)))
    own, wanted = _bands(luminance(small)), _bands(luminance(goal))
    gains = [
        float(np.clip(theirs.std() / max(float(mine.std()), 1e-4), _LEAST_GAIN, _MOST_GAIN))
        for mine, theirs in zip(own, wanted, strict=True)
    ]
    if gains[0] < 1:  # a smoother surface: flatten between the edges before taking detail away
        calm = kuwahara(small, 4.5 * max(small.shape) / 1024, easel.threads)
        small = small + (calm - small) * np.float32((1 - gains[0]) * share)
        own = _bands(luminance(small))
    for band, gain in zip(own, gains, strict=True):
        small = small + (band * np.float32((gain - 1) * share * (1.0 if gain > 1 else 0.35)))[..., None]
    return np.asarray(small, dtype=np.float32)


def _spot_noise(model: Rgb8, width: int, height: int, seed: int) -> PlaneF:
    """Texture of the model for a sheet of width x height, drawn at 2048 at most: (h, w), lightness around 0."""
    wide, tall = fit_width(width, height, _TEXTURE_SIDE)
    scale = max(wide, tall) / max(model.shape[:2])
    size = (max(1, round(model.shape[1] * scale)), max(1, round(model.shape[0] * scale)))
    light = luminance(to_float(resize(model, *size)))
    fine = light - guided(light, light, 8)
    window = max(8, min(_PATCH, light.shape[0] // 2, light.shape[1] // 2))
    top, left = _typical_window(fine, window)
    fall = np.hanning(window + 2)[1:-1].astype(np.float32)
    spot = fine[top : top + window, left : left + window] * fall[:, None] * fall[None]
    spot = spot - spot.mean()
    deviation = float(np.median(np.abs(fine))) * 1.4826  # of the calm parts: edges are no texture
    spot /= max(float(np.sqrt((spot * spot).sum())), 1e-6)
    noise = generator(seed, "spot noise").standard_normal((tall, wide), dtype=np.float32)
    drawn = cv2.filter2D(noise, -1, np.asarray(spot, dtype=np.float32), borderType=cv2.BORDER_REFLECT)
    return np.asarray(drawn * np.float32(min(deviation, 0.06)), dtype=np.float32)


def _typical_window(fine: PlaneF, window: int) -> tuple[int, int]:
    """Corner of the window whose texture is nearest to the picture's median strength."""
    strength = cv2.boxFilter(fine * fine, -1, (window, window), borderType=cv2.BORDER_REFLECT)
    inside = strength[window // 2 : strength.shape[0] - window // 2, window // 2 : strength.shape[1] - window // 2]
    far = np.abs(inside - np.median(inside))
    row, column = np.unravel_index(int(np.argmin(far)), far.shape)
    return int(row), int(column)
