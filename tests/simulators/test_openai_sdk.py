"""OpenAI's own SDK, and raw requests, against the simulator: it must be as strict and as clear as the real one."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from support.simulators import ThreadedSimulators


@pytest.fixture(scope="module")
def running() -> Iterator[ThreadedSimulators]:
    with ThreadedSimulators() as running:
        yield running


@pytest.fixture
def sim(running: ThreadedSimulators) -> ThreadedSimulators:
    running.desk.forget()
    return running


@pytest.fixture
def client(sim: ThreadedSimulators) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="sim-key", base_url=sim.base_url("openai"), max_retries=0) as client:
        yield client


def picture(width: int = 300, height: int = 200, mode: str = "RGB", form: str = "png") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height)).save(file, form.upper())
    return file.getvalue()


def size_of(base64_text: str | None) -> tuple[int, int]:
    assert base64_text is not None
    return Image.open(io.BytesIO(base64.b64decode(base64_text))).size


def post(sim: ThreadedSimulators, path: str, **request: Any) -> httpx.Response:
    headers = {"Authorization": "Bearer sim-key", **request.pop("headers", {})}
    return httpx.post(f"{sim.base_url('openai')}{path}", headers=headers, trust_env=False, **request)


def ask(sim: ThreadedSimulators, **fields: Any) -> httpx.Response:
    return post(sim, "/images/generations", json={"model": "gpt-image-2", "prompt": "a boat", **fields})


def test_generate(sim: ThreadedSimulators, client: openai.OpenAI) -> None:
    """The SDK reads pictures, sizes and the bill."""
    answer = client.images.generate(
        model="gpt-image-2", prompt="a boat", n=2, size="1024x640", output_format="jpeg", safety_identifier="u1"
    )
    assert answer.data is not None
    assert [size_of(image.b64_json) for image in answer.data] == [(1024, 640)] * 2
    assert (answer.size, answer.quality, answer.output_format) == ("1024x640", "medium", "jpeg")
    assert answer.safety_identifier == "u1"
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens
    assert sim.desk.charges()["a boat"] == 2


def test_edit(sim: ThreadedSimulators, client: openai.OpenAI) -> None:
    """One file, a list of files and a mask arrive as the SDK sends them."""
    one = ("one.png", picture(), "image/png")
    two = ("two.jpg", picture(form="jpeg"), "image/jpeg")
    mask = ("mask.png", picture(mode="RGBA"), "image/png")
    wide = client.images.edit(model="gpt-image-2", prompt="a", image=one, mask=mask)
    old = client.images.edit(model="gpt-image-1.5", prompt="b", image=[one, two], input_fidelity="high", n=2)
    assert wide.data is not None
    assert old.data is not None
    assert size_of(wide.data[0].b64_json) == (1248, 832)
    assert [size_of(image.b64_json) for image in old.data] == [(1536, 1024)] * 2
    assert sim.desk.calls[1].body["image[]"][1].startswith("two.jpg image/jpeg")


def test_streams(client: openai.OpenAI) -> None:
    """Partial pictures, then the picture with its bill."""
    stream = client.images.generate(
        model="gpt-image-2", prompt="a boat", size="1024x640", stream=True, partial_images=2
    )
    events = list(stream)
    kinds = [event.type for event in events]
    assert kinds == ["image_generation.partial_image"] * 2 + ["image_generation.completed"]
    last = events[-1]
    assert last.type == "image_generation.completed"
    assert size_of(last.b64_json) == (1024, 640)
    assert last.usage.output_tokens > 0
    file = ("one.png", picture(), "image/png")
    edits = list(client.images.edit(model="gpt-image-2", prompt="b", image=file, stream=True, partial_images=1))
    assert [event.type for event in edits] == ["image_edit.partial_image", "image_edit.completed"]


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("moderation_blocked", openai.BadRequestError, 400),
        ("content_policy_violation", openai.BadRequestError, 400),
        ("billing_hard_limit_reached", openai.BadRequestError, 400),
        ("invalid_image", openai.BadRequestError, 400),
        ("invalid_api_key", openai.AuthenticationError, 401),
        ("organization_not_verified", openai.PermissionDeniedError, 403),
        ("model_not_found", openai.NotFoundError, 404),
        ("conflict", openai.ConflictError, 409),
        ("unprocessable_entity", openai.UnprocessableEntityError, 422),
        ("insufficient_quota", openai.RateLimitError, 429),
        ("rate_limit_exceeded", openai.RateLimitError, 429),
        ("server_error", openai.InternalServerError, 500),
        ("overloaded", openai.InternalServerError, 503),
    ],
)
def test_failures(
    sim: ThreadedSimulators, client: openai.OpenAI, code: str, kind: type[openai.APIStatusError], status: int
) -> None:
    """Each failure is the SDK's own error, with status, code and request id."""
    with pytest.raises(kind) as caught:
        client.images.generate(model="gpt-image-2", prompt=f"[[fail:{code}]]")
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert (caught.value.request_id or "").startswith("req_")
    assert not sim.desk.charges()


