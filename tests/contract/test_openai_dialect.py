"""The OpenAI dialect, by OpenAI's own library: pictures, edits, models and errors over the same tasks."""

from __future__ import annotations

import asyncio
import base64
import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from support.client import Client, Json
from support.keys import make_key
from support.pictures import data_url, opened, picture
from support.server import FAST, KEY, NULL_ENGINE, Server, ServerFactory
from support.simulators import ThreadedSimulators

MODEL = "seedream-4.5"
GENERATE = "/v1/images/generations"
EDIT = "/v1/images/edits"


def sdk(server: Server, key: str = KEY, **options: Any) -> OpenAI:
    return OpenAI(base_url=f"{server.base_url}/v1", api_key=key, **options)


def async_sdk(server: Server) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{server.base_url}/v1", api_key=KEY)


def fetched(url: str | None) -> bytes:
    response = httpx.get(str(url), trust_env=False)
    assert response.status_code == 200, response.text
    return response.content


def fault(response: httpx.Response, status: int) -> Json:
    """The error of a refusal, in OpenAI's shape."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert isinstance(error["message"], str)
    assert error["message"]
    return dict(error)


@pytest.fixture
def alone(null_server: Server) -> Iterator[tuple[str, Client]]:
    """A key of its own with points, and a task client that sees only its tasks."""
    _, secret = make_key(null_server, points=1000)
    with null_server.client(secret) as client:
        yield secret, client


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the operator's own names and narrow limits."""
    env = {
        **NULL_ENGINE,
        **FAST,
        "AQUATINT_DIALECTS__OPENAI_MODELS": json.dumps({"dall-e-3": MODEL, "gpt-image-1": "nano-banana"}),
        "AQUATINT_LIMITS__BODY": "300KB",
        "AQUATINT_LIMITS__UPLOAD": "50KB",
    }
    with Server(tmp_path_factory.mktemp("strict-server"), env) as server:
        yield server


# Pictures


def test_pictures_by_url_and_inside_the_answer(studio_server: Server) -> None:
    """`url` answers links, `b64_json` the bytes; both are the painted picture, of the wanted size."""
    with sdk(studio_server) as client:
        by_url = client.images.generate(
            model=MODEL, prompt="a lighthouse at dusk", size="1280x720", response_format="url"
        )
        inside = client.images.generate(
            model=MODEL, prompt="a lighthouse at dusk", size="1280x720", response_format="b64_json"
        )
    assert by_url.data is not None
    assert inside.data is not None
    (link,), (body,) = by_url.data, inside.data
    assert (link.b64_json, body.url) == (None, None)
    for data in (fetched(link.url), base64.b64decode(body.b64_json or "")):
        painted = opened(data)
        assert (painted.size, painted.format) == ((1280, 720), "PNG")
        assert len(painted.convert("RGB").resize((64, 36)).getcolors(4096) or ()) > 100
    assert (by_url.size, by_url.output_format, by_url.background) == ("1280x720", "png", "opaque")
    assert abs(by_url.created - time.time()) < 60


async def test_models_of_openai_answer_as_they_do_there(studio_server: Server) -> None:
    """Code written for GPT Image finds its bytes, by the asynchronous client, in the format that it wants."""
    async with async_sdk(studio_server) as client:
        made = await client.images.generate(
            model="gpt-image-1.5", prompt="a boat", size="1536x1024", quality="high", output_format="jpeg", n=2
        )
    assert made.data is not None
    assert len(made.data) == 2
    for image in made.data:
        painted = opened(base64.b64decode(image.b64_json or ""))
        assert (painted.size, painted.format) == ((1536, 1024), "JPEG")
        assert fetched(image.url) == base64.b64decode(image.b64_json or "")
    assert (made.size, made.output_format) == ("1536x1024", "jpeg")


def test_a_seed_paints_the_same_again(studio_server: Server) -> None:
    """`seed`, `ratio` and `resolution` are Aquatint's own, and reach the task as they are."""
    own = {"seed": 7, "ratio": "3:4", "resolution": "1k"}
    with sdk(studio_server) as client:
        first, second = (
            client.images.generate(model=MODEL, prompt="a red circle", response_format="b64_json", extra_body=own)
            for _ in range(2)
        )
    assert first.data is not None
    assert second.data is not None
    assert first.data[0].b64_json == second.data[0].b64_json
    assert first.size == "864x1152"


