"""Open sea and beaches: waves, surf, the path of the sun, sails and birds."""

from __future__ import annotations

from dataclasses import replace

from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.terrain.coast import Rise, lighthouse, plant_palms, raise_coast
from aquatint.engines.studio.scenes.terrain.falling import lightning, rain, snowfall
from aquatint.engines.studio.scenes.terrain.foreground import lit_color
from aquatint.engines.studio.scenes.terrain.light import Light, light_of, overcast, stormy
from aquatint.engines.studio.scenes.terrain.ocean import NO_BEACH, Waters, render_sea
from aquatint.engines.studio.scenes.terrain.picture import Scene, develop, rescaled
from aquatint.engines.studio.scenes.terrain.props import birds, boat, rainbow
from aquatint.engines.studio.scenes.terrain.sky import paint_sky
from aquatint.engines.studio.styles.base import Easel, Rgb8

WORK_WIDTH = 2400
WORK_WIDTH_4K = 3400
SKY_WIDTH = 1400

# Tangent of the lamp's height and of its side for the hours whose sun stands in the picture.
_LAMPS = {"dawn": 0.01, "sunrise": 0.055, "golden_hour": 0.13, "sunset": 0.05, "dusk": -0.02, "night": 0.22}


def _weather(plan: Plan) -> dict[str, float]:
    return {wish.name: wish.strength for wish in plan.weather if wish.name not in plan.excluded}


def _light(plan: Plan, time: str, seed: int) -> Light:
    rng = generator(seed, "sea light")
    weather = _weather(plan)
    light = light_of(time, bool(rng.random() < 0.5))
    light = replace(light, mist=0.0, clouds=0.12 if "clear" in weather else light.clouds)
    if time in _LAMPS:
        right, up = float(rng.uniform(-0.22, 0.22)), _LAMPS[time]
        length = (right * right + up * up + 1) ** 0.5
        light = replace(light, lamp=up, lamp_direction=(right / length, up / length, 1 / length))
    if "clouds" in weather:
        light = overcast(replace(light, clouds=0.8), 0.12)
    if "storm" in weather:
        light = stormy(light)
    for name, amount, dark in (("rain", 0.8, 0.35), ("snow", 0.7, 0.0), ("fog", 0.6, 0.0)):
        if name in weather:
            light = replace(overcast(light, amount, dark), haze_amount=3.5 if name == "fog" else 1.8)
    if light.night:
        light = replace(light, exposure=0.85)  # water and open sky are brighter than a valley
    if light.lamp is None:
        light = replace(light, lamp_direction=None)
    return light


