"""fal-client against the fake of fal: what it parses, and which error each failure becomes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import fal_client
import httpx
import pytest
from PIL import Image

from support.receiver import ThreadedReceiver
from support.simulators import ThreadedSimulators

V4 = "fal-ai/bytedance/seedream/v4/text-to-image"
EDIT = "fal-ai/bytedance/seedream/v4/edit"
SIZE = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")
def simulators() -> Iterator[ThreadedSimulators]:
    with ThreadedSimulators() as running:
        yield running


@pytest.fixture(scope="module")
def client(simulators: ThreadedSimulators) -> Iterator[fal_client.SyncClient]:
    """The SDK turned to the fake; its hosts are always https, so the address is put into its place."""
    made = fal_client.SyncClient(key="sim-key", default_timeout=10.0)
    yield made
    made._client.close()


@pytest.fixture(autouse=True)
def _at_the_fake(simulators: ThreadedSimulators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fal_client.client.QUEUE_URL_FORMAT", f"{simulators.base_url('fal')}/")
    simulators.desk.forget()


def asks(prompt: str = "a harbour", **other: object) -> dict[str, object]:
    return {"prompt": prompt, "image_size": SIZE, **other}


def a_picture(width: int = 64, height: int = 48) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (10, 90, 160)).save(file, "PNG")
    return file.getvalue()


def refused(client: fal_client.SyncClient, model: str, arguments: dict[str, object]) -> fal_client.FalClientHTTPError:
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        client.subscribe(model, arguments, interval=0.01)
    return caught.value


def complaint(
    client: fal_client.SyncClient, model: str, arguments: dict[str, object]
) -> tuple[int, str, list[object]]:
    """Status, type and place of a model's only complaint."""
    error = refused(client, model, arguments)
    (entry,) = error.message
    assert set(entry) >= {"loc", "msg", "type", "url"}  # type: ignore[arg-type]
    return error.status_code, entry["type"], entry["loc"]  # type: ignore[index]


def test_subscribe(client: fal_client.SyncClient, simulators: ThreadedSimulators) -> None:
    """The SDK's main road: submit, poll with logs, result."""
    seen: list[fal_client.Status] = []
    result = client.subscribe(
        V4,
        asks("a harbour [[sleep:0.3]]", num_images=2, seed=7),
        with_logs=True,
        interval=0.05,
        on_queue_update=seen.append,
    )
    assert {type(status) for status in seen} == {fal_client.Queued, fal_client.InProgress, fal_client.Completed}
    assert isinstance(seen[-1], fal_client.Completed)
    assert seen[-1].logs
    assert seen[-1].metrics["inference_time"] >= 0.3
    assert result["seed"] == 7
    first, _ = result["images"]
    assert (first["width"], first["height"], first["content_type"]) == (1280, 720, "image/png")
    data = httpx.get(first["url"]).content
    assert len(data) == first["file_size"]
    assert Image.open(io.BytesIO(data)).size == (1280, 720)
    assert simulators.desk.charges("fal") == {"a harbour [[sleep:0.3]]": 2}


async def test_async_client(simulators: ThreadedSimulators) -> None:
    """The asynchronous client walks the same road."""
    client = fal_client.AsyncClient(key="sim-key")
    result = await client.subscribe(V4, asks(), interval=0.01)
    assert len(result["images"]) == 1
    await (await client._client).aclose()


def test_by_request_id(client: fal_client.SyncClient) -> None:
    """Status and result by model and request id: the URLs hold only owner and app."""
    handle = client.submit(V4, asks(max_images=2))
    assert handle.status_url.endswith(f"/fal/fal-ai/bytedance/requests/{handle.request_id}/status")
    assert len(client.result(V4, handle.request_id)["images"]) == 2
    assert isinstance(client.status(V4, handle.request_id), fal_client.Completed)


def test_cancel(client: fal_client.SyncClient) -> None:
    """Three answers: requested, already completed, not found."""
    handle = client.submit(V4, asks("slow [[sleep:30]]"))
    client.cancel(V4, handle.request_id)
    with pytest.raises(fal_client.FalClientHTTPError) as stopped:
        client.result(V4, handle.request_id)
    assert (stopped.value.status_code, stopped.value.error_type) == (499, "client_cancelled")
    for name, status in ((handle.request_id, 400), ("unknown", 404)):
        with pytest.raises(fal_client.FalClientHTTPError) as caught:
            client.cancel(V4, name)
        assert caught.value.status_code == status


def test_result_before_the_end(client: fal_client.SyncClient) -> None:
    """A result that is not there yet is an error, not a wait."""
    handle = client.submit(V4, asks("slow [[sleep:30]]"))
    assert client._client.get(handle.response_url).status_code == 400
    handle.cancel()