@pytest.mark.parametrize("count", [1, 3])
def test_edits_as_a_form(studio_server: Server, count: int) -> None:
    """One file or several; without a size the answer has the shape of the first one."""
    files = [(f"photo-{number}.png", picture(480, 320), "image/png") for number in range(count)]
    with sdk(studio_server) as client:
        made = client.images.edit(
            model="gpt-image-1",
            image=files[0] if count == 1 else files,
            prompt="make it black and white",
            size="auto",
        )
    assert made.data is not None
    painted = opened(base64.b64decode(made.data[0].b64_json or ""))
    assert painted.size == (1536, 1024)
    assert made.size == "1536x1024"


async def test_edits_as_json(studio_server: Server) -> None:
    """URLs and data URLs, as OpenAI's newer form of edits has them."""
    body = {
        "model": MODEL,
        "prompt": "make it black and white",
        "resolution": "1k",
        "images": [{"image_url": data_url(picture(300, 300))}],
    }
    async with httpx.AsyncClient(base_url=studio_server.base_url, timeout=60, trust_env=False) as client:
        answer = await client.post(EDIT, json=body, headers={"authorization": f"Bearer {KEY}"})
    assert answer.status_code == 200, answer.text
    painted = opened(fetched(answer.json()["data"][0]["url"])).convert("RGB")
    assert painted.size == (1024, 1024)
    red, green, blue = painted.resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert max(red, green, blue) - min(red, green, blue) <= 6


def test_a_broken_picture_is_the_callers_mistake(studio_server: Server) -> None:
    """What is no picture is refused once, as a bad request, and costs nothing."""
    with sdk(studio_server) as client, pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=("x.png", b"no picture", "image/png"), prompt="make it warm")
    assert caught.value.code == "invalid_value"
    assert caught.value.response.headers["x-should-retry"] == "false"


# The same tasks


def test_it_is_a_task_like_any_other(null_server: Server, alone: tuple[str, Client]) -> None:
    """Listed, shown, explained and paid for as a submit of the task API would be."""
    secret, tasks = alone
    with sdk(null_server, secret) as client:
        made = client.images.with_raw_response.generate(
            model=MODEL, prompt="a quiet harbour", size="1024x1024", n=3, user="anna"
        )
    task_id = made.headers["x-aquatint-task-id"]
    task = tasks.query(task_id)
    assert (task["status"], len(task["result"]["urls"])) == ("SUCCESS", 3)
    assert task["input"] == {
        "model": MODEL,
        "prompt": "a quiet harbour",
        "ratio": "1:1",
        "resolution": "1k",
        "n": 3,
    }
    assert [item["taskId"] for item in tasks.tasks(userId="anna")["tasks"]] == [task_id]
    assert tasks.get(f"/api/v1/task/{task_id}/trace").status_code == 200
    assert tasks.account()["points"] == 1000 - 3
    assert json.loads(made.content)["aquatint"]["task_id"] == task_id
    assert [image["url"] for image in json.loads(made.content)["data"]] == task["result"]["urls"]


def test_models(null_server: Server) -> None:
    """The catalog by its names and families, who serves each, and one by its name, slashes and all."""
    with sdk(null_server) as client:
        listed = {model.id: model for model in client.models.list()}
        assert {MODEL, "gpt-image-2", "gpt-image-2/image-to-image"} <= set(listed)
        assert listed[MODEL].owned_by == "null"
        assert client.models.retrieve("gpt-image-2/image-to-image").id == "gpt-image-2/image-to-image"
        assert client.models.retrieve("gpt-image-1").id == "gpt-image-1"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("dall-e-3")