def test_moderation_details(client: openai.OpenAI) -> None:
    """A blocked prompt says at which stage."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.images.generate(model="gpt-image-2", prompt="[[fail:moderation_blocked]]")
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["moderation_details"]["moderation_stage"] == "input"
    assert caught.value.type == "image_generation_user_error"


def test_the_sdk_retries_what_it_should(sim: ThreadedSimulators, client: openai.OpenAI) -> None:
    """A rate limit passes on the second try; an empty account is not asked again."""
    patient = client.with_options(max_retries=2)
    assert patient.images.generate(model="gpt-image-2", prompt="[[http:429:1]][[retry-after:0.05]]").data
    assert len(sim.desk.calls) == 2
    with pytest.raises(openai.RateLimitError):
        patient.images.generate(model="gpt-image-2", prompt="[[fail:insufficient_quota]]")
    assert len(sim.desk.calls) == 3


@pytest.mark.parametrize(("switch", "billed"), [("drop", 1), ("cut", 1), ("refuse", 0)])
def test_connections_break(sim: ThreadedSimulators, client: openai.OpenAI, switch: str, billed: int) -> None:
    """A broken connection is a connection error, and the bill is the simulator's secret."""
    with pytest.raises(openai.APIConnectionError):
        client.images.generate(model="gpt-image-2", prompt=f"[[{switch}]]")
    assert sim.desk.charges().total() == billed


def test_keys(sim: ThreadedSimulators) -> None:
    """Only Bearer with the right key is let in."""
    assert ask(sim).status_code == 200
    for headers, code in (
        ({"Authorization": "Key sim-key"}, None),
        ({"Authorization": ""}, None),
        ({"Authorization": "Bearer sk-0123456789"}, "invalid_api_key"),
    ):
        answer = post(sim, "/images/generations", json={}, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == code


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"response_format": "b64_json"}, "unknown_parameter", "response_format"),
        ({"seed": 3}, "unknown_parameter", "seed"),
        ({"style": "vivid"}, "unknown_parameter", "style"),
        ({"complexity": "high"}, "unknown_parameter", "complexity"),
        ({"input_fidelity": "high"}, "unknown_parameter", "input_fidelity"),
        ({"n": 11}, "integer_above_max_value", "n"),
        ({"n": 0}, "integer_below_min_value", "n"),
        ({"n": "2"}, "invalid_type", "n"),
        ({"prompt": ""}, "missing_required_parameter", "prompt"),
        ({"prompt": 5}, "invalid_type", "prompt"),
        ({"prompt": "a" * 32_001}, "string_above_max_length", "prompt"),
        ({"prompt": "[[nonsense]]"}, "invalid_value", "prompt"),
        ({"model": None}, "missing_required_parameter", "model"),
        ({"model": "gpt-image-1"}, "model_not_found", "model"),
        ({"model": "gpt-image-9"}, "model_not_found", "model"),
        ({"model": "gpt-image-1.5", "size": "2048x2048"}, "invalid_value", "size"),
        ({"size": "1792x936"}, "invalid_value", "size"),
        ({"size": "4096x1024"}, "invalid_value", "size"),
        ({"size": "3200x1024"}, "invalid_value", "size"),
        ({"size": "800x800"}, "invalid_value", "size"),
        ({"size": "3840x3840"}, "invalid_value", "size"),
        ({"size": "big"}, "invalid_value", "size"),
        ({"quality": "max"}, "invalid_value", "quality"),
        ({"quality": "hd"}, "invalid_value", "quality"),
        ({"moderation": "none"}, "invalid_value", "moderation"),
        ({"output_format": "gif"}, "invalid_value", "output_format"),
        ({"output_compression": 50}, "invalid_value", "output_compression"),
        ({"background": "transparent", "output_format": "jpeg"}, "invalid_value", "background"),
        ({"partial_images": 1}, "invalid_value", "partial_images"),
        ({"partial_images": 4, "stream": True}, "integer_above_max_value", "partial_images"),
        ({"stream": "yes"}, "invalid_type", "stream"),
    ],
)
def test_strict_fields(sim: ThreadedSimulators, fields: dict[str, Any], code: str, param: str) -> None:
    """Fields that the model does not have, and values out of bounds, are refused by name."""
    answer = ask(sim, **fields)
    assert answer.status_code in (400, 404)
    error = answer.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert not sim.desk.calls or fields.get("prompt") == "[[nonsense]]"


