"""The simulated Ark in front of Ark's own SDK, and how strict it is."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from volcenginesdkarkruntime import Ark
from volcenginesdkarkruntime._exceptions import (
    ArkAPIConnectionError,
    ArkAPIError,
    ArkAPIStatusError,
    ArkAuthenticationError,
    ArkBadRequestError,
    ArkInternalServerError,
    ArkNotFoundError,
    ArkPermissionDeniedError,
    ArkRateLimitError,
)
from volcenginesdkarkruntime.types.images.images import SequentialImageGenerationOptions

from support.simulators import ThreadedSimulators

V3, V4, V45, LITE = "seedream-3-0-t2i-250415", "seedream-4-0-250828", "seedream-4-5-251128", "seedream-5-0-260128"
PRO, FLASH, V55 = "dola-seedream-5-0-pro-260628", "dola-seedream-5-0-flash-260915", "dola-seedream-5-5-261028"
BLOCKED = "OutputImageSensitiveContentDetected"


@pytest.fixture(scope="module")
def running() -> Iterator[ThreadedSimulators]:
    with ThreadedSimulators() as started:
        yield started


@pytest.fixture
def sim(running: ThreadedSimulators) -> ThreadedSimulators:
    running.desk.forget()
    return running


@pytest.fixture(scope="module")
def client(running: ThreadedSimulators) -> Ark:
    return Ark(base_url=running.base_url("modelark"), api_key="sim-key", max_retries=0, timeout=20.0)


def opened(url: str) -> Image.Image:
    return Image.open(io.BytesIO(httpx.get(url).content))


def picture(width: int = 64, height: int = 48, form: str = "PNG") -> str:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (30, 90, 160)).save(file, form)
    return f"data:image/{form.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def group(client: Ark, prompt: str, count: int = 4, **more: Any) -> Any:
    return client.images.generate(
        model=V4,
        prompt=prompt,
        size="1024x1024",
        watermark=False,
        sequential_image_generation="auto",
        sequential_image_generation_options=SequentialImageGenerationOptions(max_images=count),
        **more,
    )


def post(sim: ThreadedSimulators, body: object, key: str = "Bearer sim-key", path: str = "") -> httpx.Response:
    url = sim.base_url("modelark") + (path or "/images/generations")
    return httpx.post(url, json=body, headers={"Authorization": key, "X-Client-Request-Id": "mine"})


# What the SDK reads


def test_one_image(sim: ThreadedSimulators, client: Ark) -> None:
    """A link to a JPEG of the asked size; tokens by the formula; one image charged."""
    answer = client.images.generate(model=V45, prompt="a fox", size="1760x2368", watermark=False)
    assert answer.model == V45
    assert answer.data[0].size == "1760x2368"
    assert (answer.usage.generated_images, answer.usage.output_tokens, answer.usage.total_tokens) == (1, 16280, 16280)
    assert abs(answer.created - time.time()) < 60  # type: ignore[attr-defined]  # the wire's name; the SDK's stays empty
    made = opened(answer.data[0].url)
    assert (made.size, made.format) == ((1760, 2368), "JPEG")
    assert sim.desk.charges("modelark") == {"a fox": 1}


def test_base64_and_png(sim: ThreadedSimulators, client: Ark) -> None:
    """`response_format` and, for 5.x, `output_format`, which is said again in the answer."""
    answer = client.images.generate(
        model=LITE, prompt="a fox", size="2K", response_format="b64_json", output_format="png"
    )
    made = Image.open(io.BytesIO(base64.b64decode(answer.data[0].b64_json)))
    assert (made.size, made.format, answer.data[0].output_format) == ((2048, 2048), "PNG", "png")


def test_the_watermark_is_painted_unless_it_is_switched_off(sim: ThreadedSimulators, client: Ark) -> None:
    """As with the real Ark, who says nothing gets it; it changes the corner and nothing else."""

    def made(**more: Any) -> Image.Image:
        same: dict[str, Any] = {"model": LITE, "prompt": "a fox", "size": "2K", "output_format": "png", "seed": 3}
        return opened(client.images.generate(**same, **more).data[0].url)

    marked, plain = made(), made(watermark=False)
    for box, alike in (((0, 0, 2048, 1800), True), ((1400, 1900, 2048, 2048), False)):
        assert (marked.crop(box).tobytes() == plain.crop(box).tobytes()) is alike
    assert made(watermark=True).tobytes() == marked.tobytes()


def test_references(sim: ThreadedSimulators, client: Ark) -> None:
    """Data URIs, one or several, and links to what the simulator has itself made; 5.x counts them."""
    first = client.images.generate(model=V4, prompt="a fox", image=picture(), size="1K")
    both = [first.data[0].url, picture(form="WEBP")]
    answer = client.images.generate(model=PRO, prompt="both", image=both, size="1.5K")
    assert answer.data[0].size == "1536x1536"
    assert answer.usage.input_images == 2


def test_a_group(sim: ThreadedSimulators, client: Ark) -> None:
    """Without a stream: one entry for each image, an error instead of an image that failed."""
    answer = group(client, "x [[partial:2]]")
    assert [entry.url is not None for entry in answer.data] == [True, False, True, True]
    assert answer.data[1].error["code"] == BLOCKED
    assert answer.usage.generated_images == 3
    assert answer.usage.output_tokens == 3 * 4096
    assert sim.desk.charges() == {"x [[partial:2]]": 3}


def test_a_group_of_which_nothing_was_made(sim: ThreadedSimulators, client: Ark) -> None:
    """HTTP 200 with an error at the top."""
    answer = group(client, "x [[partial:1,2]]", 2)
    assert answer.error.code == BLOCKED
    assert answer.usage.generated_images == 0
    assert sim.desk.charges() == {}


def test_the_model_decides_how_many(sim: ThreadedSimulators, client: Ark) -> None:
    """By the prompt, within what it is allowed."""
    assert len(group(client, "3 images of a fox").data) == 3
    assert len(group(client, "9 images of a fox", 2).data) == 2


def test_a_stream(sim: ThreadedSimulators, client: Ark) -> None:
    """The SDK parses every event; images come in another order than their indices say."""
    events = list(group(client, "four", stream=True))
    kinds = [event.type.removeprefix("image_generation.") for event in events]
    assert kinds == ["partial_succeeded"] * 4 + ["completed"]
    assert [event.image_index for event in events[:4]] == [1, 0, 3, 2]
    assert len({event.url for event in events[:4]}) == 4
    assert events[0].size == "1024x1024"
    assert events[4].usage["generated_images"] == 4


def test_the_sdk_gives_up_a_stream_at_the_first_failed_image(sim: ThreadedSimulators, client: Ark) -> None:
    """Which is why the engine reads streams itself: three images were made and charged."""
    seen = []
    with pytest.raises(ArkAPIError) as caught:
        seen.extend(group(client, "x [[partial:2]]", stream=True))
    assert caught.value.code == BLOCKED
    assert seen == []
    assert sim.desk.charges() == {"x [[partial:2]]": 3}


def test_an_error_inside_an_answer_and_inside_a_stream(sim: ThreadedSimulators, client: Ark) -> None:
    """`[[fail:200:...]]`."""
    assert group(client, "x [[fail:200:ServerOverloaded]]").error.code == "ServerOverloaded"
    with pytest.raises(ArkAPIError) as caught:
        list(group(client, "x [[fail:200:ServerOverloaded]]", stream=True))
    assert caught.value.code == "ServerOverloaded"


# What the SDK raises


@pytest.mark.parametrize(
    ("code", "error", "status"),
    [
        ("MissingParameter", ArkBadRequestError, 400),
        ("InvalidParameter.TaskTypeMismatch", ArkBadRequestError, 400),
        ("InvalidImageURL.InvalidFormat", ArkBadRequestError, 400),
        ("InputTextSensitiveContentDetected", ArkBadRequestError, 400),
        ("OutputImageSensitiveContentDetected.DeepFake", ArkBadRequestError, 400),
        ("InputImageRiskDetection", ArkBadRequestError, 400),
        ("ContentSecurityDetectionError", ArkBadRequestError, 400),
        ("InvalidEndpoint.ClosedEndpoint", ArkBadRequestError, 400),
        ("InvalidSubscription", ArkBadRequestError, 400),
        ("AuthenticationError", ArkAuthenticationError, 401),
        ("InvalidAccountStatus", ArkAuthenticationError, 401),
        ("AccountOverdueError", ArkPermissionDeniedError, 403),
        ("OperationDenied.ServiceOverdue", ArkPermissionDeniedError, 403),
        ("AccessDenied", ArkPermissionDeniedError, 403),
        ("InvalidEndpointOrModel.ModelIDAccessDisabled", ArkNotFoundError, 404),
        ("ModelNotOpen", ArkNotFoundError, 404),
        ("QuotaExceeded", ArkRateLimitError, 429),
        ("SetLimitExceeded", ArkRateLimitError, 429),
        ("RateLimitExceeded.EndpointRPMExceeded", ArkRateLimitError, 429),
        ("APIAccountRpmRateLimitExceeded", ArkRateLimitError, 429),
        ("ModelAccountIpmRateLimitExceeded", ArkRateLimitError, 429),
        ("ServerOverloaded", ArkRateLimitError, 429),
        ("InternalServiceError", ArkInternalServerError, 500),
    ],
)
def test_errors_reach_the_sdk_with_status_and_code(
    sim: ThreadedSimulators, client: Ark, code: str, error: type[ArkAPIStatusError], status: int
) -> None:
    """Its own class for each, and a request id at the end of the message; nothing is charged."""
    with pytest.raises(error) as caught:
        client.images.generate(model=V4, prompt=f"x [[fail:{code}]]", size="1K")
    assert (caught.value.status_code, caught.value.code) == (status, code)
    assert "Request id: 02" in caught.value.message
    assert sim.desk.charges() == {}


def test_a_status_is_answered_as_often_as_asked(sim: ThreadedSimulators, client: Ark) -> None:
    """`[[http:429:2]]` twice, then the image; the SDK's own retry rides over it, with the wait that was asked for."""
    prompt = "x [[http:429:2]][[retry-after:0.1]]"
    with pytest.raises(ArkRateLimitError) as caught:
        client.images.generate(model=V4, prompt=prompt, size="1K")
    assert caught.value.response.headers["retry-after"] == "0.1"
    patient = Ark(base_url=sim.base_url("modelark"), api_key="sim-key", max_retries=1)
    assert len(patient.images.generate(model=V4, prompt=prompt, size="1K").data) == 1
    assert len(sim.desk.calls) == 3
    assert sim.desk.charges() == {prompt: 1}