def test_a_key_sees_its_own_models(null_server: Server) -> None:
    _, secret = make_key(null_server, models=("seedream-4",))
    with sdk(null_server, secret) as client:
        assert [model.id for model in client.models.list()] == ["seedream-4", "seedream"]
        with pytest.raises(openai.PermissionDeniedError):
            client.images.generate(model=MODEL, prompt="x")
        for name in (MODEL, "gpt-image-1"):
            with pytest.raises(openai.NotFoundError):
                client.models.retrieve(name)


def test_the_operator_names_models(strict_server: Server) -> None:
    """A name of the operator's means the model that the setting says."""
    with sdk(strict_server) as client, strict_server.client() as tasks:
        assert {"dall-e-3", "gpt-image-1"} <= {model.id for model in client.models.list()}
        for name, meant in (("dall-e-3", MODEL), ("gpt-image-1", "nano-banana")):
            made = client.images.with_raw_response.generate(model=name, prompt="x")
            assert tasks.query(made.headers["x-aquatint-task-id"])["input"]["model"] == meant


# Errors


@pytest.mark.parametrize(
    ("fields", "kind", "code", "param"),
    [
        ({"model": "no-such-model"}, openai.NotFoundError, "model_not_found", "model"),
        ({"model": "dall-e-3"}, openai.NotFoundError, "model_not_found", "model"),
        ({"n": 99}, openai.BadRequestError, "invalid_value", "n"),
        ({"size": "huge"}, openai.BadRequestError, "invalid_value", "size"),
        ({"size": "1024x0"}, openai.BadRequestError, "invalid_value", "size"),
        ({"prompt": "  "}, openai.BadRequestError, "invalid_value", "prompt"),
        ({"prompt": "x" * 8001}, openai.BadRequestError, "invalid_value", "prompt"),
        ({"quality": "best"}, openai.BadRequestError, "invalid_value", "quality"),
        ({"output_format": "gif"}, openai.BadRequestError, "invalid_value", "output_format"),
        ({"background": "transparent"}, openai.BadRequestError, "invalid_value", "background"),
        ({"extra_body": {"ratio": "7:5"}}, openai.BadRequestError, "invalid_value", "ratio"),
        ({"extra_body": {"stream": True}}, openai.BadRequestError, "invalid_value", "stream"),
        ({"model": "gpt-image-2/image-to-image"}, openai.BadRequestError, "missing_required_parameter", "image"),
    ],
)
def test_refusals_raise_the_right_class(
    null_server: Server, fields: dict[str, Any], kind: type[openai.APIStatusError], code: str, param: str
) -> None:
    """The class by the status, and what is wrong by code and parameter; asked once."""
    with sdk(null_server) as client, pytest.raises(kind) as caught:
        client.images.generate(**{"model": MODEL, "prompt": "x", **fields})
    assert (caught.value.code, caught.value.param) == (code, param)
    assert "x-aquatint-task-id" not in caught.value.response.headers


def test_a_mask_is_refused(null_server: Server) -> None:
    """Nobody here can use one, and ignoring it would change what the caller meant."""
    with sdk(null_server) as client, pytest.raises(openai.BadRequestError) as caught:
        client.images.edit(model=MODEL, image=picture(), mask=picture(), prompt="x")
    assert caught.value.param == "mask"


def test_a_wrong_key(null_server: Server) -> None:
    with sdk(null_server, "wrong") as client:
        for call in (
            lambda: client.models.list(),
            lambda: client.images.generate(model=MODEL, prompt="x"),
            lambda: client.images.edit(model=MODEL, prompt="x", image=picture()),
        ):
            with pytest.raises(openai.AuthenticationError) as caught:
                call()
            assert caught.value.code == "invalid_api_key"


def test_limits_of_a_key(null_server: Server) -> None:
    """Too fast is a rate limit that says how long to wait; too poor is a quota that no repeat can mend."""
    _, fast = make_key(null_server, requests_per_minute=1)
    with sdk(null_server, fast, max_retries=0) as client:
        client.images.generate(model=MODEL, prompt="x")
        with pytest.raises(openai.RateLimitError) as caught:
            client.images.generate(model=MODEL, prompt="x")
    assert caught.value.code == "rate_limit_exceeded"
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 60
    _, poor = make_key(null_server, points=1)
    began = time.monotonic()
    with sdk(null_server, poor) as client, pytest.raises(openai.RateLimitError) as caught:
        client.images.generate(model=MODEL, prompt="x", n=2)
    assert caught.value.code == "insufficient_quota"
    assert time.monotonic() - began < 0.5, "the library has tried again"


