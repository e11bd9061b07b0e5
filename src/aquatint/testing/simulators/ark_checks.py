"""A request as the simulated Ark understands it, or its refusal: fields, sizes and references of each model."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from aquatint.testing.simulators.ark_errors import Refused, invalid
from aquatint.testing.simulators.ark_models import Model, find

MOST_IN_GROUP = 15
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.IGNORECASE)
_DATA_URI = re.compile(r"data:image/([a-z0-9.+-]+);base64,", re.ASCII)
_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF")
_MOST_BYTES = 10_000_000  # older pages; newer ones say 30 MB, and who keeps to the older is safe with both
_MOST_PIXELS = 36_000_000
_MAX_SEED = 2**31 - 1
_LONG = 16

Fetch = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request that can be served."""

    model: Model
    name: str  # of the model, as it was asked for
    prompt: str
    width: int
    height: int
    references: tuple[bytes, ...]
    images: int
    group: bool
    stream: bool
    as_url: bool
    form: str  # jpeg or png
    watermark: bool
    seed: int | None


async def understand(body: dict[str, Any], fetch: Fetch) -> Wanted:
    """Raises Refused. Fields that are null count as absent: Ark's own SDK sends all of them."""
    body = {name: value for name, value in body.items() if value is not None}
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise Refused("MissingParameter", param="model")
    model = find(name)
    if model is None:
        raise Refused(
            "InvalidEndpointOrModel.NotFound",
            f"The model or endpoint {name} does not exist or you do not have access to it.",
        )
    for field in body:
        if not model.takes(field):
            raise invalid(field, f"the parameter `{field}` is not supported by the current model")
    prompt = body.get("prompt")
    if not isinstance(prompt, str) or not prompt.strip():
        raise Refused("MissingParameter", param="prompt")
    _check_words(body, model)
    width, height = _size(body.get("size"), model)
    sources = _sources(body.get("image"), model)
    group, images = _group(body, len(sources), prompt)
    seed = body.get("seed", -1)
    return Wanted(
        model=model,
        name=name,
        prompt=prompt,
        width=width,
        height=height,
        references=tuple([await _reference(source, fetch) for source in sources]),
        images=images,
        group=group,
        stream=body.get("stream", False),
        as_url=body.get("response_format", "url") == "url",
        form=body.get("output_format", model.default_format),
        watermark=body.get("watermark", True),
        seed=seed if seed >= 0 else None,
    )


def _check_words(body: dict[str, Any], model: Model) -> None:
    choices: dict[str, tuple[object, ...]] = {
        "response_format": ("url", "b64_json"),
        "output_format": ("jpeg", "png"),
        "sequential_image_generation": ("auto", "disabled"),
        "background": ("auto", "transparent", "opaque"),
    }
    for name, allowed in choices.items():
        if name in body and body[name] not in allowed:
            raise invalid(name, f"must be one of: {', '.join(map(str, allowed))}")
    for name in ("watermark", "stream", "optimize_prompt"):
        if name in body and not isinstance(body[name], bool):
            raise invalid(name, "must be a boolean")
    seed = body.get("seed", -1)
    if not isinstance(seed, int) or isinstance(seed, bool) or not -1 <= seed <= _MAX_SEED:
        raise invalid("seed", f"must be an integer from -1 to {_MAX_SEED}")
    scale = body.get("guidance_scale", 1)
    if not isinstance(scale, int | float) or not 1 <= scale <= 10:
        raise invalid("guidance_scale", "must be a number from 1 to 10")
    options = body.get("optimize_prompt_options", {})
    mode = options.get("mode") or "standard" if isinstance(options, dict) else None
    if mode not in model.modes:
        raise invalid("optimize_prompt_options", f"mode must be one of: {', '.join(model.modes)}")


def _size(size: object, model: Model) -> tuple[int, int]:
    if size is None:
        size = "2K" if model.tiers else "1024x1024"
    if not isinstance(size, str):
        raise invalid("size", "must be a string")
    if (tier := model.tiers.get(size.upper())) is not None:
        return tier
    match = _SIZE.fullmatch(size)
    if match is None:
        raise invalid("size", f"must be {', '.join((*model.tiers, 'WIDTHxHEIGHT'))}")
    width, height = int(match[1]), int(match[2])
    if width * height < model.min_pixels:
        raise invalid("size", f"image size must be at least {model.min_pixels} pixels")
    if width * height > model.max_pixels:
        raise invalid("size", f"image size must be at most {model.max_pixels} pixels")
    if max(width, height) > _LONG * min(width, height):
        raise invalid("size", f"the aspect ratio must be between 1/{_LONG} and {_LONG}")
    return width, height


def _sources(image: object, model: Model) -> list[str]:
    if image is None:
        return []
    listed: list[object] = image if isinstance(image, list) else [image]
    sources = [source for source in listed if isinstance(source, str)]
    if not sources or len(sources) != len(listed):
        raise invalid("image", "must be a string or a list of strings")
    if len(sources) > model.references:
        raise invalid("image", f"at most {model.references} images are allowed")
    return sources


def _group(body: dict[str, Any], references: int, prompt: str) -> tuple[bool, int]:
    """Whether images are made as a group, and how many: a number before `images` in the prompt decides."""
    options = body.get("sequential_image_generation_options", {})
    most = options.get("max_images") if isinstance(options, dict) else 0
    most = MOST_IN_GROUP if most is None else most
    name = "sequential_image_generation_options.max_images"
    if not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_IN_GROUP:
        raise invalid(name, f"must be an integer from 1 to {MOST_IN_GROUP}")
    if body.get("sequential_image_generation", "disabled") == "disabled":
        return False, 1
    if "max_images" in options and references + most > MOST_IN_GROUP:
        raise invalid(name, f"references and images together must not exceed {MOST_IN_GROUP}")
    most = min(most, MOST_IN_GROUP - references)
    said = re.search(r"\b(\d{1,2}) (?:images|pictures)\b", prompt)
    return True, min(most, max(1, int(said[1]))) if said is not None else most


async def _reference(source: str, fetch: Fetch) -> bytes:
    if not source:
        raise Refused("InvalidImageURL.EmptyURL", param="image")
    if source.startswith(("http://", "https://")):
        data = await fetch(source)
    else:
        data = _decoded(source)
    await asyncio.to_thread(_check_picture, data)
    return data


def _decoded(source: str) -> bytes:
    head = _DATA_URI.match(source)
    if head is None:
        raise Refused("InvalidImageURL.InvalidFormat", param="image")
    try:
        return base64.b64decode(source[head.end() :], validate=True)
    except ValueError:
        raise Refused("InvalidImageURL.InvalidFormat", param="image") from None


def _check_picture(data: bytes) -> None:
    if len(data) > _MOST_BYTES:
        raise invalid("image", f"an image must not exceed {_MOST_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            width, height = picture.size
            if width * height <= _MOST_PIXELS:
                picture.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise Refused("InvalidImageURL.InvalidFormat", param="image") from None
    if width * height > _MOST_PIXELS:
        raise invalid("image", f"an image must not exceed {_MOST_PIXELS} pixels")
    if min(width, height) <= 14 or max(width, height) > _LONG * min(width, height):
        raise invalid("image", f"each side must exceed 14 pixels, and the aspect ratio must not exceed {_LONG}")
