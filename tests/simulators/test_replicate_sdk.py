"""replicate's own client against the fake of Replicate: what it parses, and which error each failure becomes."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator

import httpx
import pytest
import replicate
from PIL import Image
from replicate.exceptions import ModelError, ReplicateError
from replicate.webhook import InvalidSignatureError, Webhooks

from aquatint.testing.simulators.replicate import predictions
from aquatint.testing.simulators.replicate.models import MODELS
from support.receiver import ThreadedReceiver
from support.simulators import ThreadedSimulators

V4 = "bytedance/seedream-4"
V45 = "bytedance/seedream-4.5"
V3 = "bytedance/seedream-3"


@pytest.fixture(scope="module")
def simulators() -> Iterator[ThreadedSimulators]:
    with ThreadedSimulators() as running:
        yield running


@pytest.fixture(scope="module")
def client(simulators: ThreadedSimulators) -> Iterator[replicate.Client]:
    made = replicate.Client(api_token="sim-key", base_url=simulators.base_url("replicate"))
    made.poll_interval = 0.01
    yield made
    made._client.close()


@pytest.fixture(autouse=True)
def _forget(simulators: ThreadedSimulators) -> None:
    simulators.desk.forget()


def asks(prompt: str = "a harbour", **other: object) -> dict[str, object]:
    return {"prompt": prompt, "size": "1K", **other}


def a_picture() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (80, 40), (10, 90, 160)).save(file, "PNG")
    file.name = "a.png"
    return file


def refused(client: replicate.Client, model: str = V4, **given: object) -> ReplicateError:
    with pytest.raises(ReplicateError) as caught:
        client.models.predictions.create(model, input=asks(**given))  # type: ignore[arg-type]
    return caught.value


def test_statuses_over_time(client: replicate.Client, simulators: ThreadedSimulators) -> None:
    """Starting, processing, succeeded; a list of files of the size that the ratio gives."""
    made = client.models.predictions.create(V4, input=asks("slow [[sleep:1]]", aspect_ratio="16:9"))
    assert (made.status, made.model, made.output) == ("starting", V4, None)
    time.sleep(0.5)
    made.reload()
    assert made.status == "processing"
    assert made.started_at
    made.wait()
    assert made.status == "succeeded"
    assert made.completed_at
    assert made.metrics is not None
    assert made.metrics["predict_time"] > 0.5
    assert made.progress is not None
    assert made.progress.percentage == 1.0
    (url,) = made.output or []
    width, height = Image.open(io.BytesIO(httpx.get(url).content)).size
    assert abs(width / height - 16 / 9) < 0.03
    assert simulators.desk.charges("replicate") == {"slow [[sleep:1]]": 1}


async def test_async_client(simulators: ThreadedSimulators) -> None:
    """The asynchronous client walks the same road."""
    client = replicate.Client(api_token="sim-key", base_url=simulators.base_url("replicate"))
    client.poll_interval = 0.01
    made = await client.models.predictions.async_create(V4, input=asks())
    await made.async_wait()
    assert len(made.output or []) == 1
    await client._async_client.aclose()


def test_run(client: replicate.Client) -> None:
    """`run` of an official model; the older model's output is one URL and no list."""
    many = client.run(V4, input=asks(sequential_image_generation="auto", max_images=3), use_file_output=False)
    assert len(many) == 3
    one = client.run(V3, input={"prompt": "a harbour", "size": "small"}, use_file_output=False)
    assert isinstance(one, str)
    assert one.startswith("http")


def test_prefer_wait(client: replicate.Client, simulators: ThreadedSimulators) -> None:
    """`wait` blocks until the end, or until its time has passed."""
    version = MODELS[V4].version
    done = client.predictions.create(version=version, input=asks("a [[sleep:0.3]]"), wait=True)
    assert (done.status, done.version) == ("succeeded", version)
    begun = time.monotonic()
    soon = client.predictions.create(version=f"{V4}:{version}", input=asks("b [[sleep:5]]"), wait=1)
    assert soon.status in ("starting", "processing")
    assert 0.9 < time.monotonic() - begun < 3
    soon.cancel()
    address = f"{simulators.base_url('replicate')}/v1/models/{V4}/predictions"
    for prefer, status in (("wait", 201), ("", 202)):
        answer = client._client.post(address, json={"input": asks("c [[sleep:0.1]]")}, headers={"Prefer": prefer})
        assert answer.status_code == status


