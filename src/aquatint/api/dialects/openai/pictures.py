"""Pictures: a success as OpenAI's clients read it, with URLs, or with the bytes as they are read."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator

from starlette.responses import Response, StreamingResponse

from aquatint.domain.task import ResultImage, Task
from aquatint.services.pictures import PictureService
from aquatint.wire.answers import UrlOf
from aquatint.wire.openai import answers

BIG = 256 * 1024  # bytes that are encoded in a thread

Frame = tuple[ResultImage, bytes, bytes]  # a picture, and what stands before and after its base64 text


async def success(
    task: Task, pictures: PictureService, url_of: UrlOf, *, urls: bool, whole: bool, headers: dict[str, str]
) -> Response:
    """The answer with `urls`, with the `whole` pictures in base64, or with both. Raises Gone."""
    images = task.result.images if task.result is not None else ()
    head, parts, tail = answers.pictures(task, images, url_of if urls else None)
    if not whole:
        return Response(head + b",".join(parts) + tail, 200, headers, media_type="application/json")
    frames = [(image, *answers.opened(part)) for image, part in zip(images, parts, strict=True)]
    length = len(head) + sum(map(_length, frames)) + len(frames) - 1 + len(tail)
    first = await pictures(images[0])  # what is gone is said before the answer begins

    async def pieces() -> AsyncGenerator[bytes, None]:
        """One picture at a time, so that an answer costs no more memory than that."""
        yield head
        for number, (image, before, after) in enumerate(frames):
            data = await pictures(image) if number else first
            text = await asyncio.to_thread(base64.b64encode, data) if len(data) > BIG else base64.b64encode(data)
            yield b"".join((b"," if number else b"", before, text, after))
        yield tail

    headers = {**headers, "content-length": str(length)}
    return StreamingResponse(pieces(), 200, headers, media_type="application/json")


def _length(frame: Frame) -> int:
    image, before, after = frame
    return len(before) + (image.bytes + 2) // 3 * 4 + len(after)
