"""Watercolour: transparent glazes with wet edges, wet-in-wet bleeding, granulation and a hand-torn border.

Sources: Curtis, Anderson, Seims, Fleischer and Salesin 1997 (glazes, edge darkening, granulation); Bousseau,
Kaplan, Thollot and Sillion 2006 (pigment density on paper); Wang et al. 2014 (wet-in-wet); Montesdeoca et
al. 2017.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from aquatint.engines.studio.kernels.abstraction import kuwahara
from aquatint.engines.studio.kernels.color import density, lab_to_rgb, rgb_to_lab, smoothstep, to_float
from aquatint.engines.studio.kernels.flow import lic
from aquatint.engines.studio.kernels.masks import border_distance, rim
from aquatint.engines.studio.kernels.noise import NoiseField, derive_seed, fbm, paper_grain, warp
from aquatint.engines.studio.kernels.parallel import map_ordered, run_strips
from aquatint.engines.studio.kernels.resize import blur, cover, fit_width, resize, rows_of, unit
from aquatint.engines.studio.kernels.saliency import face_mask
from aquatint.engines.studio.kernels.tensor import detail_map, structure_tensor
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8, RgbF

_ANALYSIS_SIDE = 1024
_PAINT_SIDE = 2048
# Each glaze holds the pigment between two of these densities; the last number only closes the last glaze.
_GLAZE_LEVELS = (0.035, 0.16, 0.32, 0.55, 0.85, 1.25, 1.8, 2.8)
_PAPER = (0.988, 0.978, 0.955)  # warm white, sRGB


@dataclass(frozen=True, slots=True)
class _Sketch:
    """What the painter decided before touching the paper, at analysis scale."""

    color: RgbF
    detail: PlaneF  # 0 calm .. 1 busy


@dataclass(frozen=True, slots=True)
class _Painting:
    """Pigment on the paper at paint scale, before the paper's grain acts on it."""

    pigment: RgbF  # optical density per channel
    load: PlaneF  # mean density laid down
    detail: PlaneF


def paint(source: Rgb8, easel: Easel) -> Rgb8:
    """Paint the source in watercolour; strength deepens the wet edges and loosens the brush."""
    easel.progress(0.02, "sketching")
    sketch = _sketch(source, easel)
    easel.progress(0.3, "laying washes")
    painting = _glaze(sketch, easel)
    easel.progress(0.75, "drying on paper")
    return _dry(painting, easel)


def _cells(easel: Easel, cells: float) -> float:
    """Noise cells across the width so that their size relates to the longer side."""
    return max(1.5, cells * easel.width / max(easel.width, easel.height))


