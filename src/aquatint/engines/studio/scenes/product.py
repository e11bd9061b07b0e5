"""A product shot: perfume, cosmetics, bottle, mug, phone, box or headphones on a plinth under studio light."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.air import named, palette_of
from aquatint.engines.studio.scenes.figures.backdrop import dim
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Points,
    curve,
    gradient,
    mix,
    moved,
    oval,
    points,
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.devices import box, headphones, phone, watch
from aquatint.engines.studio.scenes.figures.goods import Stage, bottle, jar, lipstick, mug, perfume
from aquatint.engines.studio.scenes.figures.solid import Lamp, Stuff, ball, mirrored, rest, turned
from aquatint.engines.studio.styles.base import Easel, Rgb8

# Backdrop in light and shade, the product's body, its accent.
_PALETTES: tuple[tuple[str, ...], ...] = (
    ("#f3ded4", "#c99a8c", "#e8b7a4", "#c59a4a"), ("#dfe8e4", "#8fa9a2", "#5f8a80", "#e9e2d2"),
    ("#2b2f3a", "#0d0f15", "#20242e", "#d0a85c"), ("#e9e4f2", "#a79bc4", "#b9a3dc", "#f3f0fa"),
    ("#f6ead2", "#d0a35f", "#e6a13c", "#3b2b20"), ("#d9e7f3", "#7ea3c4", "#2f6ea8", "#f2f6fa"),
)  # fmt: skip


_WORDS: dict[str, str] = {
    "perfume": r"perfume|fragrance|香水",
    "headphones": r"headphone|earphone|耳机",
    "phone": r"phone|手机",
    "mug": r"\bmug|杯",
    "lipstick": r"lipstick|口红",
    "jar": r"cream|skincare|jar|护肤|面霜",
    "box": r"\bbox|packag|包装|盒",
    "watch": r"watch|手表|腕表",
    "bottle": r"bottle|shampoo|cosmetic|lotion|瓶|洗发|化妆品|饮料",
}


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Stage the product that the prompt names; quoted text goes on its label."""
    easel.progress(0.05, "building the set")
    rng = generator(easel.seed, "product")
    canvas = Canvas(easel)
    light, shade, body, accent = (hex_color(code) for code in _PALETTES[int(rng.integers(len(_PALETTES)))])
    bound = [s.color for s in plan.subjects if s.name == "product" and s.color]
    if bound:
        body = named(bound[0])
    wanted = palette_of(plan.colors, {*plan.excluded, *bound})
    if wanted:
        light, shade = mix(wanted[0], (1, 1, 1), 0.62), mix(wanted[0], (0.2, 0.18, 0.2), 0.30)
        body = body if bound else mix(wanted[-1], (1, 1, 1), 0.1)
    kind = _kind(plan, rng)
    side = -1.0 if rng.random() < 0.5 else 1.0
    lamp = Lamp(side, (1.0, 0.985, 0.96), mix(scale(shade, 0.45), (0.25, 0.25, 0.3), 0.5), light)
    size = min(canvas.height, canvas.width * 1.15)
    floor = canvas.height * 0.70
    _set(canvas, light, shade, floor, side, rng)
    stage = Stage(
        canvas, lamp, canvas.width * 0.5, canvas.height * 0.82, size * 0.63, body, accent, " ".join(plan.text), rng
    )
    plinth = bool(rng.random() < 0.75) and kind != "headphones"
    if plinth:
        stage = _plinth(stage, mix(light, (1, 1, 1), 0.25), size)
    easel.progress(0.4, "lighting")
    _PRODUCTS[kind](stage)
    if not plinth:
        mirrored(
            canvas,
            int(stage.foot - stage.tall * 0.5),
            int(stage.foot + stage.tall * 0.02),
            0.20,
            stage.tall * 0.34,
            canvas.unit * 1.5,
        )
    _props(stage, size)
    dim(canvas, 0.26, easel.seed)
    return canvas.pixels


def _kind(plan: Plan, rng: np.random.Generator) -> str:
    words = plan.prompt.casefold()
    found = next((kind for kind, pattern in _WORDS.items() if re.search(pattern, words)), None)
    return found or str(rng.choice(["perfume", "jar", "bottle", "box"]))


