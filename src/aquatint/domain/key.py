"""The API key: who calls, and what they may do."""

from __future__ import annotations

import msgspec

from aquatint.domain.task import Micros


class Key(msgspec.Struct, frozen=True):
    """One API key. The secret itself is never stored, only its SHA-256."""

    id: str
    name: str
    prefix: str  # first characters of the secret, to recognise it in a list
    created_at: Micros
    revoked_at: Micros | None = None
    models: tuple[str, ...] = ()  # empty: every model
    points: int | None = None  # balance; None: not counted
    requests_per_minute: int | None = None  # None: the server's default
    webhook_secret: str | None = None  # sent as x-maxapi-webhook-secret when set

    def may_use(self, model: str) -> bool:
        return not self.models or model in self.models