@pytest.mark.parametrize(("fault", "charged"), [("refuse", 0), ("drop", 1), ("cut", 1)])
def test_cut_connections(sim: ThreadedSimulators, client: Ark, fault: str, charged: int) -> None:
    """What is charged when no answer arrives."""
    with pytest.raises((ArkAPIConnectionError, httpx.HTTPError)):
        client.images.generate(model=V4, prompt=f"x [[{fault}]]", size="1K")
    assert sum(sim.desk.charges().values()) == charged


def test_a_cut_stream(sim: ThreadedSimulators, client: Ark) -> None:
    """Half of the images, then nothing; all are charged."""
    seen = []
    with pytest.raises(httpx.HTTPError):
        seen.extend(group(client, "x [[cut]]", stream=True))
    assert sim.desk.charges() == {"x [[cut]]": 4}


def test_a_wrong_key(sim: ThreadedSimulators) -> None:
    """And a right key in another kind of header is wrong as well; neither counts as a call."""
    wrong = Ark(base_url=sim.base_url("modelark"), api_key="wrong", max_retries=0)
    with pytest.raises(ArkAuthenticationError) as caught:
        wrong.images.generate(model=V4, prompt="x", size="1K")
    assert caught.value.code == "AuthenticationError"
    assert post(sim, {"model": V4, "prompt": "x"}, key="Key sim-key").status_code == 401
    assert sim.desk.calls == []


