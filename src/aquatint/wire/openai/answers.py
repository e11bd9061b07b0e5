"""Answers: pictures, models and errors as OpenAI's clients read them."""

from __future__ import annotations

import msgspec

from aquatint.domain.task import ResultImage, Task
from aquatint.wire.answers import UrlOf

_encoder = msgspec.json.Encoder()


class OpenAIFault(msgspec.Struct, frozen=True):
    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(msgspec.Struct, frozen=True):
    error: OpenAIFault


class OpenAIModel(msgspec.Struct, frozen=True):
    """A model by a name that image requests take; `owned_by` is the engine that serves it here."""

    id: str
    object: str
    created: int
    owned_by: str


class OpenAIModelList(msgspec.Struct, frozen=True):
    object: str
    data: list[OpenAIModel]


class OpenAIImage(msgspec.Struct, frozen=True, omit_defaults=True):
    b64_json: str | None = None
    url: str | None = None


class OpenAITaskNotes(msgspec.Struct, frozen=True):
    """What Aquatint knows besides."""

    task_id: str
    engine: str | None
    warnings: list[str]


class OpenAIImages(msgspec.Struct, frozen=True):
    """The pictures, in order."""

    created: int
    data: list[OpenAIImage]
    background: str
    output_format: str
    size: str
    aquatint: OpenAITaskNotes


class OpenAIWaiting(msgspec.Struct, frozen=True):
    """A task that has not ended yet, for whoever did not want to wait."""

    id: str
    object: str
    status: str
    created: int


def error(message: str, kind: str, param: str | None, code: str | None) -> bytes:
    return _encoder.encode(OpenAIError(OpenAIFault(message, kind, param, code)))


def model(name: str, owner: str) -> OpenAIModel:
    return OpenAIModel(name, "model", 0, owner)


def models(listed: list[OpenAIModel]) -> bytes:
    return _encoder.encode(OpenAIModelList("list", listed))


def one_model(found: OpenAIModel) -> bytes:
    return _encoder.encode(found)


def waiting(task: Task) -> bytes:
    return _encoder.encode(OpenAIWaiting(task.id, "image.task", str(task.status), task.created_at // 1_000_000))


def pictures(task: Task, images: tuple[ResultImage, ...], url_of: UrlOf | None) -> tuple[bytes, list[bytes], bytes]:
    """A success in parts: its head, an object for each picture, to be joined by commas, and its tail.

    The objects hold URLs, or nothing without `url_of`; `opened` makes room in them for the picture itself.
    """
    notes = OpenAITaskNotes(task.id, task.engine, list(task.warnings))
    first = images[0]
    whole = OpenAIImages(
        created=task.updated_at // 1_000_000,
        data=[],
        background="opaque",
        output_format=first.media_type.removeprefix("image/"),
        size=f"{first.width}x{first.height}",
        aquatint=notes,
    )
    head, separator, tail = _encoder.encode(whole).partition(b'"data":[')
    parts = [_encoder.encode(OpenAIImage(url=url_of(image) if url_of is not None else None)) for image in images]
    return head + separator, parts, tail


def opened(part: bytes) -> tuple[bytes, bytes]:
    """What stands before and after the base64 text of a picture whose part this is."""
    rest = part[1:]
    return b'{"b64_json":"', b'"' + (rest if rest == b"}" else b"," + rest)
