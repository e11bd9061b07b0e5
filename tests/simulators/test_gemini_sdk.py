"""Google's own SDK, and raw requests, against the simulator: it must be as strict and as clear as the real one."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from google import genai
from google.genai import errors, types
from PIL import Image

from support.simulators import ThreadedSimulators

NEW = "gemini-nano-banana-2.1"
PRO = "gemini-3-pro-image"


@pytest.fixture(scope="module")
def running() -> Iterator[ThreadedSimulators]:
    with ThreadedSimulators() as running:
        yield running


@pytest.fixture
def sim(running: ThreadedSimulators) -> ThreadedSimulators:
    running.desk.forget()
    return running


@pytest.fixture(params=["v1", "v1beta"])
def client(sim: ThreadedSimulators, request: pytest.FixtureRequest) -> Iterator[genai.Client]:
    options = types.HttpOptions(base_url=sim.base_url("gemini"), api_version=request.param)
    with genai.Client(api_key="sim-key", http_options=options) as client:
        yield client


def picture(width: int = 300, height: int = 200, form: str = "png") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, form.upper())
    return file.getvalue()


def config(**image: Any) -> types.GenerateContentConfig:
    return types.GenerateContentConfig(
        response_modalities=["IMAGE"], image_config=types.ImageConfig(**image), seed=3 if image else None
    )


def size_of(data: bytes | None) -> tuple[int, int]:
    assert data is not None
    return Image.open(io.BytesIO(data)).size


def parts_of(answer: types.GenerateContentResponse) -> list[types.Part]:
    assert answer.candidates
    assert answer.candidates[0].content
    return answer.candidates[0].content.parts or []


def post(
    sim: ThreadedSimulators, body: Any, *, model: str = NEW, version: str = "v1beta", **more: Any
) -> httpx.Response:
    url = f"{sim.base_url('gemini')}/{version}/models/{model}:generateContent"
    return httpx.post(url, json=body, trust_env=False, **{"headers": {"x-goog-api-key": "sim-key"}, **more})


def body(parts: list[Any] | None = None, **generation: Any) -> dict[str, Any]:
    return {"contents": [{"parts": parts or [{"text": "a boat"}]}], "generationConfig": generation}


def test_generate(sim: ThreadedSimulators, client: genai.Client) -> None:
    """The SDK reads the picture, its size and the bill."""
    answer = client.models.generate_content(
        model=NEW, contents="a boat", config=config(aspect_ratio="21:9", image_size="2K")
    )
    (part,) = parts_of(answer)
    assert part.inline_data is not None
    assert size_of(part.inline_data.data) == (3168, 1344)
    assert part.inline_data.mime_type == "image/png"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata.candidates_token_count == 1680
    assert (answer.model_version, bool(answer.response_id)) == (NEW, True)
    assert sim.desk.charges()["a boat"] == 1


def test_references(client: genai.Client) -> None:
    """Without a ratio the picture follows the first reference, as the SDK sends it."""
    references = [types.Part.from_bytes(data=picture(), mime_type="image/png") for _ in range(2)]
    answer = client.models.generate_content(model=NEW, contents=[*references, "at night"], config=config())
    assert parts_of(answer)[0].inline_data is not None
    assert size_of(parts_of(answer)[0].inline_data.data) == (1264, 848)  # type: ignore[union-attr]


def test_thoughts(client: genai.Client) -> None:
    """The pro model shows a draft among its thoughts, and then the picture as JPEG."""
    parts = parts_of(client.models.generate_content(model=PRO, contents="a boat", config=config(aspect_ratio="4:3")))
    assert [bool(part.thought) for part in parts] == [True, True, False]
    assert [size_of(part.inline_data.data) for part in parts if part.inline_data] == [(600, 448), (1200, 896)]
    assert parts[2].inline_data
    assert parts[2].inline_data.mime_type == "image/jpeg"
    assert parts[2].thought_signature


@pytest.mark.parametrize(
    ("code", "status", "word"),
    [
        ("INVALID_ARGUMENT", 400, "INVALID_ARGUMENT"),
        ("API_KEY_INVALID", 400, "INVALID_ARGUMENT"),
        ("FAILED_PRECONDITION", 400, "FAILED_PRECONDITION"),
        ("UNAUTHENTICATED", 401, "UNAUTHENTICATED"),
        ("PERMISSION_DENIED", 403, "PERMISSION_DENIED"),
        ("BILLING_DISABLED", 403, "PERMISSION_DENIED"),
        ("NOT_FOUND", 404, "NOT_FOUND"),
        ("RESOURCE_EXHAUSTED", 429, "RESOURCE_EXHAUSTED"),
        ("CREDITS_DEPLETED", 429, "RESOURCE_EXHAUSTED"),
        ("INTERNAL", 500, "INTERNAL"),
        ("UNAVAILABLE", 503, "UNAVAILABLE"),
        ("DEADLINE_EXCEEDED", 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_failures(sim: ThreadedSimulators, client: genai.Client, code: str, status: int, word: str) -> None:
    """Each failure is the SDK's own error, with status and word."""
    with pytest.raises(errors.ServerError if status >= 500 else errors.ClientError) as caught:
        client.models.generate_content(model=NEW, contents=f"[[fail:{code}]]", config=config())
    assert (caught.value.code, caught.value.status) == (status, word)
    assert not sim.desk.charges()


def test_retry_info(client: genai.Client) -> None:
    """How long to wait is said in the body."""
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model=NEW, contents="[[http:429]][[retry-after:3]]", config=config())
    assert caught.value.details["error"]["details"][-1]["retryDelay"] == "3s"


