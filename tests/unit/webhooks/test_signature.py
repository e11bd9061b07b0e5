"""Signatures, checked against the reference package of Standard Webhooks."""

from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from aquatint.webhooks.signature import Signer, new_secret, read_secret, verify

BODY = '{"code":0,"data":{"prompt":"水彩"}}'.encode()


def test_the_published_example() -> None:
    """The vector of the specification and of its reference implementations."""
    signer = Signer(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    headers = signer.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_reference_package_accepts_ours() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    headers = Signer([new, old]).headers("evt_1", int(time.time()), BODY)
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (old, new):
        assert Webhook(secret).verify(BODY, headers)["code"] == 0
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(old).verify(BODY + b" ", headers)


def test_we_accept_the_reference_package() -> None:
    from datetime import UTC, datetime

    secret, now = new_secret(), int(time.time())
    signature = Webhook(secret).sign("evt_2", datetime.fromtimestamp(now, UTC), BODY.decode())
    headers = {"webhook-id": "evt_2", "webhook-timestamp": str(now), "webhook-signature": signature}
    assert verify(headers, BODY, secret, now)
    assert verify(headers | {"webhook-signature": f"v2,x {signature}"}, BODY, secret, now + 299)
    assert not verify(headers, BODY, secret, now + 301)
    assert not verify(headers, BODY, secret, now - 301)
    assert not verify(headers, BODY + b"x", secret, now)
    assert not verify(headers | {"webhook-id": "evt_3"}, BODY, secret, now)
    assert not verify(headers | {"webhook-timestamp": str(now + 1)}, BODY, secret, now)
    assert not verify(headers, BODY, new_secret(), now)
    assert not verify(headers | {"webhook-signature": "v1,ü"}, BODY, secret, now)
    assert not verify(headers | {"webhook-timestamp": "soon"}, BODY, secret, now)
    assert not verify({}, BODY, secret, now)


def test_no_secret_no_headers() -> None:
    assert Signer([]).headers("evt_1", 1, BODY) == {}


def test_secrets() -> None:
    assert len(read_secret(new_secret())) == 32
    assert new_secret() != new_secret()
    raw = bytes(range(24))
    assert read_secret(base64.b64encode(raw).decode()) == raw
    for bad in ("whsec_", "whsec_not base64!", "password", "whsec_c2hvcnQ=", ""):
        with pytest.raises(ValueError, match="webhook secret"):
            read_secret(bad)
    with pytest.raises(ValueError, match="webhook secret"):
        Signer([new_secret(), "oops"])
