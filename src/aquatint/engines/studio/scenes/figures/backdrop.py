"""What lies behind an illustrated scene: sky with sun or moon and clouds, ridges in haze, mist, still water."""

from __future__ import annotations

import cv2
import numpy as np

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.kernels.noise import derive_seed, fbm, generator, ridged
from aquatint.engines.studio.kernels.resize import rows_of
from aquatint.engines.studio.scenes.figures.air import Air
from aquatint.engines.studio.scenes.figures.canvas import Canvas, Color, Points, gradient, mix, scale, textured
from aquatint.engines.studio.styles.base import PlaneF, RgbF

_SMALL = 768  # columns of cloud and mist fields, which are smooth


def paint_sky(
    canvas: Canvas, air: Air, horizon: float, sun: tuple[float, float], seed: int, disc: float = 0.05
) -> None:
    """Paint everything above row `horizon` (and a little below): gradient, glow, clouds, stars, sun or moon.

    `sun` is its place in pixels, `disc` its radius as a share of the shorter side.
    """
    cloud = _clouds(canvas, air, horizon, seed)
    top, low = np.array(air.sky[0], np.float32), np.array(air.sky[-1], np.float32)
    bright = np.array(mix(air.sun, (1, 1, 1), 0.25 if not air.dark else 0.0), np.float32)
    reach = np.float32(1 / (0.62 * max(canvas.width, canvas.height)))
    base = gradient((0, 0), (0, horizon), air.sky)
    lit = np.float32(0.5 if air.sun_shows else 0.15) * np.float32(0.55 if air.dark else 1)

    def paint(x: PlaneF, y: PlaneF) -> RgbF:
        color = np.broadcast_to(base(x, y), (y.size, x.size, 3))
        away = np.hypot(x - np.float32(sun[0]), (y - np.float32(sun[1])) * np.float32(1.25)) * reach
        near = np.exp(away * np.float32(-3.4))[..., None] * lit
        color = color + (bright - color) * near
        cover = rows_of(cloud, canvas.width, canvas.height, int(y.flat[0]), int(y.flat[-1]) + 1)
        cover = np.clip(cover[:, : x.size], 0, 1)[..., None]
        body = (low * np.float32(0.62) + top * np.float32(0.38)) * (1 - near) + bright * near
        return np.asarray(color + (body * np.float32(1.05) - color) * cover * np.float32(0.75), dtype=np.float32)

    canvas.wash(paint)
    if air.time == "night":
        _stars(canvas, horizon, seed)
    if air.sun_shows:
        _disc(canvas, air, sun, disc)


