"""Reference images as the server sees them: limits in, a clean image or a plain refusal out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:  # workers import this module and need no event loop
    from aquatint.sandbox.pool import Sandbox

INTAKE = "aquatint.sandbox.intake:clean"
INTAKE_MODULE = "aquatint.sandbox.intake"  # for `Sandbox(warm=...)`


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """What a reference image may be. Defaults are the Seedream contract's.

    `extra_formats` turns on TIFF, AVIF and HEIF (Pillow's names); JPEG, PNG, WebP, BMP and GIF are always
    read.
    """

    max_bytes: int = 20 << 20
    max_pixels: int = 36_000_000
    min_side: int = 15  # pixels
    max_aspect: float = 16.0  # longer side by shorter side
    max_scans: int = 64
    extra_formats: tuple[str, ...] = ()
    wall_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class CleanImage:
    """A checked picture: 8-bit sRGB without alpha, upright, no metadata. Sizes in pixels."""

    data: bytes
    media_type: str  # image/jpeg, image/png or image/webp
    width: int
    height: int


class IntakeRequest(msgspec.Struct, frozen=True):
    """What travels to the worker."""

    data: bytes
    limits: IntakeLimits


async def clean_image(sandbox: Sandbox, data: bytes, limits: IntakeLimits | None = None) -> CleanImage:
    """Check and clean one untrusted image in a worker.

    Raises SandboxRefused with a plain sentence for the caller, or SandboxCrashed and SandboxTimedOut when the
    image got past the checks and hit the worker's limits; callers treat those as an unreadable image, too.
    """
    limits = limits or IntakeLimits()
    request = msgspec.msgpack.encode(IntakeRequest(data, limits))
    reply = await sandbox.run(INTAKE, request, wall_limit=limits.wall_seconds)
    return msgspec.msgpack.decode(reply, type=CleanImage)
