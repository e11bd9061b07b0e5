"""Bodies: JSON or a form with files, read with bounds, to an order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from aquatint.api import bodies
from aquatint.domain.errors import InvalidInput, TooLarge
from aquatint.wire.openai import orders

BIG = 256 * 1024  # bytes of a body that is parsed in a thread
PIECE = 256 * 1024  # bytes of a form that are parsed at once
MOST_FILES = 32
MOST_FIELDS = 64
FIELD_BYTES = 256 * 1024
_FILES = ("image", "image[]")


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bytes of a whole body, and of one image in it."""

    body: int
    image: int


async def read(request: Request, limits: BodyLimits, *, edit: bool) -> orders.ImageOrder:
    """The order. Raises InvalidInput, TooLarge."""
    form = edit and request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    body = await bodies.read(request, limits.body)
    if form:
        return await _form(request, body, limits.image)
    if len(body) > BIG:
        return await asyncio.to_thread(orders.parse_json, body, limits.image, edit=edit)
    return orders.parse_json(body, limits.image, edit=edit)


async def _form(request: Request, body: bytes, most: int) -> orders.ImageOrder:
    async def pieces() -> AsyncGenerator[bytes, None]:
        for at in range(0, len(body), PIECE):
            yield body[at : at + PIECE]
            await asyncio.sleep(0)  # others get their turn between two pieces

    parser = MultiPartParser(
        request.headers, pieces(), max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise InvalidInput("", f"the form cannot be read ({getattr(error, 'message', error)})") from None
    fields: dict[str, str] = {}
    images: list[orders.Upload] = []
    try:
        for name, value in form.multi_items():
            if isinstance(value, str):
                if name in _FILES:
                    raise InvalidInput("image", "must be a file; URLs go into a JSON body")
                fields[name] = value
            elif name in _FILES:
                images.append(await _upload(f"image[{len(images)}]", value, most))
            else:
                fields[name] = "(file)"  # a mask, say: the order knows what becomes of it
    finally:
        await form.close()
    return await asyncio.to_thread(orders.parse_form, fields, images)


async def _upload(path: str, file: UploadFile, most: int) -> orders.Upload:
    data = await file.read()
    if len(data) > most:
        raise TooLarge(f"{path}: holds more than {most} bytes")
    return orders.Upload(data, (file.content_type or "").lower())
