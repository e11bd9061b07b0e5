"""OpenAI's library sends lost requests again, without a word that tells them apart; nothing is bought twice by it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from support.client import Client
from support.keys import make_key
from support.pictures import picture
from support.relay import Relay
from support.server import FAST, KEY, NULL_ENGINE, Server

MODEL = "seedream-4.5"
COUNT = "x-stainless-retry-count"


@pytest.fixture(scope="module")
def slow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each task takes longer than an answer may."""
    env = {
        **NULL_ENGINE,
        **FAST,
        "AQUATINT_ENGINES__NULL_DELAY": "1200ms",
        "AQUATINT_DIALECTS__OPENAI_WAIT": "900ms",
        "AQUATINT_WORKER__CONCURRENCY": "8",
    }
    with Server(tmp_path_factory.mktemp("slow-server"), env) as server:
        yield server


def first_tries(headers: Mapping[str, str]) -> bool:
    return headers[COUNT] == "0"


def ids(client: Client) -> list[str]:
    return [task["taskId"] for task in client.tasks(limit=100)["tasks"]]


def url_of(made: Any) -> str:
    return str(made.data[0].url)


@pytest.mark.parametrize("edit", [False, True], ids=["generate", "edit"])
def test_a_lost_answer_is_given_again(null_server: Server, edit: bool) -> None:
    """One task, whose pictures the second try gets, also of a form whose boundary is another each time."""
    _, secret = make_key(null_server, points=10)
    with (
        null_server.client(secret) as tasks,
        Relay(null_server, first_tries) as relay,
        OpenAI(base_url=f"{relay.base_url}/v1", api_key=secret) as client,
    ):
        if edit:
            made = client.images.edit(model=MODEL, prompt="lost", image=[picture(), picture(64, 64)])
        else:
            made = client.images.generate(model=MODEL, prompt="lost")
        assert [headers[COUNT] for headers in relay.asked] == ["0", "1"]
        (task_id,) = ids(tasks)
        assert tasks.query(task_id)["result"]["urls"] == [url_of(made)]
        assert tasks.account()["points"] == 9


def test_the_last_of_three_tries(null_server: Server) -> None:
    """Two answers in a row are lost, and still it is one task."""
    _, secret = make_key(null_server, points=10)
    with (
        null_server.client(secret) as tasks,
        Relay(null_server, lambda headers: headers[COUNT] != "2") as relay,
        OpenAI(base_url=f"{relay.base_url}/v1", api_key=secret) as client,
    ):
        client.images.generate(model=MODEL, prompt="lost twice")
        assert len(relay.asked) == 3
        assert len(ids(tasks)) == 1


def test_equal_requests_are_as_many_tasks(null_server: Server) -> None:
    """Whoever asks five times for the same gets five pictures, also when every first answer is lost."""
    _, secret = make_key(null_server, points=10)

    async def drive(base_url: str) -> list[str]:
        async with AsyncOpenAI(base_url=f"{base_url}/v1", api_key=secret) as client:
            asked = [client.images.generate(model=MODEL, prompt="five of these") for _ in range(5)]
            return [url_of(made) for made in await asyncio.gather(*asked)]

    with null_server.client(secret) as tasks, Relay(null_server, first_tries) as relay:
        urls = asyncio.run(drive(relay.base_url))
        assert len(set(urls)) == 5
        assert len(ids(tasks)) == 5
        assert tasks.account()["points"] == 5


def test_without_a_loss_every_request_is_its_own(null_server: Server) -> None:
    _, secret = make_key(null_server, points=10)
    with null_server.client(secret) as tasks, OpenAI(base_url=f"{null_server.base_url}/v1", api_key=secret) as client:
        urls = {url_of(client.images.generate(model=MODEL, prompt="again and again")) for _ in range(3)}
        assert len(urls) == len(ids(tasks)) == 3


