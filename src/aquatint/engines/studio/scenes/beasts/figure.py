"""Figures as data: an animal is a stack of inked layers made of limbs, curves and lines in a box of 100 units."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

import msgspec
import numpy as np

from aquatint.engines.studio.kernels.curves import Points, limb, melt, place, smooth_closed, smooth_open
from aquatint.engines.studio.kernels.press import Ink, Press, Tone
from aquatint.engines.studio.scenes.printed.inks import times
from aquatint.engines.studio.scenes.printed.stage import Lighting

Inks = Mapping[str, Ink]


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ink of a figure. All numbers are units of the figure's box, flattened lists."""

    ink: str  # role: coat, far, light, dark, skin, eye, black, white, accent
    name: str = ""  # so that later layers can be cut to it
    within: str = ""  # name of the layer this one is cut to
    melt: float = 0.0  # limbs and curves unite with inner corners rounded by this much
    limbs: tuple[tuple[float, ...], ...] = ()  # x, y, radius, ...
    curves: tuple[tuple[float, ...], ...] = ()  # closed and smooth: x, y, ...
    sharps: tuple[tuple[float, ...], ...] = ()  # closed and straight: x, y, ...
    lines: tuple[tuple[float, ...], ...] = ()  # smooth strokes: width, x, y, ...
    shade: bool = True  # whether the light models it
    lit: bool = True  # whether it takes a rim of light


class Drawing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One animal in one pose, facing left."""

    coats: tuple[Mapping[str, str], ...]  # natural colourings: ink role -> #rrggbb
    layer: tuple[Layer, ...]
    stands: float = 0.0  # y of the ground under it
    center: float = 0.0  # x of its middle
    base: str = ""  # another figure that this one adds layers to


@dataclass(frozen=True, slots=True)
class Pose:
    """Where and how a figure stands on the sheet."""

    x: float  # pixels of the point it stands on
    y: float
    scale: float  # pixels per unit
    flip: bool = False  # face right
    turn: float = 0.0  # radians


def load(name: str) -> Drawing:
    """Read a figure by name. Raises FileNotFoundError when there is none, msgspec.ValidationError when malformed."""
    text = (files("aquatint.engines.studio.scenes.beasts") / "figures" / f"{name}.toml").read_text(encoding="utf-8")
    drawing = msgspec.convert(tomllib.loads(text), Drawing)
    if not drawing.base:
        return drawing
    base = load(drawing.base)
    return msgspec.structs.replace(
        drawing, layer=base.layer + drawing.layer, stands=base.stands, center=base.center, base=""
    )


def outlines_of(layer: Layer) -> list[Points]:
    """All closed outlines of a layer, in units."""
    soft = [limb(np.reshape(spine, (-1, 3))) for spine in layer.limbs]
    soft += [smooth_closed(np.reshape(curve, (-1, 2))) for curve in layer.curves]
    shapes = melt(soft, layer.melt) if layer.melt and soft else soft
    shapes += [np.reshape(np.asarray(corners, np.float32), (-1, 2)) for corners in layer.sharps]
    for width, *points in layer.lines:
        path = smooth_open(np.reshape(points, (-1, 2)))
        swell = np.sin(np.linspace(0.25, np.pi - 0.25, len(path), dtype=np.float32)) ** np.float32(0.5)
        shapes.append(limb(np.column_stack([path, swell * np.float32(width / 2)]), per=1))
    return shapes


def draw(press: Press, drawing: Drawing, pose: Pose, inks: Inks, light: Lighting) -> list[Points]:
    """Print a figure; returns its silhouette on the sheet (overlapping outlines), for shadows and mirrors."""
    named: dict[str, list[Points]] = {}
    silhouette: list[Points] = []
    for layer in drawing.layer:
        shapes = [_on_sheet(shape, drawing, pose) for shape in outlines_of(layer)]
        clip = named.get(layer.within, [])
        if layer.name:
            named[layer.name] = shapes
        ink = times(inks.get(layer.ink, (0.5, 0.5, 0.5)), light.ambient)
        _print_layer(press, layer, shapes, clip, ink, light, pose)
        if not layer.within:
            silhouette += shapes
    return silhouette


def _print_layer(
    press: Press,
    layer: Layer,
    shapes: Sequence[Points],
    clip: Sequence[Points],
    ink: Ink,
    light: Lighting,
    pose: Pose,
) -> None:
    if layer.within:
        press.inlay(shapes, ink, clip)
    else:
        press.lay(shapes, ink)
    if layer.shade:
        # A marking is modelled with the body it lies on.
        form, cut = (clip, shapes) if layer.within else (shapes, ())
        press.tone(form, Tone(times(ink, light.shadow), light.away, 0.55, light.depth), cut)
    if layer.shade and layer.lit and light.rim_width and not layer.within:
        press.rim(shapes, light.rim, light.away, light.rim_width * pose.scale)


def _on_sheet(shape: Points, drawing: Drawing, pose: Pose) -> Points:
    local = shape - np.array([drawing.center, drawing.stands], np.float32)
    return place(local, pose.scale, pose.turn, (pose.x, pose.y), pose.flip)