def _set(canvas: Canvas, light: Color, shade: Color, floor: float, side: float, rng: np.random.Generator) -> None:
    """A seamless backdrop with a spot of light, an arch or a disc behind, and leaf shadows."""
    width, height, size = canvas.width, canvas.height, min(canvas.width, canvas.height)
    spot = radial(
        width * (0.5 + 0.1 * side),
        height * 0.42,
        max(width, height) * 0.72,
        (mix(light, (1, 1, 1), 0.3), light, mix(light, shade, 0.5), shade),
    )
    canvas.wash(textured(canvas, spot, 0.02, 0.006, 2.0))
    kind = int(rng.integers(3))
    x, r = width * 0.5, size * 0.36
    panel = gradient(
        (x + side * r, 0), (x - side * r, 0), (mix(light, (1, 1, 1), 0.35), light, mix(light, shade, 0.5))
    )
    if kind == 0:
        a = np.linspace(np.pi, 2 * np.pi, 200)
        arch = np.concatenate(
            [
                np.stack([x + np.cos(a) * r, floor - size * 0.30 + np.sin(a) * r], 1),
                points([(x + r, floor), (x - r, floor)]),
            ]
        )
        canvas.polygon(moved(arch, -side * r * 0.06, r * 0.03), scale(shade, 0.6), 0.30, soft=r * 0.05)
        canvas.polygon(arch, panel)
    elif kind == 1:
        canvas.ellipse(
            x - side * r * 0.05, floor - r * 0.72 + r * 0.03, r, r, scale(shade, 0.6), 0, 0.28, soft=r * 0.06
        )
        canvas.ellipse(x, floor - r * 0.75, r, r, panel)
    ground = gradient(
        (0, floor), (0, height), (mix(light, shade, 0.38), mix(light, (1, 1, 1), 0.15), mix(light, shade, 0.30))
    )
    fade = np.repeat(
        np.clip(np.linspace(0, 9, max(2, int(height - floor)), dtype=np.float32), 0, 1)[:, None], width, 1
    )
    canvas.fill_box(0, int(floor), width, int(floor) + len(fade), textured(canvas, ground, 0.02, 0.006, 2.0), fade)
    if rng.random() < 0.6:
        _palm_shadow(canvas, scale(shade, 0.62), side, rng)


def _palm_shadow(canvas: Canvas, color: Color, side: float, rng: np.random.Generator) -> None:
    """The soft shadow of a palm leaf that hangs outside the picture, thrown on the wall."""
    size = min(canvas.width, canvas.height)
    x, y = canvas.width * (0.5 - side * 0.42), canvas.height * 0.02
    heading = np.pi / 2 - side * -0.55
    leaves: list[Points] = []
    for k in range(13):
        t = k / 12
        base = np.array([x + np.cos(heading) * size * 0.62 * t, y + np.sin(heading) * size * 0.62 * t])
        for way in (-1, 1):
            turn = heading + way * (1.05 - 0.45 * t)
            long = size * (0.34 - 0.20 * abs(t - 0.35)) * float(rng.uniform(0.9, 1.1))
            tip = base + np.array([np.cos(turn), np.sin(turn)]) * long
            path = curve([tuple(base), tuple((base + tip) / 2 + (0, long * 0.05)), tuple(tip)], 10)
            leaves.append(
                ribbon(path, np.maximum(size * 0.030 * np.sin(np.linspace(0.15, np.pi - 0.05, len(path))), 0.5))
            )
    canvas.polygons(leaves, color, 0.17, soft=size * 0.010)


def _plinth(stage: Stage, color: Color, size: float) -> Stage:
    """A round plinth; gives the stage with the product's foot on its top."""
    canvas, half, tall = stage.canvas, size * 0.27, size * 0.10
    foot = stage.foot + tall * 0.55
    rest(canvas, stage.x, foot + half * 0.05, half * 1.0, stage.lamp, 1.1, 0.5)
    stuff = Stuff(color, 0.06, 8, mottle=0.02)
    turned(canvas, stage.x, foot, tall, ((0, half / tall), (1.0, half / tall)), stuff, stage.lamp)
    top = oval(stage.x, foot - tall, half, half * 0.16)
    side = stage.lamp.side
    canvas.polygon(
        top,
        textured(
            canvas,
            gradient(
                (stage.x + side * half, 0),
                (stage.x - side * half, 0),
                (mix(color, (1, 1, 1), 0.5), color, mix(color, stage.lamp.shade, 0.3)),
            ),
            0.02,
            0.006,
        ),
    )
    return Stage(
        canvas,
        stage.lamp,
        stage.x,
        foot - tall + half * 0.02,
        stage.tall * 0.94,
        stage.body,
        stage.accent,
        stage.label,
        stage.rng,
    )


def _props(stage: Stage, size: float) -> None:
    """A few spheres beside the product, out of its way."""
    rng = stage.rng
    if rng.random() < 0.3:
        return
    for _ in range(int(rng.integers(1, 4))):
        way = float(rng.choice([-1, 1]))
        r = size * float(rng.choice([0.022, 0.035, 0.055]))
        x, foot = (
            stage.x + way * size * float(rng.uniform(0.36, 0.62)),
            stage.canvas.height * float(rng.uniform(0.83, 0.90)),
        )
        color = stage.accent if rng.random() < 0.5 else mix(stage.body, (1, 1, 1), 0.35)
        rest(stage.canvas, x, foot, r * 0.8, stage.lamp, 1.5, 0.45)
        ball(stage.canvas, x, foot - r, r, Stuff(color, 0.5, 30, mottle=0.02), stage.lamp)


_PRODUCTS: dict[str, Callable[[Stage], None]] = {
    "perfume": perfume, "bottle": bottle, "jar": jar, "lipstick": lipstick, "mug": mug, "phone": phone,
    "box": box, "watch": watch, "headphones": headphones,
}  # fmt: skip
