"""Close-ups: one flower large, its companions, leaves, and calm depth behind."""

from __future__ import annotations

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, ellipse, limb, place, smooth_closed
from aquatint.engines.studio.kernels.press import Ink, Tone
from aquatint.engines.studio.scenes.bloom.heads import HEADS, Head
from aquatint.engines.studio.scenes.bloom.kinds import Choice
from aquatint.engines.studio.scenes.printed import elements
from aquatint.engines.studio.scenes.printed.inks import darker, deeper, lighter, mix, times
from aquatint.engines.studio.scenes.printed.stage import Stage


def backdrop(stage: Stage, main_ink: Ink) -> None:
    """Soft depth: the hour's sky lowered into foliage, a disc that sets off the main flower, far leaves."""
    climate, press = stage.climate, stage.press
    green = mix(times(mix(climate.leaf, (0.26, 0.46, 0.32), 0.55), climate.ambient), climate.sky[0], 0.22)
    press.wash((climate.sky[1], climate.sky[2], mix(climate.sky[-1], green, 0.35), mix(climate.near, green, 0.5)))
    if climate.stars:
        elements.stars(stage, 0.6)
    if climate.disc:
        main = stage.main_x() if stage.width > stage.height else 0.5
        x = main * stage.width + (0.12 if main < 0.5 else -0.12) * stage.side
        pale = min(main_ink) > 0.6  # a light flower needs a dark disc
        ink = mix(climate.sky[0], green, 0.35) if pale else climate.sun
        elements.disc(stage, x, 0.40 * stage.height, 0.37 * stage.side, ink)
    rng = stage.rng("bokeh")
    for i in range(3):
        ink = mix(mix(climate.sky[-1], climate.far, 0.4), green, 0.42 + 0.2 * i)
        for _ in range(26):
            x, y = rng.uniform(-0.05, 1.05) * stage.width, (0.72 + 0.12 * i + abs(rng.normal(0, 0.1))) * stage.height
            long = stage.side * rng.uniform(0.14, 0.34) * (1 + 0.2 * i)
            shape = elements.leaf(x, y, long, float(rng.normal(-np.pi / 2, 0.55)), 0.15)
            press.lay([shape], ink)
            press.tone([shape], Tone(darker(ink, 0.25), stage.lighting().away, 0.4, 0.6))
    if climate.fog:
        press.veil(climate.sky[-1], [0.3 * climate.fog, 0.6 * climate.fog, 0.3 * climate.fog])


def _places(stage: Stage, count: int) -> list[tuple[float, float, float]]:
    """Centres and radii of the heads in pixels, the main one last."""
    rng = stage.rng("heads")
    main = stage.main_x() if stage.width > stage.height else 0.5
    size = 0.29 * stage.side if count < 4 else 0.22 * stage.side
    found = [(main * stage.width, (0.42 if stage.width > stage.height else 0.40) * stage.height, size)]
    side = 1 if main < 0.5 else -1
    others = [
        (0.36 * side, 0.10, 0.56),
        (0.62 * side, -0.16, 0.40),
        (-0.27 * side, 0.27, 0.42),
        (0.17 * side, 0.33, 0.34),
        (0.5 * side, 0.36, 0.3),
        (-0.22 * side, -0.22, 0.3),
    ]
    for dx, dy, share in others[: max(2, count - 1)]:
        x = found[0][0] + (dx + rng.normal(0, 0.02)) * (
            stage.width if stage.width < stage.height else stage.side * 1.25
        )
        y = found[0][1] + (dy + rng.normal(0, 0.02)) * stage.side
        found.append(
            (
                float(np.clip(x, 0.04 * stage.width, 0.96 * stage.width)),
                float(y),
                size * share * (1.5 if count > 3 else 1),
            )
        )
    return sorted(found, key=lambda place_: place_[2])


