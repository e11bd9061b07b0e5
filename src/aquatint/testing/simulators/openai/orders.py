"""What a request asks for, checked field by field as OpenAI does for each model."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aquatint.testing.simulators.openai.refusals import Refusal

# What each model is: its generation, from which sizes, qualities and further fields follow.
GENERATIONS = {
    "gpt-image-1-mini": 1.0,
    "gpt-image-1.5": 1.5,
    "chatgpt-image-latest": 1.5,
    "gpt-image-2": 2.0,
    "gpt-image-2-2026-04-21": 2.0,
    "gpt-image-2.5-sunburst": 2.5,
    "gpt-image-2.5-sunburst-2026-09-08": 2.5,
    "gpt-image-2.5-flare": 2.5,
    "gpt-image-2.5-flare-2026-09-08": 2.5,
    "gpt-image-2.6-sunburst": 2.6,
    "gpt-image-2.6-flare": 2.6,
}
_RETIRED = ("gpt-image-1", "dall-e-2", "dall-e-3")
_FIELDS = frozenset(
    (
        "prompt",
        "model",
        "n",
        "size",
        "quality",
        "background",
        "output_format",
        "output_compression",
        "moderation",
        "stream",
        "partial_images",
        "safety_identifier",
        "user",
    )
)
_NEWER_FIELDS = frozenset(("complexity",))  # of 2.5 and later, as are these
_NEWER_QUALITIES = ("xhigh", "max")
_OLD_SIZES = ("1024x1024", "1024x1536", "1536x1024")


@dataclass(frozen=True, slots=True)
class Order:
    """A request that OpenAI would take."""

    edit: bool
    model: str
    prompt: str
    count: int
    width: int
    height: int
    quality: str
    background: str
    form: str
    partial_images: int | None  # None: no stream
    pictures: tuple[bytes, ...]
    seen: dict[str, Any]
    identifier: str | None


def order_of(
    fields: Mapping[str, Any],
    pictures: tuple[bytes, ...],
    seen: dict[str, Any],
    first: tuple[int, int] = (1024, 1024),
) -> Order:
    """Check every field as OpenAI does. `first` is the size of the first picture."""
    given = {name: value for name, value in fields.items() if value is not None}
    model = _model(given)
    generation = GENERATIONS[model]
    _check_names(given, model, bool(pictures))
    form, background = _output(given)
    newer = _NEWER_QUALITIES if generation >= 2.5 else ()
    quality = _choice(given, "quality", ("auto", "low", "medium", "high", *newer))
    _choice(given, "moderation", ("auto", "low"))
    _choice(given, "complexity", ("medium", "low", "high"))
    partial_images = _stream(given)
    count = _integer(given, "n", 1, 1, 10)
    width, height = _size(str(given.get("size", "auto")), generation, first)
    identifier = given.get("safety_identifier") or given.get("user")
    return Order(
        edit=bool(pictures),
        model=model,
        prompt=_prompt(given),
        count=count if partial_images is None else 1,
        width=width,
        height=height,
        quality="medium" if quality == "auto" else quality,
        background="opaque" if background == "auto" else background,
        form=form,
        partial_images=partial_images,
        pictures=pictures,
        seen=seen,
        identifier=str(identifier) if identifier else None,
    )


def _check_names(given: Mapping[str, Any], model: str, edit: bool) -> None:
    """Refuse the fields that this model does not have."""
    generation = GENERATIONS[model]
    legal = _FIELDS | (_NEWER_FIELDS if generation >= 2.5 else set()) | ({"input_fidelity"} if edit else set())
    for name in given:
        if name not in legal:
            raise Refusal(400, f"Unknown parameter: '{name}'.", "unknown_parameter", param=name)
    fidelities = {1.0: ("low",), 1.5: ("high", "low")}.get(generation, ())
    if "input_fidelity" in given and given["input_fidelity"] not in fidelities:
        problem = f"The model '{model}' does not support this 'input_fidelity'."
        raise Refusal(400, problem, "invalid_input_fidelity_model", param="input_fidelity")


def _output(given: Mapping[str, Any]) -> tuple[str, str]:
    """File format and background. GIF and SVG are previews that this account has not."""
    form = _choice(given, "output_format", ("png", "jpeg", "webp"))
    background = _choice(given, "background", ("auto", "transparent", "opaque"))
    if background == "transparent" and form == "jpeg":
        raise Refusal(400, "Transparent backgrounds need png or webp.", "invalid_value", param="background")
    if _integer(given, "output_compression", 100, 0, 100) != 100 and form == "png":
        raise Refusal(400, "PNG has no compression level.", "invalid_value", param="output_compression")
    return form, background


def _stream(given: Mapping[str, Any]) -> int | None:
    """How many pictures on the way are streamed; None for no stream."""
    stream = given.get("stream", False)
    if not isinstance(stream, bool):
        raise Refusal(400, "Invalid type for 'stream': expected a boolean.", "invalid_type", param="stream")
    partial_images = _integer(given, "partial_images", 0, 0, 3)
    if partial_images and not stream:
        raise Refusal(400, "'partial_images' needs 'stream'.", "invalid_value", param="partial_images")
    return partial_images if stream else None


def _model(given: Mapping[str, Any]) -> str:
    if "model" not in given:
        raise Refusal(400, "Missing required parameter: 'model'.", "missing_required_parameter", param="model")
    model = str(given["model"])
    if model in _RETIRED:
        raise Refusal(404, f"The model `{model}` has been deprecated.", "model_not_found", param="model")
    if model not in GENERATIONS:
        problem = f"The model `{model}` does not exist or you do not have access to it."
        raise Refusal(404, problem, "model_not_found", param="model")
    return model


def _prompt(given: Mapping[str, Any]) -> str:
    prompt = given.get("prompt")
    if prompt is None or prompt == "":
        raise Refusal(400, "Missing required parameter: 'prompt'.", "missing_required_parameter", param="prompt")
    if not isinstance(prompt, str):
        raise Refusal(400, "Invalid type for 'prompt': expected a string.", "invalid_type", param="prompt")
    if len(prompt) > 32_000:
        problem = f"string too long. Expected a string with maximum length 32000, but got length {len(prompt)}"
        raise Refusal(400, f"Invalid 'prompt': {problem} instead.", "string_above_max_length", param="prompt")
    return prompt


def _choice(given: Mapping[str, Any], name: str, legal: Sequence[str]) -> str:
    """The value of a field; the first legal one where it is absent."""
    value = given.get(name, legal[0])
    if value not in legal:
        listed = ", ".join(f"'{word}'" for word in legal)
        raise Refusal(400, f"Invalid value: '{value}'. Supported values are: {listed}.", "invalid_value", param=name)
    return str(value)


def _integer(given: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(400, f"Invalid type for '{name}': expected an integer.", "invalid_type", param=name)
    if not least <= value <= most:
        end, sign, bound = ("above_max", "<=", most) if value > most else ("below_min", ">=", least)
        problem = f"Invalid '{name}': expected a value {sign} {bound}, but got {value} instead."
        raise Refusal(400, problem, f"integer_{end}_value", param=name)
    return value


def _size(size: str, generation: float, first: tuple[int, int]) -> tuple[int, int]:
    if size == "auto":
        return _own_size(generation, first)
    if generation < 2.0 and size not in _OLD_SIZES:
        listed = ", ".join(f"'{legal}'" for legal in (*_OLD_SIZES, "auto"))
        raise Refusal(400, f"Invalid value: '{size}'. Supported values are: {listed}.", "invalid_value", param="size")
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise Refusal(400, f"Invalid size '{size}'. Expected WIDTHxHEIGHT or 'auto'.", "invalid_value", param="size")
    longer, shorter = max(int(width), int(height)), min(int(width), int(height))
    problem = ""
    if longer % 16 or shorter % 16:
        problem = "Width and height must both be divisible by 16."
    elif longer > 3840:
        problem = "The longest edge must be at most 3840 pixels."
    elif longer > 3 * shorter:
        problem = "The aspect ratio must be between 1:3 and 3:1."
    elif not 655_360 <= longer * shorter <= 8_294_400:
        problem = "The total number of pixels must be between 655360 and 8294400."
    if problem:
        raise Refusal(400, f"Invalid size '{size}'. {problem}", "invalid_value", param="size")
    return int(width), int(height)


def _own_size(generation: float, picture: tuple[int, int]) -> tuple[int, int]:
    """What `auto` comes to: about a megapixel, shaped like the picture."""
    ratio = min(max(picture[0] / picture[1], 1 / 3), 3.0)
    if generation < 2.0:
        return (1024, 1024) if 0.8 <= ratio <= 1.25 else (1536, 1024) if ratio > 1 else (1024, 1536)
    return 16 * round(64 * math.sqrt(ratio)), 16 * round(64 / math.sqrt(ratio))
