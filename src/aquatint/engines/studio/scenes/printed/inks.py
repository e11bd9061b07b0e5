"""Mixing printing inks: lighter, darker, deeper, one over the other."""

from __future__ import annotations

from aquatint.engines.studio.kernels.press import Ink


def mix(a: Ink, b: Ink, share: float) -> Ink:
    """Blend two inks, `share` of the second."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def times(a: Ink, b: Ink) -> Ink:
    """Print one ink over another."""
    return (a[0] * b[0], a[1] * b[1], a[2] * b[2])


def lighter(ink: Ink, share: float) -> Ink:
    """An ink mixed with white."""
    return (ink[0] + (1 - ink[0]) * share, ink[1] + (1 - ink[1]) * share, ink[2] + (1 - ink[2]) * share)


def darker(ink: Ink, share: float) -> Ink:
    """An ink with a deep blue in it."""
    deep = (0.06, 0.07, 0.14)
    return (
        ink[0] + (deep[0] - ink[0]) * share,
        ink[1] + (deep[1] - ink[1]) * share,
        ink[2] + (deep[2] - ink[2]) * share,
    )


def deeper(ink: Ink, share: float) -> Ink:
    """An ink laid twice: darker and more saturated in its own hue, as petals are in their folds."""
    r, g, b = (c**2.4 for c in ink)
    rich = (r * 0.97, g * 0.93, b * 0.96)
    return (
        ink[0] + (rich[0] - ink[0]) * share,
        ink[1] + (rich[1] - ink[1]) * share,
        ink[2] + (rich[2] - ink[2]) * share,
    )
