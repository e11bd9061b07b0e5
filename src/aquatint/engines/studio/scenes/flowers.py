"""Flowers: fields with depth, close-ups, lotus ponds and branches in blossom, printed like lithographs."""

from __future__ import annotations

from aquatint.engines.studio.kernels.noise import derive_seed
from aquatint.engines.studio.kernels.press import Press
from aquatint.engines.studio.plan import Plan, Subject
from aquatint.engines.studio.scenes.bloom import closeup
from aquatint.engines.studio.scenes.bloom.bough import bough
from aquatint.engines.studio.scenes.bloom.field import field
from aquatint.engines.studio.scenes.bloom.kinds import choose
from aquatint.engines.studio.scenes.printed.climate import read_climate
from aquatint.engines.studio.scenes.printed.stage import Stage
from aquatint.engines.studio.scenes.terrain import falling
from aquatint.engines.studio.styles.base import Easel, Rgb8

_WILD = ("poppy", "wild", "daisy", "tulip", "lavender")  # what an unnamed field may grow
_FORMS = {
    "stems": closeup.stems,
    "tulips": closeup.tulips,
    "water": closeup.water,
    "bough": bough,
    "spikes": closeup.spikes,
}


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Print the first flower of the plan: a field when a field or a meadow is asked for, else a close-up."""
    lead = next((s for s in plan.subjects if s.name in ("flower_field", "flower")), Subject("flower"))
    names = {subject.name for subject in plan.subjects}
    easel.progress(0.02, "drawing")
    press = Press.of(easel.width, easel.height, derive_seed(easel.seed, "press"), easel.threads)
    climate = read_climate(plan, easel.seed, frozenset({lead.name}), ("spring", "summer"))
    stage = Stage(press, climate, plan, easel.seed)
    wide = lead.name == "flower_field" or bool(names & {"meadow", "mountain", "house"})
    choice = choose(plan, lead, stage.rng("kind"), _WILD if wide else ())
    easel.progress(0.1, "printing the setting")
    if wide and choice.form not in ("water", "bough"):
        field(stage, choice)
    else:
        if choice.form not in ("water", "bough"):
            closeup.backdrop(stage, choice.inks[0])
            easel.progress(0.4, "printing the flowers")
        _FORMS[choice.form](stage, choice, lead.count)
    if stage.climate.rain:
        falling.rain(press.sheet, easel.seed, stage.climate.rain, stage.climate.night)
    if stage.climate.snow:
        falling.snowfall(press.sheet, easel.seed, stage.climate.snow, stage.climate.night)
    easel.progress(0.9, "paper")
    press.finish(easel.seed)
    easel.progress(1.0, "paper")
    return press.sheet
