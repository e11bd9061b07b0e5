"""Ratios and pixels."""

from __future__ import annotations

from math import log

import msgspec


class Size(msgspec.Struct, frozen=True):
    """Width and height in pixels."""

    width: int
    height: int


def ratio_value(ratio: str) -> float:
    """Width over height of a ratio such as `16:9`."""
    width, height = ratio.split(":")
    return int(width) / int(height)


def nearest_ratio(width: int, height: int, ratios: tuple[str, ...]) -> str:
    """The listed ratio that distorts a width x height picture least (distance of logarithms)."""
    wanted = log(width / height)
    return min(ratios, key=lambda ratio: abs(log(ratio_value(ratio)) - wanted))