def test_blocks(sim: ThreadedSimulators, client: genai.Client) -> None:
    """Blocks are successes without a picture."""
    blocked = client.models.generate_content(model=NEW, contents="[[fail:block:PROHIBITED_CONTENT]]", config=config())
    assert not blocked.candidates
    assert blocked.prompt_feedback is not None
    assert blocked.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT
    unsafe = client.models.generate_content(model=NEW, contents="[[fail:IMAGE_SAFETY]]", config=config())
    assert unsafe.candidates
    assert unsafe.candidates[0].finish_reason == types.FinishReason.IMAGE_SAFETY
    assert not parts_of(unsafe)
    words = client.models.generate_content(model=NEW, contents="[[fail:STOP]]", config=config())
    assert words.text
    empty = client.models.generate_content(model=NEW, contents="[[fail:EMPTY]]", config=config())
    assert not empty.candidates
    assert not empty.prompt_feedback
    assert not sim.desk.charges()


@pytest.mark.parametrize(("switch", "billed"), [("drop", 1), ("cut", 1), ("refuse", 0)])
def test_connections_break(sim: ThreadedSimulators, switch: str, billed: int) -> None:
    """A broken connection is one, and the bill is the simulator's secret."""
    with pytest.raises(httpx.RemoteProtocolError):
        post(sim, body([{"text": f"[[{switch}]]"}]))
    assert sim.desk.charges().total() == billed


def test_keys(sim: ThreadedSimulators) -> None:
    """The key goes in x-goog-api-key, or in the URL; a bearer token is another thing."""
    assert post(sim, body(), headers={}, params={"key": "sim-key"}).status_code == 200
    assert post(sim, body(), headers={}).status_code == 403
    assert post(sim, body(), headers={"Authorization": "Bearer sim-key"}).status_code == 401
    wrong = post(sim, body(), headers={"x-goog-api-key": "nope"})
    assert wrong.status_code == 400
    assert wrong.json()["error"]["details"][0]["reason"] == "API_KEY_INVALID"


def test_both_spellings(sim: ThreadedSimulators) -> None:
    """proto-JSON takes snake case, mixed as well, and nulls."""
    data = base64.b64encode(picture()).decode()
    asked = {
        "contents": [{"role": "user", "parts": [{"inlineData": {"mime_type": "image/png", "data": data}}]}],
        "generation_config": {"response_modalities": ["Image"], "imageConfig": {"aspect_ratio": "1:8"}, "seed": None},
        "safetySettings": None,
    }
    answer = post(sim, asked, version="v1")
    found = answer.json()["candidates"][0]["content"]["parts"][0]["inlineData"]["data"]
    assert size_of(base64.b64decode(found)) == (384, 3072)


def test_text_only(sim: ThreadedSimulators) -> None:
    """Who asks for text gets text."""
    answer = post(sim, body(responseModalities=["TEXT"]))
    assert "text" in answer.json()["candidates"][0]["content"]["parts"][0]
    assert not sim.desk.charges()


@pytest.mark.parametrize(
    ("asked", "model"),
    [
        (body(imageConfig={"imageSize": "1k"}), NEW),
        (body(imageConfig={"imageSize": "512"}), NEW),
        (body(imageConfig={"imageSize": "2K"}), "gemini-3.1-flash-lite-image"),
        (body(imageConfig={"aspectRatio": "8:1"}), PRO),
        (body(imageConfig={"aspectRatio": "2:1"}), NEW),
        (body(imageConfig={"outputMimeType": "image/png"}), NEW),
        (body(imageConfig="2K"), NEW),
        (body(candidateCount=2), NEW),
        (body(seed=1 << 31), NEW),
        (body(responseModalities=["VIDEO"]), NEW),
        (body(responseModalities="IMAGE"), NEW),
        (body(n=2), NEW),
        ({"prompt": "a boat"}, NEW),
        ({}, NEW),
        ([], NEW),
        ({"contents": {"parts": []}}, NEW),
        ({"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, NEW),
        (body([{"inlineData": {"mimeType": "image/gif", "data": "aGk="}}]), NEW),
        (body([{"inlineData": {"mimeType": "image/png", "data": "aGk="}}]), NEW),
        (body([{"inlineData": {"mimeType": "image/png", "data": "%"}}]), NEW),
        (body([{"inlineData": {"mimeType": "image/png", "data": base64.b64encode(picture()).decode()}}] * 15), NEW),
        (body([{"text": "[[nonsense]]"}]), NEW),
    ],
)
def test_strict_requests(sim: ThreadedSimulators, asked: Any, model: str) -> None:
    """Unknown fields, sizes and ratios of other models, and broken pictures are invalid arguments."""
    answer = post(sim, asked, model=model)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert not sim.desk.charges()


def test_models_that_are_not_there(sim: ThreadedSimulators) -> None:
    """Retired and unknown models, other versions and other methods."""
    for model in ("gemini-2.5-flash-image", "gemini-3.1-flash-image", "gemini-3-pro-image-preview"):
        answer = post(sim, body(), model=model)
        assert (answer.status_code, answer.json()["error"]["status"]) == (404, "NOT_FOUND")
    answer = post(sim, body(), version="v2")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (404, "text/html")


def test_broken_json_and_files(sim: ThreadedSimulators) -> None:
    """What is no JSON, and a file that nobody uploaded."""
    url = f"{sim.base_url('gemini')}/v1/models/{NEW}:generateContent"
    answer = httpx.post(url, content=b"{", headers={"x-goog-api-key": "sim-key"}, trust_env=False)
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"
    answer = post(sim, body([{"fileData": {"mimeType": "image/png", "fileUri": "files/1"}}]))
    assert answer.status_code == 403
