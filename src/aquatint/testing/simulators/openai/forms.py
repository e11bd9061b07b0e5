"""Bodies of requests: JSON, and the two forms of an edit, with the pictures they carry."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from PIL import Image

from aquatint.testing.simulators.openai.orders import GENERATIONS
from aquatint.testing.simulators.openai.refusals import Refusal

_MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")
_MOST_PICTURES = 16
_PICTURE_BYTES = 50_000_000
_MASK_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit as it came: its fields without the files, its pictures, and what a record of the call should say."""

    fields: dict[str, Any]
    pictures: tuple[bytes, ...]
    first: tuple[int, int]  # width and height of the first picture
    seen: dict[str, Any]


async def json_body(request: web.Request) -> dict[str, Any]:
    """The JSON object of a request."""
    if request.content_type != "application/json":
        raise Refusal(400, f"Unsupported content type: '{request.content_type}'.", "unsupported_content_type")
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(400, "We could not parse the JSON body of your request.")
    return body


async def multipart_edit(request: web.Request) -> Edit:
    """An edit as SDKs send it: one file as `image`, several as `image[]`, everything else as text."""
    try:
        posted = await request.post()
    except ValueError as error:
        raise Refusal(400, "Could not parse multipart form.") from error
    fields: dict[str, Any] = {}
    files: dict[str, list[bytes]] = {"image": [], "mask": [], "markup": []}
    seen: dict[str, Any] = {}
    for name, value in posted.items():
        plain = name.removesuffix("[]")
        if plain in files and isinstance(value, web.FileField):
            if value.content_type not in _MEDIA_TYPES:
                problem = f"unsupported mimetype ('{value.content_type}')"
                raise Refusal(400, f"Invalid file '{plain}': {problem}.", "unsupported_image_media_type", param=plain)
            files[plain].append(value.file.read())
            seen.setdefault(name, []).append(f"{value.filename} {value.content_type}, {len(files[plain][-1])} bytes")
        elif plain in files or isinstance(value, web.FileField):
            raise Refusal(400, f"Invalid type for '{plain}'.", "invalid_type", param=plain)
        else:
            fields[name] = seen[name] = value
    for name in ("n", "output_compression", "partial_images"):
        if name in fields and str(fields[name]).lstrip("-").isdigit():
            fields[name] = int(fields[name])
    if fields.get("stream") in ("true", "false"):
        fields["stream"] = fields["stream"] == "true"
    return await asyncio.to_thread(_edit, fields, files, seen)


async def json_edit(request: web.Request) -> Edit:
    """An edit as JSON. URLs other than data URLs are not fetched: here they cannot be reached."""
    body = await json_body(request)
    fields = {name: value for name, value in body.items() if name not in ("images", "mask")}
    images = body.get("images")
    if not isinstance(images, list):
        raise Refusal(400, "Missing required parameter: 'images'.", "missing_required_parameter", param="images")
    mask = [_data_url(body["mask"], "mask")] if body.get("mask") is not None else []
    files = {"image": [_data_url(image, "images") for image in images], "mask": mask, "markup": []}
    return await asyncio.to_thread(_edit, fields, files, body)


def _edit(fields: dict[str, Any], files: Mapping[str, Sequence[bytes]], seen: dict[str, Any]) -> Edit:
    _check_counts(files, str(fields.get("model")))
    if any(len(picture) >= _PICTURE_BYTES for picture in files["image"]):
        raise Refusal(400, "Invalid file 'image': must be less than 50MB.", "image_too_large", param="image")
    first, *_ = [_opened(picture, "image") for picture in files["image"]]
    for mask in files["mask"]:
        _check_mask(mask, first.size)
    return Edit(fields, tuple(files["image"]), first.size, seen)


def _check_counts(files: Mapping[str, Sequence[bytes]], model: str) -> None:
    got = len(files["image"])
    if not got:
        raise Refusal(400, "Missing required parameter: 'image'.", "missing_required_parameter", param="image")
    if got > _MOST_PICTURES:
        problem = f"array too long. Expected an array with maximum length {_MOST_PICTURES}, but got length {got}"
        raise Refusal(400, f"Invalid 'image': {problem} instead.", "array_above_max_length", param="image")
    if len(files["mask"]) > 1:
        raise Refusal(400, "Duplicate parameter: 'mask'.", "invalid_value", param="mask")
    if files["markup"] and (files["mask"] or GENERATIONS.get(model, 0.0) < 2.5):
        problem = "not together with a mask, and not for this model"
        raise Refusal(400, f"Invalid 'markup': {problem}.", "invalid_value", param="markup")


def _data_url(reference: Any, param: str) -> bytes:
    given = reference if isinstance(reference, dict) else {}
    if set(given) == {"file_id"}:
        raise Refusal(400, f"No such File object: {given['file_id']}.", "invalid_value", param=param)
    if set(given) != {"image_url"}:
        raise Refusal(400, f"Invalid '{param}': one of image_url and file_id.", "invalid_value", param=param)
    head, _, data = str(given["image_url"]).partition(",")
    if not head.startswith("data:"):
        raise Refusal(400, "Failed to download image.", "failed_to_download_image", param=param)
    if head.removeprefix("data:").removesuffix(";base64") not in _MEDIA_TYPES:
        raise Refusal(400, "Unsupported image type.", "unsupported_image_media_type", param=param)
    try:
        return base64.b64decode(data, validate=True)
    except ValueError as error:
        raise Refusal(400, "Invalid base64 image.", "image_parse_error", param=param) from error


def _check_mask(mask: bytes, size: tuple[int, int]) -> None:
    image = _opened(mask, "mask")
    problem = ""
    if len(mask) >= _MASK_BYTES:
        problem = "must be less than 4MB"
    elif image.format != "PNG" or "A" not in image.getbands():
        problem = "must be a PNG with an alpha channel"
    elif image.size != size:
        problem = "must have the same dimensions as the image"
    if problem:
        raise Refusal(400, f"Invalid file 'mask': {problem}.", "invalid_image", param="mask")


def _opened(picture: bytes, param: str) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(picture), formats=("PNG", "JPEG", "WEBP"))
        image.verify()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise Refusal(400, f"Invalid file '{param}': not a valid image.", "image_parse_error", param=param) from error
    return image
