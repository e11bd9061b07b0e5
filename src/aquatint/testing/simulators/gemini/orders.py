"""What a request asks for: proto-JSON in both spellings, checked as Google does for each model."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from aquatint.testing.simulators.gemini.models import MODELS, Model, nearest, pixels
from aquatint.testing.simulators.gemini.refusals import Refusal, bad

_MOST_PICTURES = 14
_PICTURE_BYTES = 7 << 20
_MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")

# Every field that a message may have; a mapping is a message of its own, in a list when it repeats.
_PART: dict[str, Any] = {
    "text": None,
    "inlineData": {"mimeType": None, "data": None},
    "fileData": {"mimeType": None, "fileUri": None},
    "thought": None,
    "thoughtSignature": None,
    "mediaResolution": None,
}
_CONTENT: dict[str, Any] = {"role": None, "parts": [_PART]}
_REQUEST: dict[str, Any] = {
    "model": None,
    "contents": [_CONTENT],
    "systemInstruction": _CONTENT,
    "generationConfig": {
        "responseModalities": None,
        "imageConfig": {"aspectRatio": None, "imageSize": None},
        "thinkingConfig": {"thinkingLevel": None, "thinkingBudget": None, "includeThoughts": None},
        **dict.fromkeys(
            ("seed", "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences")
        ),
    },
    "safetySettings": [{"category": None, "threshold": None}],
    "tools": None,
    "toolConfig": None,
    "cachedContent": None,
}


@dataclass(frozen=True, slots=True)
class Order:
    """A request that Gemini would take."""

    name: str
    model: Model
    prompt: str
    pictures: tuple[bytes, ...]
    size: str
    width: int
    height: int
    seed: int | None
    wants_picture: bool


def order_of(name: str, version: str, body: object) -> Order:
    """Raises Refusal."""
    model = MODELS.get(name)
    if model is None or model.retired:
        problem = f"models/{name} is not found for API version {version}, or is not supported for generateContent."
        raise Refusal(404, "NOT_FOUND", problem)
    request = _message(body, _REQUEST, "")
    parts = [part for content in request.get("contents", []) for part in content.get("parts", [])]
    if not parts:
        raise bad("* GenerateContentRequest.contents: contents is not specified")
    if any(content.get("role", "user") not in ("user", "model") for content in request["contents"]):
        raise bad("Please use a valid role: user, model.")
    pictures = tuple(_picture(part) for part in parts if "inlineData" in part)
    if any("fileData" in part for part in parts):
        raise Refusal(403, "PERMISSION_DENIED", "You do not have permission to access the File or it may not exist.")
    if len(pictures) > _MOST_PICTURES:
        raise bad(f"The request has {len(pictures)} images; at most {_MOST_PICTURES} are supported.")
    config = request.get("generationConfig", {})
    if config.get("candidateCount", 1) != 1:
        raise bad("Multiple candidates is not enabled for this model")
    size, ratio = _shape(config.get("imageConfig", {}), model, pictures)
    width, height = pixels(ratio, size)
    return Order(
        name=name,
        model=model,
        prompt=" ".join(part["text"] for part in parts if isinstance(part.get("text"), str)),
        pictures=pictures,
        size=size,
        width=width,
        height=height,
        seed=_seed(config),
        wants_picture=_wants_picture(config),
    )


def _message(value: object, fields: Mapping[str, Any], path: str) -> dict[str, Any]:
    """The message in camel case, without nulls. proto-JSON takes both spellings, and nothing unknown."""
    if not isinstance(value, dict):
        raise bad(f"Invalid JSON payload received. Expected an object at '{path}'.")
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = re.sub(r"_([a-z])", lambda match: match[1].upper(), key)
        if name not in fields:
            raise bad(f"Invalid JSON payload received. Unknown name \"{key}\" at '{path}': Cannot find field.")
        kind = fields[name]
        where = f"{path}.{key}".lstrip(".")
        if item is None:
            continue
        if isinstance(kind, list):
            if not isinstance(item, list):
                raise bad(f"Invalid value at '{where}': expected a list.")
            found[name] = [_message(one, kind[0], f"{where}[{number}]") for number, one in enumerate(item)]
        elif isinstance(kind, dict):
            found[name] = _message(item, kind, where)
        else:
            found[name] = item
    return found


def _picture(part: Mapping[str, Any]) -> bytes:
    given = part["inlineData"]
    if given.get("mimeType") not in _MEDIA_TYPES:
        raise bad(f"Unsupported MIME type: {given.get('mimeType')}")
    try:
        data = base64.b64decode(str(given.get("data", "")), validate=True)
    except ValueError as error:
        raise bad("Invalid value at 'contents[0].parts[0].inline_data.data': Base64 decoding failed") from error
    if len(data) > _PICTURE_BYTES:
        raise bad("The image is larger than 7 MB.")
    _size_of(data)
    return data


def _size_of(data: bytes) -> tuple[int, int]:
    try:
        return Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")).size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise bad("Unable to process input image. Please retry or report.") from error


def _shape(config: Mapping[str, Any], model: Model, pictures: tuple[bytes, ...]) -> tuple[str, str]:
    """Size and ratio. Without a ratio the picture follows the first reference."""
    size = config.get("imageSize", "1K")
    if size not in model.sizes:
        raise bad(f"Invalid value at 'generation_config.image_config.image_size': \"{size}\".")
    ratio = config.get("aspectRatio") or (nearest(*_size_of(pictures[0]), model.ratios) if pictures else "1:1")
    if ratio not in model.ratios:
        raise bad(f"aspect_ratio must be one of {', '.join(model.ratios)}.")
    return size, ratio


def _seed(config: Mapping[str, Any]) -> int | None:
    seed = config.get("seed")
    if seed is not None and not (isinstance(seed, int) and -(1 << 31) <= seed < 1 << 31):
        raise bad("Invalid value at 'generation_config.seed' (TYPE_INT32)")
    return seed


def _wants_picture(config: Mapping[str, Any]) -> bool:
    wanted = config.get("responseModalities") or ["TEXT", "IMAGE"]
    if not isinstance(wanted, list) or not {str(word).upper() for word in wanted} <= {"TEXT", "IMAGE"}:
        raise bad("Invalid value at 'generation_config.response_modalities'")
    return "IMAGE" in {str(word).upper() for word in wanted}
