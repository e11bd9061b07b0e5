"""Mountains, lakes, rivers and valleys in any season, hour and weather."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.terrain_march import View
from aquatint.engines.studio.plan import Plan, Subject
from aquatint.engines.studio.scenes.terrain.falling import lightning, rain, snowfall
from aquatint.engines.studio.scenes.terrain.foreground import Bank, lit_color, paint_foreground
from aquatint.engines.studio.scenes.terrain.ground import Ground, forest_map, ground_of
from aquatint.engines.studio.scenes.terrain.groves import plant_groves
from aquatint.engines.studio.scenes.terrain.heightfield import (
    EYE_X,
    EYE_Z,
    Land,
    Relief,
    cast_shadows,
    drift_shadows,
    raise_land,
)
from aquatint.engines.studio.scenes.terrain.light import Light, light_of, overcast, stormy
from aquatint.engines.studio.scenes.terrain.picture import Scene, develop, rescaled
from aquatint.engines.studio.scenes.terrain.props import birds, boat, rainbow
from aquatint.engines.studio.scenes.terrain.shading import Surroundings, make_textures, prepare, render_land
from aquatint.engines.studio.scenes.terrain.sight import hang_lamp
from aquatint.engines.studio.scenes.terrain.sky import paint_sky
from aquatint.engines.studio.scenes.terrain.together import together
from aquatint.engines.studio.scenes.terrain.water import fill_lake
from aquatint.engines.studio.styles.base import Easel, PlaneF, Rgb8

WORK_WIDTH = 2400  # columns of the march for pictures up to 2k
WORK_WIDTH_4K = 3400
SKY_WIDTH = 1400
DEPTH_SAMPLES = 2600


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the plan means for a landscape."""

    time: str
    season: str
    water: str  # lake, river, none
    weather: dict[str, float]  # name -> strength
    snow_allowed: bool
    forest: float
    excluded: frozenset[str]
    things: dict[str, Subject]  # small things to set in, by name


_LAKES = {"lake", "water", "sea", "pond", "boat", "reflection"}
_RIVERS = {"river", "stream", "waterfall", "creek", "brook"}
_DRY = {"valley", "meadow", "field", "grassland", "flower", "flowers", "hill", "hills", "village", "forest"}
_WOODS = {"forest", "tree", "trees", "woods", "pine", "jungle"}


def read_plan(plan: Plan, seed: int) -> Outlook:
    """Decide what the plan leaves open by the seed."""
    rng = generator(seed, "outlook")
    default_time = ("golden_hour", "morning", "sunrise", "day")[int(rng.integers(4))]
    names = {subject.name for subject in plan.subjects}
    weather = {wish.name: wish.strength for wish in plan.weather if wish.name not in plan.excluded}
    if plan.excluded & {"water", "lake"}:
        water = "none"
    elif names & _RIVERS:
        water = "river"
    elif names & _LAKES:
        water = "lake"
    elif names & _DRY:
        water = "none"
    else:
        water = "lake" if rng.random() < 0.65 else "none"
    season = plan.season or ("winter" if "snow" in weather or "snow" in names else "summer")
    forest = 0.9 if names & _WOODS else 0.75
    return Outlook(
        time=plan.time or ("night" if names & {"moon", "stars", "aurora"} else default_time),
        season=season,
        water=water,
        weather=weather,
        snow_allowed="snow" not in plan.excluded,
        forest=0.0 if plan.excluded & _WOODS else forest,
        excluded=plan.excluded,
        things={subject.name: subject for subject in plan.subjects if subject.name not in plan.excluded},
    )


def _relief(outlook: Outlook, seed: int) -> Relief:
    rng = generator(seed, "relief")
    side = 1.0 if rng.random() < 0.5 else -1.0
    return Relief(
        amplitude=float(rng.uniform(1250, 1650)),
        water=outlook.water,
        lake_end=float(rng.uniform(0.20, 0.34)),
        lake_width=float(rng.uniform(0.8, 1.6)),
        bend=float(rng.uniform(0.02, 0.05)) * side,
        bend_phase=float(rng.uniform(0, 6.28)),
        hero_bearing=side * float(rng.uniform(0.10, 0.24)),
        hero_distance=float(rng.uniform(0.46, 0.66)),
        hero_height=float(rng.uniform(0.7, 1.25)),
        cape_side=int(rng.choice([-1, 1])) if rng.random() < 0.75 else 0,
        cape_distance=float(rng.uniform(0.075, 0.14)),
        cape_reach=float(rng.uniform(-0.02, 0.025)),
    )


