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
    weight: float = 1.0  # its share of a lane that many wait for
    max_running: int | None = None  # tasks at once; what exceeds it waits
    max_pending: int | None = None  # tasks waiting; more are answered 429
    priority_max: int = 0  # the highest priority that it may ask for
    admin: bool = False  # may use the operator's part of the API

    def may_use(self, model: str) -> bool:
        return not self.models or model in self.models