def stems(stage: Stage, choice: Choice, count: int) -> None:
    """Flower heads on leafy stems that rise from below."""
    rng = stage.rng("stems")
    draw = HEADS.get(choice.kind, HEADS["daisy"])
    light = stage.lighting()
    green = mix(stage.climate.leaf, (0.24, 0.42, 0.28), 0.6 if stage.climate.season != "summer" else 0.2)
    green = times(green, stage.climate.ambient)
    for number, (x, y, size) in enumerate(_places(stage, count)):
        depth = size / (0.29 * stage.side)
        stem = mix(green, stage.climate.sky[2], 0.35 * (1 - depth))
        _stem(stage, x, y, size, stem, rng)
        ink = choice.inks[number % len(choice.inks)] if number else choice.inks[-1 % len(choice.inks)]
        if depth > 0.8:
            ink = choice.inks[0]
        ink = times(mix(ink, stage.climate.sky[2], 0.22 * max(0.0, 1 - depth)), stage.climate.ambient)
        turn, tilt = float(rng.uniform(0, 6.3)), float(rng.uniform(0.82, 0.97))
        heart = times((0.93, 0.72, 0.28), stage.climate.ambient)
        draw(stage.press, Head(x, y, size, turn, tilt, ink, heart, light.away), rng)


def _stem(stage: Stage, x: float, y: float, size: float, ink: Ink, rng: np.random.Generator) -> None:
    """A curved stem with paired leaves from the head down to the lower edge."""
    press = stage.press
    foot = x + rng.normal(0, 0.05) * stage.side, stage.height * 1.03
    half = size * 0.05
    bend = (x + foot[0]) / 2 + rng.normal(0, 0.12) * size, (y + foot[1]) / 2
    spine = limb([[*foot, half * 1.2], [*bend, half], [x, y, half * 0.8]])
    press.lay([spine], ink)
    press.tone([spine], Tone(darker(ink, 0.4), stage.lighting().away, 0.5, 0.8))
    for i in range(4):
        t = 0.16 + 0.19 * i
        at = (
            foot[0] + (x - foot[0]) * t + (bend[0] - (x + foot[0]) / 2) * 4 * t * (1 - t),
            foot[1] + (y - foot[1]) * t,
        )
        side = 1 if i % 2 else -1
        turn = -np.pi / 2 + side * rng.uniform(0.75, 1.15)
        long = size * rng.uniform(0.75, 1.05)
        blade = elements.leaf(at[0], at[1], long, float(turn), 0.25)
        tint = mix(ink, lighter(ink, 0.25), float(rng.random()))
        leaf_with_veins(stage, blade, at, float(turn), long, tint)


def leaf_with_veins(stage: Stage, blade: Points, at: tuple[float, float], turn: float, long: float, ink: Ink) -> None:
    """Print a leaf with its shade, rib and side veins."""
    press = stage.press
    press.lay([blade], ink)
    press.tone([blade], Tone(darker(ink, 0.45), stage.lighting().away, 0.55, 0.9))
    pale = lighter(ink, 0.2)
    t = np.linspace(0, 1, 12)
    spine = np.column_stack([t * 0.95, 0.12 * np.sin(t * np.pi), 0.013 * (1 - t) + 0.002])
    local = [limb(spine, per=1)]
    for i in range(1, 6):
        for side in (-1, 1):
            x, y = 0.14 * i, 0.12 * float(np.sin(0.14 * i * np.pi))
            reach = 0.2 * (1 - 0.07 * i)
            local.append(limb([[x, y, 0.005], [x + reach * 0.75, y + side * reach * 0.68, 0.002]], per=3))
    veins = [place(vein, long, turn, at) for vein in local]
    for vein in veins:
        press.inlay([vein], pale, [blade])
    press.rim([blade], lighter(ink, 0.4), stage.lighting().away, max(0.8, long * 0.012))