def test_references(client: fal_client.SyncClient, simulators: ThreadedSimulators) -> None:
    """Pictures as the SDK encodes them; of more than ten the last ten are used."""
    urls = [fal_client.encode(a_picture(), "image/png")] * 12
    assert len(client.subscribe(EDIT, asks(image_urls=urls), interval=0.01)["images"]) == 1


def test_inline_results(client: fal_client.SyncClient) -> None:
    """`sync_mode` puts the picture into the answer."""
    url = client.subscribe(V4, asks(sync_mode=True), interval=0.01)["images"][0]["url"]
    assert Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).size == (1280, 720)


@pytest.mark.parametrize(
    ("word", "size"),
    [("square_hd", (1024, 1024)), ("landscape_16_9", (1366, 768)), ("portrait_4_3", (887, 1183))],
)
def test_size_words(client: fal_client.SyncClient, word: str, size: tuple[int, int]) -> None:
    """Words for sizes."""
    image = client.subscribe(V4, {"prompt": "x", "image_size": word}, interval=0.01)["images"][0]
    assert (image["width"], image["height"]) == size


@pytest.mark.parametrize(
    ("model", "arguments", "kind", "where"),
    [
        (V4, {"image_size": SIZE}, "missing", ["prompt"]),
        (V4, asks(prompt=3), "string_type", ["prompt"]),
        (V4, asks(""), "string_too_short", ["prompt"]),
        (V4, asks(width=3), "extra_forbidden", ["width"]),
        (V4, asks(image_urls=["data:"]), "extra_forbidden", ["image_urls"]),
        (V4, asks(num_images=0), "greater_than_equal", ["num_images"]),
        (V4, asks(num_images=7), "less_than_equal", ["num_images"]),
        (V4, asks(num_images="2"), "int_type", ["num_images"]),
        (V4, asks(max_images=True), "int_type", ["max_images"]),
        (V4, asks(seed=-1), "greater_than_equal", ["seed"]),
        (V4, asks(seed=2**31), "less_than_equal", ["seed"]),
        (V4, asks(sync_mode="yes"), "bool_type", ["sync_mode"]),
        (V4, asks(enhance_prompt_mode="best"), "one_of", ["enhance_prompt_mode"]),
        (V4, asks(image_size="huge"), "value_error", ["image_size"]),
        (V4, asks(image_size={"width": 1280}), "value_error", ["image_size"]),
        (V4, asks(image_size={"width": 640, "height": 480}), "greater_than_equal", ["image_size"]),
        (V4, asks(image_size={"width": 4097, "height": 4096}), "less_than_equal", ["image_size"]),
        (V4, asks(image_size={"width": 4112, "height": 256}), "value_error", ["image_size"]),
        (V4, asks(image_size="auto_3K"), "value_error", ["image_size"]),
        (EDIT, asks(), "missing", ["image_urls"]),
        (EDIT, asks(image_urls="x"), "list_type", ["image_urls"]),
        (EDIT, asks(image_urls=[]), "sequence_too_short", ["image_urls"]),
        (EDIT, asks(image_urls=["https://x.example/a.png"]), "file_download_error", ["image_urls", 0]),
        (EDIT, asks(image_urls=["data:image/png;base64,AAAA"]), "image_load_error", ["image_urls", 0]),
        (
            EDIT,
            asks(image_urls=[fal_client.encode(a_picture(14, 40), "image/png")]),
            "image_too_small",
            ["image_urls", 0],
        ),
        (
            EDIT,
            asks(image_urls=[fal_client.encode(a_picture(6001, 6000), "image/png")]),
            "image_too_large",
            ["image_urls", 0],
        ),
        ("bytedance/seedream/v5/pro/text-to-image", asks(enhance_prompt_mode="fast"), "extra_forbidden", None),
        ("bytedance/seedream/v5/lite/text-to-image", asks(), "greater_than_equal", ["image_size"]),
        ("fal-ai/flux-2", asks(max_images=2), "extra_forbidden", ["max_images"]),
        ("fal-ai/flux-2", asks(num_images=5), "less_than_equal", ["num_images"]),
    ],
)
def test_inputs_that_a_model_refuses(
    client: fal_client.SyncClient,
    simulators: ThreadedSimulators,
    model: str,
    arguments: dict[str, object],
    kind: str,
    where: list[object] | None,
) -> None:
    """The job is COMPLETED and its result is a 422 that names the field; nothing is charged."""
    status, found, place = complaint(client, model, arguments)
    assert (status, found) == (422, kind)
    assert where is None or place == ["body", *where]
    assert not simulators.desk.charges("fal")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("content_policy_violation", 422, None),
        ("no_media_generated", 422, None),
        ("face_detection_error", 422, None),
        ("internal_server_error", 500, None),
        ("generation_timeout", 504, None),
        ("downstream_service_error", 400, None),
        ("downstream_service_unavailable", 500, None),
        ("request_timeout", 504, "request_timeout"),
        ("startup_timeout", 504, "startup_timeout"),
        ("runner_disconnected", 503, "runner_disconnected"),
        ("runner_incomplete_response", 502, "runner_incomplete_response"),
        ("internal_error", 500, "internal_error"),
        ("exhausted_balance", 403, None),
        ("unauthorized", 401, None),
    ],
)
def test_failures(
    client: fal_client.SyncClient, simulators: ThreadedSimulators, code: str, status: int, kind: str | None
) -> None:
    """Each failure is the SDK's own error with its status; platform errors carry their type."""
    error = refused(client, V4, asks(f"a harbour [[fail:{code}]]"))
    assert (error.status_code, error.error_type) == (status, kind)
    if kind is None and status not in (401, 403):
        assert error.message[0]["type"] == code  # type: ignore[index]
    assert not simulators.desk.charges("fal")