def test_references(client: replicate.Client) -> None:
    """Pictures as the SDK encodes them; without a ratio the output follows the first."""
    made = client.models.predictions.create(
        V4, input=asks(image_input=[a_picture()]), file_encoding_strategy="base64"
    )
    made.wait()
    width, height = Image.open(io.BytesIO(httpx.get((made.output or [])[0]).content)).size
    assert abs(width / height - 2.0) < 0.05


def test_custom_size(client: replicate.Client) -> None:
    """`custom` takes width and height."""
    (url,) = client.run(V4, input=asks(size="custom", width=1100, height=1030), use_file_output=False)
    assert Image.open(io.BytesIO(httpx.get(url).content)).size == (1100, 1030)


def test_cancel(client: replicate.Client, simulators: ThreadedSimulators) -> None:
    """A canceled prediction stays so; one that is done stays done."""
    made = client.models.predictions.create(V4, input=asks("slow [[sleep:30]]"))
    made.cancel()
    made.reload()
    assert made.status == "canceled"
    assert not simulators.desk.charges("replicate")
    done = client.models.predictions.create(V4, input=asks())
    done.wait()
    done.cancel()
    assert done.status == "succeeded"


def test_list(client: replicate.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages, newest first, joined by cursors."""
    monkeypatch.setattr(predictions, "PAGE", 2)
    names = [client.models.predictions.create(V4, input=asks(f"{n} [[fail:E005]]")).id for n in range(3)]
    first = client.predictions.list()
    assert [made.id for made in first] == [names[2], names[1]]
    assert first.previous is None
    second = client.predictions.list(first.next or "")
    assert second[0].id == names[0]
    assert second.previous is not None


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("E005", "flagged as sensitive"),
        ("NSFW", "NSFW content detected"),
        ("content_policy", "content policy"),
        ("input", "Input validation error"),
        ("E6716", "E6716"),
    ],
)
def test_predictions_that_fail(
    client: replicate.Client, simulators: ThreadedSimulators, code: str, text: str
) -> None:
    """The create is accepted, the prediction fails with Replicate's text, nothing is charged."""
    with pytest.raises(ModelError) as caught:
        client.run(V4, input=asks(f"a harbour [[fail:{code}]]"))
    assert text in str(caught.value)
    assert caught.value.prediction.status == "failed"
    assert not simulators.desk.charges("replicate")


def test_other_ends(client: replicate.Client, simulators: ThreadedSimulators) -> None:
    """Canceled and aborted, scripted or by a deadline; the SDK does not know the word aborted."""
    made = client.models.predictions.create(V4, input=asks("x [[fail:canceled]]"))
    made.wait()
    assert made.status == "canceled"
    address = f"{simulators.base_url('replicate')}/v1/models/{V4}/predictions"
    headers = {"Cancel-After": "5s", "Prefer": "wait"}
    aborted = client._client.post(address, json={"input": asks("y [[fail:aborted]]")}, headers=headers).json()
    assert (aborted["status"], aborted["started_at"]) == ("aborted", None)
    refusal = client._client.post(address, json={"input": asks()}, headers={"Cancel-After": "soon"})
    assert refusal.status_code == 400


@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        (V4, {"prompt": ""}, "input.prompt"),
        (V4, {"prompt": 3}, "input.prompt"),
        (V45, {"prompt": "x" * 4001, "size": "2K"}, "input.prompt"),
        (V4, {"seed": 1}, "input.seed"),
        (V45, {}, "input.size"),
        (V4, {"size": "2k"}, "input.size"),
        (V4, {"aspect_ratio": "5:4"}, "input.aspect_ratio"),
        (V4, {"size": "custom", "width": 1000}, "input.width"),
        (V4, {"size": "custom", "height": "1024"}, "input.height"),
        (V4, {"image_input": "x"}, "input.image_input"),
        (V4, {"image_input": ["x"] * 11}, "input.image_input"),
        (V4, {"image_input": ["https://x.example/a.png"]}, "input.image_input.0"),
        (V4, {"image_input": ["data:image/png;base64,AAAA"]}, "input.image_input.0"),
        (V4, {"sequential_image_generation": "on"}, "input.sequential_image_generation"),
        (V4, {"sequential_image_generation": "auto", "max_images": 16}, "input.max_images"),
        (V4, {"enhance_prompt": "yes"}, "input.enhance_prompt"),
        (V45, {"size": "2K", "enhance_prompt": True}, "input.enhance_prompt"),
        (V3, {"size": "small", "image_input": []}, "input.image_input"),
    ],
)
def test_inputs_that_are_refused(
    client: replicate.Client, simulators: ThreadedSimulators, model: str, given: dict[str, object], field: str
) -> None:
    """422 names the field; nothing is charged."""
    with pytest.raises(ReplicateError) as caught:
        client.models.predictions.create(model, input={**asks(), **given})
    assert caught.value.status == 422
    assert f"- {field}: " in str(caught.value.detail)
    assert not simulators.desk.charges("replicate")


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422, 429, 500, 503])
def test_http_failures(client: replicate.Client, status: int) -> None:
    """Every status comes in the shape of a problem, by [[http:…]] and by [[fail:…]]."""
    for name in ("http", "fail"):
        error = refused(client, prompt=f"a harbour [[{name}:{status}]]")
        assert error.status == status
        assert error.title
        assert error.detail


