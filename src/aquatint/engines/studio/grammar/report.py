"""What the user is told: the parts of a plan that will not be done, in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.engines.studio.plan import Plan

MAX_LISTED = 12  # a warning names at most this many words
MAX_WORD = 60  # characters of one word or phrase


def warnings(plan: Plan, *, has_source: bool | None = None) -> tuple[str, ...]:
    """Say what a plan leaves out: semantic edits, things without a scene, spare styles, unknown words.

    `has_source`: whether a reference image is there. A dragon that is in the picture already needs no drawing, so
    things without a scene are only named when there is no source (or when that is not known). An empty tuple means
    that everything was understood.
    """
    found: list[str] = []
    if plan.unsupported:
        found.append(f"not done, this engine does not understand what a picture shows: {_quoted(plan.unsupported)}")
    if plan.undrawable and not has_source:
        found.append(f"no scene can draw: {_quoted(plan.undrawable)}")
    if plan.unused:
        found.append(f"only the first painting style is used, left out: {_quoted(plan.unused)}")
    if plan.ignored:
        found.append(f"not understood: {_quoted(plan.ignored)}")
    return tuple(found)


def _quoted(words: Sequence[str]) -> str:
    shown = [f'"{word if len(word) <= MAX_WORD else word[: MAX_WORD - 1] + "…"}"' for word in words[:MAX_LISTED]]
    rest = len(words) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
