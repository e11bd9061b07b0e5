"""Round bodies for still lifes and product shots: turned shapes lit by one soft light, with contact shadows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.color import smoothstep
from aquatint.engines.studio.scenes.figures.canvas import Canvas, Color, Points, curve, scale
from aquatint.engines.studio.styles.base import PlaneF, RgbF


@dataclass(frozen=True, slots=True)
class Lamp:
    """One light for all bodies of a picture."""

    side: float  # -1 from the left .. 1 from the right
    color: Color
    shade: Color  # tint of the shadow side
    bounce: Color  # light thrown back by the ground


@dataclass(frozen=True, slots=True)
class Stuff:
    """What a body is made of."""

    color: Color
    gloss: float = 0.3  # strength of the highlight
    sharp: float = 24.0  # how small the highlight is
    clear: float = 0.0  # 0 opaque .. 1 glass
    mottle: float = 0.05


def turned(
    canvas: Canvas,
    x: float,
    foot: float,
    tall: float,
    profile: Sequence[tuple[float, float]],
    stuff: Stuff,
    lamp: Lamp,
) -> Points:
    """Draw a body of revolution and give its outline.

    `profile` lists (height, radius) from the foot up, both in units of `tall`; the foot's near rim bulges down as
    seen from a little above.
    """
    spine = curve(profile, 24) * tall
    rows = np.arange(0, int(tall) + 2, dtype=np.float64)
    radius = np.interp(rows, spine[:, 0], spine[:, 1])
    slope = -np.gradient(radius)
    left = np.stack([x - radius, foot - rows], 1)
    right = np.stack([x + radius, foot - rows], 1)
    turn = np.linspace(0, np.pi, 33)
    base = np.stack([x + np.cos(turn) * radius[0], foot + np.sin(turn) * radius[0] * 0.16], 1)
    outline = np.concatenate([right[::-1], base, left])
    radii, lean = radius.astype(np.float32), slope.astype(np.float32)

    def paint(columns: PlaneF, rows_y: PlaneF) -> RgbF:
        up = np.clip(np.float32(foot) - rows_y, 0, len(radii) - 1)
        index = up.astype(np.int32)
        across = np.clip((columns - np.float32(x)) / np.maximum(radii[index], 0.6), -1, 1)
        toward = np.sqrt(np.maximum(0, 1 - across * across))
        tilt = lean[index]
        norm = 1 / np.sqrt(1 + tilt * tilt)
        return lit(canvas, columns, rows_y, across * norm, tilt * norm + 0 * across, toward * norm, stuff, lamp)

    canvas.polygon(outline, paint, 1.0 - 0.55 * stuff.clear)
    return outline


def ball(canvas: Canvas, x: float, y: float, radius: float, stuff: Stuff, lamp: Lamp, flat: float = 1.0) -> None:
    """Draw a sphere; `flat` below 1 squeezes it from above."""

    def paint(columns: PlaneF, rows: PlaneF) -> RgbF:
        nx = (columns - np.float32(x)) / np.float32(radius)
        ny = (np.float32(y) - rows) / np.float32(radius * flat)
        nz = np.sqrt(np.maximum(0, 1 - nx * nx - ny * ny))
        return lit(canvas, columns, rows, nx + 0 * ny, ny + 0 * nx, nz, stuff, lamp)

    canvas.ellipse(x, y, radius, radius * flat, paint)


def lit(canvas: Canvas, x: PlaneF, y: PlaneF, nx: PlaneF, ny: PlaneF, nz: PlaneF, stuff: Stuff, lamp: Lamp) -> RgbF:
    """Colour of surface points with these normals (right, up, toward the viewer)."""
    light = np.array([0.62 * lamp.side, 0.55, 0.56], np.float32)
    facing = nx * light[0] + ny * light[1] + nz * light[2]
    # Half-Lambert: a large window wraps around the body.
    soft = np.clip(facing * np.float32(0.62) + np.float32(0.38), 0, 1) ** np.float32(1.35)
    albedo = np.array(stuff.color, np.float32)
    if stuff.mottle:
        albedo = (
            albedo * (1 + stuff.mottle * canvas.mottle(x, y, 0.5) + np.float32(0.012) * canvas.grain(x, y))[..., None]
        )
    bright, dark = np.array(lamp.color, np.float32), np.array(lamp.shade, np.float32)
    color = albedo * (dark + (bright * np.float32(1.12) - dark) * soft[..., None])
    under = np.clip(-ny * 0.8 - nx * lamp.side * 0.35, 0, 1) ** 2
    color = color + (albedo * np.array(lamp.bounce, np.float32) * (under * np.float32(0.45))[..., None])
    half = light + np.array([0, 0, 1], np.float32)
    half /= np.linalg.norm(half)
    shine = np.clip(nx * half[0] + ny * half[1] + nz * half[2], 0, 1) ** np.float32(stuff.sharp)
    rim = np.clip(1 - nz, 0, 1) ** np.float32(3.5) * np.float32(0.16 + 0.4 * stuff.clear)
    shine = np.clip(shine * np.float32(stuff.gloss) + rim * np.float32(stuff.gloss + 0.1), 0, 1)[..., None]
    return np.asarray(color + (bright - color) * shine, dtype=np.float32)


def rest(
    canvas: Canvas, x: float, foot: float, half: float, lamp: Lamp, long: float = 2.2, dark: float = 0.55
) -> None:
    """Shadow of a body on a table: a dark contact and a soft stretch away from the light."""
    color = scale(lamp.shade, 0.35)
    canvas.ellipse(
        x - lamp.side * half * long * 0.5,
        foot + half * 0.04,
        half * (0.7 + 0.5 * long),
        half * 0.26,
        color,
        0,
        dark * 0.55,
        soft=half * 0.17,
    )
    canvas.ellipse(
        x - lamp.side * half * 0.14, foot + half * 0.02, half * 1.03, half * 0.2, color, 0, dark, soft=half * 0.06
    )


def mirrored(canvas: Canvas, top: int, floor: int, strength: float, fade: float, soft: float) -> None:
    """Reflect rows top..floor downwards on a polished ground: fading over `fade` pixels, softer with distance."""
    last = min(canvas.height, floor + (floor - top))
    if last <= floor:
        return
    source = canvas.pixels[2 * floor - last : floor][::-1].astype(np.float32) * np.float32(1 / 255)
    image = cv2.GaussianBlur(source, (0, 0), max(0.3, soft))
    depth = np.arange(last - floor, dtype=np.float32)[:, None] / np.float32(fade)
    share: npt.NDArray[np.float32] = np.repeat(np.float32(strength) * smoothstep(1.0, 0.0, depth), canvas.width, 1)

    def paint(x: PlaneF, y: PlaneF) -> RgbF:
        start = int(y.flat[0]) - floor
        return np.asarray(image[start : start + y.size], dtype=np.float32)

    canvas.fill_box(0, floor, canvas.width, last, paint, share)


@dataclass(frozen=True, slots=True)
class Table:
    """The stage of the objects; lengths in pixels."""

    canvas: Canvas
    lamp: Lamp
    rng: np.random.Generator
    edge: float  # row of the table's far edge
    size: float  # unit of the objects
    cool: bool
