"""Keys: make them, list them, revoke them, and recognise the one in a request."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

from aquatint.domain.errors import Unauthenticated
from aquatint.domain.key import Key
from aquatint.services.tools import Clock, new_id
from aquatint.store.base import Store

FRESH = 2.0  # seconds that a looked-up key is believed, so that a revoked one stops working soon
KNOWN_KEYS = 10_000  # looked-up secrets remembered at most
ENVIRONMENT_KEY = "environment"


def hash_secret(secret: str) -> bytes:
    """SHA-256: the secrets are random, so nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


class KeyService:
    def __init__(self, store: Store, clock: Clock, environment_secret: str) -> None:
        self._store = store
        self._clock = clock
        self._environment_hash = hash_secret(environment_secret) if environment_secret else None
        self._environment_key = Key(ENVIRONMENT_KEY, "AQUATINT_API_KEY", "", 0, admin=True)
        self._known: dict[str, tuple[float, Key]] = {}

    async def create(
        self,
        name: str,
        *,
        models: tuple[str, ...] = (),
        points: int | None = None,
        requests_per_minute: int | None = None,
        webhook_secret: str | None = None,
        weight: float = 1.0,
        max_running: int | None = None,
        max_pending: int | None = None,
        priority_max: int = 0,
        admin: bool = False,
    ) -> tuple[Key, str]:
        """A new key and its secret, which is shown only now."""
        secret = f"aq_{secrets.token_urlsafe(32)}"
        key = Key(
            id=new_id(),
            name=name,
            prefix=secret[:8],
            created_at=self._clock.now(),
            models=models,
            points=points,
            requests_per_minute=requests_per_minute,
            webhook_secret=webhook_secret,
            weight=weight,
            max_running=max_running,
            max_pending=max_pending,
            priority_max=priority_max,
            admin=admin,
        )
        await self._store.add_key(key, hash_secret(secret))
        return key, secret

    async def listing(self) -> list[Key]:
        return await self._store.keys()

    async def revoke(self, key_id: str) -> bool:
        """True when the key was in force until now."""
        return await self._store.revoke_key(key_id, self._clock.now())

    async def grant(self, key_id: str, points: int) -> int | None:
        """Add points to a key's balance; the new balance, None when there is no such key."""
        return await self._store.grant_points(key_id, points)

    async def authenticate(self, secret: str) -> Key:
        """The key of this secret. Raises Unauthenticated for unknown and revoked ones alike."""
        now = time.monotonic()
        known = self._known.get(secret)
        if known is not None and known[0] > now:
            return known[1]
        self._known.pop(secret, None)
        hashed = hash_secret(secret)
        if self._environment_hash is not None and hmac.compare_digest(hashed, self._environment_hash):
            key: Key | None = self._environment_key
        else:
            key = await self._store.key_by_hash(hashed)
        if key is None or key.revoked_at is not None:
            raise Unauthenticated
        if len(self._known) >= KNOWN_KEYS:
            self._known.clear()
        self._known[secret] = (now + FRESH, key)
        return key

    async def current(self, key: Key) -> Key:
        """The key as it stands now (its points change)."""
        return next((known for known in await self.listing() if known.id == key.id), key)
