"""Whether a callback is Replicate's: Standard Webhooks with the secret that Replicate tells the key's owner."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Mapping

from aquatint.engines import words
from aquatint.engines.remote import AskAgain
from aquatint.net.provider import ProviderDoor

_TOLERANCE = 300.0  # seconds that Replicate's clock and ours may differ
_ASK_EVERY = 60.0  # seconds: forged callbacks must not make us ask more often
_ROUTE = "/v1/webhooks/default/secret"


class Signatures:
    """The signing secret, fetched once when it is first needed."""

    def __init__(self, door: ProviderDoor) -> None:
        self._door = door
        self._key: bytes | None = None
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def prediction_id(self, headers: Mapping[str, str], body: bytes, now: float) -> str | None:
        """The prediction that a true callback speaks of; None for any other. `now` in Unix seconds."""
        name, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not name or not (timestamp.isascii() and timestamp.isdecimal()) or len(timestamp) > 12:
            return None
        if abs(int(timestamp) - now) > _TOLERANCE:
            return None
        key = await self._secret(now)
        if key is None:
            return None
        signed = f"{name}.{timestamp}.".encode() + body
        expected = b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256"))
        given = headers.get("webhook-signature", "").split()
        if not any(hmac.compare_digest(expected, one.encode()) for one in given):
            return None
        try:
            spoken = json.loads(body)["id"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        return spoken if isinstance(spoken, str) and spoken else None

    async def _secret(self, now: float) -> bytes | None:
        if self._key is None:
            async with self._fetching:
                if self._key is None and now - self._tried_at >= _ASK_EVERY:
                    self._tried_at = now
                    self._key = await self._fetch()
        return self._key

    async def _fetch(self) -> bytes | None:
        try:
            async with words.asking():
                reply = await self._door.ask("GET", _ROUTE, seconds=10.0)
        except AskAgain:
            return None
        told = reply.json()
        secret = told.get("key") if reply.status == 200 and isinstance(told, dict) else None
        if not isinstance(secret, str):
            return None
        try:
            # An empty key would let everybody sign.
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True) or None
        except binascii.Error:
            return None