def _waters(plan: Plan, seed: int) -> Waters:
    rng = generator(seed, "waters")
    names = {subject.name for subject in plan.subjects}
    weather = _weather(plan)
    wind = float(rng.uniform(6.5, 9.5))
    if "storm" in weather:
        wind = 15.0
    elif "wind" in weather:
        wind = 12.0
    elif "calm" in plan.moods:
        wind = 4.5
    beach = "beach" in names or ("island" not in names and "sea" not in names)
    return Waters(
        wind=wind * (0.75 if beach else 1.0),
        heading=float(rng.uniform(-2.1, -1.0)),
        deep=(0.010, 0.045, 0.075),
        shallow=(0.06, 0.30, 0.31) if beach else (0.025, 0.13, 0.15),
        sand=(0.56, 0.46, 0.33),
        shore=float(rng.uniform(8.5, 13.0)) if beach else NO_BEACH,
        slant=float(rng.choice([-1, 1])) * float(rng.uniform(0.15, 0.50)),
    )


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint the sea as a photograph would show it. Returns exactly (easel.height, easel.width, 3)."""
    seed = easel.seed
    rng = generator(seed, "sea")
    time = plan.time or ("night" if {s.name for s in plan.subjects} & {"moon", "stars"} else None)
    time = time or ("sunset", "golden_hour", "morning", "day")[int(rng.integers(4))]
    light, waters = _light(plan, time, seed), _waters(plan, seed)
    widest = WORK_WIDTH if max(easel.width, easel.height) <= 3072 else WORK_WIDTH_4K
    scale = min(1.0, widest / max(easel.width, easel.height))
    width, height = max(16, round(easel.width * scale)), max(16, round(easel.height * scale))
    focal = min(height * 1.35, max(width, height * 0.8) * 0.95)
    eye = float(rng.uniform(2.2, 3.4)) if waters.shore > NO_BEACH else float(rng.uniform(4.0, 7.0))
    view = View(width, height, focal, height * float(rng.uniform(0.40, 0.52)), eye, 0.0, 0.0)
    easel.progress(0.05, "sky")
    weather = _weather(plan)
    sky = paint_sky(view, light, derive_seed(seed, "sky"), SKY_WIDTH, 2.2 if "wind" in weather else 1.0)
    easel.progress(0.2, "waves")
    layers = render_sea(
        waters, light, view, sky, seed, easel.threads, lambda done: easel.progress(0.2 + 0.55 * done, "waves")
    )
    rises = _rises(plan, seed)
    for index, rise in enumerate(rises):
        raise_coast(layers, rise, view, light, derive_seed(seed, "rise", index))
    picture = develop(Scene(light, view, layers, sky, None, seed), easel.width, easel.height, easel.threads)
    easel.progress(0.95, "things")
    _finish(picture, plan, light, rescaled(view, easel.width, easel.height), (seed, rises, waters))
    easel.progress(1.0, "done")
    return picture


def _rises(plan: Plan, seed: int) -> tuple[Rise, ...]:
    """Islands and headlands on the horizon, far ones first."""
    rng = generator(seed, "rises")
    names = {subject.name for subject in plan.subjects} - plan.excluded
    side = float(rng.choice([-1, 1]))
    result = []
    if rng.random() < 0.5 or names & {"island", "lighthouse"}:
        result.append(Rise(0.5 - side * float(rng.uniform(0.15, 0.4)), 0.22, float(rng.uniform(0.02, 0.04)), 0.72))
    if "island" in names:
        result.append(Rise(0.5 + side * float(rng.uniform(0.08, 0.2)), 0.17, float(rng.uniform(0.10, 0.15)), 0.25))
    if "lighthouse" in names:
        result.append(Rise(0.5 + side * 0.30, 0.26, 0.085, 0.10))
    return tuple(result)


def _finish(picture: Rgb8, plan: Plan, light: Light, out: View, known: tuple[int, tuple[Rise, ...], Waters]) -> None:
    seed, rises, waters = known
    things = {subject.name: subject for subject in plan.subjects if subject.name not in plan.excluded}
    weather = _weather(plan)
    if "storm" in weather:
        lightning(picture, seed, out.horizon)
    if "rainbow" in things:
        rainbow(picture, out.horizon, seed)
    if "boat" in things:
        hull = lit_color((0.20, 0.09, 0.04), light, 0.4, 0.7)
        load = lit_color((0.07, 0.06, 0.06), light, 0.3, 0.6)
        cloth = lit_color((0.80, 0.77, 0.70), light, 0.5, 0.8)
        boat(picture, replace(out, eye=out.eye * 2.2), seed, (hull, load, cloth), True, things["boat"].place)
    if "lighthouse" in things and rises:
        column, row = rises[-1].top(out)
        lighthouse(picture, column, row, out.height * 0.20, light)
    if waters.shore > NO_BEACH and ("tree" in things or generator(seed, "palm trees").random() < 0.4):
        plant_palms(picture, light, seed, 1 if waters.slant > 0 else -1)
    if "bird" in things:
        dark = lit_color((0.05, 0.05, 0.06), light, 0.2, 0.6)
        birds(picture, out.horizon, max(5, min(40, things["bird"].count)), seed, dark)
    for name in ("rain", "storm"):
        if name in weather:
            rain(picture, seed, weather[name], light.night)
            break
    if "snow" in weather:
        snowfall(picture, seed, weather["snow"], light.night)
