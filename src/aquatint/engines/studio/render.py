"""One picture from beginning to end: plan, source or scene, edits, styles, words, file. Runs in a worker process."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import cv2
import msgspec
import numpy as np
from PIL import Image

from aquatint.engines.studio import registry
from aquatint.engines.studio.direction import POSTER_SCENE, Direction, Repertoire, direct_photo, direct_text
from aquatint.engines.studio.finish import caption
from aquatint.engines.studio.finish.crop import fit
from aquatint.engines.studio.finish.encode import Format, encode
from aquatint.engines.studio.finish.metadata import Provenance, SourceType
from aquatint.engines.studio.grammar import parse
from aquatint.engines.studio.grammar import warnings as what_was_not_read
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.kernels.resize import cover, fit_width, resize
from aquatint.engines.studio.messages import Rendered, RenderRequest
from aquatint.engines.studio.plan import Plan, Wish
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


def render(request: RenderRequest, progress: Progress) -> Rendered:
    """Make one picture. Raises Refused when a reference is unreadable or, on a strict server, out of reach."""
    plan = parse(request.prompt)
    direction = _direct(plan, bool(request.references))
    if request.strict and direction.shortfall:
        raise Refused(direction.shortfall)
    easel = Easel(request.width, request.height, request.seed, threads=request.threads)
    if direction.scene is None:
        picture = _from_photo(request, plan, direction, easel, progress)
        origin: SourceType = "algorithmicallyEnhanced"
    else:
        picture = _from_text(plan, direction, easel, progress)
        origin = "algorithmicMedia"
    picture = _with_words(picture, plan, direction)
    progress(0.95, "encoding")
    provenance = Provenance("studio", request.version, request.model, request.seed, origin)
    encoded = encode(picture, cast(Format, request.output_format), provenance, request.threads)
    return Rendered(
        data=encoded.data,
        media_type=encoded.media_type,
        width=picture.shape[1],
        height=picture.shape[0],
        warnings=(*direction.warnings, *_reading_warnings(plan, bool(request.references))),
    )


def _reading_warnings(plan: Plan, has_source: bool) -> tuple[str, ...]:
    # What cannot be drawn or edited is for the direction to say: it knows what came of it.
    return what_was_not_read(replace(plan, unsupported=(), undrawable=()), has_source=has_source)


def _direct(plan: Plan, has_source: bool) -> Direction:
    repertoire = Repertoire(registry.style_names(), registry.scene_names(), registry.edit_names())
    return direct_photo(plan, repertoire) if has_source else direct_text(plan, repertoire)


def _from_text(plan: Plan, direction: Direction, easel: Easel, progress: Progress) -> Rgb8:
    assert direction.scene is not None  # noqa: S101 - the caller asked first
    below = _stage(easel, progress, 0.0, 0.55 if direction.styles else 0.93)
    # Type must stay crisp, so a poster is never painted over.
    if direction.styles and direction.scene != POSTER_SCENE:
        width, height = fit_width(easel.width, easel.height, _UNDERPAINTING_SIDE)
        scene = registry.scene(direction.scene)(plan, replace(below, width=width, height=height))
        return _paint(scene, direction.styles, easel, progress, 0.55)
    return registry.scene(direction.scene)(plan, below)


def _from_photo(request: RenderRequest, plan: Plan, direction: Direction, easel: Easel, progress: Progress) -> Rgb8:
    progress(0.01, "reading the photo")
    chosen = _content_reference(plan, len(request.references))
    source = _open(request.references[chosen], chosen, (easel.width, easel.height))
    source = fit(_reframe(source, request), easel.width, easel.height).image
    width, height = easel.width, easel.height
    if direction.styles:
        width, height = fit_width(width, height, _UNDERPAINTING_SIDE)
    painting_starts = 0.1 + 0.12 * len(direction.edits) if direction.styles else 0.93
    if direction.edits or not direction.styles:
        source = cover(source, width, height)
    for number, wish in enumerate(direction.edits):
        share = (painting_starts - 0.05) / len(direction.edits)
        stage = _stage(replace(easel, width=width, height=height), progress, 0.05 + number * share, share)
        source = registry.edit(wish.name)(source, _with_wish(stage, wish))
    return _paint(source, direction.styles, easel, progress, painting_starts)


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


def _content_reference(plan: Plan, count: int) -> int:
    """Index of the reference that gives the content; the first unless the prompt says otherwise."""
    said = [number - 1 for number, role in plan.references if role == "content" and number <= count]
    return said[0] if said else 0


def _open(data: bytes, index: int, wanted: tuple[int, int]) -> Rgb8:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", wanted)  # lets a JPEG decode at a fraction of its size when that is enough
            if "A" in image.getbands() or "transparency" in image.info:
                rgba = image.convert("RGBA")
                ground = Image.new("RGBA", rgba.size, "white")
                return np.array(Image.alpha_composite(ground, rgba).convert("RGB"), np.uint8)
            return np.array(image.convert("RGB"), np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(f"reference image {index + 1} cannot be read") from error


def _reframe(source: Rgb8, request: RenderRequest) -> Rgb8:
    """Give every further picture of a task its own, slightly closer framing."""
    if request.index == 0:
        return source
    rng = generator(request.seed, "framing")
    height, width = source.shape[:2]
    scale = float(rng.uniform(0.8, 0.93))
    wide, tall = max(1, round(width * scale)), max(1, round(height * scale))
    left = round(float(rng.uniform(0.15, 0.85)) * (width - wide))
    top = round(float(rng.uniform(0.15, 0.85)) * (height - tall))
    return np.ascontiguousarray(source[top : top + tall, left : left + wide])


def _with_words(picture: Rgb8, plan: Plan, direction: Direction) -> Rgb8:
    if direction.not_done:
        return caption.preview_strip(picture, direction.not_done)
    if plan.text and not direction.sets_text:
        return caption.set_title(picture, "\n".join(plan.text))
    return picture
