"""The fake's callbacks, signed with a key of its own. Source: fal.ai's page on webhooks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from aquatint.testing.simulators.faults import Faults

_USER = "sim-user"
_TRIES = 3  # fal: 10 in two hours
_WAIT = 1.0  # seconds between them
_PATIENCE = aiohttp.ClientTimeout(total=15.0)


class Callbacks:
    """Opened and closed inside the event loop."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._stranger = Ed25519PrivateKey.generate()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_PATIENCE)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def jwks(self) -> dict[str, Any]:
        """The document that publishes the key."""
        raw = self._key.public_key().public_bytes_raw()
        entry = {"kty": "OKP", "crv": "Ed25519", "kid": "sim", "use": "sig", "x": _base64url(raw)}
        return {"keys": [entry]}

    async def tell(self, url: str, request_id: str, letter: Mapping[str, Any], wrong: Faults) -> None:
        """Post the letter until it is answered with 2xx, as often as the faults want."""
        if self._session is None or wrong.silent:
            return
        body = json.dumps(letter).encode()
        for _ in range(2 if wrong.twice else 1):
            for _ in range(_TRIES):
                headers = {"Content-Type": "application/json", **self._signed(request_id, body, forged=wrong.forged)}
                try:
                    async with self._session.post(url, data=body, headers=headers) as answer:
                        if answer.ok:
                            break
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(_WAIT)

    def _signed(self, request_id: str, body: bytes, *, forged: bool) -> dict[str, str]:
        now = str(int(time.time()))
        text = "\n".join((request_id, _USER, now, hashlib.sha256(body).hexdigest()))
        key = self._stranger if forged else self._key
        return {
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": _USER,
            "X-Fal-Webhook-Timestamp": now,
            "X-Fal-Webhook-Signature": key.sign(text.encode()).hex(),
        }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
