"""The sky: gradient, sun or moon, clouds on a plane lit from the side; stars are set at output size."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.kernels.terrain_noise import make_tile, tile_fbm
from aquatint.engines.studio.scenes.terrain.light import Light

PlaneF = npt.NDArray[np.float32]
ArrayF = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Sky:
    """Linear radiance from `above` rows over the picture's top edge down to the horizon, at its own scale."""

    color: ArrayF  # (rows, columns, 3)
    scale: float  # sky pixels per picture pixel
    above: float  # picture rows of sky over the top edge, needed by reflections
    clear: PlaneF  # (rows, columns): 1 where no cloud hides stars


@dataclass(frozen=True, slots=True)
class _Rays:
    right: PlaneF
    up: PlaneF
    away: PlaneF
    elevation: PlaneF  # sine of the elevation, not below 0

    def toward(self, direction: tuple[float, float, float]) -> PlaneF:
        """Cosine of the angle to a direction, 0..1."""
        across = self.right * np.float32(direction[0]) + self.away * np.float32(direction[2])
        return np.asarray(np.clip(across + self.up * np.float32(direction[1]), 0, 1), dtype=np.float32)


def _rays(view: View, above: float, scale: float) -> _Rays:
    columns, rows = round(view.width * scale), max(2, round((view.horizon + above) * scale))
    x = ((np.arange(columns, dtype=np.float32) + 0.5) / scale - view.width * 0.5)[None] / view.focal
    y = (view.horizon + above - (np.arange(rows, dtype=np.float32) + 0.5) / scale)[:, None] / view.focal
    inverse = 1 / np.sqrt(1 + x * x + y * y)
    up = (y * inverse).astype(np.float32)
    return _Rays((x * inverse).astype(np.float32), up, inverse.astype(np.float32), np.maximum(up, 0))


def _clouds(rays: _Rays, light: Light, seed: int, stretch: float) -> tuple[PlaneF, PlaneF]:
    """Cover 0..1 and how brightly the sun lights it 0..1.2, for a cloud deck seen in perspective."""
    sun = light.sky_direction
    distance = np.asarray(1 / (rays.elevation + np.float32(0.07)), dtype=np.float32)
    x = rays.right * distance * np.float32(0.80)
    z = rays.away * distance * np.float32(0.55 / stretch)
    shape = make_tile(tile_fbm(1024, 6, 7, derive_seed(seed, "clouds"), gain=0.52))
    bend = make_tile(tile_fbm(256, 4, 4, derive_seed(seed, "cloud bend")))
    unit = 1024 / 7.0  # one lattice period of the tile spans seven units of the plane
    x = x + np.float32(0.10) * bend.read(x, z, 256 / 9.0)
    z = z + np.float32(0.07) * bend.read(z, x, 256 / 9.0)
    thick = shape.read(x, z, unit)
    threshold = 1.35 - 2.3 * light.clouds
    excess = (thick - threshold) / 1.15
    cover = smoothstep(0.0, 1.0, excess)
    # Light comes through where the cloud thins toward the sun.
    ahead = shape.read(x + np.float32(sun[0] * 0.13), z + np.float32(sun[2] * 0.13), unit)
    lit = np.clip(0.60 + (thick - ahead) * 0.62 - 0.34 * np.clip(excess - 0.35, 0, 1.5), 0, 1.15)
    return cover, lit.astype(np.float32)


def _gradient(rays: _Rays, light: Light) -> ArrayF:
    e = rays.elevation / 0.55
    low = np.exp(e * -7.5)
    mid = np.exp(e * -2.0)
    planes = [
        light.zenith[c] + (light.middle[c] - light.zenith[c]) * mid + (light.horizon[c] - light.middle[c]) * low * mid
        for c in range(3)
    ]
    return np.dstack(planes).astype(np.float32)


def _aurora(rays: _Rays, seed: int) -> ArrayF:
    """Northern lights: curtains with a sharp lower hem, drawn up into rays, green below and violet above."""
    rng = generator(seed, "aurora")
    columns = rays.right.shape[1]
    result = np.zeros((*rays.elevation.shape, 3), np.float32)
    low = np.array([0.10, 0.95, 0.42], np.float32)
    high = np.array([0.42, 0.16, 0.80], np.float32)
    for index in range(3):
        part = derive_seed(seed, "curtain", index)
        hem = 0.13 + 0.055 * index + 0.10 * fbm(2, columns, 2.2, 3, part)[0]
        rays_up = np.clip(0.55 + 1.1 * fbm(2, columns, 70, 3, part + 1)[0], 0.1, 1.4)
        strength = np.clip(0.55 + 1.3 * fbm(2, columns, 3.0, 2, part + 2)[0], 0, 1.2) * rng.uniform(0.5, 1.0)
        over = rays.elevation - hem[None]
        tall = 0.055 + 0.075 * rays_up[None]
        glow = np.exp(np.maximum(over, 0) / -tall) * smoothstep(-0.018, 0.006, over)
        glow = glow * (strength * (0.45 + 0.55 * rays_up))[None]
        share = smoothstep(0.0, 0.16, over)[..., None]
        result += glow[..., None] * (low + (high - low) * share) * np.float32(0.55)
    return result


