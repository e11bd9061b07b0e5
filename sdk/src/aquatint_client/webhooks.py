"""Webhooks that come to you: whether they are genuine, and what they say (Standard Webhooks, version 1)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from aquatint_client import _json
from aquatint_client._json import JsonObject
from aquatint_client.errors import BadSignature, Misuse
from aquatint_client.values import Task

TOLERANCE = 300.0  # seconds
Headers = Mapping[str, str] | Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Webhook:
    """A genuine webhook. `id` is the same on every try: what was handled once needs nothing the second time."""

    id: str
    sent_at: datetime
    task: Task
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)


def verify_webhook(
    headers: Headers,
    body: bytes | str,
    secret: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE,
    now: float | None = None,
) -> Webhook:
    """Check the signature of the bytes as they came, and read them.

    `secret` is `whsec_…`, or several of them while one is being changed. `tolerance` in seconds, `now` in Unix
    seconds. Raises BadSignature, and Misuse for a secret that is none.
    """
    keys = [_key(one) for one in ([secret] if isinstance(secret, str) else secret)]
    if not keys:
        raise Misuse("a webhook secret is needed")
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    given = {name.lower(): value for name, value in pairs}
    content = body.encode() if isinstance(body, str) else bytes(body)
    webhook_id, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not webhook_id or not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise BadSignature("the webhook carries no signature")
    if abs(int(stamp) - (time.time() if now is None else now)) > tolerance:
        raise BadSignature(f"the webhook's time is more than {tolerance:g} s from now")
    signed = f"{webhook_id}.{stamp}.".encode() + content
    expected = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in keys]
    signatures = [one[3:].encode() for one in given.get("webhook-signature", "").split() if one.startswith("v1,")]
    genuine = False
    for one in signatures[:32]:
        for right in expected:
            genuine |= hmac.compare_digest(one, right)
    if not genuine:
        raise BadSignature("the webhook was not signed with this secret")
    try:
        envelope = _json.as_object(_json.parse(content))
    except ValueError:
        raise BadSignature("the webhook is signed, but holds no JSON") from None
    sent_at = datetime.fromtimestamp(int(stamp), UTC)
    return Webhook(webhook_id, sent_at, Task.of(_json.as_object(envelope.get("data"))), envelope)


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.strip().removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise Misuse("a webhook secret is whsec_ followed by base64") from None
    if len(key) < 16:
        raise Misuse("a webhook secret holds 16 bytes at least")
    return key
