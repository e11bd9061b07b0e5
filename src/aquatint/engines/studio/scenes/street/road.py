"""The road: asphalt, paving and markings that mirror the street as wet ground does."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import FloatArray, smoothstep
from aquatint.engines.studio.kernels.noise import fbm, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.scenes.street.brief import Brief
from aquatint.engines.studio.scenes.street.camera import Camera
from aquatint.engines.studio.scenes.street.stage import LINEAR_ONE, View, air

Foot = tuple[float, float, float]  # where something stands: x, z and its half width, metres
LANE = 3.3  # metres from the middle to the kerb
_TILE = 512


@dataclass(frozen=True, slots=True)
class Road:
    """Everything a strip of road needs."""

    camera: Camera
    brief: Brief
    sharp: FloatArray  # mirror image, slightly blurred: still water
    rough: FloatArray  # the same drawn out downwards: wet asphalt
    shrink: float  # pixels of the mirror image per pixel of the picture
    tiles: tuple[FloatArray, ...]
    rings: npt.NDArray[np.uint8]  # ripples of drops, whole picture below the horizon
    crossing: float  # metres to the near edge of a zebra crossing, or 0
    feet: tuple[Foot, ...]


def prepare(direct: View, mirror: View, sky: FloatArray, brief: Brief, feet: tuple[Foot, ...]) -> Road:
    """Blur the mirror image for still and rough water and draw the noise that moves it."""
    cam = mirror.camera
    height, width = mirror.coverage.shape
    # Fixed-size work: the mirror image is at most about 1400 px wide whatever the output is.
    light = mirror.light.astype(np.float32)
    light *= np.float32(1 / LINEAR_ONE)
    backdrop = cv2.resize(sky, (width, height), interpolation=cv2.INTER_LINEAR)
    fold = np.clip(2 * cam.horizon - np.arange(height), 0, height - 1).astype(np.int32)
    light += backdrop[fold] * ((255 - mirror.coverage).astype(np.float32) / 255)[..., None]
    sharp = cv2.blur(light, (3, max(3, int(height * 0.010)) | 1))
    rough = cv2.blur(light, (max(3, int(width * 0.004)) | 1, max(3, int(height * 0.085)) | 1))
    rough = cv2.GaussianBlur(rough, (0, 0), width / 700, sigmaY=height * 0.022)
    seed = brief.seed
    tiles = tuple(fbm(_TILE, _TILE, cells, 5, seed + 60 + i) for i, cells in enumerate((6, 9, 9, 60)))
    rng = generator(seed, "crossing")
    crossing = float(rng.uniform(7.5, 10.5)) if rng.random() < 0.45 else 0.0
    return Road(
        direct.camera,
        brief,
        np.asarray(sharp, np.float32),
        np.asarray(rough, np.float32),
        cam.width / direct.camera.width,
        tiles,
        _rings(direct.camera, brief),
        crossing,
        feet,
    )


def _rings(camera: Camera, brief: Brief) -> npt.NDArray[np.uint8]:
    """Expanding rings where drops hit: rows from the horizon down, 0..255."""
    top = int(camera.horizon)
    sheet = np.zeros((camera.height - top, camera.width), np.uint8)
    if brief.rain <= 0:
        return sheet
    rng = generator(brief.seed, "rings")
    thick = max(1, round(camera.width / 2400))
    for _ in range(int(900 * brief.rain)):
        z = 3.0 * (1 - rng.random() * 0.86) ** -1.0
        x = rng.uniform(-1.1, 1.1) * z * camera.width / camera.focal / 2 + camera.x
        radius = rng.uniform(0.02, 0.11)
        level = int(20 + 100 * rng.random() * (1 - radius * 4))
        px, py = camera.column(x, z), camera.row(0.0, z) - top
        rx, ry = radius / z * camera.focal, radius / z * camera.focal * camera.eye / z
        if not 0 <= py < sheet.shape[0] or rx < 1:
            continue
        center, axes = (round(px * 16), round(py * 16)), (round(rx * 16), max(4, round(ry * 16)))
        cv2.ellipse(sheet, center, axes, 0, 0, 360, max(8, level), thick, cv2.LINE_AA, 4)
    return sheet


def _sample(tile: FloatArray, x: FloatArray, z: FloatArray, sx: float, sz: float) -> FloatArray:
    """Noise at ground points; sx and sz are tile pixels per metre."""
    return np.asarray(
        cv2.remap(
            tile, x * np.float32(sx) + 256, z * np.float32(sz), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        ),
        np.float32,
    )


def pave(view: View, road: Road, threads: int) -> None:
    """Paint the road wherever nothing stands before it, in strips, straight into the view."""
    cam = road.camera
    top = int(cam.horizon) + 1

    def strip(upper: int, lower: int) -> None:
        rows = slice(top + upper, top + lower)
        free = 255 - view.coverage[rows]
        if not cv2.countNonZero(free):
            return
        painted = _ground(road, rows.start, rows.stop)
        painted *= (free.astype(np.float32) * np.float32(LINEAR_ONE / 255))[..., None]
        view.light[rows] = cv2.add(view.light[rows], painted, dtype=cv2.CV_16U)

    run_strips(strip, cam.height - top, threads, rows=128)


def _ground(road: Road, top: int, bottom: int) -> FloatArray:
    """Linear light of the road's rows top..bottom."""
    cam, brief = road.camera, road.brief
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] + 0.5
    columns = np.arange(cam.width, dtype=np.float32)[None] + 0.5
    z = np.asarray(cam.eye * cam.focal / (rows - cam.horizon), np.float32)
    x = np.asarray((columns - cam.width / 2) / cam.focal * z + cam.x, np.float32)
    depth = np.ascontiguousarray(np.broadcast_to(z, x.shape))
    walk = smoothstep(LANE - 0.04, LANE + 0.04, np.abs(x))
    matte, wetness = _surface(road, x, depth, walk)
    amplitude = cam.height * 0.0105 / (1 + z / 11)
    wave_x, wave_z = _sample(road.tiles[1], x, depth, 95, 70), _sample(road.tiles[2], x, depth, 62, 46)
    rings = road.rings[top - int(cam.horizon) : bottom - int(cam.horizon)].astype(np.float32) / 255
    shift = np.float32(road.shrink)
    map_x = (columns + wave_x * amplitude * (2.4 - wetness) * 1.3) * shift
    map_y = (rows + wave_z * amplitude * (4.5 - 2.5 * wetness) + rings * amplitude * 1.2) * shift
    at_x, at_y = np.asarray(map_x, np.float32), np.asarray(map_y, np.float32)
    still = cv2.remap(road.sharp, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    drawn = _coarse_remap(road.rough, at_x, at_y)
    cosine = np.clip(cam.eye / np.sqrt(z * z + cam.eye**2), 0, 1)
    fresnel = (0.10 + 0.90 * (1 - cosine) ** 2.6) * brief.wet
    grain = 0.85 + 0.9 * _sample(road.tiles[3], x, depth, 300, 220) / (1 + z / 14)
    mix = wetness[..., None]
    shine = still * mix * 0.95 + drawn * (1 - mix) * (0.62 * np.clip(grain, 0.1, 2))[..., None]
    light = matte + shine * fresnel[..., None]
    light += (rings * (0.4 + 0.6 * wetness) / (1 + z / 9))[..., None] * (drawn * 0.9 + 0.02)
    share, veil = air(brief.light, np.ascontiguousarray(z), np.zeros_like(z))
    share = share[..., None]
    return np.asarray(light * (1 - share) + veil * share * 0.9, np.float32)


def _coarse_remap(image: FloatArray, map_x: FloatArray, map_y: FloatArray) -> FloatArray:
    """Remap a very soft image at half the density and enlarge the result."""
    height, width = map_x.shape
    size = -(-width // 2), -(-height // 2)
    half_x = cv2.resize(map_x, size, interpolation=cv2.INTER_LINEAR)
    half_y = cv2.resize(map_y, size, interpolation=cv2.INTER_LINEAR)
    half = cv2.remap(image, half_x, half_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _surface(road: Road, x: FloatArray, z: FloatArray, walk: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Matte light of the ground (h, w, 3), and how much it is still water (h, w), 0..1."""
    brief = road.brief
    stones = _sample(road.tiles[3], x, z, 420, 420)
    patches = _sample(road.tiles[0], x, z, 30, 12)
    puddles = _sample(road.tiles[0], x + 31, z, 26, 15) + 0.10 * np.exp(-(((np.abs(x) - LANE) / 0.5) ** 2))
    dry = 0.14 * (1 - brief.wet)
    still = smoothstep(0.02 + dry, 0.16 + dry, np.asarray(puddles, np.float32))
    near = 1 / (1 + z / 25)
    albedo = 0.085 * (1 + 0.30 * patches) * (1 + 0.55 * stones * near)
    albedo = albedo * (1 - walk) + walk * 0.13 * (1 + 0.25 * patches + 0.3 * stones * near)
    joint = np.float32(0.016) + z * np.float32(0.0011)  # wider and fainter with distance: about a pixel
    for along in (x, z):
        away = np.abs(np.mod(along / 0.6 + 0.5, 1) - 0.5) * 0.6
        albedo = albedo * (1 - walk * np.clip(1.2 - away / joint, 0, 1) * np.float32(0.6) * near)
    kerb = smoothstep(0.16, 0.10, np.asarray(np.abs(np.abs(x) - LANE - 0.10), np.float32))
    albedo = albedo * (1 - kerb) + kerb * 0.24
    marks = _markings(road, x, z) * np.clip(0.86 + 0.5 * stones + 0.35 * patches, 0, 1)
    albedo = albedo * (1 - marks) + marks * 0.52
    street = brief.light.street * 0.20 + brief.light.ambient * (0.7 if not brief.daylight else 1.5)
    matte = albedo[..., None] * street
    sun = np.asarray(brief.light.sun, np.float32)
    if sun.max():  # a sunlit strip on the far side of the shadow that one row of houses casts
        edge = 2.2 + 1.1 * np.sign(np.sin(z * 0.31)) + 0.8 * np.sign(np.sin(z * 0.13 + 1.0))
        lit = smoothstep(-0.15, 0.15, np.asarray(x * brief.light.sun_side - edge, np.float32))
        matte = matte + (albedo * lit)[..., None] * sun * np.float32(0.45)
    still = np.clip(still * (1 - 0.45 * walk) * (1 - 0.5 * kerb) * (1 - 0.25 * marks), 0, 1)
    still = still * np.float32(min(1.0, 2 * brief.wet))
    matte = np.asarray(matte * (1 - 0.45 * still[..., None]), np.float32)
    _contact(road, matte, x, z)
    return matte, np.asarray(still, np.float32)


def _contact(road: Road, matte: FloatArray, x: FloatArray, z: FloatArray) -> None:
    """Darken the ground under whatever stands on it, in place."""
    for at_x, at_z, half in road.feet:
        deep = 0.25 if half < 0.9 else 1.9  # a walker or a car
        reach = 0.32 if half < 0.9 else half * 0.95
        rows = np.flatnonzero(np.abs(z[:, 0] - at_z) < 3 * deep)
        if not rows.size:
            continue
        span = slice(rows[0], rows[-1] + 1)
        columns = np.flatnonzero((np.abs(x[span] - at_x) < 3 * reach).any(axis=0))
        if not columns.size:
            continue
        window = span, slice(columns[0], columns[-1] + 1)
        away = ((x[window] - at_x) / reach) ** 2 + ((z[window] - at_z - deep * 0.4) / deep) ** 2
        matte[window] *= (1 - np.float32(0.72) * np.exp(-away * np.float32(0.8)))[..., None]


def _markings(road: Road, x: FloatArray, z: FloatArray) -> FloatArray:
    """Painted lines: dashed middle, kerb-side lines, and sometimes a zebra crossing. 0..1."""
    blur = np.float32(0.012) + z * np.float32(0.0009)
    line = np.clip((0.065 - np.abs(x)) / blur + 0.5, 0, 1) * (np.mod(z, 7) < 3.6)
    edge = np.clip((0.06 - np.abs(np.abs(x) - LANE + 0.35)) / blur + 0.5, 0, 1)
    marks = np.maximum(line, edge * 0.8)
    if road.crossing:
        inside = (z > road.crossing) & (z < road.crossing + 3.6)
        clear = (z < road.crossing - 1.2) | (z > road.crossing + 4.4)
        stripes = np.clip((0.235 - np.abs(np.mod(x + 0.45, 0.95) - 0.475)) / blur + 0.5, 0, 1)
        marks = np.where(inside & (np.abs(x) < LANE - 0.25), stripes, marks * clear)
    return np.asarray(marks, np.float32)