def test_platform_failure_in_the_status(client: fal_client.SyncClient) -> None:
    """A runner's failure stands in the status already."""
    handle = client.submit(V4, asks("a harbour [[fail:runner_disconnected]]"))
    *_, last = handle.iter_events(interval=0.01)
    assert isinstance(last, fal_client.Completed)
    assert last.error_type == "runner_disconnected"


def test_start_timeout(client: fal_client.SyncClient) -> None:
    """A job that waits longer than it may ends as the SDK expects it."""
    handle = client.submit(V4, asks("slow [[sleep:20]]"), start_timeout=1.1)
    error = None
    try:
        handle.get(interval=0.05)
    except fal_client.FalClientHTTPError as found:
        error = found
    assert error is not None
    assert (error.status_code, error.error_type) == (504, "request_timeout")
    assert error.response_headers["x-fal-request-timeout-type"] == "user"


def test_http_faults(client: fal_client.SyncClient, simulators: ThreadedSimulators) -> None:
    """429 once is retried by the SDK itself; 503 in fal's shape is not."""
    client.subscribe(V4, asks("busy [[http:429:1]]"), interval=0.01)
    assert len(simulators.desk.calls) == 2
    error = refused(client, V4, asks("down [[http:503]]"))
    assert (error.status_code, len(simulators.desk.calls)) == (503, 3)


def test_wrong_keys_models_and_bodies(client: fal_client.SyncClient, simulators: ThreadedSimulators) -> None:
    """401 without fal's own form of the key, 404 for a model, 400 for no JSON and for a switch that is none."""
    base = simulators.base_url("fal")
    for header in ("", "Key wrong", "Bearer sim-key", "key sim-key"):
        answer = httpx.post(f"{base}/{V4}", json=asks(), headers={"Authorization": header})
        assert answer.status_code == 401
        assert "detail" in answer.json()
    assert refused(client, "fal-ai/nothing", asks()).status_code == 404
    assert refused(client, "bytedance/seedream/v5.5/edit", asks()).status_code == 404
    assert refused(client, V4, asks("a harbour [[unknown]]")).status_code == 400
    assert client._client.post(f"{base}/{V4}", content=b"{").status_code == 400
    assert client._client.post(f"{base}/{V4}", json=[1]).status_code == 422
    assert not simulators.desk.charges("fal")


def test_webhook(client: fal_client.SyncClient, receiver: ThreadedReceiver, simulators: ThreadedSimulators) -> None:
    """Two letters where two are wanted, none where none is; a receiver that is down is tried again."""
    client.submit(V4, asks("silent [[silent]]"), webhook_url=receiver.url).get(interval=0.01)
    handle = client.submit(V4, asks("twice [[twice]]"), webhook_url=f"{receiver.url}?a=1&b=%20")
    letters = receiver.wait_for(2)
    assert [letter.path for letter in letters] == ["/hook?a=1&b=%20"] * 2
    letter = letters[0].json()
    assert isinstance(letter, dict)
    assert (letter["request_id"], letter["status"], letter["error"]) == (handle.request_id, "OK", None)
    assert letter["payload"]["images"][0]["width"] == 1280
    (key,) = httpx.get(f"{simulators.base_url('fal')}/.well-known/jwks.json").json()["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")


def test_results_die(client: fal_client.SyncClient) -> None:
    """Dead links, and bytes that are no image."""
    images = client.subscribe(V4, asks("dead [[expired]]"), interval=0.01)["images"]
    assert httpx.get(images[0]["url"]).status_code == 403
    images = client.subscribe(V4, asks("odd [[garbage]]"), interval=0.01)["images"]
    assert httpx.get(images[0]["url"]).content.startswith(b"<html>")
    images = client.subscribe(V4, asks("little [[small]]"), interval=0.01)["images"]
    assert Image.open(io.BytesIO(httpx.get(images[0]["url"]).content)).size == (640, 360)
