"""Direction: from what a prompt asks for to what will be done, and what must be said about the rest."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from aquatint.engines.studio.casting import cast, stand_ins
from aquatint.engines.studio.plan import Plan, Wish
from aquatint.engines.studio.references import Roles

POSTER_SCENE = "abstract"
FALLBACK_STYLE = "wash"

# What belongs on the finished picture: paint would cover it.
_ON_TOP = frozenset({"border", "grain", "vignette"})
# What mends or cuts a picture that is there already; without one, the last three are worth a word.
_MISSED = frozenset({"crop", "outpaint", "recolor"})
_OF_PHOTOS = _MISSED | {"upscale", "denoise", "sharpen", "dehaze"}


@dataclass(frozen=True, slots=True)
class Repertoire:
    """Names of what this version can do."""

    styles: Set[str]
    scenes: Set[str]
    edits: Set[str]


@dataclass(frozen=True, slots=True)
class Direction:
    """What will be done for one task."""

    scene: str | None = None  # None: work on the source picture
    edits: tuple[Wish, ...] = ()
    styles: tuple[Wish, ...] = ()  # the renderer, then finishes
    on_top: tuple[Wish, ...] = ()  # edits made when all is painted
    title: str = ""  # words to set at the foot of a poster
    sets_text: bool = False  # the words are taken care of: on the signs of a scene, or as a poster's title
    not_done: tuple[str, ...] = ()  # semantic edits: the picture is a preview and its caption names them
    shortfall: str = ""  # why a strict server refuses this task; empty when it can be done
    warnings: tuple[str, ...] = ()


def direct_text(plan: Plan, repertoire: Repertoire) -> Direction:
    """Decide for a task without a source picture."""
    casting = cast(plan, repertoire.scenes)
    embodied = casting.role.embodies if casting.role else ()
    styles, warnings = _styles(tuple(w for w in plan.styles if w.name not in embodied), repertoire)
    shortfall = ""
    scene = casting.scene
    beyond = [*casting.missing, *plan.undrawable]
    if scene is None or (plan.undrawable and not plan.subjects):
        scene = POSTER_SCENE
        what = ", ".join(beyond) or "the subject of this prompt"
        shortfall = f"the studio engine cannot draw {what}"
        warnings.insert(0, f"{shortfall}: the picture is a poster that sets the prompt in type over abstract art")
    elif beyond:
        warnings.append(f"not shown, because this scene cannot draw it: {', '.join(beyond)}")
    plain = () if scene == POSTER_SCENE else stand_ins(plan)
    if plain:
        warnings.append(f"drawn in a simpler kind: {', '.join(plain)}")
    title = ""
    if scene == POSTER_SCENE:
        wants_words = shortfall or any(subject.name == "poster" for subject in plan.subjects)
        title = " ".join(plan.text) or (plan.prompt if wants_words else "")
    edits = tuple(wish for wish in plan.edits if wish.name in repertoire.edits - _OF_PHOTOS)
    meant_for_photos = [wish.name for wish in plan.edits if wish.name in _MISSED]
    if meant_for_photos:
        warnings.append(f"not done, because it needs a picture to work on: {', '.join(meant_for_photos)}")
    return Direction(
        scene,
        tuple(wish for wish in edits if wish.name not in _ON_TOP),
        styles,
        tuple(wish for wish in edits if wish.name in _ON_TOP),
        title.strip(),
        sets_text=scene == POSTER_SCENE or (casting.role is not None and casting.role.sets_text),
        shortfall=shortfall,
        warnings=tuple(warnings),
    )


def direct_photo(plan: Plan, repertoire: Repertoire, roles: Roles | None = None) -> Direction:
    """Decide for a task with source pictures; `roles` says what each is for (None: there is one)."""
    roles = roles or Roles()
    styles, warnings = _styles(plan.styles, repertoire)
    # A sheet of the pictures sent is made before any edit.
    changes = [wish for wish in plan.changes if wish.name != "collage" or len(roles.contents) == 1]
    on_top = tuple(wish for wish in changes if wish.name in repertoire.edits & _ON_TOP)
    edits = tuple(wish for wish in changes if wish.name in repertoire.edits - _ON_TOP)
    absent = [wish.name for wish in changes if wish.name not in repertoire.edits]
    if absent:
        warnings.append(f"not done, because the studio engine has no such edit: {', '.join(absent)}")
    if plan.unsupported:
        shortfall = f"the studio engine cannot do this edit: {'; '.join(plan.unsupported)}"
        warnings.insert(0, f"{shortfall}; the picture is only a preview")
        return Direction(None, edits, styles, on_top, "", False, plan.unsupported, shortfall, tuple(warnings))
    shortfall = ""
    if not (styles or edits or on_top or plan.text or roles.does_something):
        styles = (Wish(FALLBACK_STYLE),)
        shortfall = "the prompt names no style or edit that the studio engine can do"
        warnings.insert(0, f"{shortfall}; it was given the house style, line and wash")
    return Direction(None, edits, styles, on_top, "", False, (), shortfall, tuple(warnings))


def _styles(wishes: tuple[Wish, ...], repertoire: Repertoire) -> tuple[tuple[Wish, ...], list[str]]:
    known = tuple(wish for wish in wishes if wish.name in repertoire.styles)
    absent = [wish.name for wish in wishes if wish.name not in repertoire.styles]
    if not absent:
        return known, []
    return known, [f"not done, because the studio engine has no such style: {', '.join(absent)}"]
