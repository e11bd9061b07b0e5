"""References: which of the images sent gives the content, which gives colours or a style, and which make a sheet."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint.engines.studio.plan import Plan

_SHEET_WORD = "collage"
_SHEET_FROM = 3  # this many unexplained images are shown together
_NOT_NEURAL = (
    "the style of an image was taken over as its colours, contrast and surface texture; "
    "this is not neural style transfer"
)


@dataclass(frozen=True, slots=True)
class Roles:
    """What each image is for; numbers are indices into the task's references."""

    contents: tuple[int, ...] = (0,)  # one: the picture to work on; several: they share a sheet
    palette: int | None = None  # gives its colours
    style: int | None = None  # gives colours, contrast and texture
    warnings: tuple[str, ...] = ()

    @property
    def does_something(self) -> bool:
        """Whether the roles alone change the picture, even without a style or an edit."""
        return len(self.contents) > 1 or self.palette is not None or self.style is not None


def assign(plan: Plan, count: int) -> Roles:
    """Give each of `count` images (at least one) a role, from the prompt where it says so.

    Unsaid: the first of two is the content and the second lends its colours when nothing else is asked for;
    three or more make a sheet. Images that are left out are named in `warnings`.
    """
    named = [(number - 1, role) for number, role in plan.references if number <= count]
    warnings = [
        f"the prompt speaks of image {number}, but only {count} {'was' if count == 1 else 'were'} given"
        for number, _ in plan.references
        if number > count
    ]
    palette = next((index for index, role in named if role == "palette"), None)
    style = next((index for index, role in named if role == "style"), None)
    givers = {index for index in (palette, style) if index is not None}
    contents = tuple(index for index, role in named if role == "content")
    merging = any(wish.name == _SHEET_WORD for wish in plan.edits)
    others = [index for index in range(count) if index not in givers]
    if not contents:
        contents, palette = _unsaid(plan, others or [0], palette, bool(givers), merging)
    elif len(contents) > 1 and plan.unsupported and not merging:
        contents = contents[:1]  # a preview of the first says more than a sheet
    if style is not None:
        warnings.append(_NOT_NEURAL)
    if palette is not None and palette not in {i for i, role in named if role == "palette"}:
        warnings.append(f"image {palette + 1} has no role in the prompt: its colours were used")
    if len(contents) > 1 and not merging:
        warnings.append(f"{_listed(contents)} were laid out on one sheet; name one, as in @1, to work on it alone")
    if merging and len(contents) > 1 and _asks_to_fuse(plan):
        warnings.append("the images were laid out on one sheet: the studio engine cannot fuse their contents")
    left = [index for index in range(count) if index not in {*contents, palette, style}]
    if left:
        verb = "was" if len(left) == 1 else "were"
        warnings.append(f"{_listed(left)} {verb} not used; image {contents[0] + 1} is the content")
    return Roles(contents, palette, style, tuple(warnings))


def _unsaid(
    plan: Plan, others: list[int], palette: int | None, given: bool, merging: bool
) -> tuple[tuple[int, ...], int | None]:
    """Contents and palette where the prompt names no content."""
    if len(others) == 1 or given or plan.unsupported:
        return (others[0],), palette
    if merging or len(others) >= _SHEET_FROM:
        return tuple(others), palette
    asks_for_more = bool(plan.styles or plan.changes or plan.text)
    return (others[0],), palette if asks_for_more else others[1]


def _asks_to_fuse(plan: Plan) -> bool:
    return any(wish.name == _SHEET_WORD and wish.variant == "fuse" for wish in plan.edits)


def _listed(indices: tuple[int, ...] | list[int]) -> str:
    numbers = [str(index + 1) for index in indices]
    if len(numbers) == 1:
        return f"image {numbers[0]}"
    return f"images {', '.join(numbers[:-1])} and {numbers[-1]}"