def paint_sky(view: View, light: Light, seed: int, widest: int, stretch: float = 1.0, aurora: bool = False) -> Sky:
    """Render the sky at no more than `widest` columns; it is smooth and is enlarged later."""
    above = max(0.0, view.height - 2 * view.horizon) + view.height * 0.12
    scale = min(1.0, widest / view.width)
    rays = _rays(view, above, scale)
    color = _gradient(rays, light)
    toward = rays.toward(light.sky_direction)
    e = rays.elevation / 0.55
    sun = np.array(light.sun, np.float32)
    wide = toward**8 * (0.20 if not light.night else 0.12) + toward**60 * 0.26
    color += (wide * (0.70 + 0.30 * np.exp(e * -3)))[..., None] * sun
    near = toward**900 * (0.9 if not light.night else 0.35)
    color += near[..., None] * sun
    if light.lamp_direction is not None and light.lamp_direction[1] > 0:
        # The disc itself is drawn at output size; this is its image for the water and the bloom.
        color += (toward**7000 * (2.2 if light.night else 5.0))[..., None] * sun
    if aurora:
        color += _aurora(rays, seed)
    clear = np.ones(toward.shape, np.float32)
    if light.clouds > 0.02:
        cover, lit = _clouds(rays, light, seed, stretch)
        cover = cover * smoothstep(0.004, 0.09, rays.elevation) * np.float32(0.94)
        body = np.array(light.horizon) * 0.35 + np.array(light.middle) * 0.45 + (0.10 if not light.night else 0.0)
        body = body * (1 - 0.72 * light.cloud_dark)
        bright = np.array(light.sun) * (0.95 / max(*light.sun, 0.9)) * (1 - 0.25 * light.cloud_dark)
        bright = bright + 0.22 * np.array(light.horizon)
        share = lit[..., None]
        paint = body.astype(np.float32) * (1 - share) * 0.92 + bright.astype(np.float32) * share
        paint += (toward**12 * 0.24 * (1 - 0.5 * cover))[..., None] * sun
        distance = np.exp(e * -5.0)[..., None] * 0.6
        paint = paint * (1 - distance) + np.array(light.horizon, np.float32) * distance
        color += cover[..., None] * (paint - color)
        clear = 1 - cover
    if light.haze_amount > 1.5:
        # Thick air hides the sky as well, most of all low down.
        veil = np.float32(min(0.92, 0.16 * (light.haze_amount - 1))) * (0.55 + 0.45 * np.exp(e * -2.2))
        haze = np.array(light.haze, np.float32) * 0.7 + np.array(light.horizon, np.float32) * 0.3
        color += veil[..., None] * (haze - color)
        clear = clear * (1 - veil)
    return Sky(color.astype(np.float32), scale, above, clear.astype(np.float32))


def disc_rows(view: View, light: Light) -> tuple[float, float, float] | None:
    """Column, row and radius in pixels of the sun's or moon's disc, or None when it is not in the picture."""
    right, up, away = light.sky_direction
    if light.lamp_direction is None or away <= 0.05 or up < 0:
        return None
    column = view.width * 0.5 + view.focal * right / away
    row = view.horizon - view.focal * up / away
    radius = view.focal * (0.020 if light.night else 0.016)
    if not (-radius < column < view.width + radius and -radius < row < view.horizon):
        return None
    return column, row, radius


def stars(view: View, seed: int) -> npt.NDArray[np.uint8]:
    """Stars and the Milky Way for the rows above the horizon: (rows, width) bytes at picture size."""
    rng = generator(seed, "stars")
    rows = max(1, int(view.horizon))
    result = np.zeros((rows, view.width), np.uint8)
    scale = view.width / 2048
    band_x = np.linspace(-1, 1, 256, dtype=np.float32)[None] * view.width / view.height
    band_y = np.linspace(-1, 1, 256, dtype=np.float32)[:, None]
    dust = fbm(256, 256, 5, 5, derive_seed(seed, "milky way"))
    lane = (band_x * 0.85 + band_y * 0.9 + 0.35 * rng.normal() + 0.22 * dust) ** 2
    band = np.exp(lane / -0.10) * (0.45 + 0.9 * dust)
    glow = cv2.resize(np.clip(band, 0, 1).astype(np.float32), (view.width, rows), interpolation=cv2.INTER_CUBIC)
    result += np.clip(glow * 34, 0, 60).astype(np.uint8)
    for _ in range(1400):
        x, y = rng.random() * view.width, rng.random() * rows
        bright = min(1.0, 0.07 * (1 + rng.pareto(1.35))) * min(1.0, 0.30 + 0.70 * scale)
        radius = (0.42 + 0.80 * bright) * max(scale, 0.5)
        cv2.circle(result, (int(x * 16), int(y * 16)), int(radius * 16), int(40 + 215 * bright), -1, cv2.LINE_AA, 4)
    return result


def moon_disc(radius: float, seed: int) -> ArrayF:
    """A full moon with its maria: (n, n, 2) float32, brightness 0..1 and cover 0..1, n about 2.4 radii."""
    side = max(8, int(radius * 2.4))
    y, x = (np.mgrid[0:side, 0:side].astype(np.float32) + 0.5 - side / 2) / radius
    away = np.hypot(x, y)
    maria = smoothstep(0.05, 0.45, fbm(side, side, 4, 5, derive_seed(seed, "maria")))
    bright = (1 - 0.42 * maria) * (1 - 0.25 * np.clip(away, 0, 1) ** 4)
    cover = np.clip((1 - away) * radius + 0.5, 0, 1)
    return np.dstack([bright, cover]).astype(np.float32)
