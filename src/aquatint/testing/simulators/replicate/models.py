"""The models of the fake and what they take. Source: the schemas on Replicate's model pages."""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import math
import re
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

_DATA_URL = re.compile(r"data:[a-z]+/[a-z+.-]+;base64,", re.ASCII)
_RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9")
_TIERS = {"1K": 1024, "2K": 2048, "4K": 4096, "small": 512, "regular": 1024, "big": 2048}
_GRID = 16  # pixels: the models round to it
_LEAST, _MOST = 1024, 4096  # pixels of width and height with size custom
_FIELDS_4 = frozenset(
    (
        "prompt",
        "image_input",
        "size",
        "aspect_ratio",
        "width",
        "height",
        "sequential_image_generation",
        "max_images",
        "enhance_prompt",
    )
)
_FIELDS_3 = frozenset(("prompt", "seed", "aspect_ratio", "size", "width", "height", "guidance_scale"))

Wrong = list[tuple[str, str]]  # field, what is wrong with it


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    sizes: tuple[str, ...]  # words
    size: str  # the default
    fields: frozenset[str]
    most_references: int
    longest_prompt: int = 100_000
    many: bool = True  # output is a list

    @property
    def version(self) -> str:
        return hashlib.sha256(self.name.encode()).hexdigest()


MODELS = {
    model.name: model
    for model in (
        Model("bytedance/seedream-4", ("1K", "2K", "4K", "custom"), "2K", _FIELDS_4, 10),
        Model(
            "bytedance/seedream-4.5",
            ("2K", "4K", "custom"),
            "2K",
            (_FIELDS_4 - {"enhance_prompt"}) | {"disable_safety_checker"},
            14,
            4000,
        ),
        Model("bytedance/seedream-3", ("small", "regular", "big", "custom"), "regular", _FIELDS_3, 0, many=False),
    )
}
VERSIONS = {model.version: model for model in MODELS.values()}


@dataclass(frozen=True, slots=True)
class Order:
    """A good input."""

    references: tuple[bytes, ...]
    width: int
    height: int
    images: int


def read(model: Model, given: dict[str, Any]) -> tuple[Order, Wrong]:
    """The order, which holds only when nothing is wrong."""
    wrong: Wrong = [(name, "Additional property is not allowed") for name in sorted(given.keys() - model.fields)]
    prompt = given.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        wrong.append(("prompt", "prompt is required"))
    elif len(prompt) > model.longest_prompt:
        wrong.append(("prompt", f"String length must be less than or equal to {model.longest_prompt}"))
    wrong += [
        (name, "Invalid type. Expected: boolean")
        for name in ("enhance_prompt", "disable_safety_checker")
        if not isinstance(given.get(name, False), bool)
    ]
    references = _references(model, given, wrong)
    width, height = _size(model, given, references, wrong)
    images = 1
    if _word(given, "sequential_image_generation", ("disabled", "auto"), "disabled", wrong) == "auto":
        images = _integer(given, "max_images", 1, 15, 1, wrong)
        if images + len(references) > 15:
            wrong.append(("max_images", "Input images and generated images are together more than 15"))
    return Order(references, width, height, images), wrong


def _size(model: Model, given: dict[str, Any], references: tuple[bytes, ...], wrong: Wrong) -> tuple[int, int]:
    size = _word(given, "size", model.sizes, model.size, wrong)
    if size == "custom":
        width = _integer(given, "width", _LEAST, _MOST, 2048, wrong)
        return width, _integer(given, "height", _LEAST, _MOST, 2048, wrong)
    matched = ("match_input_image",) if model.most_references else ()
    ratio = _word(given, "aspect_ratio", (*matched, *_RATIOS), (*matched, "16:9")[0], wrong)
    across, down = 1, 1
    if ratio != "match_input_image":
        across, down = (int(part) for part in ratio.split(":"))
    elif references:
        with Image.open(io.BytesIO(references[0])) as picture:
            across, down = picture.size
    stretch = math.sqrt(min(16.0, max(1 / 16, across / down)))
    return _rounded(_TIERS[size] * stretch), _rounded(_TIERS[size] / stretch)


def _rounded(side: float) -> int:
    return max(_GRID, int(side) // _GRID * _GRID)


def _word(given: dict[str, Any], name: str, words: tuple[str, ...], absent: str, wrong: Wrong) -> str:
    value = given.get(name, absent)
    if value not in words:
        wrong.append((name, f"{name} must be one of the following: {', '.join(words)}"))
        return absent
    return str(value)


def _integer(given: dict[str, Any], name: str, least: int, most: int, absent: int, wrong: Wrong) -> int:
    value = given.get(name, absent)
    if not isinstance(value, int) or isinstance(value, bool):
        wrong.append((name, "Invalid type. Expected: integer"))
    elif not least <= value <= most:
        wrong.append((name, f"Must be from {least} to {most}"))
    else:
        return value
    return absent


def _references(model: Model, given: dict[str, Any], wrong: Wrong) -> tuple[bytes, ...]:
    urls = given.get("image_input", [])
    if not isinstance(urls, list):
        wrong.append(("image_input", "Invalid type. Expected: array"))
        return ()
    if len(urls) > model.most_references:
        wrong.append(("image_input", f"Array must have at most {model.most_references} items"))
        return ()
    return tuple(_reference(url, index, wrong) for index, url in enumerate(urls))


def _reference(url: object, index: int, wrong: Wrong) -> bytes:
    head = _DATA_URL.match(url) if isinstance(url, str) else None
    if head is None:  # the fake fetches nothing
        wrong.append((f"image_input.{index}", "Does not match format 'uri', or cannot be fetched"))
        return _PIXEL
    try:
        data = base64.b64decode(str(url)[head.end() :], validate=True)
        with Image.open(io.BytesIO(data)):
            return data
    except (binascii.Error, UnidentifiedImageError, OSError, Image.DecompressionBombError):
        wrong.append((f"image_input.{index}", "Is not an image"))
        return _PIXEL


def _pixel() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (1, 1)).save(file, "PNG")
    return file.getvalue()


_PIXEL = _pixel()  # stands for a reference that cannot be read
