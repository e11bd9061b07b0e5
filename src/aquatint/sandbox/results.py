"""Results of providers as the server sees them: checked, and made the size or format that was promised.

A result is as untrusted as a reference: it is decoded in a worker before anybody is told that it is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # workers import this module and need no event loop
    from aquatint.sandbox.pool import Sandbox

_CHECK = "aquatint.sandbox.refit:check"
_FIT = "aquatint.sandbox.refit:fit"
_WALL_SECONDS = 60.0


class ResultWish(msgspec.Struct, frozen=True):
    """What the result must become. None leaves it as the provider made it, metadata and credentials included."""

    shrink_to: tuple[int, int] | None = None  # width and height; only a larger picture is touched
    media_type: str | None = None
    max_pixels: int = 80_000_000


class CheckedImage(msgspec.Struct, frozen=True):
    """A picture that was decoded whole. Sizes in pixels."""

    data: bytes
    media_type: str  # image/jpeg, image/png or image/webp
    width: int
    height: int


class ReferenceBox(msgspec.Struct, frozen=True):
    """What a provider takes as a reference. Sides in pixels; `max_aspect` is longer side by shorter side."""

    max_bytes: int
    media_types: tuple[str, ...]
    max_pixels: int
    min_side: int
    max_side: int
    max_aspect: float


class Work(msgspec.Struct, frozen=True):
    """What travels to the worker."""

    data: bytes
    wish: ResultWish | None = None
    box: ReferenceBox | None = None


async def check_result(sandbox: Sandbox, data: bytes, wish: ResultWish) -> CheckedImage:
    """Decode one result whole and make it what was promised.

    Raises SandboxRefused when it is no picture, or SandboxCrashed and SandboxTimedOut when it hit the limits.
    """
    reply = await sandbox.run(_CHECK, msgspec.msgpack.encode(Work(data, wish=wish)), wall_limit=_WALL_SECONDS)
    return msgspec.msgpack.decode(reply, type=CheckedImage)


async def fit_reference(sandbox: Sandbox, data: bytes, box: ReferenceBox) -> CheckedImage:
    """Write a clean reference anew so that a provider takes it. Raises SandboxRefused when it cannot be done."""
    reply = await sandbox.run(_FIT, msgspec.msgpack.encode(Work(data, box=box)), wall_limit=_WALL_SECONDS)
    return msgspec.msgpack.decode(reply, type=CheckedImage)
