"""A product shot: perfume, cosmetics, bottle, mug, phone, box or headphones on a plinth under studio light."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels import type as typeset
from aquatint.engines.studio.kernels.color import hex_color
from aquatint.engines.studio.kernels.noise import generator
from aquatint.engines.studio.plan import Plan
from aquatint.engines.studio.scenes.figures.air import named
from aquatint.engines.studio.scenes.figures.backdrop import dim
from aquatint.engines.studio.scenes.figures.canvas import (
    Canvas,
    Color,
    Paint,
    Points,
    curve,
    gradient,
    mix,
    oval,
    points,
    radial,
    ribbon,
    scale,
    textured,
)  # fmt: skip
from aquatint.engines.studio.scenes.figures.pictograms import rounded
from aquatint.engines.studio.scenes.figures.solid import Lamp, Stuff, ball, mirrored, rest, turned
from aquatint.engines.studio.styles.base import Easel, Rgb8

# Backdrop in light and shade, the product's body, its accent.
_PALETTES: tuple[tuple[str, ...], ...] = (
    ("#f3ded4", "#c99a8c", "#e8b7a4", "#c59a4a"), ("#dfe8e4", "#8fa9a2", "#5f8a80", "#e9e2d2"),
    ("#2b2f3a", "#0d0f15", "#20242e", "#d0a85c"), ("#e9e4f2", "#a79bc4", "#b9a3dc", "#f3f0fa"),
    ("#f6ead2", "#d0a35f", "#e6a13c", "#3b2b20"), ("#d9e7f3", "#7ea3c4", "#2f6ea8", "#f2f6fa"),
)  # fmt: skip
_WORDS: dict[str, str] = {
    "perfume": r"perfume|fragrance|香水", "headphones": r"headphone|earphone|耳机", "phone": r"phone|手机", "mug": r"\bmug|杯",
    "lipstick": r"lipstick|口红", "jar": r"cream|skincare|jar|护肤|面霜", "box": r"\bbox|packag|包装|盒",
    "watch": r"watch|手表|腕表", "bottle": r"bottle|shampoo|cosmetic|lotion|瓶|洗发|化妆品|饮料",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Stage:
    """The set: where the product stands and how it is lit. Lengths in pixels."""

    canvas: Canvas
    lamp: Lamp
    x: float
    foot: float
    tall: float  # height that a tall product may have
    body: Color
    accent: Color
    label: str
    rng: np.random.Generator


def compose(plan: Plan, easel: Easel) -> Rgb8:
    """Stage the product that the prompt names; quoted text goes on its label."""
    easel.progress(0.05, "building the set")
    rng = generator(easel.seed, "product")
    canvas = Canvas(easel)
    light, shade, body, accent = (hex_color(code) for code in _PALETTES[int(rng.integers(len(_PALETTES)))])
    bound = [s.color for s in plan.subjects if s.name == "product" and s.color]
    if bound:
        body = named(bound[0])
    wanted = [named(color) for color in plan.colors if color not in plan.excluded and color not in bound]
    if wanted:
        light, shade = mix(wanted[0], (1, 1, 1), 0.62), mix(wanted[0], (0.2, 0.18, 0.2), 0.30)
        body = body if bound else mix(wanted[-1], (1, 1, 1), 0.1)
    kind = _kind(plan, rng)
    side = -1.0 if rng.random() < 0.5 else 1.0
    lamp = Lamp(side, (1.0, 0.985, 0.96), mix(scale(shade, 0.45), (0.25, 0.25, 0.3), 0.5), light)
    size = min(canvas.height, canvas.width * 1.15)
    floor = canvas.height * 0.70
    _set(canvas, light, shade, floor, side, rng)
    stage = _Stage(
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
        canvas.polygon(arch + (-side * r * 0.06, r * 0.03), scale(shade, 0.6), 0.30, soft=r * 0.05)
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


def _plinth(stage: _Stage, color: Color, size: float) -> _Stage:
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
    return _Stage(
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


def _label(stage: _Stage, x: float, y: float, width: float, height: float, ink: Color) -> None:
    """Set the quoted text in a box around (x, y); nothing when there is none."""
    if not stage.label:
        return
    block = typeset.fit(
        stage.label, round(width), round(height), "sans-bold", largest=round(height * 0.7), leading=1.15
    )
    mask = typeset.crop_to_ink(typeset.block_mask(block, "center", tracking=0.06))
    stage.canvas.stamp(mask, round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2), ink, 0.92)


def _ink_on(color: Color) -> Color:
    return (0.97, 0.96, 0.94) if sum(color) < 1.5 else (0.13, 0.13, 0.15)


def _glass(stage: _Stage, left: float, right: float, color: Color, clear: float) -> Paint:
    """Light through a flat glass body: bright edges, a darker heart, one tall highlight."""
    s = stage.lamp.side
    a, b = (right, left) if s > 0 else (left, right)
    bright, deep = mix(color, (1, 1, 1), 0.55), scale(color, 0.62)
    return gradient(
        (a, 0),
        (b, 0),
        (
            mix(color, (1, 1, 1), 0.2),
            bright,
            mix(color, (1, 1, 1), clear),
            color,
            deep,
            mix(color, deep, 0.4),
            mix(color, (1, 1, 1), 0.25),
        ),
    )


def _perfume(stage: _Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall, stage.lamp.side
    half, high = tall * float(stage.rng.uniform(0.27, 0.34)), tall * 0.62
    rest(canvas, x, foot, half, stage.lamp, 1.5, 0.5)
    if stage.rng.random() < 0.5:
        body = rounded(x, foot - high / 2, half, high / 2, half * 0.22)
    else:
        body = oval(x, foot - high / 2, half * 1.05, high / 2)
    glass = mix(stage.body, (1, 1, 1), 0.45)
    canvas.polygon(body, _glass(stage, x - half, x + half, glass, 0.35))
    inner = np.array([x, foot - high * 0.47]) + (body - (x, foot - high / 2)) * (0.84, 0.80)
    level = foot - high * 0.80
    liquid = np.stack([inner[:, 0], np.maximum(inner[:, 1], level)], 1)
    canvas.polygon(
        liquid,
        gradient(
            (x + s * half, level),
            (x - s * half, foot),
            (mix(stage.body, (1, 1, 1), 0.35), stage.body, scale(stage.body, 0.62)),
        ),
        0.9,
    )
    canvas.polygon(oval(x, level, np.ptp(inner[:, 0]) * 0.46, tall * 0.008), mix(stage.body, (1, 1, 1), 0.6), 0.7)
    for dx, wide, opacity in ((0.80, 0.055, 0.75), (-0.84, 0.03, 0.4)):
        streak = rounded(x + s * dx * half * 0.9, foot - high * 0.5, half * wide, high * 0.33, half * wide)
        canvas.polygon(streak, (1, 1, 1), opacity, soft=half * 0.02)
    metal = Stuff(stage.accent, 0.9, 40, mottle=0.0)
    turned(canvas, x, foot - high * 0.985, tall * 0.07, ((0, 1.05), (1, 1.05)), metal, stage.lamp)
    turned(
        canvas,
        x,
        foot - high * 0.985 - tall * 0.065,
        tall * 0.24,
        ((0, 0.50), (0.04, 0.53), (0.96, 0.53), (1, 0.50)),
        metal,
        stage.lamp,
    )
    canvas.polygon(
        oval(x, foot - high - tall * 0.292, tall * 0.124, tall * 0.020), mix(stage.accent, (1, 1, 1), 0.45)
    )
    _label(stage, x, foot - high * 0.40, half * 1.25, high * 0.22, _ink_on(stage.body))


def _round_label(stage: _Stage, x: float, y: float, half: float, tall: float, color: Color) -> None:
    """A paper label wrapped around a cylinder."""
    s = stage.lamp.side
    u = np.linspace(-1, 1, 40)
    low = np.stack([x + u * half, y + tall / 2 + np.sqrt(1 - u * u) * half * 0.10], 1)
    high = np.stack([x + u[::-1] * half, np.full(40, y - tall / 2) + np.sqrt(1 - u * u) * half * 0.05], 1)
    paint = gradient(
        (x + s * half, 0),
        (x - s * half, 0),
        (scale(color, 0.9), color, color, scale(color, 0.80), scale(color, 0.55)),
    )
    stage.canvas.polygon(np.concatenate([low, high]), textured(stage.canvas, paint, 0.02, 0.006))
    if stage.label:
        _label(stage, x, y + half * 0.06, half * 1.3, tall * 0.62, _ink_on(color))
    else:
        ink = mix(_ink_on(color), color, 0.3)
        for k, w in enumerate((0.5, 0.34, 0.42)):
            row = y + half * 0.06 + tall * (-0.16 + 0.15 * k)
            stage.canvas.polygon(rounded(x, row, half * w, tall * (0.034 if k == 0 else 0.016), tall * 0.012), ink)


def _bottle(stage: _Stage) -> None:
    canvas, x, foot, tall = stage.canvas, stage.x, stage.foot, stage.tall
    pump = stage.rng.random() < 0.5
    half = tall * 0.175
    rest(canvas, x, foot, half, stage.lamp, 2.0, 0.5)
    profile = (
        (0, 0.160),
        (0.02, 0.175),
        (0.3, 0.176),
        (0.60, 0.175),
        (0.66, 0.15),
        (0.70, 0.075),
        (0.74, 0.065),
        (0.78, 0.065),
    )
    turned(canvas, x, foot, tall, profile, Stuff(stage.body, 0.6, 40, mottle=0.02), stage.lamp)
    metal = Stuff(stage.accent, 0.8, 36, mottle=0.0)
    if pump:
        turned(canvas, x, foot - tall * 0.76, tall * 0.06, ((0, 1.25), (1, 1.2)), metal, stage.lamp)
        turned(canvas, x, foot - tall * 0.81, tall * 0.10, ((0, 0.26), (1, 0.26)), metal, stage.lamp)
        nozzle = curve(
            [
                (x + tall * 0.05, foot - tall * 0.905),
                (x - stage.lamp.side * tall * 0.08, foot - tall * 0.925),
                (x - stage.lamp.side * tall * 0.19, foot - tall * 0.885),
            ],
            10,
        )
        canvas.line(
            nozzle,
            tall * 0.040,
            gradient(
                (0, foot - tall * 0.95),
                (0, foot - tall * 0.87),
                (mix(stage.accent, (1, 1, 1), 0.5), stage.accent, scale(stage.accent, 0.6)),
            ),
            taper=0.25,
        )
    else:
        turned(
            canvas,
            x,
            foot - tall * 0.76,
            tall * 0.20,
            ((0, 0.44), (0.03, 0.46), (0.95, 0.46), (1, 0.42)),
            metal,
            stage.lamp,
        )
    _round_label(stage, x, foot - tall * 0.32, tall * 0.176, tall * 0.30, mix(stage.accent, (1, 1, 1), 0.75))


def _jar(stage: _Stage) -> None:
    canvas, x, foot, tall = stage.canvas, stage.x, stage.foot, stage.tall * 0.62
    rest(canvas, x, foot, tall * 0.46, stage.lamp, 1.5, 0.5)
    turned(
        canvas,
        x,
        foot,
        tall * 0.66,
        ((0, 0.62), (0.06, 0.70), (0.5, 0.71), (0.94, 0.70), (1.0, 0.64)),
        Stuff(mix(stage.body, (1, 1, 1), 0.25), 0.7, 44, mottle=0.01),
        stage.lamp,
    )
    turned(
        canvas,
        x,
        foot - tall * 0.64,
        tall * 0.34,
        ((0, 1.38), (0.05, 1.42), (0.92, 1.42), (1.0, 1.36)),
        Stuff(stage.accent, 0.85, 40, mottle=0.0),
        stage.lamp,
    )
    lid = oval(x, foot - tall * 0.975, tall * 0.463, tall * 0.072)
    canvas.polygon(
        lid,
        gradient(
            (x + stage.lamp.side * tall * 0.5, 0),
            (x - stage.lamp.side * tall * 0.5, 0),
            (mix(stage.accent, (1, 1, 1), 0.6), mix(stage.accent, (1, 1, 1), 0.15), scale(stage.accent, 0.75)),
        ),
    )
    if stage.label:
        _label(stage, x, foot - tall * 0.28, tall * 0.72, tall * 0.22, _ink_on(mix(stage.body, (1, 1, 1), 0.25)))
    else:
        canvas.polygon(
            rounded(x, foot - tall * 0.30, tall * 0.22, tall * 0.014, tall * 0.01),
            _ink_on(mix(stage.body, (1, 1, 1), 0.25)),
            0.7,
        )
        canvas.polygon(
            rounded(x, foot - tall * 0.24, tall * 0.14, tall * 0.008, tall * 0.006),
            _ink_on(mix(stage.body, (1, 1, 1), 0.25)),
            0.6,
        )


def _lipstick(stage: _Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall, stage.lamp.side
    rest(canvas, x, foot, tall * 0.10, stage.lamp, 2.6, 0.5)
    color: Color = stage.body if stage.body[0] > stage.body[1] + 0.2 else (0.76, 0.12, 0.18)
    turned(
        canvas,
        x,
        foot,
        tall * 0.42,
        ((0, 0.27), (0.02, 0.28), (1.0, 0.28)),
        Stuff((0.10, 0.10, 0.12), 0.9, 50, mottle=0.0),
        stage.lamp,
    )
    turned(
        canvas,
        x,
        foot - tall * 0.41,
        tall * 0.22,
        ((0, 0.44), (0.9, 0.44), (1.0, 0.42)),
        Stuff(stage.accent, 0.95, 40, mottle=0.0),
        stage.lamp,
    )
    top, half = foot - tall * 0.92, tall * 0.078
    stick = np.concatenate(
        [
            points([(x - half, foot - tall * 0.62), (x + half, foot - tall * 0.62)]),
            curve(
                [
                    (x + half, top + tall * 0.16 * (1 if s < 0 else 0.4)),
                    (x + half * 0.7 * -s, top),
                    (x - half, top + tall * 0.16 * (0.4 if s < 0 else 1)),
                ],
                14,
            ),
        ]
    )
    canvas.polygon(stick, _glass(stage, x - half, x + half, color, 0.1))
    canvas.polygon(oval(x, foot - tall * 0.625, half, half * 0.16), scale(color, 0.7))


def _mug(stage: _Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall * 0.68, stage.lamp.side
    rest(canvas, x, foot, tall * 0.40, stage.lamp, 1.6, 0.5)
    color = mix(stage.body, (1, 1, 1), 0.1)
    loop = curve(
        [
            (x - s * tall * 0.36, foot - tall * 0.78),
            (x - s * tall * 0.70, foot - tall * 0.76),
            (x - s * tall * 0.74, foot - tall * 0.40),
            (x - s * tall * 0.36, foot - tall * 0.22),
        ],
        24,
    )
    canvas.line(loop, tall * 0.105, scale(color, 0.60))
    canvas.line(loop + (s * tall * 0.006, -tall * 0.012), tall * 0.062, scale(color, 0.82))
    turned(
        canvas,
        x,
        foot,
        tall,
        ((0, 0.36), (0.03, 0.385), (0.5, 0.40), (1.0, 0.405)),
        Stuff(color, 0.55, 36, mottle=0.02),
        stage.lamp,
    )
    canvas.polygon(oval(x, foot - tall, tall * 0.405, tall * 0.072), mix(color, (1, 1, 1), 0.35))
    canvas.polygon(
        oval(x, foot - tall * 0.995, tall * 0.375, tall * 0.058),
        gradient((x - s * tall * 0.4, 0), (x + s * tall * 0.4, 0), (scale(color, 0.8), scale(color, 0.45))),
    )
    canvas.polygon(
        oval(x, foot - tall * 0.975, tall * 0.355, tall * 0.042),
        gradient((x - tall * 0.4, 0), (x + tall * 0.4, 0), ((0.26, 0.14, 0.08), (0.45, 0.27, 0.15))),
    )
    _label(stage, x, foot - tall * 0.48, tall * 0.56, tall * 0.30, _ink_on(color))


def _phone(stage: _Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall * 1.02, stage.lamp.side
    half = tall * 0.245
    rest(canvas, x, foot, half, stage.lamp, 1.6, 0.5)
    y = foot - tall / 2
    canvas.polygon(rounded(x - s * tall * 0.018, y, half, tall / 2, half * 0.32), scale(stage.body, 0.55))
    frame = rounded(x, y, half, tall / 2, half * 0.32)
    canvas.polygon(
        frame,
        gradient(
            (x + s * half, y - tall / 2),
            (x - s * half, y + tall / 2),
            (mix(stage.body, (1, 1, 1), 0.7), stage.body, scale(stage.body, 0.6)),
        ),
    )
    canvas.polygon(rounded(x, y, half * 0.965, tall / 2 - half * 0.035, half * 0.29), (0.03, 0.03, 0.04))
    w, h = half * 0.92, tall / 2 - half * 0.08
    screen = rounded(x, y, w, h, half * 0.26)
    first, second = mix(stage.body, (0.2, 0.2, 0.7), 0.45), mix(stage.accent, (1.0, 0.5, 0.45), 0.4)
    canvas.polygon(
        screen,
        gradient(
            (x - w, y - h),
            (x + w, y + h),
            (scale(first, 0.5), first, mix(first, second, 0.5), second, mix(second, (1, 1, 1), 0.4)),
        ),
    )
    for k in range(3):
        r = w * (0.9 - 0.22 * k)
        canvas.polygon(
            np.clip(oval(x, y + h * 0.30, r, r), (x - w, y - h), (x + w, y + h)),
            mix(second, (1, 1, 1), 0.2 + 0.2 * k),
            0.30,
        )
    clock = typeset.line_mask("9:41", round(half * 0.36), "sans-bold")
    canvas.stamp(clock, round(x - clock.shape[1] / 2), round(y - h * 0.66), (1, 1, 1), 0.95)
    _label(stage, x, y - h * 0.34, w * 1.5, h * 0.22, (1, 1, 1))
    canvas.polygon(rounded(x, y - h * 0.93, half * 0.20, half * 0.052, half * 0.05), (0.02, 0.02, 0.03))
    shine = points(
        [(x + s * w, y - h), (x + s * w * 0.1, y - h), (x + s * w * 0.62, y + h * 0.1), (x + s * w, y + h * 0.1)]
    )
    canvas.polygon(shine, (1, 1, 1), 0.06)


def _box(stage: _Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall * 0.86, stage.lamp.side
    front, depth, drop = tall * 0.62, tall * 0.22, tall * 0.055
    left = x - (front + s * 0 + depth) / 2 if s > 0 else x - (front - depth) / 2
    near, far = (left, left + front)
    rest(canvas, x, foot, front * 0.62, stage.lamp, 1.4, 0.5)
    edge, out = (far, far + depth) if s > 0 else (near, near - depth)
    face = points([(near, foot), (far, foot), (far, foot - tall), (near, foot - tall)])
    canvas.polygon(
        face,
        textured(
            canvas,
            gradient(
                (near, foot - tall),
                (far, foot),
                (mix(stage.body, (1, 1, 1), 0.12), stage.body, scale(stage.body, 0.9)),
            ),
            0.02,
            0.006,
        ),
    )
    lit = points([(edge, foot), (out, foot - drop), (out, foot - tall - drop * 0.2), (edge, foot - tall)])
    canvas.polygon(
        lit,
        textured(
            canvas,
            gradient((edge, 0), (out, 0), (mix(stage.body, (1, 1, 1), 0.40), mix(stage.body, (1, 1, 1), 0.22))),
            0.02,
            0.006,
        ),
    )
    canvas.line(points([(edge, foot), (edge, foot - tall)]), max(1.0, tall * 0.004), mix(stage.body, (1, 1, 1), 0.6))
    middle = (near + far) / 2
    canvas.polygon(
        points(
            [
                (near, foot - tall * 0.16),
                (far, foot - tall * 0.16),
                (far, foot - tall * 0.20),
                (near, foot - tall * 0.20),
            ]
        ),
        stage.accent,
    )
    canvas.polygon(
        points(
            [
                (edge, foot - tall * 0.16),
                (out, foot - tall * 0.16 - drop * 0.85),
                (out, foot - tall * 0.20 - drop * 0.8),
                (edge, foot - tall * 0.20),
            ]
        ),
        mix(stage.accent, (1, 1, 1), 0.3),
    )
    if stage.label:
        _label(stage, middle, foot - tall * 0.62, front * 0.8, tall * 0.30, _ink_on(stage.body))
    else:
        canvas.ellipse(middle, foot - tall * 0.62, front * 0.20, front * 0.20, stage.accent)
        canvas.ellipse(middle, foot - tall * 0.62, front * 0.115, front * 0.115, stage.body)


def _watch(stage: _Stage) -> None:
    canvas, x, tall, s = stage.canvas, stage.x, stage.tall, stage.lamp.side
    y, r = stage.foot - tall * 0.52, tall * 0.27
    strap = scale(stage.body, 0.75)
    rest(canvas, x, stage.foot, r * 0.8, stage.lamp, 1.8, 0.5)
    for way in (-1, 1):
        band = points(
            [
                (x - r * 0.62, y + way * r * 0.7),
                (x + r * 0.62, y + way * r * 0.7),
                (x + r * 0.46, y + way * tall * 0.52),
                (x - r * 0.46, y + way * tall * 0.52),
            ]
        )
        canvas.polygon(
            band,
            textured(
                canvas,
                gradient((x + s * r, 0), (x - s * r, 0), (mix(strap, (1, 1, 1), 0.25), strap, scale(strap, 0.55))),
                0.08,
                0.02,
                0.3,
            ),
        )
        for side in (-1, 1):
            seam = points([(x + side * r * 0.53, y + way * r * 0.9), (x + side * r * 0.40, y + way * tall * 0.51)])
            canvas.line(seam, max(1.0, r * 0.012), mix(strap, (1, 1, 1), 0.5), opacity=0.6)
    canvas.polygon(rounded(x + r * 1.06, y, r * 0.08, r * 0.11, r * 0.04), stage.accent)
    metal = gradient(
        (x + s * r, y - r),
        (x - s * r, y + r),
        (
            mix(stage.accent, (1, 1, 1), 0.8),
            stage.accent,
            scale(stage.accent, 0.5),
            mix(stage.accent, (1, 1, 1), 0.4),
        ),
    )
    canvas.ellipse(x, y, r, r, metal)
    canvas.ellipse(
        x,
        y,
        r * 0.87,
        r * 0.87,
        radial(x + s * r * 0.3, y - r * 0.3, r * 1.4, ((0.22, 0.24, 0.28), (0.08, 0.09, 0.11), (0.03, 0.03, 0.04))),
    )
    for k in range(60):
        a, major = k * np.pi / 30, k % 5 == 0
        inner = 0.70 if major else 0.78
        tick = points(
            [
                (x + np.cos(a) * r * inner, y + np.sin(a) * r * inner),
                (x + np.cos(a) * r * 0.82, y + np.sin(a) * r * 0.82),
            ]
        )
        canvas.line(tick, r * (0.028 if major else 0.010), mix(stage.accent, (1, 1, 1), 0.6))
    for turn, long, broad in ((-2.62, 0.46, 0.045), (-0.52, 0.68, 0.032)):
        canvas.line(
            points([(x, y), (x + np.cos(turn) * r * long, y + np.sin(turn) * r * long)]),
            r * broad,
            (0.95, 0.94, 0.91),
        )
    canvas.line(
        points(
            [
                (x - np.cos(1.2) * r * 0.15, y - np.sin(1.2) * r * 0.15),
                (x + np.cos(1.2) * r * 0.74, y + np.sin(1.2) * r * 0.74),
            ]
        ),
        r * 0.012,
        (0.85, 0.25, 0.2),
    )
    canvas.ellipse(x, y, r * 0.05, r * 0.05, stage.accent)
    _label(stage, x, y - r * 0.36, r * 0.8, r * 0.16, (0.95, 0.94, 0.91))


def _headphones(stage: _Stage) -> None:
    canvas, x, foot, tall, s = stage.canvas, stage.x, stage.foot, stage.tall, stage.lamp.side
    y, r = foot - tall * 0.46, tall * 0.42
    rest(canvas, x, foot + tall * 0.02, tall * 0.40, stage.lamp, 1.2, 0.45)
    a = np.linspace(np.pi * 0.97, np.pi * 2.03, 120)
    band = np.stack([x + np.cos(a) * r, y + np.sin(a) * r * 1.02], 1)
    canvas.polygon(
        ribbon(band, tall * 0.085),
        gradient((0, y - r), (0, y), (mix(stage.body, (1, 1, 1), 0.45), stage.body, scale(stage.body, 0.6))),
    )
    canvas.polygon(ribbon(band * 1.0 + (0, tall * 0.030), tall * 0.035), scale(stage.body, 0.42))
    for way in (-1, 1):
        cx, cy = x + way * r * 0.98, y + tall * 0.16
        light = 1.0 if way * s > 0 else 0.72
        canvas.line(
            points([(x + way * r, y - tall * 0.03), (cx, cy - tall * 0.1)]), tall * 0.045, scale(stage.accent, light)
        )
        ball(
            canvas,
            cx - way * tall * 0.05,
            cy,
            tall * 0.165,
            Stuff(scale(stage.body, 0.35), 0.12, 10, mottle=0.1),
            stage.lamp,
            1.25,
        )
        ball(
            canvas,
            cx + way * tall * 0.02,
            cy,
            tall * 0.15,
            Stuff(scale(stage.body, light), 0.5, 26, mottle=0.02),
            stage.lamp,
            1.28,
        )
        canvas.ellipse(cx + way * tall * 0.035, cy, tall * 0.070, tall * 0.095, scale(stage.accent, light))
        canvas.ellipse(
            cx + way * tall * 0.035, cy, tall * 0.058, tall * 0.082, mix(scale(stage.body, light), (1, 1, 1), 0.12)
        )


def _props(stage: _Stage, size: float) -> None:
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


_PRODUCTS: dict[str, Callable[[_Stage], None]] = {
    "perfume": _perfume, "bottle": _bottle, "jar": _jar, "lipstick": _lipstick, "mug": _mug, "phone": _phone,
    "box": _box, "watch": _watch, "headphones": _headphones,
}  # fmt: skip
