"""From the bearer in a request to a Key, and how often that key may call."""

from __future__ import annotations

import time

from starlette.requests import Request

from aquatint.domain.errors import Forbidden, RateLimited, Unauthenticated
from aquatint.domain.key import Key
from aquatint.services.keys import KeyService


class Authenticator:
    """`requests_per_minute` is the default for keys without a limit of their own; 0 is none."""

    def __init__(self, keys: KeyService, requests_per_minute: int) -> None:
        self._keys = keys
        self._default = requests_per_minute
        self._buckets: dict[str, tuple[float, float]] = {}  # key id -> (tokens, when they were counted)

    async def __call__(self, request: Request) -> Key:
        """The caller's key. Raises Unauthenticated."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret:
            raise Unauthenticated
        return await self._keys.authenticate(secret)

    async def admin(self, request: Request) -> Key:
        """The caller's key, which must be an admin's. Raises Unauthenticated, Forbidden."""
        key = await self(request)
        if not key.admin:
            raise Forbidden("this needs an admin key")
        return key

    def spend(self, key: Key) -> None:
        """Count one submit or upload against the key's rate. Raises RateLimited."""
        rate = key.requests_per_minute if key.requests_per_minute is not None else self._default
        if not rate:
            return
        now = time.monotonic()
        tokens, counted = self._buckets.get(key.id, (float(rate), now))
        tokens = min(float(rate), tokens + (now - counted) * rate / 60)
        if tokens < 1:
            self._buckets[key.id] = (tokens, now)
            raise RateLimited(f"this key may submit {rate} times a minute", (1 - tokens) * 60 / rate)
        self._buckets[key.id] = (tokens - 1, now)
