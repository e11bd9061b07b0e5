"""Callbacks: what is sent, where, and how it is signed (decisions 5, 32, 35, 36)."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator

import pytest
import standardwebhooks

from aquatint.testing.receiver import Answer, Received
from support.client import Client, Json, data_of, refusal
from support.keys import make_key
from support.pictures import picture
from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server, ServerFactory

SECRETS = [f"whsec_{base64.b64encode(bytes([n]) * 24).decode()}" for n in (1, 2)]
BODY: Json = {"model": "seedream-4.5", "input": {"prompt": "x"}}


@pytest.fixture(scope="module")
def signing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Signs with two secrets, as while rotating."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_WEBHOOKS__SECRET": ",".join(SECRETS)}
    with Server(tmp_path_factory.mktemp("signing"), env) as server:
        yield server


@pytest.mark.parametrize("outcome", ["SUCCESS", "FAILURE"])
def test_body_is_the_query_answer(client: Client, receiver: ThreadedReceiver, outcome: str) -> None:
    """One POST of JSON: envelope code 0, msg ok, data exactly as the query answers it, failures too (5, 6)."""
    receiver.answer_with(lambda letter: Answer(status=404 if letter.method == "GET" else 200))
    references = {"imageUrls": [f"{receiver.origin}/gone.png"]} if outcome == "FAILURE" else {"n": 3}
    task = client.run(callback=receiver.url, user_id="u", **references)
    client.wait_delivery(task["taskId"], "delivered")
    letters = [letter for letter in receiver.letters if letter.path == "/hook"]
    assert len(letters) == 1
    assert task["status"] == outcome
    assert letters[0].method == "POST"
    assert letters[0].headers["content-type"] == "application/json"
    assert letters[0].body == client.get(f"/api/v1/task/{task['taskId']}").content
    assert letters[0].json() == {"code": 0, "msg": "ok", "data": task}


def test_body_still_is_the_query_answer_after_a_restart(
    server_with: ServerFactory, receiver: ThreadedReceiver
) -> None:
    """A task whose second run ends before any engine saw it tells callback and query the same (decision 5)."""
    receiver.answer_with(lambda letter: Answer(status=200, body=picture()))
    server = server_with(AQUATINT_ENGINES__NULL_DELAY="1h", AQUATINT_NET__REFERENCE_FRESH="0s")
    with server.client() as client:
        task_id = client.submit(imageUrls=[f"{receiver.origin}/a.png"], callback=receiver.url)
        client.wait(task_id, until=["SUBMITTED"])
        server.kill()
        receiver.answer_with(lambda letter: Answer(status=404 if letter.method == "GET" else 200))
        server.start()
        task = client.wait(task_id)
        client.wait_delivery(task_id, "delivered")
    assert task["status"] == "FAILURE"
    assert receiver.letters[-1].json() == {"code": 0, "msg": "ok", "data": task}


def test_no_callback_unless_asked_for(client: Client) -> None:
    """Without callBackUrl there is nothing to deliver and nothing to repeat."""
    task = client.run()
    assert client.deliveries(task["taskId"]) == []
    assert refusal(client.post(f"/api/v1/task/{task['taskId']}/redeliver"), 409)


@pytest.mark.parametrize(
    "tail",
    ["", "/", "/hook/", "/hook?a=1&b=%2F%20x&c=ü&a=2", "/a//b/../c;p=1?x=%zz", "/%E2%98%83#fragment"],
)
def test_callback_url_is_kept_byte_for_byte(client: Client, receiver: ThreadedReceiver, tail: str) -> None:
    """Path and query reach the receiver as they were given (section 8, item 9)."""
    client.submit(callback=receiver.origin + tail)
    wanted = tail.partition("#")[0].replace("ü", "%C3%BC")
    assert receiver.wait_for(1)[0].path == (wanted if wanted.startswith("/") else f"/{wanted}")


def test_signature_by_the_reference_implementation(signing_server: Server, receiver: ThreadedReceiver) -> None:
    """The standardwebhooks package accepts the letter with either secret, and no changed one (decision 36)."""
    with signing_server.client() as client:
        task = client.run(callback=receiver.url)
    letter = receiver.wait_for(1)[0]
    for secret in SECRETS:
        verified = standardwebhooks.Webhook(secret).verify(letter.body, dict(letter.headers))
        assert verified == {"code": 0, "msg": "ok", "data": task}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRETS[0]).verify(letter.body + b" ", dict(letter.headers))
    other = f"whsec_{base64.b64encode(bytes(24)).decode()}"
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(other).verify(letter.body, dict(letter.headers))
    assert abs(int(letter.headers["webhook-timestamp"]) - time.time()) < 30


def test_unsigned_without_a_secret(client: Client, receiver: ThreadedReceiver) -> None:
    """Without a secret there are no signature headers and no other key material (decision 36)."""
    client.submit(callback=receiver.url)
    headers = receiver.wait_for(1)[0].headers
    assert not [name for name in headers if name.startswith(("webhook-", "x-maxapi-"))]
    assert "authorization" not in headers
    assert "test-secret" not in json.dumps(dict(headers))


def test_shared_secret_of_a_key(null_server: Server, receiver: ThreadedReceiver) -> None:
    """A key's own secret comes in x-maxapi-webhook-secret with that key's callbacks only (decision 36)."""
    _, secret = make_key(null_server, webhook_secret="only-mine")
    with null_server.client(secret) as mine, null_server.client() as other:
        mine.submit(callback=f"{receiver.origin}/mine")
        other.submit(callback=f"{receiver.origin}/other")
    sent = {letter.path: letter.headers.get("x-maxapi-webhook-secret") for letter in receiver.wait_for(2)}
    assert sent == {"/mine": "only-mine", "/other": None}


def test_same_letter_on_every_try(signing_server: Server, receiver: ThreadedReceiver) -> None:
    """Manual repeats send the same body under the same webhook-id with a fresh signature (decision 33)."""
    with signing_server.client() as client:
        task_id = client.submit(callback=receiver.url)
        client.wait_delivery(task_id, "delivered")
        time.sleep(1.1)
        assert data_of(client.post(f"/api/v1/task/{task_id}/redeliver")) == {}
        first, second = receiver.wait_for(2)
        log = client.wait_delivery(task_id, "delivered", attempts=2)
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == log["id"]
    assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"])
    standardwebhooks.Webhook(SECRETS[1]).verify(second.body, dict(second.headers))
    assert [attempt["number"] for attempt in log["attempts"]] == [1, 2]


def test_redeliver_before_the_end(endless: Client, receiver: ThreadedReceiver) -> None:
    """A task that has not ended has nothing to repeat: 409."""
    task_id = endless.submit(callback=receiver.url)
    assert refusal(endless.post(f"/api/v1/task/{task_id}/redeliver"), 409)
    assert endless.deliveries(task_id) == []


def test_one_redirect_to_the_same_origin(client: Client, receiver: ThreadedReceiver) -> None:
    """307 and 308 to the same origin are followed once, with the same method and body (decision 35)."""
    for status in (307, 308):
        before = len(receiver.letters)
        receiver.answer_with(_moved(status, "/moved", {"/hook"}))
        delivery = client.wait_delivery(client.submit(callback=receiver.url), "delivered")
        first, second = receiver.letters[before:]
        assert [first.path, second.path] == ["/hook", "/moved"]
        assert (second.method, second.body) == ("POST", first.body)
        assert len(delivery["attempts"]) == 1


def test_other_redirects_are_failed_tries(client: Client, receiver: ThreadedReceiver) -> None:
    """302, a second redirect, and another origin are not followed (decision 35)."""
    with ThreadedReceiver() as other:
        cases = [
            _moved(302, "/moved", {"/hook"}),
            _moved(301, "/moved", {"/hook"}),
            _moved(307, "/hook", {"/hook", "/moved"}),
            _moved(307, other.url, {"/hook"}),
            _moved(308, "http://169.254.169.254/", {"/hook"}),
        ]
        for answer in cases:
            receiver.answer_with(answer)
            delivery = client.wait_delivery(client.submit(callback=receiver.url), "pending", attempts=1)
            assert delivery["attempts"][0]["outcome"] == "retry"
            assert delivery["attempts"][0]["status"] in (301, 302, 307, 308)
        assert other.letters == []
        assert all(letter.method == "POST" and letter.path == "/hook" for letter in receiver.letters)


def _moved(status: int, location: str, paths: set[str]) -> Callable[[Received], Answer]:
    def answer(letter: Received) -> Answer:
        return Answer(status=status, headers={"Location": location}) if letter.path in paths else Answer()

    return answer


def test_private_target_is_skipped(server_with: ServerFactory) -> None:
    """By default a callback to a private address is accepted and not made; the log says why (decision 32)."""
    server = server_with(AQUATINT_NET__ALLOW="")
    with ThreadedReceiver() as receiver, server.client() as client:
        for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost"), "http://10.0.0.1/hook"):
            task = client.run(callback=url)
            assert task["status"] == "SUCCESS"
            delivery = client.wait_delivery(task["taskId"], "blocked")
            assert delivery["attempts"][0]["outcome"] == "blocked"
            assert delivery["attempts"][0]["status"] is None
            assert delivery["attempts"][0]["detail"]
            assert delivery["next_attempt_at"] is None
        assert receiver.letters == []


def test_private_target_may_be_refused(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """With `reject` such a submit is 400, unless the operator allows the address (decision 32)."""
    server = server_with(AQUATINT_WEBHOOKS__PRIVATE_TARGET="reject", AQUATINT_NET__ALLOW="127.0.0.0/8")
    with server.client() as client:
        for url in (
            *("http://10.0.0.1/", "http://192.168.1.1:8080/x", "http://169.254.169.254/", "http://[::1]/"),
            *("http://[fd00::1]/", "http://0.0.0.0/", "https://[::ffff:10.0.0.1]/", "http://100.64.0.1/"),
        ):
            message = refusal(client.try_submit({**BODY, "callBackUrl": url}), 400)
            assert message.startswith("callBackUrl: "), url
        assert client.tasks()["tasks"] == []
        for allowed in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
            client.wait_delivery(client.submit(callback=allowed), "delivered")
        assert client.try_submit({**BODY, "callBackUrl": "https://public.invalid/"}).status_code == 200


def test_localhost_may_be_refused(server_with: ServerFactory) -> None:
    """With `reject` and nothing allowed, localhost by any spelling is 400 (decision 32)."""
    server = server_with(AQUATINT_WEBHOOKS__PRIVATE_TARGET="reject", AQUATINT_NET__ALLOW="")
    with server.client() as client:
        for url in ("http://localhost/", "http://LOCALHOST:9/", "http://a.localhost/", "http://127.0.0.1/"):
            refusal(client.try_submit({**BODY, "callBackUrl": url}), 400)
