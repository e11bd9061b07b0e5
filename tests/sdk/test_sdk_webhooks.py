"""Signatures of webhooks: ours are understood, theirs too, and everything else is refused."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from standardwebhooks import Webhook as TheirWebhook

from aquatint.webhooks.signature import Signer, new_secret
from aquatint_client import BadSignature, Misuse, verify_webhook

SECRET = new_secret()
BODY = json.dumps({"code": 0, "msg": "ok", "data": {"taskId": "t", "status": "SUCCESS", "input": {}}}).encode()
NOW = 1_800_000_000


def signed(secret: str = SECRET, body: bytes = BODY, at: int = NOW) -> dict[str, str]:
    return Signer([secret]).headers("msg_1", at, body)


def test_our_signature_and_the_task_in_it() -> None:
    hook = verify_webhook(signed(), BODY, SECRET, now=NOW + 299)
    assert (hook.id, hook.task.id, hook.task.status) == ("msg_1", "t", "SUCCESS")
    assert hook.sent_at == dt.datetime.fromtimestamp(NOW, dt.UTC)


def test_the_signature_of_their_library() -> None:
    at = dt.datetime.fromtimestamp(NOW, dt.UTC)
    signature = TheirWebhook(SECRET).sign("msg_2", at, BODY.decode())
    headers = [("Webhook-Id", "msg_2"), ("Webhook-Timestamp", str(NOW)), ("Webhook-Signature", f"v1a,xx {signature}")]
    assert verify_webhook(headers, BODY.decode(), SECRET, now=NOW).id == "msg_2"


def test_two_secrets_while_one_is_changed() -> None:
    assert verify_webhook(signed(), BODY, [new_secret(), SECRET], now=NOW).task.id == "t"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**signed(), "webhook-id": "msg_2"},
        {**signed(), "webhook-timestamp": str(NOW + 1)},
        {**signed(), "webhook-timestamp": "٣"},
        {**signed(), "webhook-signature": ""},
        {**signed(), "webhook-signature": signed()["webhook-signature"].replace("v1,", "v2,")},
        {**signed(), "webhook-signature": "v1,ünïcödé"},
        signed(new_secret()),
        signed(body=BODY + b" "),
        signed(at=NOW - 301),
        signed(at=NOW + 301),
    ],
)
def test_everything_else_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        verify_webhook(headers, BODY, SECRET, now=NOW)


def test_signed_rubbish_is_refused() -> None:
    with pytest.raises(BadSignature, match="no JSON"):
        verify_webhook(signed(body=b"{"), b"{", SECRET, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", []])
def test_what_is_no_secret_is_said(secret: str) -> None:
    with pytest.raises(Misuse):
        verify_webhook(signed(), BODY, secret, now=NOW)
