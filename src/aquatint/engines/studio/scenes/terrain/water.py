"""Still and ruffled water: what it mirrors, how ripples bend the image, what shows of the depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.kernels.terrain_noise import Tile, make_tile, tile_fbm, with_gradient
from aquatint.engines.studio.scenes.terrain.light import Light
from aquatint.engines.studio.scenes.terrain.shading import LandLayers
from aquatint.engines.studio.scenes.terrain.sky import Sky

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Lake:
    """A water surface ready to be drawn row by row at any size."""

    mirrored: ArrayF  # (rows, columns, 3): the upside-down picture below the horizon, at work size
    blurred: ArrayF  # the same, drawn out vertically as ruffled water shows it
    ripples: Tile
    patches: Tile
    view: View  # of the work size
    first_row: int
    light: Light
    wind: float  # 0 mirror .. 1 fresh breeze


def mirror_picture(layers: LandLayers, sky: Sky, view: View) -> ArrayF:
    """Put the mirrored land over the mirrored sky: (rows below the horizon, width, 3)."""
    count = layers.mirror.shape[0]
    rows = np.arange(count, dtype=np.float32) + layers.first_row + 0.5
    source_row = (2 * view.horizon - rows + sky.above) * sky.scale - 0.5
    columns = (np.arange(view.width, dtype=np.float32) + 0.5) * sky.scale - 0.5
    map_x = np.broadcast_to(columns[None], (count, view.width)).astype(np.float32)
    map_y = np.broadcast_to(source_row[:, None], (count, view.width)).astype(np.float32)
    heaven = cv2.remap(sky.color, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = layers.mirror[..., 3:]
    return np.asarray(heaven * (1 - cover) + layers.mirror[..., :3], dtype=np.float32)


def fill_lake(layers: LandLayers, sky: Sky, view: View, light: Light, seed: int, wind: float) -> Lake:
    """Prepare the water of a picture rendered with `view`."""
    mirrored = mirror_picture(layers, sky, view)
    reach = view.height * 0.012 * (0.6 + wind)
    small = cv2.resize(
        mirrored, (max(1, view.width // 4), max(1, mirrored.shape[0] // 4)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=max(0.4, reach * 0.06), sigmaY=max(0.5, reach * 0.55))
    blurred = cv2.resize(small, (view.width, mirrored.shape[0]), interpolation=cv2.INTER_LINEAR)
    waves = tile_fbm(512, 8, 6, derive_seed(seed, "ripples"), gain=0.55)
    return Lake(
        mirrored=mirrored,
        blurred=np.asarray(blurred, np.float32),
        ripples=make_tile(with_gradient(waves)),
        patches=make_tile(tile_fbm(256, 4, 4, derive_seed(seed, "gusts"))),
        view=view,
        first_row=layers.first_row,
        light=light,
        wind=wind,
    )


def water_rows(lake: Lake, out: View, top: int, bottom: int) -> ArrayF:
    """Radiance (bottom - top, width, 3) of a full water plane for output rows below the horizon.

    `out` is the view at output size; rows at or above the horizon show the far water.
    """
    light, view = lake.light, lake.view
    zoom = out.width / view.width
    rows = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    below = np.maximum(rows - out.horizon, 0.6 * zoom)
    depth = (out.focal * out.eye / below).astype(np.float32)
    columns = np.arange(out.width, dtype=np.float32)[None]
    x = ((columns + 0.5 - out.width * 0.5) / out.focal) * depth + np.float32(out.x)
    z = np.broadcast_to(depth + np.float32(out.z), x.shape)
    footprint = depth * depth / (out.focal * out.eye)  # metres of water that one row covers
    long_wave = lake.ripples.read(x * np.float32(0.45), z, 1.1)
    short_wave = lake.ripples.read(x * np.float32(0.6), z, 5.5)
    # Waves shorter than a row average out; what remains of them is the vertical blur.
    short_share = np.clip(1.3 - footprint * 1.4, 0, 1)
    long_share = np.clip(1.25 - footprint * 0.16, 0.12, 1)
    slope = long_wave[..., 2] * (4.2 * long_share) + short_wave[..., 2] * (2.6 * short_share)
    drift = long_wave[..., 1] * (4.2 * long_share) + short_wave[..., 1] * (2.6 * short_share)
    gust = lake.patches.read(x * np.float32(0.25), z, 0.10)
    ruffled = np.clip(gust * 0.55 - 0.50 + lake.wind * 1.35, 0, 1)
    agitation = 0.55 + 1.6 * ruffled * (0.4 + lake.wind)
    reach = np.clip(view.focal * 0.16 / depth**0.72, 0, view.height * 0.05) * agitation
    map_x = (columns + 0.5) / zoom - 0.5 + drift * reach * 0.35
    map_y = (rows / zoom - 0.5 - lake.first_row) + np.abs(slope) * reach * 1.4
    map_x, map_y = map_x.astype(np.float32), map_y.astype(np.float32)
    sharp = cv2.remap(lake.mirrored, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    loose = cv2.remap(lake.blurred, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    image = np.asarray(sharp + (loose - sharp) * ruffled[..., None] * np.float32(0.85), dtype=np.float32)
    return _body(image, light, below / out.focal, slope, depth, ruffled)


def _body(image: ArrayF, light: Light, dip: PlaneF, slope: PlaneF, depth: PlaneF, ruffled: PlaneF) -> ArrayF:
    """Mix the mirror image with the colour of the depth by Fresnel, then with haze over the far water."""
    grazing = np.clip(dip / np.sqrt(1 + dip * dip) - slope * 0.05, 0, 1)
    fresnel = np.clip(0.22 + 0.76 * (1 - grazing) ** 3.2, 0, 0.97)
    ambient = np.array(light.ambient, np.float32)
    deep = ambient * np.array([0.035, 0.095, 0.105], np.float32) + np.array(light.middle, np.float32) * 0.06
    sheen = np.array(light.horizon, np.float32) * 0.10
    haze = (1 - np.exp(depth * np.float32(-1.1 / 19_000 * light.haze_amount))) * np.float32(0.55)
    share = fresnel[..., None].astype(np.float32)
    result = image * share + deep * (1 - share) + sheen * (ruffled * (1 - grazing))[..., None].astype(np.float32)
    result += (np.array(light.haze, np.float32) - result) * haze[..., None]
    return np.asarray(result, dtype=np.float32)
