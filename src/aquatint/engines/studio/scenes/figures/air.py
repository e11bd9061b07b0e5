"""The air of an illustrated outdoor scene: sky colours, haze, sunlight and leaves by time, season and weather."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np

from aquatint.engines.studio.kernels.color import hex_color, lab_to_rgb
from aquatint.engines.studio.kernels.named_colors import COLORS
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.canvas import Color, mix, scale
from aquatint.engines.studio.scenes.terrain import falling
from aquatint.engines.studio.styles.base import Rgb8

# Sky from the top to the horizon, then haze, sunlight, shadow light, and how high the sun stands (share of the sky).
_TIMES: dict[str, tuple[tuple[str, ...], str, str, str, float]] = {
    "dawn": (("#26345f", "#5d6396", "#b78fae", "#f2c3ae"), "#b9a3bd", "#f3b9a4", "#4f5687", 0.24),
    "sunrise": (("#3d5f9c", "#8aa0c8", "#f0c5a6", "#ffe0a8"), "#e3c3b4", "#ffd09a", "#5f6f9c", 0.26),
    "morning": (("#4a8ac8", "#8cbfe4", "#cde6f1", "#f7f2e2"), "#cfe1ea", "#fff0cf", "#7d98b8", 0.5),
    "noon": (("#2a7ccb", "#66aee6", "#b2dbf2", "#e8f4f3"), "#c3dfee", "#fffaea", "#8aa6c4", 0.75),
    "day": (("#3284cf", "#74b6e8", "#bbdff2", "#f0f5ec"), "#c8e0ec", "#fff6df", "#86a2c0", 0.62),
    "golden_hour": (("#557aab", "#b2b3ba", "#f4cd92", "#ffe6ae"), "#efcfa4", "#ffcf86", "#7a7a92", 0.3),
    "sunset": (("#27275a", "#75407a", "#d8605c", "#f89d50", "#ffd884"), "#c8736a", "#ffab5e", "#55406f", 0.2),
    "dusk": (("#10183f", "#2e3170", "#76508c", "#dc9390"), "#6d5b8c", "#c48fa0", "#343a70", 0.3),
    "night": (("#050a20", "#0c1a40", "#1d3764", "#41638c"), "#2c4a72", "#93aed0", "#1c2b50", 0.66),
}
_DARK = frozenset({"dusk", "night"})
USUAL = ("golden_hour", "morning", "sunset", "day", "sunrise", "dusk")

# Dark, middle and light of the leaves; several kinds stand side by side.
_LEAVES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "spring": (
        ("#4d7a44", "#7fae5a", "#bcd987"),
        ("#c2708f", "#eda6bd", "#fbdce4"),
        ("#5d8c58", "#93bd72", "#d2e6a4"),
    ),
    "summer": (
        ("#22512f", "#3f7d3f", "#86b356"),
        ("#1c4a3a", "#34715a", "#6da878"),
        ("#38602c", "#638f3c", "#a4be5c"),
    ),
    "autumn": (
        ("#8a2e1c", "#cc5526", "#f09a42"),
        ("#95581a", "#d88f2a", "#f6cb5c"),
        ("#64301f", "#a2452a", "#dd7a3c"),
    ),
    "winter": (
        ("#4d5f6c", "#a9bac8", "#f2f6fa"),
        ("#3f5560", "#8ea5b4", "#e6eef5"),
        ("#596a72", "#b4c3cd", "#f8fafc"),
    ),
}
_EVERGREEN = ("#16382f", "#2b5a48", "#5c8a68")
_GROUND = {"spring": "#8fae62", "summer": "#6c9148", "autumn": "#b08a48", "winter": "#e6edf4"}

Leaf = tuple[Color, Color, Color]


@dataclass(frozen=True, slots=True)
class Air:
    """Colours are sRGB 0..1 as they appear; distances run from 0 (at the viewer) to 1 (lost in the haze)."""

    time: str
    season: str
    sky: tuple[Color, ...]  # top to horizon
    haze: Color
    sun: Color
    shadow: Color  # light that reaches what the sun does not
    sun_high: float  # share of the sky's height
    mist: float  # 0 clear .. 1 thick fog
    dark: bool  # lamps are lit
    sun_shows: bool
    snow: bool  # lies on the ground
    rain: float  # strength; 0 none
    snowfall: float
    tint: Color | None

    def tone(self, albedo: Color, light: float, far: float = 0.0) -> Color:
        """The colour of a surface that gets this share of the sunlight (0..1.2) at this distance."""
        lit = [a * min(1.25, s + (n - s) * light) for a, s, n in zip(albedo, self._ambient, self._beam, strict=True)]
        return mix((min(1.0, lit[0]), min(1.0, lit[1]), min(1.0, lit[2])), self.haze, min(1.0, far))

    @property
    def _ambient(self) -> Color:
        return scale(self.shadow, 0.92 if not self.dark else 0.75)

    @property
    def _beam(self) -> Color:
        if self.time == "night":
            return scale(self.sun, 0.72)
        return self.sun if self.dark else scale(self.sun, 1.06)

    def leaves(self, rng: np.random.Generator, evergreen: bool = False) -> Leaf:
        """Colours of one tree: dark, middle, light."""
        if evergreen:
            codes = _EVERGREEN
        else:
            kinds = _LEAVES[self.season]
            codes = kinds[int(rng.integers(len(kinds)))]
        dark, middle, light = (hex_color(code) for code in codes)
        if evergreen and self.snow:
            middle, light = mix(middle, (0.8, 0.86, 0.9), 0.35), (0.93, 0.95, 0.98)
        return dark, middle, light

    @property
    def ground(self) -> Color:
        """Colour of open ground: grass, dry grass or snow."""
        return hex_color(_GROUND["winter" if self.snow else self.season])


def air_of(plan: Plan, rng: np.random.Generator, season: str = "summer", usual: tuple[str, ...] = USUAL) -> Air:
    """Read time, season, weather and colours from the plan; what it leaves open the generator chooses."""
    time = plan.time if plan.time in _TIMES else str(rng.choice(usual))
    year = plan.season if plan.season in _LEAVES else season
    weather = {wish.name: wish.strength for wish in plan.weather if wish.name not in plan.excluded}
    year = "winter" if "snow" in weather and plan.season is None else year
    sky, haze, sun, shadow, high = _TIMES[time]
    tint = _tint(plan)
    air = Air(
        time, year, tuple(hex_color(c) for c in sky), hex_color(haze), hex_color(sun), hex_color(shadow), high,
        mist=0.3, dark=time in _DARK, sun_shows=True, snow=year == "winter" and "snow" not in plan.excluded,
        rain=weather.get("rain", 0.0) + weather.get("storm", 0.0), snowfall=weather.get("snow", 0.0), tint=tint,
    )  # fmt: skip
    return _tinted(_weathered(air, weather))


def _weathered(air: Air, weather: dict[str, float]) -> Air:
    if "fog" in weather:
        pale = mix(air.haze, (0.86, 0.87, 0.88) if not air.dark else (0.3, 0.34, 0.42), 0.4)
        sky = tuple(mix(c, pale, 0.62) for c in air.sky)
        air = replace(air, mist=min(1.0, 0.8 * weather["fog"] + 0.1), haze=pale, sky=sky)
    lid = max(weather.get(name, 0.0) * share for name, share in _LIDS.items())
    if lid > 0:
        grey = scale((0.62, 0.66, 0.72), 0.35 if air.time == "night" else 0.6 if "storm" in weather else 0.95)
        lid = min(0.85, lid)
        air = replace(
            air,
            sky=tuple(mix(c, scale(grey, 0.8 + 0.08 * i), lid) for i, c in enumerate(air.sky)),
            haze=mix(air.haze, grey, lid),
            sun=mix(air.sun, scale(grey, 1.15), lid * 0.8),
            sun_shows=lid < 0.5,
        )
    return air


_LIDS = {"rain": 0.7, "storm": 0.85, "snow": 0.5, "clouds": 0.35, "fog": 0.0}


RAINBOW = ("red", "orange", "yellow", "green", "blue", "purple")


def palette_of(names: Iterable[str], excluded: Collection[str] = ()) -> list[Color]:
    """Samples of the colours named; `rainbow` is six of them, and palette words without a hue (pastel) are none."""
    each = [one for name in names for one in (RAINBOW if name == "rainbow" else (name,))]
    return [named(name) for name in each if name in COLORS and name not in excluded]


def named(name: str) -> Color:
    """A typical sample of a canonical colour name; grey for names without one."""
    color = COLORS.get(name)
    if color is None:
        return 0.6, 0.6, 0.62
    hue = np.radians(color.hue or 0.0)
    lab = np.array([[[color.paint_light, color.paint_chroma * np.cos(hue), color.paint_chroma * np.sin(hue)]]])
    r, g, b = (float(part) for part in lab_to_rgb(lab.astype(np.float32))[0, 0])
    return r, g, b


def _tint(plan: Plan) -> Color | None:
    known = [named(name) for name in plan.colors if name in COLORS and name not in plan.excluded]
    if not known:
        return None
    r, g, b = (sum(part) / len(known) for part in zip(*known, strict=True))
    return r, g, b


def _tinted(air: Air) -> Air:
    if air.tint is None:
        return air
    tint = air.tint

    def toward(color: Color, share: float) -> Color:
        gain = (sum(color) + 0.25) / (sum(tint) + 0.25)
        return mix(color, scale(tint, gain), share)

    return replace(
        air,
        sky=tuple(toward(c, 0.5) for c in air.sky),
        haze=toward(air.haze, 0.5),
        sun=toward(air.sun, 0.3),
        shadow=toward(air.shadow, 0.35),
    )


def fall(picture: Rgb8, air: Air, seed: int) -> None:
    """Rain or snow in front of everything, in place, when the weather asks for it."""
    if air.rain > 0:
        falling.rain(picture, seed, min(1.6, air.rain), air.dark)
    if air.snowfall > 0:
        falling.snowfall(picture, seed, min(1.6, air.snowfall), air.dark)
