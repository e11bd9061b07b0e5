"""Colours of one picture for another: sliced optimal transport in Oklab, kept smooth by a guided filter."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import Rgb8, RgbF
from aquatint.engines.studio.kernels.color import to_bytes, to_float
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.oklab import oklab_to_rgb, rgb_to_oklab
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import fit_width, resize

_MAP_SIDE = 320
_SAMPLES = 9_000
_ROUNDS = 20
_QUANTILES = 256
_CHROMA_WEIGHT = np.array([1.0, 1.6, 1.6], np.float32)  # hue matters more than exposure
_SOFTNESS = 1e-3  # variance below which a neighbourhood counts as flat
_ROTATION_SEED = 20052011  # years of the two papers; the rotations are the same for every picture
Colors = npt.NDArray[np.float32]  # (n, 3)


def take_palette(source: Rgb8, palette: Rgb8, strength: float = 1.0, threads: int = 2) -> Rgb8:
    """Repaint `source` in the colours of `palette`; sizes may differ, the result has the source's.

    The colour cloud is moved by sliced optimal transport (Pitie, Kokaram and Dahyot 2005; Rabin et al. 2011) on a
    small copy. The picture itself is then changed by a locally affine map of its colours fitted to that (colour
    guided filter, He, Sun and Tang 2013; fast form, He and Sun 2015), so that skies do not band and grain does
    not grow. Strength 0.45..1.6 is how far to go; 1 goes all the way but for a little of the own light.
    """
    height, width = source.shape[:2]
    small = to_float(resize(source, *fit_width(width, height, _MAP_SIDE)))
    model = to_float(resize(palette, *fit_width(palette.shape[1], palette.shape[0], _MAP_SIDE)))
    lab = rgb_to_oklab(small)
    moved = transport(lab.reshape(-1, 3), rgb_to_oklab(model).reshape(-1, 3)).reshape(lab.shape)
    share = np.float32(min(1.0, 0.25 + 0.67 * strength))
    wanted = oklab_to_rgb(np.asarray(lab + (moved - lab) * share, dtype=np.float32))
    return _apply_affine(source, _local_affine(small, wanted, radius=9), threads)


def transport(cloud: Colors, goal: Colors) -> Colors:
    """Move a cloud of colours onto another, both (n, 3) float32; returns the moved cloud in the same order.

    Each of 20 rounds turns the space by a fixed random rotation and matches the quantiles along every axis.
    """
    rng = generator(_ROTATION_SEED, "rotations")
    # One row per axis: quantiles and interpolation want their numbers side by side.
    goal = np.ascontiguousarray((_thinned(goal) * _CHROMA_WEIGHT).T)
    moved = np.ascontiguousarray((cloud * _CHROMA_WEIGHT).T)
    steps = np.linspace(0, 1, _QUANTILES).astype(np.float32)
    thin = max(1, moved.shape[1] // _SAMPLES)
    for turn in range(_ROUNDS):
        basis = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32) if turn else np.eye(3, dtype=np.float32)
        turned, aim = basis @ moved, basis @ goal
        for axis in range(3):
            known = np.quantile(turned[axis, ::thin], steps)
            wanted = np.quantile(aim[axis], steps)
            turned[axis] = np.interp(turned[axis], known, wanted)
        moved = basis.T @ turned
    return np.asarray(moved.T / _CHROMA_WEIGHT, dtype=np.float32)


def _thinned(colors: Colors) -> Colors:
    return colors[:: max(1, len(colors) // _SAMPLES)]


def _local_affine(guide: RgbF, wanted: RgbF, radius: int) -> npt.NDArray[np.float32]:
    """Fit wanted = A guide + b around every pixel: (h, w, 12), three rows of (A | b)."""

    def mean(planes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.blur(planes, (2 * radius + 1, 2 * radius + 1)), dtype=np.float32)

    guide_mean, wanted_mean = mean(guide), mean(wanted)
    spread = np.empty((*guide.shape[:2], 3, 3), np.float32)
    cross = np.empty_like(spread)
    for row in range(3):
        spread[..., row, :] = mean(guide[..., row, None] * guide) - guide_mean[..., row, None] * guide_mean
        cross[..., row, :] = mean(guide[..., row, None] * wanted) - guide_mean[..., row, None] * wanted_mean
    spread += np.eye(3, dtype=np.float32) * np.float32(_SOFTNESS)
    slope = np.linalg.solve(spread, cross)  # (h, w, from, to)
    offset = wanted_mean - np.einsum("yxf,yxft->yxt", guide_mean, slope)
    fitted = np.empty((*guide.shape[:2], 12), np.float32)
    for to in range(3):
        fitted[..., 4 * to : 4 * to + 3] = slope[..., to]
        fitted[..., 4 * to + 3] = offset[..., to]
    return np.concatenate([mean(np.ascontiguousarray(fitted[..., i : i + 4])) for i in (0, 4, 8)], axis=2)


def _apply_affine(source: Rgb8, fitted: npt.NDArray[np.float32], threads: int) -> Rgb8:
    height, width = source.shape[:2]
    groups = [np.ascontiguousarray(fitted[..., i : i + 4]) for i in (0, 4, 8)]
    sx, sy = fitted.shape[1] / width, fitted.shape[0] / height
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    result = np.empty_like(source)

    def strip(top: int, bottom: int) -> None:
        matrix = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, (top + 0.5) * sy - 0.5]], np.float32)
        rgb = to_float(source[top:bottom])
        painted = np.empty_like(rgb)
        for channel, group in enumerate(groups):
            size = (width, bottom - top)
            local = cv2.warpAffine(group, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
            painted[..., channel] = (local[..., :3] * rgb).sum(2) + local[..., 3]
        result[top:bottom] = to_bytes(painted)

    run_strips(strip, height, threads)
    return result
