"""The brief of one street picture: light, neon colours, weather and cast, read off the plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels.color import FloatArray
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.plan import Plan

Rgb = tuple[float, float, float]  # linear light, 1 = a bright lamp

MAGENTA: Rgb = (1.0, 0.05, 0.42)
CYAN: Rgb = (0.04, 0.74, 1.0)
VIOLET: Rgb = (0.48, 0.10, 1.0)
AMBER: Rgb = (1.0, 0.42, 0.06)
RED: Rgb = (1.0, 0.06, 0.07)
GREEN: Rgb = (0.08, 1.0, 0.42)
BLUE: Rgb = (0.10, 0.28, 1.0)
ORANGE: Rgb = (1.0, 0.24, 0.03)
ICE: Rgb = (0.62, 0.86, 1.0)
ROSE: Rgb = (1.0, 0.34, 0.52)
GOLD: Rgb = (1.0, 0.66, 0.16)
TEAL: Rgb = (0.03, 0.80, 0.66)

# Dominant first; a picture uses few hues, as a production designer would.
HARMONIES: tuple[tuple[Rgb, ...], ...] = (
    (MAGENTA, CYAN, VIOLET, AMBER, ICE, RED),
    (TEAL, ORANGE, CYAN, GOLD, RED, ICE),
    (RED, GOLD, CYAN, ROSE, ORANGE, ICE),
    (VIOLET, MAGENTA, BLUE, CYAN, GOLD, ROSE),
    (CYAN, BLUE, MAGENTA, ICE, AMBER, GREEN),
)
_HARMONY_CHANCES = (0.36, 0.14, 0.14, 0.20, 0.16)
NAMED: dict[str, tuple[Rgb, ...]] = {
    "red": (RED, ROSE),
    "orange": (ORANGE, AMBER),
    "yellow": (GOLD, AMBER),
    "gold": (GOLD, AMBER),
    "green": (GREEN, TEAL),
    "cyan": (CYAN, TEAL),
    "teal": (TEAL, CYAN),
    "blue": (BLUE, CYAN),
    "purple": (VIOLET, MAGENTA),
    "violet": (VIOLET, MAGENTA),
    "pink": (ROSE, MAGENTA),
    "magenta": (MAGENTA, ROSE),
    "white": (ICE, (1.0, 0.9, 0.75)),
    "brown": (AMBER, ORANGE),
}


_LANGUAGES = {
    **dict.fromkeys(("hong_kong", "shanghai", "beijing", "chongqing"), "chinese"),
    **dict.fromkeys(("new_york", "paris", "london", "venice"), "english"),
}


@dataclass(frozen=True, slots=True)
class Light:
    """Colours of air and sky in linear light, and how strongly things shine."""

    zenith: Rgb
    haze: Rgb  # distant air high up
    glow: Rgb  # distant air near the street
    street: FloatArray  # (3,) irradiance that the street throws on walls near the ground
    ambient: FloatArray  # (3,) irradiance everywhere
    lamps: float  # gain of signs
    windows: float  # share of lit windows, 0..1
    exposure: float
    fog_distance: float  # metres
    sun: Rgb = (0.0, 0.0, 0.0)  # irradiance of direct sunlight
    sun_side: int = 1  # which row of houses it falls on: -1 left, 1 right


@dataclass(frozen=True, slots=True)
class Brief:
    """What a street picture must show."""

    seed: int
    light: Light
    neon: tuple[Rgb, ...]
    rain: float  # 0 dry .. 1.6 downpour
    wet: float  # wetness of the road, 0..1
    snow: float
    people: int  # walkers on the street
    traffic: bool
    landmark: str  # moon, tower, train, gate or none
    words: tuple[str, ...]  # quoted text to put on the largest signs
    language: str = "japanese"  # of the other signs: japanese, chinese or english
    daylight: bool = False


def neon_colors(plan: Plan, seed: int) -> tuple[Rgb, ...]:
    """Choose the neon hues: the prompt's colours when it names some, else one of the harmonies."""
    named = [color for name in plan.colors for color in NAMED.get(name, ())]
    if not named:
        return HARMONIES[int(generator(seed, "harmony").choice(len(HARMONIES), p=_HARMONY_CHANCES))]
    first = [colors[0] for name in plan.colors if (colors := NAMED.get(name))]
    second = [colors[1] for name in plan.colors if (colors := NAMED.get(name))]
    return (*first, *second, *first[:1], ICE)


def _wish_strength(plan: Plan, name: str) -> float:
    wishes = [wish.strength for wish in (*plan.weather, *plan.edits) if wish.name == name]
    return 0.0 if name in plan.excluded else max(wishes, default=0.0)


def _night_light(neon: tuple[Rgb, ...], dusk: bool, fog: float) -> Light:
    lead, second = np.array(neon[0], np.float32), np.array(neon[1], np.float32)
    veil = 0.6 * lead + 0.4 * second
    veil = veil / veil.max()
    zenith: Rgb = (0.012, 0.020, 0.062) if not dusk else (0.055, 0.085, 0.24)
    haze = 0.10 * (0.42 * veil + 0.58 * np.array((0.50, 0.42, 1.0), np.float32))
    glow = 0.46 * (0.72 * veil + 0.28 * np.array((0.75, 0.5, 0.9), np.float32))
    if dusk:
        haze = haze + np.array((0.16, 0.07, 0.12), np.float32)
        glow = glow + np.array((0.42, 0.15, 0.07), np.float32)
    return Light(
        zenith=zenith,
        haze=(float(haze[0]), float(haze[1]), float(haze[2])),
        glow=(float(glow[0]), float(glow[1]), float(glow[2])),
        street=np.asarray(1.75 * (0.62 * lead + 0.34 * second + 0.14), np.float32),
        ambient=np.array((0.10, 0.12, 0.24), np.float32) * (2.4 if dusk else 1.0),
        lamps=1.0,
        windows=0.36 if not dusk else 0.40,
        exposure=1.0,
        fog_distance=165.0 / (1 + 1.6 * fog),
    )