def tulips(stage: Stage, choice: Choice, count: int) -> None:
    """Tulips from the side with their long leaves."""
    rng = stage.rng("tulips")
    green = times(mix(stage.climate.leaf, (0.32, 0.52, 0.40), 0.5), stage.climate.ambient)
    for number, (x, y, size) in enumerate(_places(stage, max(3, count))):
        _stem_bare(stage, x, y + size * 0.5, size, green, rng)
        ink = times(
            choice.inks[0] if size > 0.28 * stage.side else choice.inks[number % len(choice.inks)],
            stage.climate.ambient,
        )
        tulip_cup(stage, x, y, size * 0.95, ink, float(rng.normal(0, 0.08)))


def _stem_bare(stage: Stage, x: float, y: float, size: float, ink: Ink, rng: np.random.Generator) -> None:
    press = stage.press
    foot = x + rng.normal(0, 0.04) * stage.side, stage.height * 1.04
    spine = limb(
        [
            [*foot, size * 0.065],
            [(x + foot[0]) / 2 + rng.normal(0, 0.05) * size, (y + foot[1]) / 2, size * 0.055],
            [x, y, size * 0.05],
        ]
    )
    press.lay([spine], ink)
    press.tone([spine], Tone(darker(ink, 0.4), stage.lighting().away, 0.5, 0.8))
    for side in (-1, 1):
        long = size * rng.uniform(1.7, 2.3)
        at = (foot[0] * 0.8 + x * 0.2, y + (foot[1] - y) * 0.82)
        blade = elements.leaf(at[0], at[1], long, -np.pi / 2 + side * rng.uniform(0.2, 0.45), 0.13)
        tint = mix(ink, lighter(ink, 0.25), float(rng.random()))
        press.lay([blade], tint)
        press.tone([blade], Tone(darker(tint, 0.45), (float(side), 0.3), 0.6, 0.9))
        press.rim([blade], lighter(tint, 0.35), stage.lighting().away, max(0.8, size * 0.012))


def tulip_cup(stage: Stage, x: float, y: float, size: float, ink: Ink, turn: float) -> None:
    """A tulip from the side: two back petals, two flanks, one in front."""
    press, light = stage.press, stage.lighting()
    back = smooth_closed(
        [[0, 0.7], [-0.3, 0.3], [-0.36, -0.3], [-0.2, -0.85], [0, -0.6], [0.2, -0.85], [0.36, -0.3], [0.3, 0.3]]
    )
    flank = smooth_closed(
        [[0.05, 0.72], [-0.38, 0.58], [-0.62, 0.1], [-0.6, -0.45], [-0.46, -0.92], [-0.26, -0.5], [-0.06, 0.1]]
    )
    front = smooth_closed(
        [[0, 0.74], [-0.3, 0.5], [-0.4, 0.0], [-0.26, -0.42], [0, -0.72], [0.26, -0.42], [0.4, 0.0], [0.3, 0.5]]
    )
    mirrored = flank * np.array([-1, 1], np.float32)
    parts = (
        (back, darker(ink, 0.3)),
        (flank, mix(ink, darker(ink, 0.2), 0.4)),
        (mirrored, mix(ink, darker(ink, 0.2), 0.6)),
        (front, ink),
    )
    for shape, tint in parts:
        outline = place(shape, size, turn, (x, y))
        press.lay([outline], tint)
        press.tone([outline], Tone(darker(deeper(tint, 0.7), 0.15), (light.away[0] * 0.7, 0.9), 0.5, 0.85))
        press.tone([outline], Tone(lighter(tint, 0.35), (-light.away[0], -0.5), 0.15, 0.5))
        press.rim([outline], lighter(tint, 0.45), light.away, max(0.8, size * 0.012))
    for dx in (-0.14, 0.0, 0.14):
        vein = limb([[dx * 0.6, 0.55, 0.008], [dx * 1.3, 0.0, 0.007], [dx * 0.8, -0.45, 0.002]])
        press.lay([place(vein, size, turn, (x, y))], darker(ink, 0.16))


