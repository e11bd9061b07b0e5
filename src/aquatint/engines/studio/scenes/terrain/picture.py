"""Putting the layers together row by row at output size, and developing radiance into sRGB bytes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.parallel import run_strips
from aquatint.engines.studio.kernels.resize import rows_of
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.scenes.terrain.light import Light
from aquatint.engines.studio.scenes.terrain.shading import LandLayers
from aquatint.engines.studio.scenes.terrain.sky import Sky, disc_rows, moon_disc, stars
from aquatint.engines.studio.scenes.terrain.water import Lake, water_rows
from aquatint.engines.studio.styles.base import Rgb8

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]

TABLE_SIZE = 4096
TABLE_TOP = 8.0  # radiance mapped to the last entry
GRAIN_SIDE = 512


@dataclass(frozen=True, slots=True)
class Scene:
    """All layers of one landscape at their own scales."""

    light: Light
    work: View
    layers: LandLayers
    sky: Sky
    lake: Lake | None
    seed: int


def rescaled(view: View, width: int, height: int) -> View:
    """The same camera for another picture size of the same ratio."""
    zoom = width / view.width
    return View(width, height, view.focal * zoom, view.horizon * height / view.height, view.eye, view.x, view.z)


def sky_rows(scene: Scene, out: View, top: int, bottom: int) -> ArrayF:
    """Sky radiance for output rows; rows under the horizon repeat the horizon."""
    sky = scene.sky
    zoom = scene.work.width * sky.scale / out.width
    offset = sky.above * sky.scale
    matrix = np.array([[zoom, 0, 0.5 * zoom - 0.5], [0, zoom, (top + 0.5) * zoom - 0.5 + offset]], np.float32)
    drawn = cv2.warpAffine(
        sky.color,
        matrix,
        (out.width, bottom - top),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(drawn, dtype=np.float32)


def _mist(scene: Scene, out: View, top: int, bottom: int) -> ArrayF:
    """Cover of the low mist that lies over water and valley floor: (rows, width, 1)."""
    rows = np.arange(top, bottom, dtype=np.float32)[:, None]
    offset = (rows - out.horizon) / out.height
    up = np.exp(-np.square(np.where(offset < 0, offset / 0.045, offset / 0.022)))
    veil = fbm(256, 256, 5, 5, derive_seed(scene.seed, "mist")) * 0.9 + 0.45
    patches = np.clip(rows_of(veil, out.width, out.height, top, bottom), 0, 1)
    # Mist is seen in depth only: none before the near shore.
    ground = rows_of(scene.layers.depth, out.width, out.height, top, bottom)
    water = out.focal * out.eye / np.maximum(rows - out.horizon, 0.5)
    depth = np.where(ground > 10, ground, np.where(rows > out.horizon, water, np.float32(1e5)))
    far = 1 - np.exp(-np.square(depth / np.float32(1500)))
    veiled = up * far * patches * np.float32(0.62 * scene.light.mist)
    return np.asarray(veiled[..., None], dtype=np.float32)


def compose_rows(scene: Scene, out: View, top: int, bottom: int) -> ArrayF:
    """Linear radiance of output rows top..bottom: (bottom - top, width, 3) float32."""
    image = sky_rows(scene, out, top, bottom)
    land = rows_of(scene.layers.color, out.width, out.height, top, bottom)
    cover = np.clip(land[..., 3:], 0, 1)
    if scene.lake is not None and bottom > out.horizon - 2:
        wet = np.clip(rows_of(scene.layers.water, out.width, out.height, top, bottom), 0, 1)[..., None]
        water = water_rows(scene.lake, out, top, bottom)
        image += (water - image) * np.clip(wet + cover * (wet > 0), 0, 1)
    image *= 1 - cover
    image += np.maximum(land[..., :3], 0)
    if scene.light.mist > 0:
        mist = _mist(scene, out, top, bottom)
        color = np.array(scene.light.haze, np.float32) * 0.6 + np.array(scene.light.horizon, np.float32) * 0.4
        image += (color - image) * mist
    return image


def tone_curve(radiance: float) -> float:
    """Filmic curve (Narkowicz 2015 fit of ACES) with a little contrast: linear radiance -> sRGB 0..1."""
    x = min(max(radiance, 0.0), TABLE_TOP) * 0.72
    y = min(max(x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14), 0.0), 1.0) ** (1 / 2.2)
    return float(y + 0.22 * (y * y * (3 - 2 * y) - y))


def tone(radiance: float) -> int:
    """Byte that the tone curve gives to one radiance, for things painted after developing."""
    return int(tone_curve(radiance) * 255 + 0.5)


def tone_table() -> npt.NDArray[np.uint8]:
    """Bytes of the tone curve, (TABLE_SIZE,), indexed by sqrt(radiance / TABLE_TOP) * (TABLE_SIZE - 1)."""
    last = TABLE_SIZE - 1
    return np.array([tone((index / last) ** 2 * TABLE_TOP) for index in range(TABLE_SIZE)], np.uint8)


def _saturation(amount: float) -> npt.NDArray[np.float32]:
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return (np.eye(3, dtype=np.float32) * amount + (1 - amount) * weights[None]).astype(np.float32)


def _add_lamp(scene: Scene, out: View, image: ArrayF, top: int) -> None:
    """Set the disc of sun or moon into the rows, behind land and partly behind cloud."""
    place = disc_rows(out, scene.light)
    if place is None:
        return
    column, row, radius = place
    disc = moon_disc(radius, scene.seed)
    side = disc.shape[0]
    left, upper = round(column - side / 2), round(row - side / 2)
    y0, y1 = max(upper, top), min(upper + side, top + image.shape[0])
    x0, x1 = max(left, 0), min(left + side, out.width)
    if y0 >= y1 or x0 >= x1:
        return
    part = disc[y0 - upper : y1 - upper, x0 - left : x1 - left]
    land = rows_of(scene.layers.color, out.width, out.height, y0, y1)[:, x0:x1, 3]
    clear = rows_of_sky(scene.sky.clear, scene, out, y0, y1)[:, x0:x1]
    share = (part[..., 1] * np.clip(1 - land, 0, 1) * (0.25 + 0.75 * clear))[..., None]
    if scene.light.night:
        color = part[..., :1] * np.array([1.55, 1.50, 1.35], np.float32)
    else:
        color = np.broadcast_to(np.array(scene.light.sun, np.float32) * 3.2 + 1.2, (*part.shape[:2], 3))
    target = image[y0 - top : y1 - top, x0:x1]
    target += (color - target) * share


def rows_of_sky(plane: PlaneF, scene: Scene, out: View, top: int, bottom: int) -> PlaneF:
    """A plane of the sky's own scale, for output rows."""
    zoom = scene.work.width * scene.sky.scale / out.width
    matrix = np.array(
        [[zoom, 0, 0.5 * zoom - 0.5], [0, zoom, (top + 0.5) * zoom - 0.5 + scene.sky.above * scene.sky.scale]],
        np.float32,
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(plane, matrix, (out.width, bottom - top), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, dtype=np.float32)


def _bloom(scene: Scene, saturate: npt.NDArray[np.float32]) -> ArrayF:
    """Light spilling from what is brighter than paper white, from a small copy of the whole picture."""
    width = min(480, scene.work.width)
    height = max(2, round(scene.work.height * width / scene.work.width))
    small = rescaled(scene.work, width, height)
    image = compose_rows(scene, small, 0, height)
    _add_lamp(scene, small, image, 0)
    bright = np.clip(image - 1.0, 0, 4)
    spill = cv2.GaussianBlur(bright, (0, 0), width / 400)
    spill += 0.6 * cv2.GaussianBlur(bright, (0, 0), width / 110)
    spill += 0.35 * cv2.GaussianBlur(bright, (0, 0), width / 40)
    return np.asarray(cv2.transform(spill * np.float32(0.20), saturate), dtype=np.float32)


def develop(scene: Scene, width: int, height: int, threads: int, grain: float = 1.0) -> Rgb8:
    """Compose and tone-map the whole picture in strips: (height, width, 3) bytes."""
    out = rescaled(scene.work, width, height)
    saturate = _saturation(1.14)
    bloom = _bloom(scene, saturate)
    table = tone_table()
    rng = generator(scene.seed, "grain")
    # About two grey levels in the middle tones: enough against banding, too little to see.
    noise = rng.normal(0, 0.011 * grain, (GRAIN_SIDE, GRAIN_SIDE, 1)).astype(np.float32)
    sky_light = stars(out, scene.seed) if scene.light.night else None
    result = np.empty((height, width, 3), np.uint8)

    def strip(top: int, bottom: int) -> None:
        image = compose_rows(scene, out, top, bottom)
        if sky_light is not None and top < sky_light.shape[0]:
            end = min(bottom, sky_light.shape[0])
            land = rows_of(scene.layers.color, width, height, top, end)[..., 3]
            clear = rows_of_sky(scene.sky.clear, scene, out, top, end)
            fade = smoothstep(out.horizon, out.horizon * 0.72, np.arange(top, end, dtype=np.float32))[:, None]
            shine = sky_light[top:end] * np.float32(1.1 / 255) * np.clip(1 - land, 0, 1) * clear * fade
            image[: end - top] += shine[..., None] * np.array([0.9, 0.95, 1.1], np.float32)
        _add_lamp(scene, out, image, top)
        image = np.asarray(cv2.transform(image, saturate), np.float32)
        image += rows_of(bloom, width, height, top, bottom)
        image *= np.float32(scene.light.exposure / TABLE_TOP)
        np.clip(image, 0, 1, out=image)
        np.sqrt(image, out=image)
        rows = (np.arange(top, bottom) % GRAIN_SIDE)[:, None]
        image *= 1 + noise[rows, (np.arange(width) % GRAIN_SIDE)[None]]
        image *= np.float32(TABLE_SIZE - 1)
        np.clip(image, 0, TABLE_SIZE - 1, out=image)
        result[top:bottom] = table[image.astype(np.uint16)]

    run_strips(strip, height, threads, 128)
    return result