def test_a_caller_that_hangs_up(slow_server: Server) -> None:
    """The task goes on, and the same request with the same Idempotency-Key gets it."""
    body = json.dumps({"model": MODEL, "prompt": "x"}).encode()
    name = str(uuid.uuid4())
    _, secret = make_key(slow_server)
    lines = [
        "POST /v1/images/generations HTTP/1.1",
        "host: test",
        f"authorization: Bearer {secret}",
        f"idempotency-key: {name}",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    with slow_server.client(secret) as tasks:
        with socket.create_connection(("127.0.0.1", slow_server.port)) as connection:
            connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
            while not (found := tasks.tasks(limit=10)["tasks"]):
                time.sleep(0.01)
        task = tasks.wait(found[0]["taskId"])
        answer = tasks.post("/v1/images/generations", content=body, headers={"idempotency-key": name})
        assert answer.headers["x-aquatint-task-id"] == task["taskId"]
        assert [image["url"] for image in answer.json()["data"]] == task["result"]["urls"]
        assert len(tasks.tasks(limit=10)["tasks"]) == 1


def test_a_client_that_is_out_of_patience(slow_server: Server) -> None:
    """Its second try waits for the task that runs already."""
    _, secret = make_key(slow_server)
    with (
        slow_server.client(secret) as tasks,
        OpenAI(base_url=f"{slow_server.base_url}/v1", api_key=secret, timeout=0.6, max_retries=4) as client,
    ):
        made = client.images.with_raw_response.generate(model=MODEL, prompt="slow")
        assert ids(tasks) == [made.headers["x-aquatint-task-id"]]
        assert made.retries_taken >= 1


def test_an_answer_that_takes_too_long(slow_server: Server) -> None:
    """When the server's own patience ends the library is told to ask again, and the task is the same."""
    _, secret = make_key(slow_server)
    base_url = f"{slow_server.base_url}/v1"
    with slow_server.client(secret) as tasks:
        with OpenAI(base_url=base_url, api_key=secret, max_retries=5) as client:
            made = client.images.with_raw_response.generate(model=MODEL, prompt="slow")
            assert made.headers["idempotency-replayed"] == "true"
            assert ids(tasks) == [made.headers["x-aquatint-task-id"]]
        with (
            OpenAI(base_url=base_url, api_key=secret, max_retries=0) as client,
            pytest.raises(openai.InternalServerError) as caught,
        ):
            client.images.generate(model=MODEL, prompt="slow, and nobody tries again")
        assert (caught.value.status_code, caught.value.code) == (504, "still_running")
        assert caught.value.response.headers["x-aquatint-task-id"] in str(caught.value)


def test_a_server_that_dies_and_comes_back(tmp_path: Path) -> None:
    """Killed while its caller waits: the new process knows the task by what is stored."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "1s"}
    with Server(tmp_path, env) as server:
        made: list[Any] = []

        def ask() -> None:
            with OpenAI(base_url=f"{server.base_url}/v1", api_key=KEY, max_retries=12) as client:
                made.append(client.images.with_raw_response.generate(model=MODEL, prompt="survivor"))

        asking = threading.Thread(target=ask)
        asking.start()
        with server.client() as tasks:
            end = time.monotonic() + 10
            while not ids(tasks):
                assert time.monotonic() < end
                time.sleep(0.01)
        server.kill()
        server.start()
        asking.join(40)
        with server.client() as tasks:
            assert ids(tasks) == [made[0].headers["x-aquatint-task-id"]]


def test_refused_tries_make_their_task_later(null_server: Server) -> None:
    """Equal requests that were told to come back later get a picture each, and none that was answered before."""
    _, secret = make_key(null_server, requests_per_minute=120)

    async def drive() -> list[str]:
        async with AsyncOpenAI(base_url=f"{null_server.base_url}/v1", api_key=secret, max_retries=8) as client:
            first = await client.images.generate(model=MODEL, prompt="slowly")
            asked = [client.images.generate(model=MODEL, prompt="slowly") for _ in range(3)]
            return [url_of(made) for made in (first, *await asyncio.gather(*asked))]

    with null_server.client(secret) as tasks:
        for _ in range(118):
            tasks.submit()
        assert len(set(asyncio.run(drive()))) == 4
