"""Flower heads seen from the front, petal by petal, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aquatint.engines.studio.kernels.curves import Points, ellipse, limb, place, smooth_closed
from aquatint.engines.studio.kernels.press import Ink, Press, Tone
from aquatint.engines.studio.scenes.printed.inks import darker, deeper, lighter, mix

_GOLDEN = np.pi * (3 - np.sqrt(5))  # the angle between successive seeds (Vogel 1979)


@dataclass(frozen=True, slots=True)
class Head:
    """One flower head on the sheet."""

    x: float
    y: float
    size: float  # radius in pixels
    turn: float  # radians
    tilt: float = 0.9  # height over width: how far it is seen from the side
    ink: Ink = (0.8, 0.3, 0.3)
    heart: Ink = (0.93, 0.72, 0.28)
    away: tuple[float, float] = (0.7, 0.7)  # direction from the light


# Petal outlines from the base at (0, 0) to the tip at (1, 0).
_ROUND = smooth_closed(
    [[0, 0], [0.3, -0.26], [0.68, -0.42], [0.95, -0.24], [1, 0], [0.95, 0.24], [0.68, 0.42], [0.3, 0.26]]
)
_POINTED = smooth_closed(
    [[0, 0], [0.3, -0.15], [0.62, -0.19], [0.86, -0.1], [1, 0], [0.86, 0.1], [0.62, 0.19], [0.3, 0.15]]
)
_NARROW = smooth_closed(
    [[0, 0], [0.4, -0.11], [0.8, -0.13], [0.97, -0.06], [1, 0], [0.97, 0.06], [0.8, 0.13], [0.4, 0.11]]
)
_NOTCHED = smooth_closed(
    [
        [0, 0],
        [0.25, -0.2],
        [0.6, -0.38],
        [0.9, -0.32],
        [1.0, -0.13],
        [0.92, 0],
        [1.0, 0.13],
        [0.9, 0.32],
        [0.6, 0.38],
        [0.25, 0.2],
    ]
)
_RUFFLED = smooth_closed(
    [
        [0, 0],
        [0.3, -0.3],
        [0.62, -0.5],
        [0.86, -0.42],
        [0.93, -0.26],
        [0.99, -0.14],
        [0.95, 0.02],
        [1.0, 0.17],
        [0.92, 0.3],
        [0.84, 0.44],
        [0.62, 0.5],
        [0.3, 0.3],
    ]
)


def _petal(
    press: Press,
    head: Head,
    shape: Points,
    long: float,
    angle: float,
    ink: Ink,
    wide: float = 1.0,
    start: float = 0.0,
    veins: int = 0,
) -> None:
    """Lay one petal pointing to `angle`, dark at its base, with a lit edge."""
    form = shape * np.array([1, wide], np.float32) + np.array([start, 0], np.float32)
    outline = _squash(place(form, head.size * long, angle + head.turn, (0.0, 0.0)), head)
    press.lay([outline], ink)
    a = angle + head.turn
    base = (-float(np.cos(a)), -float(np.sin(a)) * head.tilt)
    press.tone([outline], Tone(deeper(ink, 0.85), base, 0.5, 0.95))
    facing = float(np.cos(a)) * head.away[0] + float(np.sin(a)) * head.away[1]
    if facing > 0:
        press.tone([outline], Tone(darker(deeper(ink, 0.5), 0.3), head.away, 0.3, 0.5 * facing))
    for i in range(veins):
        side = (i - (veins - 1) / 2) * 0.16 * wide
        vein = np.array(
            [[0.3 + start, side * 0.5, 0.006], [0.62 + start, side * 1.15, 0.005], [0.86 + start, side, 0.002]],
            np.float32,
        )
        press.lay([_squash(place(limb(vein, per=5), head.size * long, a, (0.0, 0.0)), head)], deeper(ink, 0.45))
    press.rim([outline], lighter(ink, 0.38), head.away, max(0.8, head.size * 0.012))


def _squash(points: Points, head: Head) -> Points:
    return np.asarray(
        points * np.array([1, head.tilt], np.float32) + np.array([head.x, head.y], np.float32), np.float32
    )


def _ring(count: int, offset: float = 0.0) -> list[float]:
    """Angles of a ring, drawn in two passes so that petals overlap on both sides."""
    angles = [2 * np.pi * (i + offset) / count for i in range(count)]
    return angles[::2] + angles[1::2]


def rose(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Petals in shrinking rings around a spiral bud."""
    for ring, (count, long) in enumerate(((6, 1.0), (6, 0.86), (5, 0.70), (5, 0.55), (4, 0.41), (3, 0.29))):
        ink = mix(lighter(head.ink, 0.1), darker(deeper(head.ink, 0.7), 0.2), 0.17 * ring)
        for angle in _ring(count, 0.37 * ring + rng.uniform(-0.08, 0.08)):
            _petal(
                press,
                head,
                _ROUND if ring % 2 else _RUFFLED,
                long * rng.uniform(0.96, 1.04),
                angle,
                mix(ink, lighter(ink, 0.2), float(rng.random()) * 0.6),
                1.28,
            )
    _bud(press, head, 0.20)