def _sketch(source: Rgb8, easel: Easel) -> _Sketch:
    width, height = fit_width(easel.width, easel.height, _ANALYSIS_SIDE)
    k = unit(width, height)
    image = to_float(cover(source, width, height))
    flow = structure_tensor(image, 2 * k)
    fine_radius = max(1.6, 5.5 * k * (0.75 + 0.25 * easel.strength))
    fine = lic(
        kuwahara(image, fine_radius, easel.threads),
        flow.tx,
        flow.ty,
        max(2, int(3 * k)),
        2 * k,
        easel.threads,
    )
    half = resize(blur(fine, 0.8 * k), max(1, width // 2), max(1, height // 2))
    loose = resize(kuwahara(half, max(1.5, 5 * k), easel.threads), width, height)
    detail = detail_map(flow, 6 * k)
    share = smoothstep(0.25, 0.75, detail)[..., None]
    loose *= 1 - share
    loose += fine * share
    _keep_faces(source, image, loose, detail, easel)
    return _Sketch(_pigment_colors(loose), detail)


def _keep_faces(source: Rgb8, image: RgbF, color: RgbF, detail: PlaneF, easel: Easel) -> None:
    """Paint faces with a finer brush: a likeness dies first of all. Changes `color` and `detail`."""
    height, width = detail.shape
    mask = face_mask(cover(source, width, height))
    if mask is None:
        return
    fine = kuwahara(image, max(1.5, 2.2 * unit(width, height)), easel.threads)
    color += (fine - color) * mask[..., None]
    np.maximum(detail, mask, out=detail)


def _pigment_colors(image: RgbF) -> RgbF:
    """Move photo colours into a watercolourist's range: nothing black, lights fall to paper, clear hues."""
    lab = rgb_to_lab(image)
    lightness = lab[..., 0] / 100
    low, high = np.percentile(lightness[::4, ::4], [1, 98])
    spread = max(float(high - low), 0.25)  # a nearly uniform picture must not be torn apart
    lightness = np.clip((lightness - low) / np.float32(spread), 0, 1)
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    boost = 1.35 - 0.35 * np.clip(chroma / 70, 0, 1)
    lab[..., 0] = 16 + 84 * lightness ** np.float32(0.8)
    lab[..., 1:] *= boost[..., None]
    return np.asarray(np.clip(lab_to_rgb(lab), 0.02, 1) * np.float32(0.97) + np.float32(0.03), dtype=np.float32)


def _glaze(sketch: _Sketch, easel: Easel) -> _Painting:
    width, height = fit_width(easel.width, easel.height, _PAINT_SIDE)
    k, seed = unit(width, height), easel.seed
    detail = np.clip(resize(sketch.detail, width, height), 0, 1)
    color = warp(resize(sketch.color, width, height), 5 * k, _cells(easel, 22), derive_seed(seed, "hand"))
    pigment = density(color)
    wanted = np.asarray(cv2.transform(pigment, np.full((1, 3), 1 / 3, np.float32)), dtype=np.float32)
    load = _lay_glazes(wanted, detail, k, easel)
    pigment *= (load / (wanted + np.float32(1e-3)))[..., None]
    _bleed(pigment, detail, k, easel)
    drift = fbm(height, width, _cells(easel, 9), 4, derive_seed(seed, "hue drift"))
    drift *= 0.12
    pigment[..., 0] *= 1 + drift
    pigment[..., 2] *= 1 - drift
    return _Painting(pigment, load, detail)


def _lay_glazes(wanted: PlaneF, detail: PlaneF, k: float, easel: Easel) -> PlaneF:
    """Build the wanted density from seven washes with wobbling borders; returns the density laid down."""
    height, width = wanted.shape
    seed = easel.seed
    wobble = fbm(height, width, _cells(easel, 34), 4, derive_seed(seed, "small wobble"))
    wobble *= 0.085
    wobble += fbm(height, width, _cells(easel, 7), 3, derive_seed(seed, "large wobble")) * np.float32(0.10)
    wobble *= 1 - np.float32(0.55) * detail
    wobble *= wanted + np.float32(0.12)
    uneven = wanted + wobble

    def wash(index: int) -> PlaneF:
        low, high = _GLAZE_LEVELS[index], _GLAZE_LEVELS[index + 1]
        step = high - low
        softness = step * (0.35 if index < 2 else 0.1) + 0.012
        covered = smoothstep(low - softness / 2, low + softness / 2, uneven)
        layer = np.clip(uneven - np.float32(low), 0, np.float32(step))
        layer *= 0.55
        layer += covered * np.float32(step * 0.27)
        edges = rim(covered, 2.2 * k)
        edges *= (0.95 if index < 4 else 0.5) * easel.strength
        edges += rim(covered, 7 * k) * np.float32(0.25 * easel.strength)
        edges += 1
        layer *= edges
        turbulence = fbm(height, width, _cells(easel, 5 + 3 * index), 4, derive_seed(seed, "wash", index))
        turbulence *= 0.42 if index < 4 else 0.25
        turbulence += 1
        layer *= turbulence
        return np.asarray(layer, dtype=np.float32)

    layers = map_ordered(wash, range(len(_GLAZE_LEVELS) - 1), easel.threads)
    load = layers[0]
    for layer in layers[1:]:
        load += layer
    return load


def _bleed(pigment: RgbF, detail: PlaneF, k: float, easel: Easel) -> None:
    """Let colours run into each other where the paper was still wet: in calm places that noise chooses."""
    height, width = detail.shape
    wet = smoothstep(0.55, 0.15, detail)
    wet *= smoothstep(-0.1, 0.25, fbm(height, width, _cells(easel, 4), 3, derive_seed(easel.seed, "wet")))
    wet *= 0.7
    small = resize(pigment, max(1, width // 4), max(1, height // 4))
    small = warp(small, 9 * k / 4, _cells(easel, 10), derive_seed(easel.seed, "run"))
    run = resize(blur(small, 2.2 * k), width, height)
    run -= pigment
    run *= wet[..., None]
    pigment += run


def _dry(painting: _Painting, easel: Easel) -> Rgb8:
    """Let the pigment settle on cold-pressed paper, at output size, strip by strip."""
    width, height, seed = easel.width, easel.height, easel.seed
    grain = paper_grain(height, width, seed)
    dry_brush = NoiseField.of(
        height,
        width,
        [(_cells(easel, 5 * 2**i), 0.57 / 2**i) for i in range(3)],
        derive_seed(seed, "dry brush"),
    )
    tear = _torn_edge(easel)
    paper = np.array(_PAPER, np.float32) * np.float32(255)
    result = np.empty((height, width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        peaks = grain.rows(max(0, top - 1), min(height, bottom + 1))
        light = _paper_light(peaks)[top - max(0, top - 1) :][: bottom - top]
        peaks = np.clip(peaks[top - max(0, top - 1) :][: bottom - top], -2.5, 2.5)
        load = rows_of(painting.load, width, height, top, bottom)
        calm = 1 - rows_of(painting.detail, width, height, top, bottom)
        # Pigment settles in the valleys of the paper, more visibly where there is more of it.
        settled = 1 - (np.float32(0.055) + np.float32(0.088) * smoothstep(0.1, 0.7, load)) * peaks
        dryness = dry_brush.rows(top, bottom) * np.float32(2.2) - np.float32(1.0)
        skipped = smoothstep(1.0, 2.2, peaks + dryness)
        settled *= 1 - skipped * smoothstep(0.05, 0.3, load) * np.float32(0.2) * smoothstep(0.1, 0.7, calm)
        settled *= _torn_rows(tear, peaks, easel, top, bottom)
        pigment = rows_of(painting.pigment, width, height, top, bottom)
        pigment *= -settled[..., None]
        color = np.asarray(cv2.exp(pigment), dtype=np.float32)
        color *= paper
        color *= light[..., None]
        color += 0.5
        result[top:bottom] = np.clip(color, 0, 255, out=color)

    run_strips(strip, height, easel.threads)
    return result


def _paper_light(peaks: PlaneF) -> PlaneF:
    """Light falling on the relief from the upper left: about .97 .. 1.03."""
    slope = np.asarray(cv2.Sobel(peaks, cv2.CV_32F, 1, 0, ksize=3), dtype=np.float32)
    slope += np.asarray(cv2.Sobel(peaks, cv2.CV_32F, 0, 1, ksize=3), dtype=np.float32)
    # Slopes per pixel get gentler as the sheet gets more pixels; the look of the paper must not.
    typical = 4.1 * (peaks.shape[1] / 1024) ** -0.3
    slope *= np.float32(0.012 / typical)
    np.clip(slope, -0.033, 0.033, out=slope)
    slope += 1
    return slope


def _torn_edge(easel: Easel) -> NoiseField:
    """How the unpainted border wanders, in units of the longer side."""
    octaves = [(_cells(easel, 3 * 2**i), 0.0091 / 2**i) for i in range(3)]
    octaves += [(_cells(easel, 30 * 2**i), 0.0026 / 2**i) for i in range(3)]
    return NoiseField.of(easel.height, easel.width, octaves, derive_seed(easel.seed, "torn edge"))


def _torn_rows(tear: NoiseField, peaks: PlaneF, easel: Easel, top: int, bottom: int) -> PlaneF:
    """Mask of the painted area, 0 on the bare border; slightly above 1 where pigment dried along it."""
    ratio = easel.width / max(easel.width, easel.height)
    inset = border_distance(easel.height, easel.width, top, bottom) * np.float32(ratio)
    inset += tear.rows(top, bottom)
    inset += np.clip(peaks, -2, 2) * np.float32(0.0011)
    mask = smoothstep(0.0225, 0.0245, inset)
    edge = smoothstep(0.0335, 0.0225, inset)
    return np.asarray(mask * (1 + edge * edge * np.float32(0.55)), dtype=np.float32)
