"""One picture from beginning to end: plan, source or scene, edits, styles, words, file. Runs in a worker process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import cv2
import msgspec
import numpy as np

from aquatint.engines.studio import registry
from aquatint.engines.studio.direction import Direction, Repertoire, direct_photo, direct_text
from aquatint.engines.studio.finish import caption
from aquatint.engines.studio.finish.encode import Format, encode
from aquatint.engines.studio.finish.metadata import Provenance, SourceType
from aquatint.engines.studio.grammar import parse
from aquatint.engines.studio.grammar import warnings as what_was_not_read
from aquatint.engines.studio.kernels import type as typeset
from aquatint.engines.studio.kernels.resize import cover, fit_width, resize
from aquatint.engines.studio.kernels.surface import take_surface
from aquatint.engines.studio.messages import Rendered, RenderRequest
from aquatint.engines.studio.plan import Plan, Wish
from aquatint.engines.studio.references import Roles, assign
from aquatint.engines.studio.sources import model_picture, prepare
from aquatint.engines.studio.styles.base import Easel, Rgb8
from aquatint.sandbox.errors import Refused

Progress = Callable[[float, str], None]

# Styles look at no more than this: a larger scene or source below them is lost work.
_UNDERPAINTING_SIDE = 2048


def run(request: bytes, progress: Progress) -> bytes:
    """Sandbox target: RenderRequest in, Rendered out, both MessagePack."""
    order = msgspec.msgpack.decode(request, type=RenderRequest)
    cv2.setNumThreads(order.threads)
    return msgspec.msgpack.encode(render(order, progress))


def render(request: RenderRequest, progress: Progress, direction: Direction | None = None) -> Rendered:
    """Make one picture. Raises Refused when a reference is unreadable or, on a strict server, out of reach.

    `direction` overrules what the prompt asks for, for measurements and look sheets.
    """
    plan = parse(request.prompt)
    roles = assign(plan, len(request.references)) if request.references else Roles(())
    direction = direction or _direct(plan, roles)
    if request.strict and direction.shortfall:
        raise Refused(direction.shortfall)
    easel = Easel(request.width, request.height, request.seed, threads=request.threads)
    if direction.scene is None:
        picture, idle = _from_photo(request, roles, direction, easel, progress)
        origin: SourceType = "algorithmicallyEnhanced"
    else:
        picture, idle = _from_text(plan, direction, easel, progress), ()
        origin = "algorithmicMedia"
    for wish in direction.on_top:
        picture = registry.edit(wish.name)(picture, _with_wish(easel, wish))
    picture = _with_words(picture, plan, direction)
    progress(0.95, "encoding")
    provenance = Provenance("studio", request.version, request.model, request.seed, origin)
    encoded = encode(picture, cast(Format, request.output_format), provenance, request.threads)
    return Rendered(
        data=encoded.data,
        media_type=encoded.media_type,
        width=picture.shape[1],
        height=picture.shape[0],
        warnings=(
            *direction.warnings,
            *roles.warnings,
            *idle,
            *_unset_characters(plan, direction),
            *_reading_warnings(plan, bool(request.references)),
        ),
    )


def _reading_warnings(plan: Plan, has_source: bool) -> tuple[str, ...]:
    # What cannot be drawn or edited is for the direction to say: it knows what came of it.
    return what_was_not_read(replace(plan, unsupported=(), undrawable=()), has_source=has_source)


def _unset_characters(plan: Plan, direction: Direction) -> tuple[str, ...]:
    missing = typeset.drawable(direction.title or "".join(plan.text))[1]
    return (f"left out of the text, because no font here has them: {missing[:40]}",) if missing else ()


def _direct(plan: Plan, roles: Roles) -> Direction:
    repertoire = Repertoire(registry.style_names(), registry.scene_names(), registry.edit_names())
    return direct_photo(plan, repertoire, roles) if roles.contents else direct_text(plan, repertoire)


def _from_text(plan: Plan, direction: Direction, easel: Easel, progress: Progress) -> Rgb8:
    assert direction.scene is not None  # noqa: S101 - the caller asked first
    width, height = easel.width, easel.height
    if direction.styles:
        width, height = fit_width(width, height, _UNDERPAINTING_SIDE)
    ends = 0.5 if direction.styles else 0.85 if direction.edits else 0.93
    below = replace(_stage(easel, progress, 0.0, ends), width=width, height=height)
    picture = registry.scene(direction.scene)(plan, below)
    for wish in direction.edits:
        share = 0.05 / len(direction.edits)
        stage = replace(_stage(easel, progress, ends, share), width=width, height=height)
        picture = registry.edit(wish.name)(picture, _with_wish(stage, wish))
    picture = _paint(picture, direction.styles, easel, progress, 0.55 if direction.styles else 0.93)
    if direction.title:  # last, so that type stays crisp under any style
        picture = picture.copy()
        caption.poster_title(picture, direction.title, *caption.poster_colors(picture))
    return picture


def _from_photo(
    request: RenderRequest, roles: Roles, direction: Direction, easel: Easel, progress: Progress
) -> tuple[Rgb8, tuple[str, ...]]:
    """Work on the references; gives the picture and warnings about edits that found nothing to do."""
    progress(0.01, "reading the photo")
    width, height = easel.width, easel.height
    if direction.styles or roles.style is not None:
        width, height = fit_width(width, height, _UNDERPAINTING_SIDE)
    below = replace(easel, width=width, height=height)
    canvas = below if len(roles.contents) > 1 else easel
    widens = any(wish.name == "outpaint" for wish in direction.edits)
    source = prepare(request.references, roles, canvas, request.index, whole=widens)
    painting_starts = 0.1 + 0.12 * len(direction.edits) if direction.styles else 0.93
    if direction.edits or not direction.styles:
        source = cover(source, width, height)
    idle: list[str] = []
    for number, wish in enumerate(direction.edits):
        share = (painting_starts - 0.05) / len(direction.edits)
        stage = _stage(below, progress, 0.05 + number * share, share)
        edited = registry.edit(wish.name)(source, _with_wish(stage, wish))
        if np.array_equal(edited, source):
            idle.append(f"{_spoken(wish)} changed nothing: the picture has nothing for it to act on")
        source = edited
    if roles.style is not None and not direction.styles:
        surface = take_surface(source, model_picture(request.references, roles.style), easel)
        return surface, tuple(idle)
    return _paint(source, direction.styles, easel, progress, painting_starts), tuple(idle)


def _spoken(wish: Wish) -> str:
    return f"{wish.name} {wish.target} to {wish.color}" if wish.target and wish.color else wish.name


def _paint(source: Rgb8, styles: tuple[Wish, ...], easel: Easel, progress: Progress, starts: float) -> Rgb8:
    """Apply the renderer and the finishes one after another; without any, bring the source to size."""
    picture = source
    for number, wish in enumerate(styles):
        share = (0.93 - starts) / len(styles)
        stage = _with_wish(_stage(easel, progress, starts + number * share, share), wish)
        picture = registry.style(wish.name)(picture, stage)
    return resize(picture, easel.width, easel.height)


def _with_wish(easel: Easel, wish: Wish) -> Easel:
    said = {"variant": wish.variant, "color": wish.color, "target": wish.target}
    options = {key: value for key, value in said.items() if value is not None}
    return replace(easel, strength=wish.strength, options=options)


def _stage(easel: Easel, progress: Progress, start: float, share: float) -> Easel:
    return replace(easel, progress=lambda done, stage: progress(start + share * done, stage))


def _with_words(picture: Rgb8, plan: Plan, direction: Direction) -> Rgb8:
    if direction.not_done:
        return caption.preview_strip(picture, direction.not_done)
    if plan.text and not direction.sets_text:
        return caption.set_title(picture, "\n".join(plan.text))
    return picture
