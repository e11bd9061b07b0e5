"""Reference images: from what a caller has to URLs that the server takes."""

from __future__ import annotations

import base64
import io
import os
import re
import secrets
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import IO, Protocol, runtime_checkable

from aquatint_client._actions import Flow, work
from aquatint_client._core import Core, fetch
from aquatint_client.errors import ApiError, BadAnswer, BadImage, NotInStrictMode
from aquatint_client.values import UploadedFile

MAX_IMAGE = 64 << 20  # bytes that are read of one; servers take less
_URL = re.compile(r"(https?|data):", re.IGNORECASE)
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "png", "image/png"),
    (b"\xff\xd8\xff", "jpg", "image/jpeg"),
    (b"GIF8", "gif", "image/gif"),
    (b"BM", "bmp", "image/bmp"),
    (b"II*\0", "tiff", "image/tiff"),
    (b"MM\0*", "tiff", "image/tiff"),
)


@runtime_checkable
class PilImage(Protocol):
    """A picture of Pillow, or whatever can save itself as PNG to a file object as Pillow's can."""

    def save(self, fp: IO[bytes], format: str) -> None: ...  # noqa: A002  # Pillow's name


ImageSource = str | os.PathLike[str] | bytes | bytearray | PilImage


def sniff(head: bytes) -> tuple[str, str] | None:
    """Suffix and media type of a picture or a film by its first bytes, None when it is neither."""
    for magic, suffix, media_type in _MAGIC:
        if head.startswith(magic):
            return suffix, media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp", "image/webp"
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in (b"avif", b"avis"):
            return "avif", "image/avif"
        if brand in (b"heic", b"heix", b"mif1"):
            return "heic", "image/heic"
        return "mp4", "video/mp4"
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "webm", "video/webm"
    return None


def sources(images: ImageSource | Iterable[ImageSource]) -> tuple[ImageSource, ...]:
    """One picture or several, as several."""
    if isinstance(images, (str, bytes, bytearray, os.PathLike, PilImage)):  # a protocol is among them
        return (images,)
    return tuple(images)


def references(core: Core, images: tuple[ImageSource, ...]) -> Flow[list[str]]:
    """A URL for each image, in order. Uploads what is here. Raises BadImage, NotInStrictMode, ApiError."""
    urls: list[str] = []
    for number, image in enumerate(images, 1):
        if isinstance(image, str) and _URL.match(image):
            urls.append(image)
            continue
        if core.strict and core.local_images != "inline":
            raise NotInStrictMode(
                f"image {number} is on this machine, and the documented MaxAPI takes references by URL only: put it"
                " where the server can fetch it and give that URL, or make the client with local_images='inline' if"
                " the server takes data URLs (Aquatint does)"
            )
        data = yield from work(partial(load, image))
        if core.local_images == "inline":
            urls.append(data_url(data))
        else:
            urls.append((yield from upload(core, data)).url)
    return urls


def load(image: ImageSource) -> bytes:
    """The bytes of an image that is here. Raises BadImage."""
    match image:
        case bytes() | bytearray():
            data = bytes(image)
        case str() | os.PathLike():
            data = _file(Path(image))
        case PilImage():
            data = _rendered(image)
        case _:
            raise BadImage(f"{type(image).__name__} is no image: give a path, bytes, a URL or a picture of Pillow")
    if not data:
        raise BadImage("an image without a byte")
    if sniff(data[:32]) is None:
        name = f"{os.fspath(image)}" if isinstance(image, str | os.PathLike) else "the given bytes"
        raise BadImage(f"{name}: that is no picture")
    return data


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_IMAGE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadImage(f"{path} cannot be read: {reason}") from None
    if len(data) > MAX_IMAGE:
        raise BadImage(f"{path} is larger than {MAX_IMAGE} bytes")
    return data


def _rendered(image: PilImage) -> bytes:
    buffer = io.BytesIO()
    try:
        image.save(buffer, format="PNG")
    except (OSError, ValueError) as error:
        raise BadImage(f"the picture cannot be saved as PNG: {error}") from None
    return buffer.getvalue()


def data_url(data: bytes) -> str:
    found = sniff(data[:32])
    media_type = found[1] if found else "application/octet-stream"
    return f"data:{media_type};base64,{base64.b64encode(data).decode('ascii')}"


def loaded_and_uploaded(core: Core, image: ImageSource) -> Flow[UploadedFile]:
    """Read an image that is here, and give it to the server."""
    return (yield from upload(core, (yield from work(lambda: load(image)))))


def upload(core: Core, data: bytes) -> Flow[UploadedFile]:
    """Give the server a reference image. Safe to repeat: it costs nothing."""
    core.extension("upload files", "put it where the server can fetch it, and give the URL")
    suffix, media_type = sniff(data[:32]) or ("bin", "application/octet-stream")
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="image.{suffix}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n"
    )
    body = head.encode() + data + f"\r\n--{boundary}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    try:
        file = UploadedFile.of(
            (yield from fetch(core, core.request("POST", "/api/v1/files", body=body, headers=headers)))
        )
    except ApiError as error:
        if error.code in (404, 405):
            raise NotInStrictMode(
                f"{core.url} takes no uploads; is it an Aquatint? For others make the client with strict=True, and"
                " give references by URL"
            ) from error
        raise
    if not file.url:
        raise BadAnswer(200, "the upload was answered without a URL")
    return file
