"""Where the eye stands, how high the horizon of hills is, and where sun or moon may hang above it."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.scenes.terrain.heightfield import Land
from aquatint.engines.studio.scenes.terrain.light import Light

VectorF = npt.NDArray[np.float32]

_COLUMNS = 96


def skyline(land: Land, view: View) -> VectorF:
    """Tangent of the elevation of the land's outline, for evenly spread columns of the view: (96,) float32."""
    columns = np.asarray((np.arange(_COLUMNS, dtype=np.float32) + 0.5) * (view.width / _COLUMNS) - 0.5, np.float32)
    bearing = view.bearing(columns)[None]
    depth = np.geomspace(60, 11_500, 400).astype(np.float32)[:, None]
    x = (view.x + bearing * depth) / land.cell - 0.5
    z = np.broadcast_to((view.z + depth) / land.cell - 0.5, x.shape)
    height = cv2.remap(
        land.height, x.astype(np.float32), z.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return np.asarray(((height - view.eye) / depth).max(axis=0), dtype=np.float32)


def hang_lamp(light: Light, land: Land, view: View, rng: np.random.Generator) -> Light:
    """Move sun or moon where the picture shows it: low light into a gap of the skyline, the moon high up.

    Only for hours whose lamp stands ahead of the viewer; what models the land is left where it was.
    """
    if light.lamp is None:
        return light
    outline = skyline(land, view)
    margin = _COLUMNS // 8
    choice = outline[margin:-margin]
    if light.night:
        side = 1 if light.azimuth > 0 else -1
        column = int(_COLUMNS * (0.5 + side * rng.uniform(0.12, 0.30)))
        top = view.horizon / view.focal
        tangent = max(float(outline[column]) + 0.05, top * float(rng.uniform(0.62, 0.80)))
    else:
        # Where the sun should stand: on the side where it was meant to be, in the lowest gap there.
        third = _COLUMNS * (0.5 + 0.16 * math.copysign(1.0, light.azimuth))
        cost = choice + 0.0022 * np.abs(np.arange(choice.size) + margin - third)
        column = int(np.argmin(cost)) + margin
        tangent = float(outline[column]) + light.lamp
    right = ((column + 0.5) / _COLUMNS - 0.5) * view.width / view.focal
    lamp = (right, tangent, 1.0)
    length = math.sqrt(sum(v * v for v in lamp))
    return replace(light, lamp_direction=(right / length, tangent / length, 1.0 / length))
