"""Wind waves by spectral synthesis: periodic patches of height and slope."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import generator

ArrayF = npt.NDArray[np.float32]


def ocean_patch(side: int, metres: float, wind: float, heading: float, shortest: float, seed: int) -> ArrayF:
    """Synthesize one periodic patch of sea.

    `side` texels span `metres`; `wind` is in m/s, `heading` in radians from +x toward +y; waves shorter than
    `shortest` metres are left out. Returns (side, side, 3) float32: height in metres, slope along x, slope along y.
    Source: Tessendorf 2001 with the Phillips spectrum, scaled to the significant height of a grown sea.
    """
    rng = generator(seed, "ocean")
    step = 2 * math.pi / metres
    count = np.fft.fftfreq(side, 1 / side)
    kx, ky = np.meshgrid(count * step, count * step)
    k = np.hypot(kx, ky)
    k[0, 0] = 1e-6
    longest = wind * wind / 9.81
    along = (kx * math.cos(heading) + ky * math.sin(heading)) / k
    power = np.exp(-1 / (k * longest) ** 2) / k**4 * along**2 * np.exp(-((k * shortest / (2 * math.pi)) ** 2))
    # Waves against the wind are nearly absent.
    power *= np.where(along < 0, 0.12, 1.0)
    power[0, 0] = 0
    phase = rng.normal(size=(side, side)) + 1j * rng.normal(size=(side, side))
    spectrum = phase * np.sqrt(power)
    planes = [np.fft.ifft2(spectrum * factor).real for factor in (1.0, 1j * kx, 1j * ky)]
    scale = 0.25 * 0.21 * wind * wind / 9.81 / float(planes[0].std())
    return np.dstack([plane * scale for plane in planes]).astype(np.float32)