def _light(outlook: Outlook, seed: int) -> Light:
    light = light_of(outlook.time, bool(generator(seed, "sun side").random() < 0.5))
    weather = outlook.weather
    if "clear" in weather:
        light = replace(light, clouds=0.12)
    if "clouds" in weather:
        light = overcast(replace(light, clouds=0.80), 0.12 * min(weather["clouds"], 1.2))
    for name, amount, dark in (("rain", 0.8, 0.35), ("snow", 0.75, 0.0), ("fog", 0.6, 0.0)):
        if name in weather:
            light = overcast(light, amount, dark)
    if "storm" in weather:
        light = stormy(light)
    if "aurora" in outlook.things:
        light = replace(light, lamp=None, clouds=min(light.clouds, 0.1))
    if "fog" in weather:
        light = replace(light, haze_amount=3.2 + 3.0 * weather["fog"], mist=0.95)
    elif weather.keys() & {"rain", "snow", "storm"}:
        light = replace(light, haze_amount=2.2, mist=max(light.mist, 0.5))
    return light


def _sunlight(land: Land, light: Light, seed: int) -> PlaneF:
    lit = cast_shadows(land, light.direction)
    if not light.night and light.cloud_dark < 0.3:
        lit *= drift_shadows(derive_seed(seed, "cloud shadows"), light.clouds)
    return lit


def _view(width: int, height: int, land: Land, outlook: Outlook, seed: int) -> View:
    rng = generator(seed, "view")
    ratio = width / height
    focal = height * (1.45 if ratio > 1.2 else 1.0 + 0.45 * max(0.0, (ratio - 0.6) / 0.6))
    focal = min(focal, width * 1.05) if ratio > 1 else focal
    rise = float(rng.uniform(0.46, 0.56)) if outlook.water == "lake" else float(rng.uniform(0.42, 0.50))
    eye = float(rng.uniform(18, 34)) if outlook.water == "lake" else float(rng.uniform(45, 75))
    column, row = int(EYE_X / land.cell), int(EYE_Z / land.cell)
    eye += max(0.0, float(land.height[row, column]))
    # Never look into a hillside: stay above what stands close by.
    for distance in range(50, 900, 25):
        near = float(land.height[int((EYE_Z + distance) / land.cell), column])
        eye = max(eye, near + 18 - distance * 0.03)
    return View(width, height, focal, height * rise, eye, EYE_X, EYE_Z)


def _work_size(easel: Easel) -> tuple[int, int]:
    widest = WORK_WIDTH if max(easel.width, easel.height) <= 3072 else WORK_WIDTH_4K
    scale = min(1.0, widest / max(easel.width, easel.height))
    return max(16, round(easel.width * scale)), max(16, round(easel.height * scale))


def _ground(outlook: Outlook, seed: int) -> Ground:
    ground = ground_of(outlook.season, outlook.snow_allowed, int(generator(seed, "rock").integers(3)))
    return replace(ground, forest=outlook.forest)


_FLOWERS = {
    "spring": ((0.85, 0.80, 0.22), (0.72, 0.22, 0.42), (0.88, 0.86, 0.84), (0.48, 0.30, 0.72)),
    "summer": ((0.88, 0.86, 0.82), (0.42, 0.30, 0.75), (0.85, 0.62, 0.10)),
}


def _bank(outlook: Outlook, seed: int) -> Bank:
    rng = generator(seed, "bank")
    season, snowy = outlook.season, outlook.season == "winter" and outlook.snow_allowed
    grass = {
        "spring": ((0.04, 0.075, 0.018), (0.22, 0.30, 0.085)),
        "summer": ((0.045, 0.065, 0.02), (0.24, 0.26, 0.09)),
        "autumn": ((0.09, 0.06, 0.02), (0.42, 0.30, 0.11)),
        "winter": ((0.10, 0.08, 0.05), (0.36, 0.30, 0.19)),
    }[season]
    wooded = outlook.forest > 0
    meadow = outlook.water == "none"
    return Bank(
        depth=float(rng.uniform(0.06, 0.10)) if meadow else float(rng.uniform(0.025, 0.06)),
        rise=float(rng.uniform(0.05, 0.12)),
        side=int(rng.choice([-1, 1])),
        grass=grass,
        flowers=_FLOWERS.get(season, ()) if "flower" not in outlook.excluded else (),
        flower_share={"spring": 0.20, "summer": 0.045}.get(season, 0.0),
        snow=snowy,
        trees=int(rng.integers(1, 4)) if wooded else 0,
        opposite=int(rng.integers(0, 3)) if wooded else 0,
        tallest=float(rng.uniform(0.60, 0.95)),
        gold=(0.36, 0.17, 0.03) if season == "autumn" else None,
    )