def spikes(stage: Stage, choice: Choice, count: int) -> None:
    """Lavender: spikes of small florets, near ones large."""
    rng = stage.rng("spikes")
    green = times(mix(stage.climate.leaf, (0.45, 0.55, 0.45), 0.5), stage.climate.ambient)
    for i in range(26):
        t = (i + 1) / 26
        size = stage.side * (0.10 + 0.30 * t)
        x = rng.uniform(0.03, 0.97) * stage.width
        top = stage.height * (0.44 - 0.22 * t + rng.uniform(-0.08, 0.12))
        ink = times(
            mix(choice.inks[i % len(choice.inks)], stage.climate.sky[2], 0.5 * (1 - t)), stage.climate.ambient
        )
        lavender(stage, x, top, size, ink, mix(green, stage.climate.sky[2], 0.5 * (1 - t)), rng)


def lavender(stage: Stage, x: float, top: float, size: float, ink: Ink, green: Ink, rng: np.random.Generator) -> None:
    """One spike whose tip is at x, top; `size` is the length of its flowers."""
    press = stage.press
    lean = rng.normal(0.05, 0.1) * size
    foot = x - lean * 2, stage.height * 1.03
    press.lay(
        [limb([[*foot, size * 0.014], [x - lean * 0.4, top + size, size * 0.012], [x, top, size * 0.008]])], green
    )
    for row in range(13):
        t = row / 12
        y = top + size * t
        cx = x - lean * 0.4 * t
        wide = size * 0.105 * np.sin(0.35 + 2.3 * t)
        for dx in (-0.9, 0.9, -0.35, 0.35):
            tint = mix(ink, lighter(ink, 0.4), float(rng.random()) * 0.8) if rng.random() < 0.7 else darker(ink, 0.25)
            bead = ellipse(cx + dx * wide, y + rng.normal(0, 0.008) * size, size * 0.034, size * 0.044, dx * 0.5, 14)
            press.lay([bead], tint)


def water(stage: Stage, choice: Choice, count: int) -> None:
    """A lotus above still water with floating leaves."""
    climate, press = stage.climate, stage.press
    horizon = 0.36
    press.wash(climate.sky, 0, int(horizon * stage.height) + 1)
    if climate.disc:
        elements.disc(stage, stage.disc_x() * stage.width, 0.17 * stage.height, 0.085 * stage.side)
    elements.hills(stage, horizon - 0.005, 2, 0.07)
    press.wash(
        (climate.water[0], climate.water[1], climate.water[2], darker(climate.water[2], 0.2)),
        int(horizon * stage.height),
        rough=0.16,
    )
    rng = stage.rng("pads")
    for i in range(46):
        t = (i + 0.5) / 46
        y = (horizon + 0.015 + (1.0 - horizon) * t**1.7) * stage.height
        size = stage.side * (0.012 + 0.13 * t**1.5) * rng.uniform(0.7, 1.3)
        _flat_pad(stage, rng.uniform(-0.03, 1.03) * stage.width, y, size, t, rng)
        if rng.random() < 0.10 and 0.15 < t < 0.6:
            lotus(stage, rng.uniform(0.05, 0.95) * stage.width, y - size * 0.3, size * 0.7, choice.inks[-1], rng)
    main = stage.main_x() if stage.width > stage.height else 0.5
    spots = [(main, 0.66, 0.24), (main + (0.30 if main < 0.5 else -0.30), 0.60, 0.14)]
    extra = rng.random((max(0, count - 2), 2))
    spots += [(0.15 + 0.7 * float(a), 0.56 + 0.3 * float(b), 0.12) for a, b in extra]
    for x, y, share in sorted(spots, key=lambda s: s[1]):
        px, py, size = x * stage.width, y * stage.height, share * stage.side
        stem = times((0.36, 0.5, 0.34), climate.ambient)
        press.lay([limb([[px, py, size * 0.05], [px + 0.04 * size, py + size * 0.9, size * 0.045]])], stem)
        press.lay(
            [ellipse(px + 0.04 * size, py + size * 0.92, size * 0.2, size * 0.03)], lighter(climate.water[1], 0.3)
        )
        lotus(stage, px, py, size, choice.inks[0], rng)


