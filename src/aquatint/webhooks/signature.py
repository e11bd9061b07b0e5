"""Standard Webhooks signatures (https://www.standardwebhooks.com, version 1: HMAC-SHA256, several
secrets).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
ID_HEADER = "webhook-id"
TIMESTAMP_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
SHARED_SECRET_HEADER = "x-maxapi-webhook-secret"  # noqa: S105 - the header's name
TOLERANCE_SECONDS = 300

_MIN_SECRET_BYTES = 16


def new_secret() -> str:
    """A fresh signing secret: 32 random bytes as `whsec_` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def read_secret(secret: str) -> bytes:
    """The key bytes of a secret, with or without its prefix. Raises ValueError in plain words."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(f"a webhook secret must be {PREFIX} followed by base64") from error
    if len(key) < _MIN_SECRET_BYTES:
        raise ValueError(f"a webhook secret must hold at least {_MIN_SECRET_BYTES} bytes")
    return key


class Signer:
    """Signs with every secret it has, newest first, so that receivers can change over while both are
    valid.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        """Raises ValueError when one of the secrets cannot be read."""
        self._keys = tuple(read_secret(secret) for secret in secrets)

    def headers(self, delivery_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """The three headers of one attempt; none at all without a secret. `timestamp` in Unix seconds."""
        if not self._keys:
            return {}
        signatures = (f"v1,{_sign(key, delivery_id, timestamp, body)}" for key in self._keys)
        return {
            ID_HEADER: delivery_id,
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: " ".join(signatures),
        }


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> bool:
    """What a receiver does: whether the body was signed with `secret` within five minutes of `now`.

    Header names must be lower-case. `now` in Unix seconds.
    """
    delivery_id, timestamp = headers.get(ID_HEADER), headers.get(TIMESTAMP_HEADER, "")
    if not delivery_id or not timestamp.isdecimal() or abs(int(timestamp) - now) > TOLERANCE_SECONDS:
        return False
    expected = f"v1,{_sign(read_secret(secret), delivery_id, int(timestamp), body)}".encode()
    given = headers.get(SIGNATURE_HEADER, "").split(" ")
    return any(hmac.compare_digest(expected, one.encode()) for one in given)


def _sign(key: bytes, delivery_id: str, timestamp: int, body: bytes) -> str:
    signed = b"%b.%d.%b" % (delivery_id.encode(), timestamp, body)
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii")