def _set_things(picture: Rgb8, outlook: Outlook, light: Light, view: View, seed: int) -> None:
    """Birds, boat and rainbow, when the plan names them."""
    things = outlook.things
    out = rescaled(view, picture.shape[1], picture.shape[0])
    if "rainbow" in things:
        rainbow(picture, out.horizon, seed)
    if "bird" in things:
        dark = lit_color((0.05, 0.05, 0.06), light, 0.2, 0.6)
        birds(picture, out.horizon, max(5, min(40, things["bird"].count)), seed, dark)
    if "boat" in things and outlook.water == "lake":
        hull = lit_color((0.20, 0.09, 0.04), light, 0.45, 0.7)
        load = lit_color((0.07, 0.06, 0.06), light, 0.3, 0.6)
        cloth = lit_color((0.80, 0.77, 0.70), light, 0.55, 0.8)
        sail = bool(generator(seed, "sail").random() < 0.45)
        boat(picture, out, seed, (hull, load, cloth), sail, things["boat"].place)


def _finish(picture: Rgb8, outlook: Outlook, light: Light, view: View, seed: int) -> None:
    """Everything painted over the developed picture."""
    if "storm" in outlook.weather:
        lightning(picture, seed, view.horizon * picture.shape[0] / view.height)
    _set_things(picture, outlook, light, view, seed)
    paint_foreground(picture, _bank(outlook, seed), light, derive_seed(seed, "foreground"))
    for name in ("rain", "storm"):
        if name in outlook.weather:
            rain(picture, seed, outlook.weather[name], light.night)
            break
    if "snow" in outlook.weather and outlook.snow_allowed:
        snowfall(picture, seed, outlook.weather["snow"], light.night)


def _see(outlook: Outlook, easel: Easel) -> Scene:
    """Make the land, look at it, and give all layers of the picture."""
    seed = easel.seed
    light, ground = _light(outlook, seed), _ground(outlook, seed)
    easel.progress(0.02, "raising the land")
    relief = _relief(outlook, seed)
    land, textures = together(
        lambda: raise_land(relief, derive_seed(seed, "land")), lambda: make_textures(seed), easel.threads
    )
    easel.progress(0.25, "casting shadows")
    sunlight, forest = together(
        lambda: _sunlight(land, light, seed),
        lambda: forest_map(land, ground, derive_seed(seed, "forest")),
        easel.threads,
    )
    width, height = _work_size(easel)
    view = _view(width, height, land, outlook, seed)
    light = hang_lamp(light, land, view, generator(seed, "lamp"))
    near = max(8.0, view.eye * view.focal / height * 0.8) if outlook.water == "lake" else 12.0
    surroundings = Surroundings(land, ground, light, view, near, DEPTH_SAMPLES, outlook.water != "none")
    scenery = prepare(surroundings, textures, forest, sunlight)
    easel.progress(0.35, "looking at the land")
    layers = render_land(scenery, easel.threads, lambda done: easel.progress(0.35 + 0.35 * done, "shading"))
    plant_groves(scenery, layers, forest, derive_seed(seed, "trees"))
    stretch = 2.2 if "wind" in outlook.weather else 1.0
    sky = paint_sky(view, light, derive_seed(seed, "sky"), SKY_WIDTH, stretch, "aurora" in outlook.things)
    lake = None
    if outlook.water != "none":
        wind = 0.8 if outlook.weather.keys() & {"wind", "storm"} else 0.25
        lake = fill_lake(layers, sky, view, light, derive_seed(seed, "lake"), wind)
    return Scene(light, view, layers, sky, lake, seed)


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Paint a landscape as a photograph would show it. Returns exactly (easel.height, easel.width, 3)."""
    outlook = read_plan(plan, easel.seed)
    scene = _see(outlook, easel)
    easel.progress(0.78, "developing")
    picture = develop(scene, easel.width, easel.height, easel.threads)
    easel.progress(0.92, "foreground")
    _finish(picture, outlook, scene.light, scene.work, easel.seed)
    easel.progress(1.0, "done")
    return picture