def test_nulls_and_newer_models(sim: ThreadedSimulators) -> None:
    """A null is a field that was not sent; 2.5 has more qualities."""
    answer = ask(
        sim, model="gpt-image-2.5-flare", quality="xhigh", background=None, complexity="low", size="1024x640"
    )
    assert answer.json()["quality"] == "xhigh"


def edit(sim: ThreadedSimulators, files: list[tuple[str, tuple[str, bytes, str]]], **fields: str) -> httpx.Response:
    return post(sim, "/images/edits", data={"model": "gpt-image-2", "prompt": "b", **fields}, files=files)


def test_strict_files(sim: ThreadedSimulators) -> None:
    """Files must be pictures, at most sixteen, and a mask must fit."""
    good = ("a.png", picture(), "image/png")
    for files, code in (
        ([], "missing_required_parameter"),
        ([("image[]", good)] * 17, "array_above_max_length"),
        ([("image", ("a", picture(), "application/octet-stream"))], "unsupported_image_media_type"),
        ([("image", ("a.png", b"no picture", "image/png"))], "image_parse_error"),
        ([("image", good), ("mask", ("m.png", picture(), "image/png"))], "invalid_image"),
        ([("image", good), ("mask", ("m.png", picture(9, 9, "RGBA"), "image/png"))], "invalid_image"),
        ([("image", good), ("markup", good)], "invalid_value"),
        ([("image", good), ("photo", good)], "invalid_type"),
    ):
        request = {"files": files} if files else {"files": [("x", (None, b"", None))]}
        answer = edit(sim, **request)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code), code
    assert edit(sim, [("image", good)], seed="1").json()["error"]["code"] == "unknown_parameter"
    assert edit(sim, [("image", good)], input_fidelity="high").status_code == 400
    assert not sim.desk.calls


def test_edits_as_json(sim: ThreadedSimulators) -> None:
    """The JSON form takes data URLs."""
    url = "data:image/png;base64," + base64.b64encode(picture()).decode()
    body: dict[str, Any] = {"model": "gpt-image-2", "prompt": "b", "images": [{"image_url": url}], "size": "1024x640"}
    answer = post(sim, "/images/edits", json=body)
    assert size_of(answer.json()["data"][0]["b64_json"]) == (1024, 640)
    for images, code in (
        (None, "missing_required_parameter"),
        ([], "missing_required_parameter"),
        ([{"image_url": "https://example.com/a.png"}], "failed_to_download_image"),
        ([{"file_id": "file-1"}], "invalid_value"),
        ([{"url": url}], "invalid_value"),
    ):
        assert post(sim, "/images/edits", json={**body, "images": images}).json()["error"]["code"] == code


def test_other_bodies_and_paths(sim: ThreadedSimulators) -> None:
    """No JSON, another media type, and the routes that are gone."""
    json_type = {"Content-Type": "application/json"}
    assert post(sim, "/images/generations", content=b"{", headers=json_type).status_code == 400
    answer = post(sim, "/images/generations", data={"prompt": "a"})
    assert answer.json()["error"]["code"] == "unsupported_content_type"
    answer = post(sim, "/images/variations", json={})
    assert answer.status_code == 404
    assert "Invalid URL" in answer.json()["error"]["message"]
    assert answer.headers["x-request-id"].startswith("req_")