def test_refusals_of_its_own(client: replicate.Client, simulators: ThreadedSimulators) -> None:
    """Wrong key, model, version, body, switch and webhook."""
    stranger = replicate.Client(api_token="wrong", base_url=simulators.base_url("replicate"))
    assert refused(stranger).status == 401
    stranger._client.close()
    assert refused(client, "bytedance/nothing").status == 404
    with pytest.raises(ReplicateError, match="Invalid version"):
        client.predictions.create(version="0" * 64, input=asks())
    with pytest.raises(ReplicateError):
        client.predictions.get("nothing")
    assert refused(client, prompt="a harbour [[unknown]]").status == 400
    for extra in ({"webhook": "nowhere"}, {"webhook_events_filter": ["end"]}):
        with pytest.raises(ReplicateError):
            client.models.predictions.create(V4, input=asks(), **extra)  # type: ignore[arg-type]
    address = f"{simulators.base_url('replicate')}/v1/models/{V4}/predictions"
    assert client._client.post(address, content=b"{").status_code == 422
    throttled = refused(client, prompt="busy [[http:429]] [[retry-after:7]]")
    assert "resets in ~7s" in str(throttled.detail)
    assert not simulators.desk.charges("replicate")


def test_webhook(client: replicate.Client, receiver: ThreadedReceiver) -> None:
    """The SDK believes true letters and no forged one; events come as they are asked for."""
    client.models.predictions.create(V4, input=asks(), webhook=receiver.url, webhook_events_filter=["completed"])
    (true,) = receiver.wait_for(1)
    secret = client.webhooks.default.secret()
    Webhooks.validate(headers=dict(true.headers), body=true.body.decode(), secret=secret, tolerance=300)
    client.models.predictions.create(V4, input=asks("x [[forged]]"), webhook=receiver.url)
    _, begun, ended = receiver.wait_for(3)
    with pytest.raises(InvalidSignatureError):
        Webhooks.validate(headers=dict(ended.headers), body=ended.body.decode(), secret=secret)
    statuses = [letter.json()["status"] for letter in (true, begun, ended)]  # type: ignore[index]
    assert statuses == ["succeeded", "processing", "succeeded"]


def test_files_die(client: replicate.Client, simulators: ThreadedSimulators) -> None:
    """Files live as long as links do, and then the prediction forgets them; before, they can be late."""
    (url,) = client.run(V4, input=asks("late [[late:0.3]]"), use_file_output=False)
    assert httpx.get(url).status_code == 404
    time.sleep(0.35)
    assert httpx.get(url).status_code == 200
    made = client.models.predictions.create(V4, input=asks("dead [[expired]]"))
    made.wait()
    assert httpx.get((made.output or [])[0]).status_code == 403
    simulators.desk.link_seconds = 0.0
    try:
        made.reload()
    finally:
        simulators.desk.link_seconds = 3600.0
    assert (made.status, made.output, made.input) == ("succeeded", None, {})