@pytest.mark.parametrize(
    "model", ["seedream-4-0", "seedream-4.5", "seededit-3-0-i2i-250628", "ep-20260101120000-abc"]
)
def test_a_model_that_is_not_there(sim: ThreadedSimulators, client: Ark, model: str) -> None:
    """A bare name without its date, another spelling, one that was shut, somebody else's endpoint."""
    with pytest.raises(ArkNotFoundError) as caught:
        client.images.generate(model=model, prompt="x", size="2K")
    assert caught.value.code == "InvalidEndpointOrModel.NotFound"


@pytest.mark.parametrize("model", ["doubao-seedream-4-0-250828", "seedream-5-0-lite-260128", f"ep-{V45}"])
def test_other_names_of_models(sim: ThreadedSimulators, client: Ark, model: str) -> None:
    """Volcengine's spelling, an alias, a private endpoint."""
    assert client.images.generate(model=model, prompt="x", size="2K").model == model


# How strict it is

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    (V4, {"size": "900x900"}, "size"),
    (V4, {"size": "4097x4097"}, "size"),
    (V4, {"size": "6400x320"}, "size"),
    (V4, {"size": "3K"}, "size"),
    (V4, {"size": "2K 2048x2048"}, "size"),
    (V4, {"size": 2048}, "size"),
    (V45, {"size": "1024x1024"}, "size"),
    (V45, {"size": "1K"}, "size"),
    (LITE, {"size": "1280x720"}, "size"),
    (PRO, {"size": "4K"}, "size"),
    (PRO, {"size": "2496x1900"}, "size"),
    (V3, {"size": "500x500"}, "size"),
    (V4, {"output_format": "jpeg"}, "output_format"),
    (V45, {"output_format": "png"}, "output_format"),
    (LITE, {"output_format": "webp"}, "output_format"),
    (V4, {"guidance_scale": 2.5}, "guidance_scale"),
    (V3, {"guidance_scale": 11}, "guidance_scale"),
    (V3, {"seed": 2**31}, "seed"),
    (PRO, {"seed": 1}, "seed"),
    (V3, {"image": picture()}, "image"),
    (V3, {"stream": True}, "stream"),
    (PRO, {"stream": True}, "stream"),
    (PRO, {"sequential_image_generation": "disabled"}, "sequential_image_generation"),
    (FLASH, {"sequential_image_generation": "auto"}, "sequential_image_generation"),
    (V55, {"sequential_image_generation_options": {"max_images": 2}}, "sequential_image_generation_options"),
    (V4, {"sequential_image_generation": "yes"}, "sequential_image_generation"),
    (V4, {"response_format": "base64"}, "response_format"),
    (V4, {"watermark": "false"}, "watermark"),
    (V45, {"optimize_prompt_options": {"mode": "fast"}}, "optimize_prompt_options"),
    (V4, {"n": 2}, "n"),
    (V4, {"negative_prompt": "x"}, "negative_prompt"),
    (V4, {"tools": [{"type": "web_search"}]}, "tools"),
    (V4, {"image": [picture()] * 15}, "image"),
    (PRO, {"image": [picture()] * 11}, "image"),
    (V4, {"image": picture(14, 100)}, "image"),
    (V4, {"image": picture(20, 400)}, "image"),
    (V4, {"image": []}, "image"),
    (V4, {"image": [1]}, "image"),
    (V4, {"image": "http://127.0.0.1:1/x.png"}, "image"),
]


