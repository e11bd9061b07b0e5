"""Kinds of flowers: which one the plan means, and in which colours."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

import msgspec
import numpy as np

from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.press import Ink
from aquatint.engines.studio.plan import Plan, Subject
from aquatint.engines.studio.scenes.printed.climate import print_ink
from aquatint.engines.studio.scenes.printed.inks import mix

_SEASONS = {
    "spring": ("tulip", "peony"),
    "summer": ("poppy", "rose"),
    "autumn": ("dahlia",),
    "winter": ("plum_blossom",),
}
_RAINBOW = ("red", "orange", "yellow", "pink", "purple", "white")


class _Kind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    words: tuple[str, ...]
    inks: tuple[str, ...]
    form: Literal["stems", "tulips", "water", "bough", "spikes"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The flower of one picture."""

    kind: str
    form: str
    inks: tuple[Ink, ...]  # the first is the main one


def choose(plan: Plan, subject: Subject, rng: np.random.Generator, allowed: Sequence[str] = ()) -> Choice:
    """Read the kind from the subject's variant, then the prompt's words, then the season, then by chance."""
    text = (files("aquatint.engines.studio.scenes.bloom") / "kinds.toml").read_text(encoding="utf-8")
    kinds = msgspec.convert(tomllib.loads(text), dict[str, _Kind])
    name = subject.variant if subject.variant in kinds else _named(plan.prompt, kinds)
    if not name:
        wished = allowed or _SEASONS.get(plan.season or "", ("rose", "dahlia", "peony", "poppy", "daisy"))
        name = str(wished[int(rng.integers(len(wished)))])
    kind = kinds[name]
    inks = tuple(hex_color(code) for code in kind.inks)
    turn = int(rng.integers(len(inks)))
    inks = inks[turn:] + inks[:turn]
    return Choice(name, kind.form, _colored(plan, subject, inks))


def _named(prompt: str, kinds: dict[str, _Kind]) -> str:
    text = prompt.lower()
    for name, kind in kinds.items():
        for word in kind.words:
            if word.isascii() and re.search(rf"\b{re.escape(word)}s?\b", text):
                return name
            if not word.isascii() and word in text:
                return name
    return ""


def _colored(plan: Plan, subject: Subject, natural: tuple[Ink, ...]) -> tuple[Ink, ...]:
    """Inks in the colours asked for, those bound to the flower first."""
    words = [subject.color] if subject.color else list(plan.colors)
    names = [name for word in words for name in (_RAINBOW if word == "rainbow" else (word,)) if name]
    if not names:
        return natural
    inks = []
    for name in names:
        ink = (0.96, 0.94, 0.88) if name == "white" else print_ink(name, 1.1 if name != "black" else 1.5)
        inks += [ink, mix(ink, (0.97, 0.92, 0.86), 0.3)]
    return tuple(inks)
