"""Climate: the inks of one printed scene, from the plan's time, season, weather, colours and moods."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

import msgspec
import numpy as np

from aquatint.engines.studio.kernels.color import hex_color, lab_to_rgb
from aquatint.engines.studio.kernels.named_colors import COLORS
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.press import Ink
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.printed.inks import mix, times

_TINT = 0.34  # how far an overall colour word pulls sky and land
_FREE_TIMES = ("morning", "day", "golden_hour", "sunset", "sunrise", "dusk")
_MOOD_TIMES: Mapping[str, tuple[str, ...]] = {
    "mysterious": ("dusk", "night", "dawn"),
    "dark": ("night", "dusk"),
    "dramatic": ("sunset", "dusk"),
    "epic": ("sunset", "golden_hour"),
    "romantic": ("sunset", "dusk"),
    "cozy": ("golden_hour", "sunset"),
    "warm_mood": ("golden_hour", "sunset"),
    "melancholy": ("dusk", "dawn"),
    "dreamy": ("dawn", "dusk", "morning"),
    "fresh": ("morning", "day"),
    "bright": ("day", "morning"),
    "joyful": ("day", "morning", "golden_hour"),
    "calm": ("morning", "dawn", "dusk"),
    "cute": ("day", "morning"),
}
# Land by season: multiplies the summer inks towards this.
_LAND: Mapping[str, tuple[Ink, float]] = {
    "spring": ((0.56, 0.74, 0.42), 0.30),
    "summer": ((0.36, 0.58, 0.34), 0.10),
    "autumn": ((0.78, 0.48, 0.20), 0.52),
    "winter": ((0.90, 0.93, 0.97), 0.74),
}


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    sky: tuple[str, ...]
    sun: str
    far: str
    mid: str
    near: str
    water: tuple[str, ...]
    ambient: str
    shadow: str
    rim: str
    wall: str


@dataclass(frozen=True, slots=True)
class Climate:
    """Inks and facts that every part of a printed scene shares."""

    time: str
    season: str
    sky: tuple[Ink, ...]  # top to horizon
    sun: Ink  # sun or moon
    far: Ink
    mid: Ink
    near: Ink
    water: tuple[Ink, ...]  # far to near
    ambient: Ink
    shadow: Ink
    rim: Ink
    wall: Ink
    leaf: Ink
    blossom: tuple[Ink, ...]
    night: bool
    snow: float  # strengths, 0 is none
    rain: float
    fog: float
    wind: float
    moon: bool  # the disc is a moon
    stars: bool
    disc: bool  # sun or moon shows


def print_ink(name: str, light: float = 1.0) -> Ink:
    """The ink for a colour word: a printer's version of it, not the purest one."""
    color = COLORS.get(name, COLORS["gray"])
    hue = np.radians(color.hue or 0.0)
    chroma = color.paint_chroma * 0.86
    lab = np.array([[[color.paint_light * light, chroma * np.cos(hue), chroma * np.sin(hue)]]], np.float32)
    r, g, b = (float(v) for v in lab_to_rgb(lab)[0, 0])
    return (r, g, b)


def read_climate(
    plan: Plan,
    seed: int,
    leads: frozenset[str] = frozenset(),
    seasons: tuple[str, ...] = ("spring", "summer", "summer", "autumn"),
) -> Climate:
    """Decide the light. `leads` are names of subjects whose own colour is not the picture's colour; one of
    `seasons` is chosen when the plan names none."""
    rng = generator(seed, "climate")
    weather = {wish.name: wish.strength for wish in plan.weather if wish.name not in plan.excluded}
    time = _time(plan, rng, weather)
    names = {subject.name for subject in plan.subjects} - plan.excluded
    entry = msgspec.convert(
        tomllib.loads((files("aquatint.engines.studio.scenes.printed") / "light.toml").read_text("utf-8"))[time],
        _Entry,
    )
    snow = weather.get("snow", 0.0)
    season = plan.season or ("winter" if snow else str(rng.choice(seasons)))
    lands = _lands(entry, season, time)
    climate = Climate(
        time=time,
        season=season,
        sky=tuple(hex_color(c) for c in entry.sky),
        sun=hex_color(entry.sun),
        far=lands[0],
        mid=lands[1],
        near=lands[2],
        water=tuple(hex_color(c) for c in entry.water),
        ambient=hex_color(entry.ambient),
        shadow=hex_color(entry.shadow),
        rim=hex_color(entry.rim),
        wall=hex_color(entry.wall),
        leaf=_leaf(season, hex_color(entry.ambient)),
        blossom=_blossoms(season, rng),
        night=time == "night",
        snow=snow,
        rain=weather.get("rain", 0.0) + weather.get("storm", 0.0),
        fog=weather.get("fog", 0.0),
        wind=weather.get("wind", 0.0) + weather.get("storm", 0.0),
        moon=time == "night" or "moon" in names,
        stars=time == "night" or "stars" in names,
        disc=not (weather.get("rain") or weather.get("storm") or weather.get("fog") or snow) or bool(
            names & {"sun", "moon"}
        ),
    )  # fmt: skip
    return _tinted(_greyed(climate), plan, leads)


