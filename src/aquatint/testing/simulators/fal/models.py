"""The models of the fake and what they take. Source: fal.ai's model pages of Seedream and FLUX.2."""

from __future__ import annotations

import base64
import binascii
import io
import math
import re
import secrets
from dataclasses import dataclass
from typing import Any

from PIL import Image, UnidentifiedImageError

from aquatint.testing.simulators.fal.failures import Complaint, complain

_MOST_REFERENCES = 10  # of more, fal uses the last ones
_MOST_BYTES = 30_000_000  # of one reference
_DATA_URL = re.compile(r"data:image/[a-z+.-]+;base64,", re.ASCII)
_WIDEST = 16  # longer side by shorter side
_RATIOS = {
    "square_hd": (1, 1),
    "square": (1, 1),
    "portrait_4_3": (3, 4),
    "portrait_16_9": (9, 16),
    "landscape_4_3": (4, 3),
    "landscape_16_9": (16, 9),
}
_TIERS = {"auto_1K": 1024, "auto_1.5K": 1536, "auto": 2048, "auto_2K": 2048, "auto_3K": 3072, "auto_4K": 4096}


@dataclass(frozen=True, slots=True)
class Model:
    """Pixels from `least` to `most`; `autos` are the words for a size that the model chooses."""

    least: int
    most: int
    autos: frozenset[str]
    edits: bool
    most_images: int = 6
    own: frozenset[str] = frozenset(("max_images", "enable_safety_checker"))  # fields besides those of all models

    @property
    def size(self) -> str:
        """What it makes when nothing is said."""
        return "auto_2K" if "auto_2K" in self.autos else "square_hd"

    @property
    def fields(self) -> frozenset[str]:
        common = {"prompt", "image_size", "num_images", "seed", "sync_mode"} | (
            {"image_urls"} if self.edits else set()
        )
        return self.own | common


@dataclass(frozen=True, slots=True)
class Order:
    """A good input."""

    references: tuple[bytes, ...]
    width: int
    height: int
    images: int
    seed: int
    inline: bool  # results as data URIs


def find(path: str) -> Model | None:
    """The model of an id such as `fal-ai/bytedance/seedream/v4.5/edit`."""
    seedream = re.fullmatch(
        r"(fal-ai/bytedance/seedream/(?P<old>v4|v4\.5|v5/lite)|bytedance/seedream/(?P<new>v5/(lite|pro|flash)|v5\.5))"
        r"/(?P<kind>text-to-image|edit)",
        path,
    )
    if seedream is not None:
        kind = seedream["kind"]
        match seedream["old"] or seedream["new"]:
            case "v4":
                own = frozenset(("max_images", "enable_safety_checker", "enhance_prompt_mode"))
                return Model(921_600, 16_777_216, frozenset(("auto", "auto_2K", "auto_4K")), kind == "edit", own=own)
            case "v4.5":
                return Model(3_686_400, 16_777_216, frozenset(("auto_2K", "auto_4K")), kind == "edit")
            case "v5/lite":
                return Model(3_686_400, 16_777_216, frozenset(("auto_2K", "auto_3K", "auto_4K")), kind == "edit")
            case "v5.5" if kind == "edit":
                return None  # not there yet
            case _:
                return Model(921_600, 4_624_220, frozenset(("auto_1K", "auto_1.5K", "auto_2K")), kind == "edit")
    if path in ("fal-ai/flux-2", "fal-ai/flux-2/edit"):
        own = frozenset(("enable_safety_checker", "output_format"))
        return Model(512 * 512, 2048 * 2048, frozenset(), path.endswith("/edit"), most_images=4, own=own)
    return None


