"""Idempotency-Key (decision 41)."""

from __future__ import annotations

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.client import Client, Json, data_of, refusal
from support.keys import make_key
from support.pictures import data_url
from support.server import Server, ServerFactory

BODY: Json = {"model": "seedream-4.5", "input": {"prompt": "a boat", "n": 2}, "user_id": "u"}


def fresh() -> dict[str, str]:
    return {"idempotency-key": f"key-{uuid.uuid4()}"}


def test_same_key_and_body_is_the_same_task(client: Client) -> None:
    """A repeated submit answers the same taskId with Idempotency-Replayed: true and makes no second task."""
    headers = fresh()
    first = client.try_submit(BODY, headers)
    before = client.tasks(limit=100, userId="u")["tasks"]
    second = client.try_submit(BODY, headers)
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert data_of(first) == data_of(second)
    assert len(client.tasks(limit=100, userId="u")["tasks"]) == len(before)


def test_another_spelling_of_the_same_body(client: Client) -> None:
    """White space, the order of keys and escapes do not make another body."""
    headers = fresh()
    first = data_of(client.send(json.dumps(BODY).encode(), headers))
    respelled = json.dumps(dict(reversed(BODY.items())), indent=3).replace("a boat", "a \\u0062oat").encode()
    assert data_of(client.send(respelled, headers)) == first


@pytest.mark.parametrize(
    "change",
    [
        {"model": "seedream-4"},
        {"input": {"prompt": "a boat", "n": 3}},
        {"input": {"prompt": "a boat ", "n": 2}},
        {"callBackUrl": "https://caller.invalid/"},
        {"user_id": "v"},
        {"extra": 1},
    ],
)
def test_another_body_conflicts(client: Client, change: Json) -> None:
    """The same key with another body is 409, and the first task is untouched."""
    headers = fresh()
    task_id = data_of(client.try_submit(BODY, headers))["taskId"]
    assert refusal(client.try_submit({**BODY, **change}, headers), 409)
    assert data_of(client.try_submit(BODY, headers))["taskId"] == task_id


def test_inline_images_count_as_body(client: Client) -> None:
    """Two data URLs of the same length are two bodies although they are echoed alike."""
    headers = fresh()
    one, two = ({**BODY, "input": {"prompt": "x", "imageUrls": [data_url(data)]}} for data in (b"one", b"two"))
    data_of(client.try_submit(one, headers))
    refusal(client.try_submit(two, headers), 409)


def test_keys_are_separate_between_callers(null_server: Server, client: Client) -> None:
    """Another API key may use the same Idempotency-Key for its own task."""
    headers = fresh()
    first = data_of(client.try_submit(BODY, headers))
    _, secret = make_key(null_server)
    with null_server.client(secret) as other:
        response = other.try_submit(BODY, headers)
    assert data_of(response) != first
    assert "idempotency-replayed" not in response.headers


def test_concurrent_repeats_make_one_task(null_server: Server) -> None:
    """Many equal submits at the same instant: one task, one answer without the replay header."""
    key, secret = make_key(null_server, points=100)
    headers = fresh()

    def submit(_: int) -> tuple[str, bool]:
        with null_server.client(secret) as client:
            response = client.try_submit(BODY, headers)
        return data_of(response)["taskId"], "idempotency-replayed" in response.headers

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(submit, range(36)))
    assert len({task_id for task_id, _ in answers}) == 1
    assert [replayed for _, replayed in answers].count(False) == 1
    with null_server.client(secret) as client:
        client.wait(answers[0][0])
        assert len(client.tasks(limit=100)["tasks"]) == 1
        assert client.account()["points"] == 98, f"key {key.id} paid more than once"


def test_refused_submit_does_not_use_up_the_key(client: Client) -> None:
    """A submit that was refused leaves no trace; the corrected one may use the same key."""
    headers = fresh()
    refusal(client.try_submit({**BODY, "input": {"prompt": "x", "n": 99}}, headers), 400)
    assert "idempotency-replayed" not in client.try_submit(BODY, headers).headers


@pytest.mark.parametrize("value", ["", "x" * 256, "sch\u00f6n", "tab\there"])
def test_malformed_keys_are_refused(client: Client, value: str) -> None:
    """A key that is no short printable text is 400 before anything is stored."""
    response = client.http.post(
        "/api/v1/task/submit", json=BODY, headers=[(b"idempotency-key", value.encode("latin-1"))]
    )
    assert "Idempotency-Key" in refusal(response, 400)


@pytest.mark.parametrize(
    "ignored",
    [
        *(b"1e999", b"-1e999", b'"\xff"', b'"\\ud800"', b"9" * 400),
        *(b"[" * depth + b"]" * depth for depth in (60, 500, 960, 964, 966, 967, 968, 970, 5000)),
    ],
)
def test_odd_values_in_ignored_fields(client: Client, ignored: bytes) -> None:
    """A body that is compared whole is refused or accepted, never an internal error."""
    body = b'{"model":"seedream-4","input":{"prompt":"x"},"ignored":' + ignored + b"}"
    first, second = (client.send(body, headers) for headers in [fresh()] * 2)
    assert first.status_code in (200, 400), first.text
    assert first.status_code == second.status_code


def test_promise_ends(server_with: ServerFactory) -> None:
    """After its time the same key makes a new task."""
    with server_with(AQUATINT_TASKS__IDEMPOTENCY_TTL="1s").client() as client:
        headers = fresh()
        first = data_of(client.try_submit(BODY, headers))
        assert data_of(client.try_submit(BODY, headers)) == first
        time.sleep(1.1)
        late = client.try_submit({**BODY, "user_id": "another body"}, headers)
        assert data_of(late) != first
        assert "idempotency-replayed" not in late.headers
