"""Whether a callback is fal's: its Ed25519 signature against the keys that fal publishes.

Source: fal.ai's page on webhooks. The signed text is request id, user id, timestamp and the body's SHA-256 in hex,
one a line.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from aquatint.engines import words
from aquatint.engines.remote import AskAgain
from aquatint.net.provider import ProviderDoor

_TOLERANCE = 300.0  # seconds that fal's clock and ours may differ
_KEYS_LIVE = 24 * 3600.0  # seconds
_FETCH_EVERY = 60.0  # seconds: forged callbacks must not make us ask fal more often
_MOST_KEYS = 16
_PREFIX = "x-fal-webhook-"


class Signatures:
    """The published keys, fetched when they are first needed and again when a signature fits none of them."""

    def __init__(self, jwks_url: str, *, connect_seconds: float) -> None:
        # A door of its own: the keys are public and lie on another host, which must not see our key.
        self._door = ProviderDoor(jwks_url, {}, connect_seconds=connect_seconds)
        self._url = jwks_url
        self._keys: tuple[Ed25519PublicKey, ...] = ()
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def open(self) -> None:
        await self._door.open()

    async def close(self) -> None:
        await self._door.close()

    async def request_id(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """The request that a true callback speaks of; None for any other. `now` in Unix seconds."""
        found = _signed(headers, body, now)
        if found is None or not await self._fits(*found, now):
            return None
        try:
            spoken = json.loads(body)["request_id"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return spoken if isinstance(spoken, str) and spoken else None

    async def _fits(self, text: bytes, signature: bytes, now: float) -> bool:
        if now - self._fetched_at > _KEYS_LIVE:
            self._keys = ()
        if any(_verifies(key, text, signature) for key in self._keys):
            return True
        known = self._keys
        async with self._fetching:
            if now - self._tried_at >= _FETCH_EVERY:
                self._tried_at = now
                await self._fetch(now)
        return self._keys is not known and any(_verifies(key, text, signature) for key in self._keys)

    async def _fetch(self, now: float) -> None:
        try:
            async with words.asking():
                reply = await self._door.ask("GET", self._url, seconds=10.0, max_bytes=1 << 20)
        except AskAgain:
            return
        keys = _keys_of(reply.json()) if reply.status == 200 else ()
        if keys:
            self._keys, self._fetched_at = keys, now


def _signed(headers: Mapping[str, str], body: bytes, now: float) -> tuple[bytes, bytes] | None:
    """The signed text and its signature, when the headers are whole and fresh."""
    request, user, timestamp, signature = (
        headers.get(_PREFIX + name, "") for name in ("request-id", "user-id", "timestamp", "signature")
    )
    if not (request and timestamp.isascii() and timestamp.isdecimal()) or len(timestamp) > 12:
        return None
    if abs(int(timestamp) - now) > _TOLERANCE:
        return None
    try:
        raw = bytes.fromhex(signature)
    except ValueError:
        return None
    return "\n".join((request, user, timestamp, hashlib.sha256(body).hexdigest())).encode(), raw


def _verifies(key: Ed25519PublicKey, text: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def _keys_of(document: object) -> tuple[Ed25519PublicKey, ...]:
    entries = document.get("keys") if isinstance(document, dict) else None
    found = []
    for entry in entries[:_MOST_KEYS] if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or (entry.get("kty"), entry.get("crv")) != ("OKP", "Ed25519"):
            continue
        try:
            text = str(entry["x"])
            found.append(Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
        except (KeyError, ValueError, binascii.Error):
            continue  # a key that we cannot read verifies nothing
    return tuple(found)
