"""The pictures of record, and how a picture is put into a few numbers; run as a program, it writes them anew.

python tests/unit/studio/pictures_of_record.py      # after looking at the pictures (make look)
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from aquatint.engines.studio import registry
from aquatint.engines.studio.easel import Easel
from aquatint.engines.studio.grammar import parse

RECORD = Path(__file__).parent / "data" / "pictures.json"
PHOTO = Path(__file__).parents[3] / "examples" / "photos" / "castle.jpg"
WIDTH, HEIGHT, SEED = 384, 216, 20261122
SCENES = {
    "abstract": "abstract art",
    "animals": "a cat in a meadow",
    "city": "city street by day",
    "desert": "desert dunes at golden hour",
    "flowers": "field of poppies",
    "forest": "forest path in autumn",
    "fractal": "a fractal",
    "geometric": "geometric art",
    "landscape": "mountain lake at sunrise",
    "logo": 'a logo with the text "Aquatint"',
    "neon_city": "cyberpunk Tokyo street",
    "portrait": "portrait of a woman",
    "product": "product shot of a bottle",
    "sea": "sea at sunset",
    "shanshui": "山水画",
    "space": "a ringed planet in a nebula",
    "still_life": "still life with fruit",
    "village": "a village at dusk",
}
Numbers = dict[str, object]


def names() -> list[str]:
    """Every style and scene there is."""
    return sorted([f"style/{n}" for n in registry.style_names()] + [f"scene/{n}" for n in registry.scene_names()])


def paint(name: str) -> np.ndarray:
    """One picture of record, (216, 384, 3) uint8 sRGB."""
    kind, _, which = name.partition("/")
    easel = Easel(WIDTH, HEIGHT, SEED)
    if kind == "scene":
        return registry.scene(which)(parse(SCENES[which]), easel)
    photo = cv2.imread(str(PHOTO))[:, :, ::-1]
    shape = (WIDTH, HEIGHT)
    return registry.style(which)(np.ascontiguousarray(cv2.resize(photo, shape, interpolation=cv2.INTER_AREA)), easel)


def numbers(picture: np.ndarray) -> Numbers:
    """Difference hash of 16 x 16 bits as hexadecimal, and the mean colour, 0..255."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (17, 16), interpolation=cv2.INTER_AREA).astype(np.int16)
    bits = np.packbits((small[:, 1:] > small[:, :-1]).ravel())
    return {"dhash": bits.tobytes().hex(), "mean": [round(float(c), 1) for c in picture.reshape(-1, 3).mean(axis=0)]}


def distance(one: object, other: object) -> float:
    """Share of differing bits, 0..1, of two hashes."""
    return (int(str(one), 16) ^ int(str(other), 16)).bit_count() / 256


def main() -> None:
    record = {name: numbers(paint(name)) for name in names()}
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