def read(model: Model, body: dict[str, Any]) -> tuple[Order, list[Complaint]]:
    """The order, which holds only when there are no complaints."""
    found = [
        complain("extra_forbidden", (name,), "Extra inputs are not permitted") for name in body.keys() - model.fields
    ]
    prompt = body.get("prompt")
    if "prompt" not in body:
        found.append(complain("missing", ("prompt",), "Field required"))
    elif not isinstance(prompt, str):
        found.append(complain("string_type", ("prompt",), "Input should be a valid string"))
    elif not prompt.strip():
        found.append(complain("string_too_short", ("prompt",), "String should have at least 1 character"))
    found += [
        complain("bool_type", (name,), "Input should be a valid boolean")
        for name in ("sync_mode", "enable_safety_checker")
        if not isinstance(body.get(name, False), bool)
    ]
    if body.get("enhance_prompt_mode", "standard") not in ("standard", "fast"):
        found.append(complain("one_of", ("enhance_prompt_mode",), "Input should be 'standard' or 'fast'"))
    references = _references(body, found) if model.edits else ()
    width, height = _size(model, body.get("image_size", model.size), found)
    images = _integer(body, "num_images", 1, model.most_images, 1, found)
    images *= _integer(body, "max_images", 1, 6, 1, found)
    seed = _integer(body, "seed", 0, 2**31 - 1, secrets.randbelow(2**31), found)
    return Order(references, width, height, images, seed, body.get("sync_mode") is True), found


def _integer(body: dict[str, Any], name: str, least: int, most: int, absent: int, found: list[Complaint]) -> int:
    value = body.get(name, absent)
    if value is None:
        return absent
    if not isinstance(value, int) or isinstance(value, bool):
        found.append(complain("int_type", (name,), "Input should be a valid integer"))
    elif value < least:
        message = f"Input should be greater than or equal to {least}"
        found.append(complain("greater_than_equal", (name,), message, ge=least))
    elif value > most:
        found.append(complain("less_than_equal", (name,), f"Input should be less than or equal to {most}", le=most))
    else:
        return value
    return absent


def _size(model: Model, wanted: object, found: list[Complaint]) -> tuple[int, int]:
    at = ("image_size",)
    if isinstance(wanted, str) and (wanted in _RATIOS or wanted in model.autos):
        side = _TIERS.get(wanted, math.isqrt(max(model.least, 1024 * 1024) - 1) + 1)
        across, down = _RATIOS.get(wanted, (1, 1))
        stretch = math.sqrt(across / down)
        return math.ceil(side * stretch), math.ceil(side / stretch)
    if not isinstance(wanted, dict) or {type(wanted.get(name)) for name in ("width", "height")} != {int}:
        found.append(complain("value_error", at, "Input should be a size word of this model, or width and height"))
        return 1, 1
    width, height = wanted["width"], wanted["height"]
    if width < 1 or height < 1 or max(width, height) > _WIDEST * min(width, height):
        found.append(complain("value_error", at, f"The aspect ratio must be from 1:{_WIDEST} to {_WIDEST}:1"))
    elif width * height < model.least:
        message = f"The image must have at least {model.least} pixels"
        found.append(complain("greater_than_equal", at, message, ge=model.least))
    elif width * height > model.most:
        message = f"The image must have at most {model.most} pixels"
        found.append(complain("less_than_equal", at, message, le=model.most))
    return width, height


def _references(body: dict[str, Any], found: list[Complaint]) -> tuple[bytes, ...]:
    urls = body.get("image_urls")
    if "image_urls" not in body:
        found.append(complain("missing", ("image_urls",), "Field required"))
    elif not isinstance(urls, list):
        found.append(complain("list_type", ("image_urls",), "Input should be a valid list"))
    elif not urls:
        found.append(complain("sequence_too_short", ("image_urls",), "At least one image is needed", min_length=1))
    else:
        return tuple(_reference(url, index, found) for index, url in enumerate(urls))[-_MOST_REFERENCES:]
    return ()


def _reference(url: object, index: int, found: list[Complaint]) -> bytes:
    at = ("image_urls", index)
    head = _DATA_URL.match(url) if isinstance(url, str) else None
    if head is None:  # the fake fetches nothing
        found.append(complain("file_download_error", at, "Failed to download the file"))
        return b""
    try:
        data = base64.b64decode(str(url)[head.end() :], validate=True)
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
    except (binascii.Error, UnidentifiedImageError, OSError, Image.DecompressionBombError):
        found.append(complain("image_load_error", at, "Failed to load the image"))
        return b""
    if len(data) > _MOST_BYTES:
        found.append(
            complain("file_too_large", at, "File size exceeds the maximum allowed size", max_size=_MOST_BYTES)
        )
    elif min(width, height) <= 14:
        found.append(complain("image_too_small", at, "The image is too small", min_width=15, min_height=15))
    elif width * height > 36_000_000:
        found.append(complain("image_too_large", at, "The image is too large", max_width=6000, max_height=6000))
    return data
