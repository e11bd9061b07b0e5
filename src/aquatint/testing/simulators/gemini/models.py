"""Which image models Gemini has, and which pixels they make."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

_TEN = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
_FOURTEEN = (*_TEN, "1:4", "4:1", "1:8", "8:1")
_PIXELS = {  # at 1K, wide side first; Google's pages disagree about some of them
    "1:1": (1024, 1024),
    "3:2": (1264, 848),
    "4:3": (1200, 896),
    "5:4": (1152, 928),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
    "4:1": (2048, 512),
    "8:1": (3072, 384),
}
_SCALES = {"512": 0.5, "1K": 1.0, "2K": 2.0, "4K": 4.0}
TOKENS = {"512": 747, "1K": 1120, "2K": 1680, "4K": 2520}  # billed for one picture


@dataclass(frozen=True, slots=True)
class Model:
    """`drafts`: it thinks aloud, and shows a draft before the picture."""

    sizes: tuple[str, ...]
    ratios: tuple[str, ...]
    form: str
    drafts: bool = False
    retired: bool = False


MODELS = {
    "gemini-2.5-flash-image": Model(("1K",), _TEN, "png", retired=True),
    "gemini-3.1-flash-image": Model(("512", "1K", "2K", "4K"), _FOURTEEN, "png", retired=True),
    "gemini-3.1-flash-lite-image": Model(("1K",), _FOURTEEN, "png"),
    "gemini-3-pro-image": Model(("1K", "2K", "4K"), _TEN, "jpeg", drafts=True),
    "gemini-nano-banana-2.1": Model(("1K", "2K", "4K"), _FOURTEEN, "png"),
}


def pixels(ratio: str, size: str) -> tuple[int, int]:
    """Width and height of a picture."""
    swapped = ":".join(reversed(ratio.split(":")))
    long, short = _PIXELS.get(ratio) or _PIXELS[swapped]
    scale = _SCALES[size]
    width, height = (long, short) if ratio in _PIXELS else (short, long)
    return round(width * scale), round(height * scale)


def nearest(width: int, height: int, ratios: tuple[str, ...]) -> str:
    """The ratio of a picture that follows another of this size."""

    def distance(ratio: str) -> float:
        wide, high = pixels(ratio, "1K")
        return abs(log(wide / high) - log(width / height))

    return min(ratios, key=distance)
