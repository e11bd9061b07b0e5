"""The sky over the street: lit clouds, haze toward the vanishing point, and the moon."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray, smoothstep
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.scenes.street.brief import Brief
from aquatint.engines.studio.scenes.street.camera import Camera

_WIDTH = 960  # pixels at which the sky is painted: it has no fine detail but the moon's edge


def paint_sky(camera: Camera, brief: Brief) -> FloatArray:
    """Paint the whole frame's sky at up to 960 px width: (h, w, 3) linear; below the horizon it is mirrored."""
    cam = camera.scaled(min(1.0, _WIDTH / camera.width))
    height, width = cam.height, cam.width
    light = brief.light
    rows = np.arange(height, dtype=np.float32)
    up = np.clip(np.abs(cam.horizon - rows) / cam.focal, 0, 3)[:, None, None]
    across = (np.arange(width, dtype=np.float32)[None, :, None] - cam.column(0, 100.0)) / cam.focal
    zenith, haze, glow = (np.asarray(c, np.float32) for c in (light.zenith, light.haze, light.glow))
    sky = zenith + (haze * 1.2 - zenith) * np.exp(-up * 2.0)
    if brief.daylight:
        return _day_sky(zenith, haze, up, height, width, brief)
    sky = sky + glow * 0.9 * np.exp(-up * 4.2) * np.exp(-(across**2) * 1.2)
    clouds = fbm(height, width, 4.5, 6, brief.seed + 3)[..., None]
    lit = np.clip(clouds + 0.12, 0, 1) * np.exp(-up * 0.9)
    sky = sky * (1 + 0.55 * clouds) + lit * (0.30 * glow + 0.25 * haze)
    if brief.landmark == "moon":
        sky = _moon(sky, cam, brief, clouds)
    if brief.rain < 0.3 and not brief.daylight:
        sky = sky + _stars(cam, brief) * np.exp(-2.5 * (1 - np.clip(up, 0, 1)))
    return np.asarray(np.clip(sky, 0, 8), np.float32)


def _day_sky(
    zenith: FloatArray, haze: FloatArray, up: FloatArray, height: int, width: int, brief: Brief
) -> FloatArray:
    """A gradient with cumulus that is lit from above and shaded below."""
    sky = zenith + (haze - zenith) * np.exp(-up * 2.6)
    shape = fbm(height, width, 3.2, 6, brief.seed + 3)
    above = np.roll(shape, max(1, height // 60), axis=0)
    cover = smoothstep(0.02, 0.34, shape)[..., None] * np.clip(1 - 0.4 * np.exp(-up * 5), 0, 1)
    sun = np.asarray(brief.light.sun, np.float32)
    white = 0.42 * brief.light.ambient + (0.20 * sun if sun.max() else np.float32(0.25))
    lit = 0.85 + 1.4 * np.clip(shape - above, -0.25, 0.25)[..., None]
    return np.asarray(sky * (1 - cover) + white * lit * cover, np.float32)


def _moon(sky: FloatArray, cam: Camera, brief: Brief, clouds: FloatArray) -> FloatArray:
    rng = generator(brief.seed, "moon")
    radius = min(cam.height, cam.width) * float(rng.uniform(0.075, 0.11))
    center_x = cam.column(0, 100.0) + cam.height * float(rng.uniform(-0.12, 0.12))
    center_y = cam.horizon * float(rng.uniform(0.24, 0.40))
    ys, xs = np.mgrid[0 : cam.height, 0 : cam.width].astype(np.float32)
    far = np.hypot(xs - center_x, ys - center_y)
    disc = smoothstep(radius + 0.8, radius - 0.8, far)
    seas = 0.80 + 0.35 * fbm(cam.height, cam.width, 16, 5, brief.seed + 4)
    halo = np.exp(-np.power(far / (radius * 2.6), 1.2))
    tint = np.array((1.0, 0.86, 0.80), np.float32)
    veil = np.clip(1 - 0.9 * np.clip(clouds, 0, 1), 0.25, 1)
    return np.asarray(sky + ((disc * seas)[..., None] * 1.15 + halo[..., None] * 0.22) * tint * veil, np.float32)


def _stars(cam: Camera, brief: Brief) -> FloatArray:
    rng = generator(brief.seed, "stars")
    field = np.zeros((cam.height, cam.width), np.float32)
    count = cam.width // 5
    ys, xs = rng.integers(0, cam.height, count), rng.integers(0, cam.width, count)
    field[ys, xs] = np.minimum(0.25 * (1 - rng.random(count)) ** -0.7, 1.5)
    return np.asarray(cv2.GaussianBlur(field, (0, 0), 0.6)[..., None], np.float32)