def test_other_paths_say_what_is_here(null_server: Server) -> None:
    with sdk(null_server) as client, pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="gpt-5", messages=[])
    assert caught.value.code == "unknown_url"


def test_how_tasks_fail(server_with: ServerFactory) -> None:
    """What a provider refuses or breaks raises the right class, once, and names the task."""
    with ThreadedSimulators() as simulators:
        server = server_with(null=False, **simulators.environment("openai"), AQUATINT_TASKS__MAX_ATTEMPTS="1")
        expected = {
            "moderation_blocked": (openai.BadRequestError, "moderation_blocked"),
            "unprocessable_entity": (openai.BadRequestError, "invalid_value"),
            "insufficient_quota": (openai.RateLimitError, "insufficient_quota"),
            "server_error": (openai.InternalServerError, "generation_failed"),
        }
        with sdk(server) as client, server.client() as tasks:
            for word, (kind, code) in expected.items():
                with pytest.raises(kind) as caught:
                    client.images.generate(model="gpt-image-2", prompt=f"x [[fail:{word}]]")
                assert (word, caught.value.code) == (word, code)
                assert tasks.query(caught.value.response.headers["x-aquatint-task-id"])["status"] == "FAILURE"
            assert len(tasks.tasks(limit=100)["tasks"]) == len(expected)


def unfinished(client: Client) -> list[dict[str, Any]]:
    return [
        task for task in client.tasks(limit=5)["tasks"] if task["status"] in ("PENDING", "PROCESSING", "SUBMITTED")
    ]


def test_a_cancelled_task(endless_server: Server, endless: Client) -> None:
    """Its caller hears of it at once, and does not make another."""

    async def drive() -> openai.ConflictError:
        async with async_sdk(endless_server) as client:
            asked = asyncio.create_task(client.images.generate(model=MODEL, prompt="x"))
            while not (found := await asyncio.to_thread(unfinished, endless)):
                await asyncio.sleep(0.02)
            await asyncio.to_thread(endless.cancel, found[0]["taskId"])
            with pytest.raises(openai.ConflictError) as caught:
                await asyncio.wait_for(asked, 5)
            return caught.value

    assert asyncio.run(drive()).code == "task_cancelled"
    assert len(endless.tasks(limit=100, status="CANCELLED")["tasks"]) >= 1


# Waiting


def test_whoever_does_not_want_to_wait(endless_server: Server, endless: Client) -> None:
    """`Prefer: respond-async` answers 202 with the task at once, or after the seconds that it may wait."""
    body = {"model": MODEL, "prompt": "x"}
    for prefer, least in (("respond-async", 0.0), ("respond-async, wait=1", 1.0)):
        began = time.monotonic()
        answer = endless.post(GENERATE, json=body, headers={"prefer": prefer})
        assert answer.status_code == 202, answer.text
        assert least <= time.monotonic() - began < least + 2
        task_id = answer.headers["x-aquatint-task-id"]
        assert answer.json() | {"created": 0} == {
            "id": task_id,
            "object": "image.task",
            "status": answer.json()["status"],
            "created": 0,
        }
        assert answer.headers["location"] == f"/api/v1/task/{task_id}"
        assert endless.query(task_id)["status"] not in ("SUCCESS", "FAILURE")