def test_what_the_real_one_refuses_is_refused(sim: ThreadedSimulators) -> None:
    """400 InvalidParameter that names the field, for each model's own rules; nothing is charged."""
    for model, change, param in REFUSED:
        answer = post(sim, {"model": model, "prompt": "x", **change})
        error = answer.json()["error"]
        assert (model, answer.status_code, error["param"]) == (model, 400, param), change
        assert error["code"].startswith("InvalidParameter")
        assert error["type"] == "BadRequest"
    assert sim.desk.charges() == {}


@pytest.mark.parametrize(
    ("image", "code"),
    [
        ("", "InvalidImageURL.EmptyURL"),
        ("data:image/PNG;base64,AAAA", "InvalidImageURL.InvalidFormat"),
        ("data:image/png;base64,%%%", "InvalidImageURL.InvalidFormat"),
        ("data:image/png;base64,AAAA", "InvalidImageURL.InvalidFormat"),
        ("AAAA", "InvalidImageURL.InvalidFormat"),
    ],
)
def test_references_that_are_no_images(sim: ThreadedSimulators, image: str, code: str) -> None:
    """Formats are written small, and the bytes must be a picture."""
    answer = post(sim, {"model": V4, "prompt": "x", "image": image})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_a_group_has_room_for_fifteen(sim: ThreadedSimulators) -> None:
    """References count as well; without a number the rest is filled."""
    body: dict[str, Any] = {"model": V4, "prompt": "x", "size": "1K", "sequential_image_generation": "auto"}
    references = [picture()] * 13
    over = {"image": references, "sequential_image_generation_options": {"max_images": 3}}
    assert post(sim, body | over).status_code == 400
    assert post(sim, body | {"sequential_image_generation_options": {"max_images": 16}}).status_code == 400
    assert len(post(sim, body | {"image": references}).json()["data"]) == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MissingParameter"),
        ({"model": V4}, "MissingParameter"),
        ({"model": V4, "prompt": " "}, "MissingParameter"),
        ([], "InvalidParameter"),
        ({"model": V4, "prompt": "[[nonsense]]"}, "InvalidParameter"),
    ],
)
def test_bodies_that_are_none(sim: ThreadedSimulators, body: object, code: str) -> None:
    """Model and prompt are needed; fault switches that do not exist are told."""
    answer = post(sim, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_nulls_count_as_absent(sim: ThreadedSimulators) -> None:
    """The SDK sends every field that it was not given as null, to every model."""
    fields = ("image", "seed", "guidance_scale", "stream", "tools", "output_format", "layer_decomposition")
    answer = post(sim, {"model": PRO, "prompt": "x", "size": "1K", **dict.fromkeys(fields)})
    assert answer.status_code == 200


def test_request_ids(sim: ThreadedSimulators) -> None:
    """The server's own, in errors too, and the client's given back; unknown paths are an empty 404."""
    answer = post(sim, {}, path="/images/edits")
    assert (answer.status_code, answer.content) == (404, b"")
    for body in ({"model": V4, "prompt": "x", "size": "1K"}, {"model": V4}):
        answer = post(sim, body)
        assert answer.headers["x-request-id"].startswith("02")
        assert answer.headers["x-client-request-id"] == "mine"


def test_faults_of_the_result(sim: ThreadedSimulators, client: Ark) -> None:
    """Dead links, bytes that are no image, half the size: the answer itself looks well, and tells the real size."""

    def made(fault: str) -> Any:
        return client.images.generate(model=V4, prompt=f"x [[{fault}]]", size="1K").data[0]

    assert httpx.get(made("expired").url).status_code == 403
    assert httpx.get(made("late:60").url).status_code == 404
    assert httpx.get(made("garbage").url).content.startswith(b"<html>")
    small = made("small")
    assert (small.size, opened(small.url).size) == ("512x512", (512, 512))
