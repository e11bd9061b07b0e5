"""The plan: what the prompt asked for, typed. Made by the grammar, read by scenes, styles and edits."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing asked for: a style, an edit or a weather, with how strongly and in which colour."""

    name: str  # canonical name from the lexicon, such as watercolor, snow, blur_background
    strength: float = 1.0  # 0.45 (slightly) .. 1.6 (extremely)
    color: str | None = None  # canonical colour name bound to it; for recolor, the colour to arrive at
    target: str | None = None  # what it acts on; for recolor, the colour to change
    variant: str | None = None  # kind within the name: oil/impasto, vintage/sepia, cartoon/anime, relight/left


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing to show: mountain, lake, city, cat, boat..."""

    name: str
    count: int = 1
    color: str | None = None
    place: str | None = None  # left, right, center, foreground, background, top, bottom
    variant: str | None = None  # kind within the name: flower/rose, bird/crane, mountain/snow


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything understood from one prompt, in canonical names; JSON-able by `dataclasses.asdict`."""

    prompt: str
    styles: tuple[Wish, ...] = ()  # first is the renderer, later ones are finishes
    subjects: tuple[Subject, ...] = ()
    edits: tuple[Wish, ...] = ()  # edits proper, in the order asked for
    time: str | None = None  # dawn, sunrise, morning, noon, day, golden_hour, sunset, dusk, night
    season: str | None = None  # spring, summer, autumn, winter
    weather: tuple[Wish, ...] = ()  # rain, snow, fog, storm, clear, clouds, wind
    colors: tuple[str, ...] = ()  # overall palette words not bound to a thing
    moods: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()  # canonical names negated: "no people"; unknown words as written
    text: tuple[str, ...] = ()  # quoted text to set in type, case kept
    references: tuple[tuple[int, str], ...] = ()  # (1-based image number, role: content, style, palette)
    unsupported: tuple[str, ...] = ()  # semantic edits asked for that no classical engine can do, as written
    ignored: tuple[str, ...] = ()  # words not understood, in order
    coverage: float = 1.0  # share of content words understood, 0..1
    options: dict[str, str] = field(default_factory=dict)  # further key=value hints from the lexicon
    changes: tuple[Wish, ...] = ()  # with a source picture: edits, weather, time and season, in the order said
    undrawable: tuple[str, ...] = ()  # things named that no scene can draw, as written: "dragon"
    unused: tuple[str, ...] = ()  # styles understood but left out, because one renderer is enough
