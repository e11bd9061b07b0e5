"""References that cannot be fetched or read (decisions 21, 22)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from aquatint.testing.receiver import Answer, Received
from aquatint.wire.hygiene import FORBIDDEN
from support.client import Client, Json
from support.pictures import picture, png_bomb
from support.ports import free_port
from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server, ServerFactory


def failed(task: Json, reason: str | None) -> str:
    """The message of a FAILURE with this reason, which must be fit to be shown."""
    assert (task["status"], task["failure_reason"]) == ("FAILURE", reason), task
    message = str(task["failure_message"])
    assert not [word for word in FORBIDDEN if word in message.lower()], message
    assert re.match(r"\d{3}", message) is None, message
    assert "127.0.0.1" not in message, "what a name led to stays inside"
    return message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_refused_downloads_are_permanent(client: Client, receiver: ThreadedReceiver, status: int) -> None:
    """A 4xx is INVALID_PARAMETERS at once, naming the item and the status; it is asked for once (decision 22)."""
    receiver.answer_with(lambda _: Answer(status=status))
    task = client.run(imageUrls=[f"{receiver.origin}/a.png?signature=top-secret"])
    message = failed(task, "INVALID_PARAMETERS")
    assert message.startswith("input.imageUrls[0]: ")
    assert str(status) in message
    assert "top-secret" not in message
    assert len(receiver.letters) == 1


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "image"),
        (b"<!doctype html><html><title>Sign in</title>", "web page"),
        (b"{}", "image"),
        (picture()[:600], ""),
        (png_bomb(), "megapixels"),
        (picture(form="TIFF"), "TIFF"),
        (picture(10, 10), "pixels"),
    ],
)
def test_unreadable_pictures_are_permanent(
    client: Client, receiver: ThreadedReceiver, body: bytes, word: str
) -> None:
    """What is no acceptable picture is INVALID_PARAMETERS naming the item (decisions 21, 22)."""
    receiver.answer_with(lambda letter: Answer(body=body if "bad" in letter.path else picture()))
    urls = [f"{receiver.origin}/good.png", f"{receiver.origin}/bad.png"]
    message = failed(client.run(imageUrls=urls), "INVALID_PARAMETERS")
    assert message.startswith("input.imageUrls[1]: ")
    assert word in message


def test_type_is_judged_by_content(client: Client, receiver: ThreadedReceiver) -> None:
    """A wrong Content-Type or name does not matter, what the bytes are does (decision 21)."""
    receiver.answer_with(lambda _: Answer(body=picture(), headers={"Content-Type": "text/html"}))
    assert client.run(imageUrls=[f"{receiver.origin}/photo.exe"])["status"] == "SUCCESS"


def test_blocked_address(server_with: ServerFactory) -> None:
    """A reference on a private address is INVALID_PARAMETERS and is never contacted."""
    server = server_with(AQUATINT_NET__ALLOW="")
    with ThreadedReceiver(lambda _: Answer(body=picture())) as receiver, server.client() as client:
        for url in (receiver.url, receiver.url.replace("127.0.0.1", "localhost")):
            message = failed(client.run(imageUrls=[url]), "INVALID_PARAMETERS")
            assert message.startswith("input.imageUrls[0]: ")
        assert receiver.letters == []


def test_redirect_to_a_private_address(server_with: ServerFactory) -> None:
    """Redirects are judged like the first URL; few are followed."""
    server = server_with(AQUATINT_NET__ALLOW="127.0.0.1/32")
    with ThreadedReceiver() as receiver, server.client() as client:

        def answer(letter: Received) -> Answer:
            targets = {"/metadata": "http://169.254.169.254/latest/", "/other": f"{receiver.origin}/picture.png"}
            if letter.path == "/picture.png":
                return Answer(body=picture())
            return Answer(status=302, headers={"Location": targets.get(letter.path, letter.path)})

        receiver.answer_with(answer)
        failed(client.run(imageUrls=[f"{receiver.origin}/metadata"]), "INVALID_PARAMETERS")
        failed(client.run(imageUrls=[f"{receiver.origin}/endless"]), "INVALID_PARAMETERS")
        assert client.run(imageUrls=[f"{receiver.origin}/other"])["status"] == "SUCCESS"


@pytest.fixture(scope="module")
def impatient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that downloads for a second at most and tries twice, twice."""
    env = {
        "AQUATINT_NET__FETCH_TIMEOUT": "1s",
        "AQUATINT_NET__FETCH_ATTEMPTS": "2",
        "AQUATINT_TASKS__MAX_ATTEMPTS": "2",
    }
    with Server(tmp_path_factory.mktemp("impatient"), {**NULL_ENGINE, **FAST, **env}) as server:
        yield server


@pytest.mark.parametrize("answer", [Answer(status=500), Answer(status=503), Answer(status=429), Answer(status=408)])
def test_transient_answers_are_tried_again(impatient: Server, receiver: ThreadedReceiver, answer: Answer) -> None:
    """A 5xx, 408 or 429 is asked for again in every run; then it is FAILURE without a reason (decision 22)."""
    receiver.answer_with(lambda _: answer)
    with impatient.client() as client:
        message = failed(client.run(imageUrls=[receiver.url]), None)
    assert message.startswith("input.imageUrls[0]: ")
    assert len(receiver.letters) == 4, "two downloads in each of two runs"


def test_slow_and_dead_hosts_are_transient(impatient: Server, receiver: ThreadedReceiver) -> None:
    """A host that does not answer in time, or is not there, is FAILURE without a reason (decision 22)."""
    receiver.answer_with(lambda _: Answer(body=picture(), delay=3))
    with impatient.client() as client:
        slow = client.submit(imageUrls=[receiver.url])
        dead = client.submit(imageUrls=[f"http://127.0.0.1:{free_port()}/a.png"])
        failed(client.wait(dead), None)
        failed(client.wait(slow), None)


def test_recovering_host(client: Client, receiver: ThreadedReceiver) -> None:
    """A download that works at the second try is no failure at all."""
    answers = iter([Answer(status=502)])
    receiver.answer_with(lambda _: next(answers, Answer(body=picture())))
    assert client.run(imageUrls=[receiver.url])["status"] == "SUCCESS"


def test_unknown_host(client: Client) -> None:
    """A host name that does not exist fails the task, naming the item."""
    task = client.run(imageUrls=["https://no-such-host.invalid/a.png"])
    assert task["status"] == "FAILURE"
    assert task["failure_message"].startswith("input.imageUrls[0]: ")


def test_submit_does_not_wait_for_references(client: Client, receiver: ThreadedReceiver) -> None:
    """Nothing is fetched before the submit answer (section 8, item 8)."""
    receiver.answer_with(lambda _: Answer(body=picture(), delay=2))
    started = time.monotonic()
    task_id = client.submit(imageUrls=[receiver.url] * 3)
    assert time.monotonic() - started < 1.0
    assert client.wait(task_id)["status"] == "SUCCESS"
    assert all(letter.method == "GET" for letter in receiver.letters)
    headers = receiver.letters[0].headers
    assert "authorization" not in headers
    assert "cookie" not in headers
    assert "referer" not in headers
