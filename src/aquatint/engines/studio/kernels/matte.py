"""Cutting out the subject of a photo by guess: saliency, faces, focus and colour, without a trained model."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.arrays import PlaneF, Rgb8, RgbF
from aquatint.engines.studio.kernels.color import luminance, rgb_to_lab, smoothstep, to_float
from aquatint.engines.studio.kernels.grading import guided, outdoors
from aquatint.engines.studio.kernels.palette import closest, found_palette
from aquatint.engines.studio.kernels.resize import blur, blur_wide, fit_width, resize, unit
from aquatint.engines.studio.kernels.saliency import face_mask, saliency

_MAP_SIDE = 448
_COLORS = 9
_ROUNDS = 3
_COLOR_SEED = 2004  # the same colours for the same picture, whatever the task's seed


def subject_matte(source: Rgb8) -> PlaneF:
    """Matte 0..1 of the likely subject, at most 448 px on the longer side. A guess, and it can be wrong.

    A first map from saliency, sharpness, faces and the absence of sky is refined in three rounds: colours
    common inside and rare outside count for the subject (the colour models of Rother, Kolmogorov and Blake 2004,
    with fixed clusters and a guided filter instead of a graph cut), so that the outline follows the picture.
    """
    height, width = source.shape[:2]
    small = resize(source, *fit_width(width, height, _MAP_SIDE))
    rgb = to_float(small)
    light = luminance(rgb)
    first = _first_guess(small, light)
    faces = face_mask(small)
    matte = first
    colors = rgb_to_lab(rgb).reshape(-1, 3)
    names = closest(colors, found_palette(colors, _COLORS * 2, _COLOR_SEED)).reshape(matte.shape)
    for _ in range(_ROUNDS):
        evidence = _color_evidence(names, matte)
        score = 2.2 * (first - 0.5) + 1.6 * blur(evidence, 1.0)
        matte = guided(light, np.asarray(1 / (1 + np.exp(-3 * score)), dtype=np.float32), 7)
        if faces is not None:
            matte = np.maximum(matte, faces)
    return _tidy(_with_tops(small, smoothstep(0.3, 0.72, matte)))


def _with_tops(small: Rgb8, matte: PlaneF) -> PlaneF:
    """Let what stands up against the sky from the subject belong to it: spires, ears, tree tops."""
    tall, wide = matte.shape
    sky = np.clip(resize(outdoors(small).sky, wide, tall), 0, 1)
    solid = smoothstep(0.8, 0.45, sky)
    under_sky = np.minimum(np.cumsum(sky, axis=0) * np.float32(12 / tall), 1)  # sky lies above this place
    grown = matte.copy()
    reach = np.ones((1, 3), np.uint8)
    for row in range(tall - 2, -1, -1):
        below = np.asarray(cv2.dilate(grown[row + 1 : row + 2], reach), dtype=np.float32)[0]
        standing = np.minimum(below, solid[row]) * under_sky[row]
        grown[row] = np.maximum(grown[row], standing)
    return grown


def _first_guess(small: Rgb8, light: PlaneF) -> PlaneF:
    tall, wide = light.shape
    k = unit(wide, tall)
    interest = np.minimum(resize(saliency(small).interest, wide, tall), np.float32(1.2))
    focus = blur_wide(np.abs(light - blur(light, 1.6 * k)), 14 * k)
    score = _ranked(blur_wide(np.asarray(interest, dtype=np.float32), 9 * k)) + 0.9 * _ranked(focus)
    score = score * (1 - 0.85 * np.clip(resize(outdoors(small).sky, wide, tall), 0, 1))
    low, high = np.percentile(score, [52, 88])
    return smoothstep(float(low), max(float(high), float(low) + 1e-3), np.asarray(score, dtype=np.float32))


def _ranked(plane: PlaneF) -> PlaneF:
    """Each value as the share of values below it: maps of different nature become comparable."""
    flat = np.sort(plane.ravel())
    ranks = np.searchsorted(flat, plane.ravel()).reshape(plane.shape)
    return np.asarray(ranks / max(1, flat.size), dtype=np.float32)


def _color_evidence(names: npt.NDArray[np.int64], matte: PlaneF) -> PlaneF:
    """-1..1 per pixel: how much more common its colour is inside the matte than outside."""
    flat = names.ravel()
    inside = np.bincount(flat, matte.ravel(), minlength=_COLORS * 2) + 1
    outside = np.bincount(flat, 1 - matte.ravel(), minlength=_COLORS * 2) + 1
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    return np.asarray(np.tanh(0.7 * ratio)[names], dtype=np.float32)


def _tidy(matte: PlaneF) -> PlaneF:
    """Drop islands much smaller than the subject and close small holes in it."""
    solid = (matte > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    if count > 2:
        areas = stats[1:, cv2.CC_STAT_AREA]
        kept = np.flatnonzero(areas >= 0.12 * areas.max()) + 1
        near = cv2.dilate(np.isin(labels, kept).astype(np.uint8), np.ones((5, 5), np.uint8))
        matte = matte * near
    holes, marks, sizes, _ = cv2.connectedComponentsWithStats((matte <= 0.5).astype(np.uint8))
    small = [i for i in range(1, holes) if sizes[i, cv2.CC_STAT_AREA] < 0.004 * matte.size]
    if small:
        matte = np.maximum(matte, blur(np.isin(marks, small).astype(np.float32), 1.5))
    return np.asarray(np.clip(matte, 0, 1), dtype=np.float32)


def spread_from(rgb: RgbF, matte: PlaneF, sigma: float) -> RgbF:
    """Fill the matte's inside with the colours around it (normalised blur), for what would lie behind a subject."""
    outside = (1 - matte)[..., None]
    weighted = blur_wide(np.concatenate([rgb * outside, outside], axis=2).astype(np.float32), sigma)
    filled = weighted[..., :3] / np.maximum(weighted[..., 3:], np.float32(1e-3))
    return np.asarray(rgb + (filled - rgb) * (1 - outside), dtype=np.float32)
