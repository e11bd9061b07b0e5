"""Animals: printed pictures in the manner of mid-century lithographs. They never pretend to be photographs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.press import Ink, Press
from aquatint.engines.studio.plan import Plan, Subject
from aquatint.engines.studio.scenes.beasts import figure
from aquatint.engines.studio.scenes.beasts.places import branch, clearing, deep, marsh, meadow, pond, ridge, sill
from aquatint.engines.studio.scenes.printed.climate import print_ink, read_climate
from aquatint.engines.studio.scenes.printed.inks import mix
from aquatint.engines.studio.scenes.printed.stage import Stage
from aquatint.engines.studio.scenes.terrain import falling
from aquatint.engines.studio.styles.base import Easel, Rgb8

# Which figure shows a subject (`name` or `name/variant`) and where it lives.
_HOMES: Mapping[str, tuple[str, ModuleType]] = {
    "cat": ("cat", sill),
    "dog": ("dog", meadow),
    "horse": ("horse", ridge),
    "deer": ("deer", clearing),
    "bird": ("bird", branch),
    "bird/crane": ("crane", marsh),
    "bird/owl": ("owl", branch),
    "bird/duck": ("duck", marsh),
    "horse/unicorn": ("unicorn", ridge),
    "horse/zebra": ("zebra", ridge),
    "fish": ("fish", pond),
    "fish/whale": ("whale", deep),
}
_FIXED: Mapping[str, Ink] = {
    "black": (0.10, 0.09, 0.11),
    "white": (0.98, 0.97, 0.93),
    "accent": (0.76, 0.25, 0.20),
    "eyegold": (0.86, 0.69, 0.31),
    "leg": (0.24, 0.24, 0.27),
    "gold": (0.90, 0.73, 0.36),
    "blue": (0.25, 0.38, 0.62),
    "chest": (0.50, 0.33, 0.24),
}


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Print the first animal of the plan, as often as it says, where it lives, in the plan's light and colours."""
    lead = next((s for s in plan.subjects if s.name in _HOMES), Subject("cat"))
    name, home = _HOMES.get(f"{lead.name}/{lead.variant}", _HOMES[lead.name])
    easel.progress(0.02, "drawing")
    climate = read_climate(plan, easel.seed, frozenset({lead.name}))
    press = Press.of(easel.width, easel.height, derive_seed(easel.seed, "press"), easel.threads)
    stage = Stage(press, climate, plan, easel.seed)
    easel.progress(0.08, "printing the setting")
    home.behind(stage)
    easel.progress(0.55, "printing the animals")
    drawing = figure.load(name)
    indoors = getattr(home, "indoors", None)
    if indoors:
        stage = replace(stage, climate=indoors(climate))
    stands = home.stand(stage, drawing, lead)
    under = getattr(home, "under", None)
    for number, pose in enumerate(stands):
        if under:
            under(stage, pose)
        figure.draw(press, drawing, pose, coat(drawing, lead, easel.seed, number), stage.lighting())
    easel.progress(0.75, "printing the foreground")
    home.before(stage, stands)
    if home is not sill:  # there the weather stays outside
        if climate.rain:
            falling.rain(press.sheet, easel.seed, climate.rain, climate.night)
        if climate.snow:
            falling.snowfall(press.sheet, easel.seed, climate.snow, climate.night)
    easel.progress(0.9, "paper")
    press.finish(easel.seed)
    easel.progress(1.0, "paper")
    return press.sheet


def coat(drawing: figure.Drawing, subject: Subject, seed: int, number: int) -> dict[str, Ink]:
    """Inks of one animal: a natural colouring by chance, or the colour the prompt gives it."""
    rng = generator(seed, "coat", number)
    chosen = drawing.coats[int(rng.integers(len(drawing.coats)))]
    inks = {role: hex_color(code) for role, code in chosen.items()} | dict(_FIXED)
    if subject.color:
        inks |= _dyed(inks, subject.color)
    inks["far"] = mix(inks["coat"], (0.16, 0.16, 0.26), 0.36)
    return inks


def _dyed(inks: Mapping[str, Ink], color: str) -> dict[str, Ink]:
    """The coat in a named colour, its markings a little darker and lighter."""
    body = {"black": (0.15, 0.145, 0.17), "white": (0.95, 0.93, 0.88)}.get(color) or print_ink(color, 1.05)
    if color == "white":
        return {"coat": body, "light": (0.99, 0.98, 0.95), "dark": (0.82, 0.79, 0.76)}
    pale = mix(body, (0.97, 0.93, 0.86), 0.16 if color == "black" else 0.6)
    return {"coat": body, "light": pale, "dark": mix(body, (0.10, 0.07, 0.10), 0.45)}