def _bud(press: Press, head: Head, size: float) -> None:
    """The tight spiral in the middle."""
    dark = darker(deeper(head.ink, 0.8), 0.25)
    disc = [_squash(ellipse(0, 0, head.size * size, head.size * size), head)]
    press.lay(disc, mix(head.ink, dark, 0.5))
    t = np.linspace(0.4, 4.6 * np.pi, 70)
    r = head.size * size * (0.06 + 0.9 * t / t[-1])
    swell = head.size * 0.012 * (0.5 + t / t[-1])
    path = np.column_stack([np.cos(t + head.turn) * r, np.sin(t + head.turn) * r, swell])
    press.lay([_squash(limb(path, per=1), head)], dark)
    path[:, :2] *= 0.93
    path[:, 2] *= 0.6
    press.lay([_squash(limb(path, per=1), head)], lighter(head.ink, 0.2))


def peony(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Many ruffled petals, paler to the rim, with gold in the heart."""
    for ring, (count, long) in enumerate(((9, 1.0), (9, 0.86), (8, 0.72), (8, 0.58), (7, 0.45), (6, 0.33))):
        ink = mix(lighter(head.ink, 0.25), head.ink, ring / 5)
        for angle in _ring(count, 0.43 * ring + rng.uniform(-0.1, 0.1)):
            _petal(
                press,
                head,
                _RUFFLED,
                long * rng.uniform(0.93, 1.06),
                angle,
                mix(ink, lighter(ink, 0.25), float(rng.random()) * 0.6),
                rng.uniform(0.9, 1.15),
            )
    _stamens(press, head, 26, 0.17, rng)


def dahlia(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Pointed petals along a golden-angle spiral (Vogel 1979), the outermost first."""
    count = 130
    for i in range(count, 4, -1):
        r = np.sqrt(i / count)
        ink = mix(deeper(head.ink, 0.9), lighter(head.ink, 0.18), float(r))
        _petal(
            press,
            head,
            _POINTED,
            0.28 + 0.13 * r,
            i * _GOLDEN,
            ink,
            1.45,
            start=float(r * 0.62 / (0.28 + 0.13 * r)) - 0.45,
        )
    for i in range(24, 0, -1):
        r = head.size * 0.115 * np.sqrt(i / 24)
        a = i * _GOLDEN
        seed = ellipse(np.cos(a) * r, np.sin(a) * r, head.size * 0.022, head.size * 0.022, count=14)
        press.lay([_squash(seed, head)], mix(darker(head.ink, 0.5), head.heart, 1 - i / 24))


def sunflower(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Two rings of rays around a disc of seeds on golden-angle spirals (Vogel 1979)."""
    for count, long, share in ((21, 1.0, 0.28), (21, 0.92, 0.0)):
        for angle in _ring(count, 0.5 * share + rng.uniform(0, 0.2)):
            ink = mix(head.ink, darker(head.ink, 0.3), share + 0.12 * float(rng.random()))
            _petal(
                press,
                head,
                _POINTED,
                long * rng.uniform(0.9, 1.05),
                angle + rng.normal(0, 0.03),
                ink,
                rng.uniform(0.75, 1.0),
                veins=2,
            )
    brown = (0.30, 0.19, 0.12)
    disc = [_squash(ellipse(0, 0, head.size * 0.46, head.size * 0.46, count=70), head)]
    press.lay(disc, brown)
    press.tone(disc, Tone(darker(brown, 0.6), (0, 0), 0.25, 0.9))
    count = 620
    for i in range(count):
        r = np.sqrt((i + 0.5) / count)
        a = i * _GOLDEN
        size = head.size * 0.0125 * (0.55 + 0.55 * r)
        tint = mix(
            (0.46, 0.50, 0.22), mix((0.62, 0.36, 0.12), head.ink, 0.45 * float(r > 0.86)), float(min(1.0, r * 1.25))
        )
        at = np.cos(a) * r * head.size * 0.44, np.sin(a) * r * head.size * 0.44
        press.lay(
            [_squash(place(_SEED, size, float(a), (float(at[0]), float(at[1]))), head)],
            mix(tint, brown, 0.35 * float(0.5 < r < 0.75)),
        )


_SEED = ellipse(0, 0, 1.25, 0.8, count=10)


def daisy(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Narrow rays around a domed yellow disc."""
    for count, long in ((19, 1.0), (17, 0.94)):
        for angle in _ring(count, rng.uniform(0, 1)):
            _petal(
                press,
                head,
                _NARROW,
                long * rng.uniform(0.93, 1.05),
                angle + rng.normal(0, 0.04),
                mix(head.ink, darker(head.ink, 0.12), float(rng.random())),
                rng.uniform(0.9, 1.15),
                veins=2,
            )
    disc = [_squash(ellipse(0, 0, head.size * 0.29, head.size * 0.27, count=60), head)]
    press.lay(disc, head.heart)
    press.tone(disc, Tone(mix(head.heart, (0.55, 0.25, 0.08), 0.75), head.away, 0.6, 0.9))
    for i in range(210):
        r, a = head.size * 0.26 * np.sqrt((i + 0.5) / 210), i * _GOLDEN
        dot = ellipse(np.cos(a) * r, np.sin(a) * r, head.size * 0.0085, head.size * 0.0085, count=9)
        press.lay(
            [_squash(dot, head)], mix(lighter(head.heart, 0.35), (0.72, 0.42, 0.12), float(r / head.size / 0.3))
        )


def poppy(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Four to six crumpled petals, dark blots at their bases, a crown in the middle."""
    for ring, (count, long) in enumerate(((4, 1.0), (4, 0.88))):
        for angle in _ring(count, 0.5 * ring + rng.uniform(-0.1, 0.1)):
            ink = mix(head.ink, lighter(head.ink, 0.22), 0.5 * ring + 0.3 * float(rng.random()))
            _petal(press, head, _RUFFLED, long, angle, ink, rng.uniform(1.25, 1.45), veins=5)
    blot = darker(head.ink, 0.8)
    for angle in _ring(4, 0.5):
        spot = smooth_closed([[0.06, 0], [0.2, -0.13], [0.36, -0.08], [0.4, 0], [0.36, 0.08], [0.2, 0.13]])
        press.lay([_squash(place(spot, head.size, angle + head.turn, (0.0, 0.0)), head)], blot)
    _stamens(press, head, 44, 0.26, rng, (0.16, 0.13, 0.18))
    core = [_squash(ellipse(0, 0, head.size * 0.12, head.size * 0.12), head)]
    press.lay(core, (0.52, 0.58, 0.34))
    press.tone(core, Tone((0.24, 0.30, 0.2), head.away, 0.6, 0.9))
    for a in np.linspace(0, 2 * np.pi, 9)[:-1]:
        spoke = limb(
            [
                [0, 0, head.size * 0.01],
                [np.cos(a) * head.size * 0.11, np.sin(a) * head.size * 0.11, head.size * 0.006],
            ],
            per=2,
        )
        press.lay([_squash(spoke, head)], (0.22, 0.26, 0.18))


def lily(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Six long pointed petals with freckles and six stamens."""
    for ring in range(2):
        for angle in _ring(3, 0.5 * ring):
            _petal(
                press, head, _POINTED, 1.0, angle, mix(head.ink, lighter(head.ink, 0.3), 0.5 * ring), 1.75, veins=3
            )
    for _ in range(70):
        a = 2 * np.pi * int(rng.integers(6)) / 6 + rng.normal(0, 0.16)
        r = head.size * rng.uniform(0.16, 0.55)
        dot = ellipse(
            np.cos(a + head.turn) * r, np.sin(a + head.turn) * r, head.size * 0.011, head.size * 0.008, count=8
        )
        press.lay([_squash(dot, head)], darker(head.ink, 0.5))
    for i in range(6):
        a = head.turn + 2 * np.pi * (i + 0.25) / 6
        end = np.cos(a) * head.size * 0.42, np.sin(a) * head.size * 0.42
        press.lay(
            [
                _squash(
                    limb(
                        [
                            [0, 0, head.size * 0.012],
                            [end[0] * 0.6, end[1] * 0.5, head.size * 0.01],
                            [*end, head.size * 0.008],
                        ]
                    ),
                    head,
                )
            ],
            (0.74, 0.80, 0.52),
        )
        press.lay(
            [_squash(ellipse(end[0], end[1], head.size * 0.05, head.size * 0.02, a + 1.2, 16), head)],
            (0.62, 0.30, 0.14),
        )


def blossom(press: Press, head: Head, rng: np.random.Generator) -> None:
    """Five notched petals of cherry or plum with fine stamens."""
    for angle in _ring(5):
        _petal(
            press,
            head,
            _NOTCHED,
            rng.uniform(0.94, 1.05),
            angle,
            mix(head.ink, lighter(head.ink, 0.45), float(rng.random()) * 0.7),
            1.1,
        )
    heart = [_squash(ellipse(0, 0, head.size * 0.16, head.size * 0.16, count=18), head)]
    press.lay(heart, mix(head.ink, (0.72, 0.16, 0.32), 0.55))
    _stamens(press, head, 13, 0.40, rng, head.heart)


def _stamens(
    press: Press, head: Head, count: int, reach: float, rng: np.random.Generator, ink: Ink | None = None
) -> None:
    """Threads with a dot at the end, all round."""
    tint = ink or head.heart
    for i in range(count):
        a, r = 2 * np.pi * i / count + rng.normal(0, 0.12), head.size * reach * rng.uniform(0.45, 1.0)
        end = np.cos(a) * r, np.sin(a) * r
        press.lay(
            [_squash(limb([[0, 0, head.size * 0.004], [*end, head.size * 0.004]], per=2), head)],
            mix(tint, head.ink, 0.35),
        )
        press.lay([_squash(ellipse(end[0], end[1], head.size * 0.017, head.size * 0.017, count=10), head)], tint)


# How to draw the head of each kind.
HEADS: Mapping[str, Callable[[Press, Head, np.random.Generator], None]] = {
    "rose": rose,
    "peony": peony,
    "dahlia": dahlia,
    "sunflower": sunflower,
    "daisy": daisy,
    "poppy": poppy,
    "lily": lily,
    "cherry_blossom": blossom,
    "plum_blossom": blossom,
}
