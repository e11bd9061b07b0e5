"""Small pictures for grids, as the server sees them. The work is in `shrink`, which only workers load."""

from __future__ import annotations

import msgspec

MEDIA_TYPE = "image/webp"
SHRINK = "aquatint.sandbox.shrink:shrink"
SECONDS = 30.0


class ThumbRequest(msgspec.Struct, frozen=True):
    """What travels to the worker; `width` in pixels."""

    data: bytes
    width: int