_DAYLIGHT: dict[str, tuple[Rgb, Rgb, Rgb, Rgb]] = {  # zenith, haze, sun, skylight
    "day": ((0.075, 0.21, 0.56), (0.42, 0.58, 0.80), (3.3, 2.95, 2.45), (0.62, 0.78, 1.05)),
    "morning": ((0.10, 0.24, 0.52), (0.55, 0.60, 0.68), (3.3, 2.55, 1.75), (0.62, 0.72, 0.92)),
    "golden_hour": ((0.12, 0.20, 0.42), (0.85, 0.52, 0.30), (3.6, 1.85, 0.72), (0.58, 0.56, 0.70)),
    "sunset": ((0.10, 0.12, 0.34), (0.95, 0.40, 0.24), (2.6, 0.95, 0.36), (0.46, 0.40, 0.58)),
    "overcast": ((0.42, 0.46, 0.52), (0.58, 0.61, 0.66), (0.0, 0.0, 0.0), (1.25, 1.32, 1.42)),
}
# Sign paint by day: reds, greens and blues of enamel instead of gas.
_PAINTS: tuple[Rgb, ...] = (
    *((0.80, 0.06, 0.05), (0.04, 0.22, 0.62), (0.90, 0.55, 0.06), (0.05, 0.38, 0.22), (0.85, 0.85, 0.80)),
    (0.30, 0.10, 0.30),
)
_TIMES = {"noon": "day", "sunrise": "golden_hour", "dawn": "morning", "dusk": "sunset"}


def _day_light(mood: str, fog: float, side: int) -> Light:
    zenith, haze, sun, skylight = _DAYLIGHT[mood]
    low = mood in ("golden_hour", "sunset")
    return Light(
        zenith=zenith,
        haze=haze,
        glow=haze,
        street=np.zeros(3, np.float32),
        ambient=np.asarray(skylight, np.float32),
        lamps=0.7 if low else 0.45,
        windows=0.30 if low else 0.05,
        exposure=1.3 if not low else 1.0,
        fog_distance=(620.0 if not low else 420.0) / (1 + 3.0 * fog),
        sun=sun,
        sun_side=side,
    )


def read_day_brief(plan: Plan, seed: int) -> Brief:
    """Turn a plan into the brief of a street by daylight; dry unless rain or snow is asked for."""
    rng = generator(seed, "brief")
    rain = max(_wish_strength(plan, "rain"), 1.3 * _wish_strength(plan, "storm"))
    snow, fog = _wish_strength(plan, "snow"), _wish_strength(plan, "fog")
    mood = _TIMES.get(plan.time or "day", plan.time or "day")
    dull = rain or snow or fog or any(wish.name == "clouds" for wish in plan.weather)
    mood = "overcast" if dull else (mood if mood in _DAYLIGHT else "day")
    nobody = bool({"people", "person", "figure", "crowd"} & plan.excluded)
    landmark = str(rng.choice(["none", "train"], p=[0.65, 0.35]))
    return Brief(
        seed=seed,
        light=_day_light(mood, fog, int(rng.choice([-1, 1]))),
        neon=neon_colors(plan, seed) if plan.colors else _PAINTS,
        rain=rain,
        wet=1.0 if rain else 0.0,
        snow=snow,
        people=0 if nobody else int(rng.integers(7, 12)),
        traffic="car" not in plan.excluded,
        landmark="none" if landmark in plan.excluded else landmark,
        words=plan.text,
        language=_LANGUAGES.get(plan.options.get("city", ""), "japanese"),
        daylight=True,
    )


def read_brief(plan: Plan, seed: int) -> Brief:
    """Turn a plan into the brief of a night street. Rain is the default; "no rain" leaves the road damp."""
    rng = generator(seed, "brief")
    neon = neon_colors(plan, seed)
    names = {wish.name for wish in plan.weather}
    dry = "rain" in plan.excluded or "clear" in names
    rain = max(_wish_strength(plan, "rain"), 1.3 * _wish_strength(plan, "storm"))
    snow = _wish_strength(plan, "snow")
    if not rain and not dry and not snow:
        rain = 0.85
    fog = _wish_strength(plan, "fog")
    dusk = plan.time in ("dusk", "sunset", "golden_hour", "dawn", "sunrise")
    asked = {subject.name for subject in plan.subjects}
    landmark = str(rng.choice(["tower", "moon", "train", "gate"]))
    if landmark == "tower" and plan.options.get("city", "tokyo") != "tokyo":
        landmark = "moon"
    landmark = "gate" if plan.text else landmark
    landmark = next((name for name in ("moon", "train") if name in asked), landmark)
    nobody = bool({"people", "person", "figure", "crowd"} & plan.excluded)
    crowd = 9 if "crowd" in asked else int(rng.integers(5, 9))
    return Brief(
        seed=seed,
        light=_night_light(neon, dusk, fog),
        neon=neon,
        rain=rain,
        wet=1.0 if rain else (0.55 if not snow else 0.7),
        snow=snow,
        people=0 if nobody else crowd,
        traffic="car" not in plan.excluded,
        landmark="none" if landmark in plan.excluded else landmark,
        words=plan.text,
        language=_LANGUAGES.get(plan.options.get("city", ""), "japanese"),
    )
