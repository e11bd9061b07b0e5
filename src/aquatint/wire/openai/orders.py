"""Orders: the fields of an image request in OpenAI's spelling to plain values, strictly."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from aquatint.domain.errors import InvalidInput
from aquatint.domain.size import Size
from aquatint.wire import requests
from aquatint.wire.requests import InlineImage

ResponseFormat = Literal["url", "b64_json"]

_OUTPUT_FORMATS = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "webp": "webp"}
_QUALITIES = {name: name for name in ("low", "medium", "high", "xhigh", "max")} | {"standard": "medium", "hd": "high"}
_SIZE = re.compile(r"(\d{1,5})[x\u00d7](\d{1,5})")
_SIDES = range(16, 16_385)  # pixels; what a caller may name, the model's nearest is made
_IMAGE_FIELDS = ("image", "image[]", "images")
_REFUSED = {
    "mask": "no model here takes a mask; say in the prompt what is to change",
    "markup": "no model here takes one",
    "svg": "no model here writes SVG",
    "frame_count": "no model here makes moving pictures",
    "frame_duration_ms": "no model here makes moving pictures",
}
_WITHOUT_EFFECT = ("moderation", "style", "complexity", "input_fidelity", "output_compression")
_KNOWN = frozenset(
    {
        *("model", "prompt", "n", "size", "quality", "response_format", "output_format", "user", "safety_identifier"),
        *("background", "stream", "partial_images", "seed", "ratio", "resolution", "fallback"),
        *(*_IMAGE_FIELDS, *_REFUSED, *_WITHOUT_EFFECT),
    }
)
_canonical = msgspec.json.Encoder(order="sorted")


class Upload(msgspec.Struct, frozen=True):
    """One file of a form."""

    data: bytes
    media_type: str


class ImageOrder(msgspec.Struct, frozen=True):
    """What is wanted, types checked; whether the model can do it is not this room's question.

    `digest` is the same for every spelling of the same request. `shown` is how the references are echoed.
    """

    model: str
    prompt: str
    references: tuple[str | InlineImage, ...]
    shown: tuple[object, ...]
    size: Size | None  # None: what the model makes of it
    ratio: str | None
    resolution: str | None
    n: int
    seed: int | None
    fallback: bool
    options: dict[str, object]
    user_id: str | None
    response_format: ResponseFormat | None
    digest: bytes


def parse_json(body: bytes, max_inline: int, *, edit: bool) -> ImageOrder:
    """The order in a JSON body; inline images may hold up to `max_inline` bytes each. Raises InvalidInput."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)[:200]
        raise InvalidInput("", f"the body is not valid JSON ({why})") from None
    if not isinstance(fields, dict):
        raise InvalidInput("", "the body must be a JSON object")
    requests.check_depth("the body", fields, requests.MAX_DEPTH)
    images = _named_images(fields) if edit else []
    taken = [requests.reference(f"image[{at}]", item, max_inline) for at, item in enumerate(images)]
    return _order(fields, [reference for reference, _ in taken], [shown for _, shown in taken], edit=edit)


def parse_form(fields: Mapping[str, str], images: Sequence[Upload]) -> ImageOrder:
    """The order of an edit that came as a form. Raises InvalidInput."""
    for at, image in enumerate(images):
        if not image.data:
            raise InvalidInput(f"image[{at}]", "is empty")
    shown = [f"data:{_media_type(image)};base64,…({len(image.data)} bytes)" for image in images]
    return _order(dict(fields), [InlineImage(image.data) for image in images], shown, edit=True)


def echo(order: ImageOrder, model: str, ratio: str | None, resolution: str | None) -> bytes:
    """The JSON object that queries give back as the task's input, in the spelling of the task API."""
    fields: dict[str, object] = {"prompt": order.prompt}
    if order.shown:
        fields["imageUrls"] = list(order.shown)
    given = {"ratio": ratio, "resolution": resolution, "seed": order.seed, "fallback": order.fallback or None}
    fields |= {name: value for name, value in given.items() if value is not None}
    return requests.echo(model, {**fields, "n": order.n, **order.options})


def _order(
    fields: dict[str, Any], references: Sequence[str | InlineImage], shown: Sequence[object], *, edit: bool
) -> ImageOrder:
    for name, why in _REFUSED.items():
        if fields.get(name) not in (None, ""):
            raise InvalidInput(name, why)
    if _is_on(fields, "stream"):
        raise InvalidInput(
            "stream", "pictures are not streamed here; leave it out, the answer comes when all are done"
        )
    if edit and not references:
        raise InvalidInput("image", "is required")
    if (_choice(fields, "background", ("auto", "opaque", "transparent")) or "auto") == "transparent":
        raise InvalidInput("background", "no model here makes transparent pictures")
    _choice(fields, "moderation", ("auto", "low"))
    return ImageOrder(
        model=_text(fields, "model", 200),
        prompt=_text(fields, "prompt", requests.MAX_PROMPT),
        references=tuple(references),
        shown=tuple(shown),
        size=_size(fields),
        ratio=requests.word(fields, "ratio"),
        resolution=requests.word(fields, "resolution"),
        n=requests.integer(fields, "n", 1, 10_000, 1) or 1,
        seed=requests.integer(fields, "seed", 0, requests.MAX_SEED, None),
        fallback=_is_on(fields, "fallback"),
        options=_options(fields),
        user_id=_user(fields),
        response_format=_response_format(fields),
        digest=_digest(fields, references, edit=edit),
    )