def _lands(entry: _Entry, season: str, time: str) -> list[Ink]:
    """Far, middle and near land in the season's colours under the light of the hour."""
    land, pull = _LAND[season]
    lands = [
        mix(hex_color(c), times(land, hex_color(entry.ambient)), pull) for c in (entry.far, entry.mid, entry.near)
    ]
    if time in ("night", "dusk", "sunset", "dawn"):  # snow and grass lie in the shadow of the hour
        dim = {"night": 0.42, "dusk": 0.62, "sunset": 0.7, "dawn": 0.8}[time]
        lands = [mix(times(c, (dim, dim, dim * 1.08)), hex_color(e), 0.45) for c, e in zip(
            lands, (entry.far, entry.mid, entry.near), strict=True)]  # fmt: skip
    return lands


def _time(plan: Plan, rng: np.random.Generator, weather: Mapping[str, float]) -> str:
    known = {"noon": "day"}
    if plan.time:
        return known.get(plan.time, plan.time)
    for mood in plan.moods:
        if mood in _MOOD_TIMES:
            return str(rng.choice(_MOOD_TIMES[mood]))
    if weather.keys() & {"rain", "snow", "fog", "storm"}:
        return str(rng.choice(["morning", "day", "dusk"]))
    return str(rng.choice(_FREE_TIMES))


def _leaf(season: str, ambient: Ink) -> Ink:
    leaf = {
        "spring": (0.48, 0.66, 0.34),
        "summer": (0.27, 0.50, 0.33),
        "autumn": (0.80, 0.42, 0.16),
        "winter": (0.38, 0.46, 0.44),
    }[season]
    return times(leaf, ambient)


def _blossoms(season: str, rng: np.random.Generator) -> tuple[Ink, ...]:
    sets = {
        "spring": (((0.95, 0.66, 0.72), (0.98, 0.86, 0.86)), ((0.98, 0.93, 0.84), (0.95, 0.78, 0.42))),
        "summer": (((0.86, 0.30, 0.22), (0.96, 0.72, 0.30)), ((0.97, 0.95, 0.88), (0.55, 0.45, 0.72))),
        "autumn": (((0.85, 0.45, 0.18), (0.62, 0.24, 0.20)), ((0.80, 0.35, 0.20), (0.93, 0.74, 0.36))),
        "winter": (((0.80, 0.22, 0.24), (0.95, 0.93, 0.92)),),
    }[season]
    return sets[int(rng.integers(len(sets)))]


def _greyed(climate: Climate) -> Climate:
    """Rain, snow and fog take colour out of the sky and bring the far things nearer to it."""
    dull = min(0.75, 0.5 * climate.rain + 0.4 * climate.fog + 0.35 * climate.snow)
    if not dull:
        return climate
    level = sum(sum(c) for c in climate.sky) / (3 * len(climate.sky))
    gray = (level * 0.94, level * 0.98, level * 1.04)
    sky = tuple(mix(c, gray, dull) for c in climate.sky)
    return replace(
        climate,
        sky=sky,
        far=mix(climate.far, sky[-1], 0.6 * dull),
        mid=mix(climate.mid, sky[-1], 0.3 * dull),
        water=tuple(mix(c, gray, dull * 0.7) for c in climate.water),
        rim=mix(climate.rim, gray, dull),
    )


def _tinted(climate: Climate, plan: Plan, leads: frozenset[str]) -> Climate:
    """Overall colour words pull the sky, the light and the land towards them."""
    bound = {subject.color for subject in plan.subjects if subject.name in leads}
    words = [c for c in plan.colors if c in COLORS and c not in bound]
    if not words:
        return climate
    level = [sum(c) / 3 for c in climate.sky]
    tints = [print_ink(words[i % len(words)]) for i in range(len(climate.sky))]
    sky = tuple(mix(c, _at_level(t, lv), _TINT * 2) for c, t, lv in zip(climate.sky, tints, level, strict=True))
    first, last = print_ink(words[0]), print_ink(words[-1])
    return replace(
        climate,
        sky=sky,
        far=mix(climate.far, _at_level(first, sum(climate.far) / 3), _TINT),
        mid=mix(climate.mid, _at_level(last, sum(climate.mid) / 3), _TINT),
        water=tuple(mix(c, _at_level(first, sum(c) / 3), _TINT * 1.6) for c in climate.water),
        wall=mix(climate.wall, _at_level(first, sum(climate.wall) / 3), _TINT * 2),
        blossom=(last, *climate.blossom[1:]),
    )


def _at_level(ink: Ink, level: float) -> Ink:
    """The same hue, as light or dark as `level`."""
    own = sum(ink) / 3
    if own > level:
        return times(ink, (level / own,) * 3)
    share = (level - own) / max(1 - own, 1e-3)
    return mix(ink, (1.0, 1.0, 1.0), share)
