"""Light of a day: where the sun or moon stands and which colours sky, haze and shadow have."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """All colours are linear radiance; 1 is about paper white before the tone curve."""

    elevation: float  # degrees; negative is below the horizon
    azimuth: float  # degrees from the view axis, positive to the right; beyond 90 is behind the viewer
    sun: Rgb
    ambient: Rgb
    zenith: Rgb
    middle: Rgb
    horizon: Rgb
    haze: Rgb
    haze_sun: Rgb  # haze toward the sun
    exposure: float = 1.0
    night: bool = False
    clouds: float = 0.45  # share of the sky
    cloud_dark: float = 0.0  # 0 fair weather .. 1 thunder
    haze_amount: float = 1.0  # relative density
    mist: float = 0.3  # low fog over water and valley, 0..1
    lamp: float | None = None  # tangent above the skyline where sun or moon hangs in the picture; None: not in it
    lamp_direction: Rgb | None = None  # unit vector to the disc once it has been hung

    @property
    def direction(self) -> Rgb:
        """Unit vector (right, up, away) to the light that models the land (never below the horizon)."""
        el, az = math.radians(max(self.elevation, 3.0)), math.radians(self.azimuth)
        return math.cos(el) * math.sin(az), math.sin(el), math.cos(el) * math.cos(az)

    @property
    def sky_direction(self) -> Rgb:
        """Unit vector to the sun or moon itself, wherever it is."""
        if self.lamp_direction is not None:
            return self.lamp_direction
        el, az = math.radians(self.elevation), math.radians(self.azimuth)
        return math.cos(el) * math.sin(az), math.sin(el), math.cos(el) * math.cos(az)


_TIMES: dict[str, Light] = {
    "dawn": Light(
        8, 52, (0.62, 0.42, 0.40), (0.30, 0.33, 0.50), (0.06, 0.10, 0.26), (0.30, 0.32, 0.52),
        (0.98, 0.56, 0.46), (0.42, 0.38, 0.50), (0.95, 0.55, 0.45), 1.15, mist=0.6, lamp=-0.035,
    ),
    "sunrise": Light(
        11, 118, (2.5, 1.35, 0.72), (0.36, 0.40, 0.62), (0.13, 0.22, 0.46), (0.50, 0.52, 0.68),
        (1.02, 0.66, 0.44), (0.60, 0.56, 0.66), (1.35, 0.82, 0.46), mist=0.5,
    ),
    "morning": Light(
        26, 75, (2.25, 1.75, 1.30), (0.40, 0.50, 0.72), (0.09, 0.25, 0.58), (0.34, 0.52, 0.82),
        (0.86, 0.84, 0.82), (0.62, 0.70, 0.82), (1.0, 0.90, 0.76), mist=0.35,
    ),
    "noon": Light(
        50, -55, (2.05, 1.95, 1.75), (0.42, 0.55, 0.78), (0.07, 0.22, 0.62), (0.24, 0.47, 0.86),
        (0.62, 0.79, 0.96), (0.56, 0.71, 0.92), (0.85, 0.88, 0.92), mist=0.1,
    ),
    "golden_hour": Light(
        9, 104, (2.75, 1.45, 0.60), (0.38, 0.38, 0.52), (0.14, 0.24, 0.46), (0.58, 0.53, 0.56),
        (1.18, 0.76, 0.42), (0.74, 0.58, 0.48), (1.5, 0.92, 0.44), mist=0.3,
    ),
    "sunset": Light(
        7, -62, (2.3, 0.86, 0.33), (0.25, 0.215, 0.36), (0.055, 0.095, 0.29), (0.34, 0.24, 0.40),
        (1.25, 0.48, 0.17), (0.32, 0.22, 0.30), (1.05, 0.44, 0.18), 1.05, mist=0.3, lamp=0.014,
    ),
    "dusk": Light(
        9, -50, (0.40, 0.26, 0.36), (0.20, 0.22, 0.40), (0.03, 0.05, 0.17), (0.16, 0.16, 0.36),
        (0.78, 0.36, 0.34), (0.24, 0.21, 0.36), (0.62, 0.33, 0.34), 1.15, mist=0.4, lamp=-0.05,
    ),
    "night": Light(
        34, 64, (0.26, 0.33, 0.50), (0.055, 0.085, 0.16), (0.006, 0.013, 0.042), (0.018, 0.038, 0.10),
        (0.06, 0.10, 0.19), (0.045, 0.075, 0.145), (0.11, 0.16, 0.26), night=True, clouds=0.22, mist=0.3, lamp=0.1,
    ),
}  # fmt: skip
_TIMES["day"] = replace(_TIMES["noon"], elevation=38, azimuth=-68)

TIMES = tuple(sorted(_TIMES))


def light_of(time: str, mirrored: bool) -> Light:
    """Give the light of a canonical time of day; `mirrored` puts the sun on the other side."""
    light = _TIMES.get(time, _TIMES["day"])
    return replace(light, azimuth=-light.azimuth) if mirrored else light


def _mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def _grey(color: Rgb, tint: Rgb = (0.96, 1.0, 1.06)) -> Rgb:
    value = 0.30 * color[0] + 0.55 * color[1] + 0.15 * color[2]
    return value * tint[0], value * tint[1], value * tint[2]


def overcast(light: Light, amount: float, dark: float = 0.0) -> Light:
    """Draw a lid of cloud over the sky: `amount` 0..1 takes direct sun and colour away, `dark` 0..1 the light."""
    gain = 1 - 0.45 * dark

    def dull(color: Rgb, share: float = 0.85) -> Rgb:
        mixed = _mix(color, _grey(color), share * amount)
        return mixed[0] * gain, mixed[1] * gain, mixed[2] * gain

    sun = dull(light.sun)
    left = 1 - 0.86 * amount
    # The lost sun comes back from the whole sky, or the land would fall into darkness.
    lift = 1 + (0.75 if not light.night else 0.2) * amount
    ambient = dull(light.ambient)
    lid = _grey(_mix(light.middle, light.horizon, 0.45), (0.93, 1.0, 1.10))
    lid = (lid[0] * gain, lid[1] * gain, lid[2] * gain)
    return replace(
        light,
        sun=(sun[0] * left, sun[1] * left, sun[2] * left),
        ambient=(ambient[0] * lift, ambient[1] * lift, ambient[2] * lift),
        zenith=_mix(dull(light.zenith), lid, 0.62 * amount),
        middle=_mix(dull(light.middle), lid, 0.55 * amount),
        horizon=dull(light.horizon, 0.75),
        haze=dull(light.haze),
        haze_sun=_mix(dull(light.haze_sun), dull(light.haze), amount),
        clouds=max(light.clouds, 0.45 + 0.35 * amount),
        lamp=light.lamp if amount < 0.5 else None,
        cloud_dark=max(light.cloud_dark, dark),
    )


def stormy(light: Light) -> Light:
    """Thunder weather: slate clouds, a pale strip over the horizon tinted by the hour, hardly any sun."""
    if light.night:
        return replace(overcast(light, 0.8, 0.5), lamp=None)
    tint = _mix((0.50, 0.52, 0.53), light.horizon, 0.45)
    return replace(
        light,
        sun=_mix((0.55, 0.56, 0.58), light.sun, 0.12),
        ambient=_mix((0.19, 0.225, 0.29), light.ambient, 0.15),
        zenith=(0.030, 0.038, 0.060),
        middle=_mix((0.125, 0.145, 0.19), light.middle, 0.12),
        horizon=tint,
        haze=_mix((0.17, 0.195, 0.235), light.haze, 0.15),
        haze_sun=_mix((0.17, 0.195, 0.235), tint, 0.4),
        clouds=0.74,
        cloud_dark=0.45,
        lamp=None,
    )