def _named_images(fields: Mapping[str, Any]) -> list[object]:
    """The images of a JSON edit: URLs, data URLs, or objects with an `image_url`."""
    name = next((field for field in _IMAGE_FIELDS if fields.get(field)), None)
    if name is None:
        return []
    items = fields[name] if isinstance(fields[name], list) else [fields[name]]
    return [_address(f"image[{at}]", item) for at, item in enumerate(items)]


def _address(path: str, item: object) -> object:
    if isinstance(item, dict):
        if item.get("file_id") is not None:
            raise InvalidInput(path, "files are not kept by id here; send the image, a URL or a data URL")
        item = item.get("image_url")
    if isinstance(item, dict):  # as chat messages spell it
        item = item.get("url")
    return item


def _options(fields: dict[str, Any]) -> dict[str, object]:
    """What an engine may read besides the fields that everybody reads; unknown fields are passed on, too."""
    options: dict[str, object] = {name: value for name, value in fields.items() if name not in _KNOWN}
    wanted = _choice(fields, "output_format", tuple(_OUTPUT_FORMATS))
    if wanted is not None:
        options["output_format"] = _OUTPUT_FORMATS[wanted]
    quality = _choice(fields, "quality", ("auto", *_QUALITIES))
    if quality in _QUALITIES:
        options["quality"] = _QUALITIES[quality]
    return options


def _response_format(fields: dict[str, Any]) -> ResponseFormat | None:
    wanted = _choice(fields, "response_format", ("url", "b64_json"))
    return "url" if wanted == "url" else "b64_json" if wanted == "b64_json" else None


def _user(fields: dict[str, Any]) -> str | None:
    """`safety_identifier` has taken the place of `user`."""
    for name in ("safety_identifier", "user"):
        value = fields.get(name)
        if value in (None, ""):
            continue
        if not isinstance(value, str):
            raise InvalidInput(name, "must be a text")
        if len(value) > requests.MAX_TEXT:
            raise InvalidInput(name, f"is longer than {requests.MAX_TEXT} characters")
        if "\0" in value:
            raise InvalidInput(name, "may not hold the character U+0000")
        return value
    return None


def _size(fields: dict[str, Any]) -> Size | None:
    value = fields.get("size")
    if value in (None, "", "auto"):
        return None
    match = _SIZE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match is None or not match[0].isascii() or int(match[1]) not in _SIDES or int(match[2]) not in _SIDES:
        raise InvalidInput("size", f"must be auto or a size such as 1024x1024, of {_SIDES[0]} to {_SIDES[-1]} pixels")
    return Size(int(match[1]), int(match[2]))


def _text(fields: dict[str, Any], name: str, longest: int) -> str:
    value = fields.get(name)
    if value is None:
        raise InvalidInput(name, "is required")
    if not isinstance(value, str):
        raise InvalidInput(name, "must be a text")
    if not value.strip():
        raise InvalidInput(name, "must not be empty")
    if len(value) > longest:
        raise InvalidInput(name, f"is longer than {longest} characters")
    return value


def _choice(fields: dict[str, Any], name: str, known: Sequence[str]) -> str | None:
    value = fields.get(name)
    if value in (None, ""):
        return None
    if not isinstance(value, str) or value not in known:
        raise InvalidInput(name, f"must be one of {', '.join(known)}")
    return value


def _is_on(fields: dict[str, Any], name: str) -> bool:
    """A switch, also as forms spell it."""
    value = fields.get(name)
    if value in (None, False, "", "false", "False"):
        return False
    if value in (True, "true", "True"):
        return True
    raise InvalidInput(name, "must be true or false")


def _media_type(image: Upload) -> str:
    known = ("image/png", "image/jpeg", "image/webp")
    return image.media_type if image.media_type in known else "application/octet-stream"


def _digest(fields: dict[str, Any], references: Sequence[str | InlineImage], *, edit: bool) -> bytes:
    seen = [
        reference if isinstance(reference, str) else {"sha256": hashlib.sha256(reference.data).hexdigest()}
        for reference in references
    ]
    plain = {name: value for name, value in fields.items() if name not in _IMAGE_FIELDS}
    try:
        whole = _canonical.encode({"edit": edit, "fields": plain, "images": seen})
    except (OverflowError, ValueError, RecursionError, msgspec.EncodeError):
        raise InvalidInput("", "the body holds a number or a text that is out of range") from None
    return hashlib.sha256(whole).digest()
