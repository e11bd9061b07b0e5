"""Signatures of callbacks (https://www.standardwebhooks.com, version 1), as this side of them needs it."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping

PREFIX = "whsec_"
SHORTEST = 16  # bytes of a secret
TOLERANCE = 300.0  # seconds that a callback may be old, or ahead of our clock


def read_secret(secret: str) -> bytes:
    """The bytes of a secret; empty for an empty one. Raises ValueError in plain words."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"must be {PREFIX} followed by base64") from None
    if secret.strip() and len(key) < SHORTEST:
        raise ValueError(f"must hold at least {SHORTEST} bytes")
    return key


def holds(headers: Mapping[str, str], body: bytes, key: bytes, now: float) -> bool:
    """Whether one of the signatures is true and fresh. Header names are lower-case."""
    letter, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not letter or not (stamp.isascii() and stamp.isdecimal()) or abs(int(stamp[:16]) - now) > TOLERANCE:
        return False
    true = hmac.digest(key, f"{letter}.{stamp}.".encode() + body, "sha256")
    expected = b"v1," + base64.b64encode(true)
    return any(hmac.compare_digest(expected, one.encode()) for one in headers.get("webhook-signature", "").split(" "))