def _clouds(canvas: Canvas, air: Air, horizon: float, seed: int) -> PlaneF:
    columns = _SMALL
    rows = max(8, round(_SMALL * canvas.height / canvas.width))
    # Drawn on a narrow sheet and pulled sideways: clouds near the horizon are seen edge-on.
    long = fbm(rows, max(8, columns // 5), 1.7, 6, derive_seed(seed, "clouds"), 0.55)
    drawn = cv2.resize(long, (columns, rows), interpolation=cv2.INTER_CUBIC)
    fine = fbm(rows, columns, 14, 4, derive_seed(seed, "cloud edges"))
    y = np.linspace(0, 1, rows, dtype=np.float32)[:, None] * np.float32(canvas.height / horizon)
    band = smoothstep(0.02, 0.35, y) * smoothstep(1.08, 0.75, y)
    threshold = 0.12 if air.sun_shows else -0.15
    cover = smoothstep(threshold, threshold + 0.55, np.asarray(drawn + fine * 0.22, np.float32)) * band
    return np.asarray(cover, dtype=np.float32)


def _stars(canvas: Canvas, horizon: float, seed: int) -> None:
    rng = generator(seed, "stars")
    for _ in range(520):
        x, y = float(rng.random()) * canvas.width, float(rng.random()) ** 1.3 * horizon * 0.9
        bright = min(1.0, 0.12 * (1 + float(rng.pareto(1.6))))
        ground = np.asarray(canvas.pixels[int(y), min(int(x), canvas.width - 1)], np.float32) / 255
        a, b, c = (float(part) for part in ground + (np.array([0.95, 0.97, 1.0]) - ground) * bright)
        canvas.ellipse(x, y, (0.35 + 0.6 * bright) * canvas.unit, (0.35 + 0.6 * bright) * canvas.unit, (a, b, c))


def _disc(canvas: Canvas, air: Air, sun: tuple[float, float], disc: float) -> None:
    radius = disc * min(canvas.width, canvas.height)
    color = (0.96, 0.95, 0.9) if air.time == "night" else mix(air.sun, (1.0, 0.99, 0.93), 0.72)
    canvas.glow(*sun, radius * 6, color, 0.30)
    canvas.glow(*sun, radius * 2.4, color, 0.30)
    paint = textured(canvas, color, 0.05 if air.time != "night" else 0.16, 0.0, 0.5)
    canvas.ellipse(*sun, radius, radius, paint, opacity=0.97)


def crest(canvas: Canvas, base: float, tall: float, seed: int, cells: float = 3.0, sharp: float = 0.5) -> PlaneF:
    """Row of a ridge's outline for every column: `tall` pixels of relief over row `base`."""
    soft = fbm(3, 2048, cells, 8, derive_seed(seed, "soft"))[1]
    steep = ridged(3, 2048, cells * 1.3, 7, derive_seed(seed, "sharp"), 0.46)[1]
    line = np.clip(0.5 + soft * (1 - sharp) * 1.1 + steep * sharp * 0.75, 0, 1.6)
    drawn = cv2.resize(line[None].astype(np.float32), (canvas.width, 1), interpolation=cv2.INTER_CUBIC)[0]
    return np.asarray(base - drawn * np.float32(tall), dtype=np.float32)


def outline_below(line: PlaneF, bottom: float) -> Points:
    """Close a crest downwards to row `bottom`."""
    width = len(line)
    step = max(1, width // 2048)
    x = np.append(np.arange(0, width, step), width).astype(np.float64)
    y = line[np.minimum(x.astype(int), width - 1)].astype(np.float64)
    return np.concatenate([np.stack([x, y], 1), [[width + 2, bottom], [-2, bottom]]])


def ridge(canvas: Canvas, line: PlaneF, bottom: float, color: Color, foot: Color, texture: float = 0.07) -> None:
    """Fill the land under a crest: `color` at the top fading to `foot`, as mist does."""
    top = float(line.min())
    paint = gradient((0, top), (0, bottom), (color, mix(color, foot, 0.5), foot))
    canvas.polygon(outline_below(line, bottom), textured(canvas, paint, texture))


def mist(canvas: Canvas, row: float, tall: float, color: Color, strength: float, seed: int) -> None:
    """A torn bank of mist around `row`, `tall` pixels high."""
    columns = _SMALL
    rows = max(8, round(columns * canvas.height / canvas.width))
    torn = fbm(rows, max(8, columns // 3), 2.4, 5, derive_seed(seed, "mist", round(row / canvas.height * 1000)))
    shape = cv2.resize(torn, (columns, rows), interpolation=cv2.INTER_CUBIC)
    y = (np.arange(rows, dtype=np.float32) + 0.5)[:, None] * np.float32(canvas.height / rows)
    band = np.exp(-(((y - np.float32(row)) / np.float32(tall * 0.5)) ** 2))
    cover = np.clip(band * (0.62 + 0.75 * shape), 0, 1).astype(np.float32) * np.float32(strength)
    top, bottom = max(0, int(row - 1.3 * tall)), min(canvas.height, int(row + 1.3 * tall))
    ink = np.array(color, np.float32)

    def change(rgb: RgbF, x: PlaneF, first: PlaneF) -> RgbF:
        start = int(first.flat[0])
        if start > bottom or start + first.size < top:
            return rgb
        share = np.clip(rows_of(cover, canvas.width, canvas.height, start, start + first.size), 0, 1)[..., None]
        return np.asarray(rgb + (ink - rgb) * share, dtype=np.float32)

    canvas.adjust(change)


def reflect(
    canvas: Canvas, shore: float, tint: Color, seed: int, ripple: float = 1.0, bottom: int | None = None
) -> None:
    """Turn everything below row `shore` into water that mirrors what is above it."""
    top, last = int(shore), min(canvas.height, bottom or canvas.height)
    source = canvas.pixels[: top + 1].copy()
    deep = np.array(tint, np.float32)
    columns = np.arange(canvas.width, dtype=np.float32)[None]
    wave = fbm(256, 512, 24, 4, derive_seed(seed, "ripples"))
    span = max(1.0, float(canvas.height - top))

    def paint(x: PlaneF, y: PlaneF) -> RgbF:
        under = (y - np.float32(top)) / np.float32(span)
        # Waves look long and low in the distance, so noise is stretched along the rows and squeezed toward the shore.
        v = (np.log1p(under * 9) * np.float32(150)).astype(np.float32)
        u = (columns / np.float32(canvas.width) * np.float32(200) / (0.25 + under * 0.75) % 511).astype(np.float32)
        height = cv2.remap(
            wave, np.ascontiguousarray(u), np.repeat(v, x.size, 1), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )
        shift = height * (0.25 + under) * np.float32(26 * canvas.unit * ripple)
        rows = np.float32(2 * top) - y * np.float32(1.0) + shift
        rows = np.clip(rows, 0, top - 1).astype(np.float32)
        sideways = np.broadcast_to(columns + height * np.float32(5 * canvas.unit * ripple), rows.shape).astype(
            np.float32
        )
        mirrored = cv2.remap(source, sideways, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        color = mirrored.astype(np.float32) * np.float32(1 / 255)
        share = (0.16 + 0.42 * under)[..., None]
        color = color + (deep - color) * share
        return np.asarray(color * (1 + 0.10 * height[..., None]), dtype=np.float32)

    canvas.fill_box(0, top, canvas.width, last, paint)


def dim(canvas: Canvas, amount: float, seed: int) -> None:
    """Finish: darken the corners a little and lay fine grain of the print over everything."""
    del seed
    width, height = np.float32(canvas.width), np.float32(canvas.height)

    def change(rgb: RgbF, x: PlaneF, y: PlaneF) -> RgbF:
        away = ((x / width * 2 - 1) ** 2 + (y / height * 2 - 1) ** 2) * np.float32(0.5)
        gain = 1 - np.float32(amount) * away**2 + canvas.grain(x, y) * np.float32(0.012)
        return np.asarray(rgb * gain[..., None], dtype=np.float32)

    canvas.adjust(change)


def shade(color: Color, gain: float) -> Color:
    """Shorthand of `scale`, for painters that shade many faces."""
    return scale(color, gain)
