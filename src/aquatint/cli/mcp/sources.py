"""Sources: reference images as a model names them, checked before anything of this machine is sent away."""

from __future__ import annotations

import base64
import binascii
import io
import os
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from PIL import Image, UnidentifiedImageError

MOST_BYTES = 20 << 20
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


class SourceRefused(Exception):
    """An image that may not be used, in words for the model."""


class Sources:
    """`folders` hold the files that may be sent; none: no file may."""

    def __init__(self, folders: tuple[Path, ...]) -> None:
        self._folders = folders

    def __call__(self, named: list[str]) -> list[str | bytes]:
        """URLs as they are, everything else as bytes. Raises SourceRefused."""
        return [self._one(text.strip()) for text in named]

    def _one(self, text: str) -> str | bytes:
        scheme = text[:8].lower()
        if scheme.startswith(("http://", "https://")):
            return text
        if scheme.startswith("data:"):
            return _inline(text)
        return self._file(text)

    def _file(self, text: str) -> bytes:
        if not self._folders:
            raise SourceRefused("files of this machine may not be read here; give a URL or a data URL")
        path = unquote(urlsplit(text).path) if text.lower().startswith("file://") else text
        try:
            real = Path(path).expanduser().resolve(strict=True)
        except (OSError, RuntimeError, ValueError):
            real = None
        # One answer for what is missing and what is outside, so that nobody learns what else is on this machine.
        if real is None or not any(real.is_relative_to(folder) for folder in self._folders):
            raise SourceRefused(f"there is no such file below {', '.join(map(str, self._folders))}")
        return _picture(_read(real))


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise SourceRefused(f"the file cannot be read ({error.strerror})") from None
    with open(descriptor, "rb") as file:  # noqa: PTH123  # an open descriptor, so that nobody exchanges the file
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise SourceRefused("this is no file")
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise SourceRefused(f"the file is larger than {MOST_BYTES >> 20} MB")
    return data


def _inline(text: str) -> bytes:
    head, comma, body = text.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise SourceRefused("a data URL must look like data:image/png;base64,…")
    if len(body) > MOST_BYTES * 4 // 3 + 4:
        raise SourceRefused(f"the data URL holds more than {MOST_BYTES >> 20} MB")
    try:
        return _picture(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError):
        raise SourceRefused("the data URL's base64 is broken") from None


def _picture(data: bytes) -> bytes:
    """Only pictures leave this machine."""
    try:
        Image.open(io.BytesIO(data), formats=FORMATS).close()  # reads no more than its head
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise SourceRefused(f"this is no picture in one of {', '.join(FORMATS)}") from None
    return data