def test_an_answer_in_time_is_the_pictures_all_the_same(client: Client) -> None:
    answer = client.post(GENERATE, json={"model": MODEL, "prompt": "x"}, headers={"prefer": "respond-async, wait=20"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"][0]["url"]


def test_an_idempotency_key_answers_the_same(client: Client) -> None:
    """With the same request the same pictures, with another a conflict that no library repeats."""
    headers = {"idempotency-key": str(uuid.uuid4())}
    first, second = (client.post(GENERATE, json={"model": MODEL, "prompt": "x"}, headers=headers) for _ in range(2))
    assert first.json()["data"] == second.json()["data"]
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    other = client.post(GENERATE, json={"model": MODEL, "prompt": "y"}, headers=headers)
    assert fault(other, 409)["code"] == "idempotency_conflict"
    assert other.headers["x-should-retry"] == "false"


# Hostile bodies


@pytest.mark.parametrize(
    ("path", "body", "media_type"),
    [
        (GENERATE, b"", "application/json"),
        (GENERATE, b"[]", "application/json"),
        (GENERATE, b"\xff\xfe", "application/json"),
        (GENERATE, b'{"model":"m","prompt":' + b"[" * 900 + b"]" * 900 + b"}", "application/json"),
        (GENERATE, b"[" * 100_000, "application/json"),
        (GENERATE, b'{"model":"seedream-4","prompt":"x","y":1e999}', "application/json"),
        (GENERATE, b'{"model":{},"prompt":7}', "application/json"),
        (GENERATE, b'{"model":"seedream-4","prompt":"x","user":"a\\u0000"}', "application/json"),
        (EDIT, b'{"model":"seedream-4","prompt":"x"}', "application/json"),
        (EDIT, b'{"model":"seedream-4","prompt":"x","images":[{"file_id":"f"}]}', "application/json"),
        (EDIT, b'{"model":"seedream-4","prompt":"x","images":[[[]]]}', "application/json"),
        (EDIT, b'{"model":"seedream-4","prompt":"x","images":{"image_url":{"url":7}}}', "application/json"),
        (EDIT, b'{"model":"seedream-4","prompt":"x","images":["file:///etc/passwd"]}', "application/json"),
        (EDIT, b'{"model":"seedream-4","prompt":"x","images":["data:image/png;base64,%"]}', "application/json"),
        (EDIT, b"junk", "multipart/form-data"),
        (EDIT, b"junk", "multipart/form-data; boundary=b"),
        (EDIT, b"--b\r\ncontent-disposition: form-data\r\n\r\nx\r\n--b--\r\n", "multipart/form-data; boundary=b"),
        (
            EDIT,
            b'--b\r\ncontent-disposition: form-data; name="image"\r\n\r\nhttp://x/\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (
            EDIT,
            b"".join(b'--b\r\ncontent-disposition: form-data; name="f"\r\n\r\n1\r\n' for _ in range(200)),
            "multipart/form-data; boundary=b",
        ),
    ],
)
def test_odd_bodies(client: Client, path: str, body: bytes, media_type: str) -> None:
    """Whatever is sent is refused in OpenAI's shape, and makes no task."""
    answer = client.post(path, content=body, headers={"content-type": media_type, "x-stainless-retry-count": "0"})
    assert fault(answer, 400)["type"] == "invalid_request_error"
    assert "x-aquatint-task-id" not in answer.headers


def test_limits_of_bodies(strict_server: Server) -> None:
    """A body, and a picture in it, may be so large and no larger."""
    with strict_server.client() as client:
        fields = {"model": MODEL, "prompt": "x"}
        large = {"image": ("x.png", bytes(60_000), "image/png")}
        assert fault(client.post(EDIT, data=fields, files=large), 413)["code"] == "request_too_large"
        huge = {"image": ("x.png", bytes(400_000), "image/png")}
        assert fault(client.post(EDIT, data=fields, files=huge), 413)["code"] == "request_too_large"
        empty = {"image": ("x.png", b"", "image/png")}
        assert fault(client.post(EDIT, data=fields, files=empty), 400)["param"] == "image[0]"
        assert fault(client.post(GENERATE, content=bytes(400_000)), 413)["code"] == "request_too_large"


@pytest.mark.parametrize("count", ["-1", "1e3", "x", "9" * 50, ""])
def test_odd_counts_are_no_counts(client: Client, count: str) -> None:
    """A header that is no count of tries is as good as none."""
    headers = {"x-stainless-retry-count": count, "x-stainless-read-timeout": "nan"}
    body = {"model": MODEL, "prompt": f"odd {count}"}
    ids = {client.post(GENERATE, json=body, headers=headers).headers["x-aquatint-task-id"] for _ in range(2)}
    assert len(ids) == 2