def _flat_pad(stage: Stage, x: float, y: float, size: float, near: float, rng: np.random.Generator) -> None:
    """A lotus leaf lying on water, seen from the shore."""
    press, climate = stage.press, stage.climate
    green = times(mix(climate.leaf, (0.26, 0.52, 0.40), 0.55), climate.ambient)
    green = mix(green, climate.water[0], 0.55 * (1 - near))
    shadow = ellipse(x, y + size * 0.06, size * 1.02, size * 0.3, count=40)
    press.lay([shadow], darker(climate.water[1], 0.3))
    outline = ellipse(x, y, size, size * 0.28, float(rng.normal(0, 0.03)), 44)
    press.lay([outline], green)
    if size > 0.02 * stage.side:
        press.tone([outline], Tone(darker(green, 0.45), (stage.lighting().away[0], 0.8), 0.6, 0.85))
        for a in np.linspace(0, 2 * np.pi, 12)[:-1] + rng.uniform(0, 1):
            end = x + np.cos(a) * size * 0.9, y + np.sin(a) * size * 0.25
            press.lay([limb([[x, y, size * 0.008], [*end, size * 0.003]], per=2)], lighter(green, 0.2))
        press.rim([outline], lighter(green, 0.4), (0.0, 1.0), max(0.8, size * 0.016))


def lotus(stage: Stage, x: float, y: float, size: float, ink: Ink, rng: np.random.Generator) -> None:
    """A lotus from the side: petals in fans, the back ones first, around a golden seed head."""
    press, light = stage.press, stage.lighting()
    petal = smooth_closed(
        [[0, 0], [0.25, -0.15], [0.58, -0.2], [0.86, -0.1], [1.04, 0], [0.86, 0.1], [0.58, 0.2], [0.25, 0.15]]
    )
    ink = times(ink, stage.climate.ambient)
    fans = (
        (8, 1.5, 1.0, 0.06),
        (7, 1.12, 1.05, 0.02),
        (1, 0.0, 0.5, 0.0),
        (6, 1.42, 0.92, 0.14),
        (4, 0.95, 0.82, 0.17),
        (3, 0.42, 0.62, 0.2),
    )
    for number, (count, spread, long, low) in enumerate(fans):
        if count == 1:
            pod = ellipse(x, y - size * 0.3, size * 0.17, size * 0.12)
            press.lay([pod], times((0.90, 0.76, 0.34), stage.climate.ambient))
            continue
        angles = np.linspace(-spread, spread, count)
        for turn in sorted(angles, key=lambda a: -abs(a)):
            tint = mix(lighter(ink, 0.5), ink, 0.25 + 0.12 * number)
            shape = petal * np.array([1, 1.0 + 0.2 * (number > 2)], np.float32)
            reach = size * long * (1 - 0.16 * abs(turn) / max(spread, 1e-3) * (number < 2))
            outline = place(shape, reach, -np.pi / 2 + float(turn), (x, y + low * size))
            press.lay([outline], tint)
            press.tone([outline], Tone(mix(ink, (0.78, 0.2, 0.38), 0.4), (float(np.sin(turn)), -1.0), 0.12, 0.75))
            press.tone(
                [outline], Tone(deeper(tint, 0.7), (0.5 * light.away[0] - 0.5 * float(np.sin(turn)), 0.8), 0.4, 0.7)
            )
            for dy in (-0.09, 0.0, 0.09):
                vein = limb([[0.3, dy * 0.6, 0.004], [0.65, dy, 0.004], [0.9, dy * 0.4, 0.001]], per=5)
                press.lay([place(vein, reach, -np.pi / 2 + float(turn), (x, y + low * size))], darker(tint, 0.12))
            press.rim([outline], lighter(tint, 0.6), light.away, max(0.8, size * 0.012))
