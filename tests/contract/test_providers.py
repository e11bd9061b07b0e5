"""Models that a provider serves, from the submit to the trace, against the simulators."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from aquatint.testing.receiver import Answer
from aquatint.testing.simulators import faults
from aquatint.testing.simulators.maxapi import WEBHOOK_SECRET
from support.client import Client, Json, data_of
from support.pictures import data_url, opened, picture
from support.receiver import ThreadedReceiver
from support.server import FAST, Server, ServerFactory, run_cli
from support.simulators import ThreadedSimulators

CATALOG = """
[models."two-routes"]
title = "two paid routes"
family = "test"
sizes = "seedream"
default_resolution = "1k"
n_max = 4
references_max = 10
[[models."two-routes".routes]]
engine = "modelark"
remote_model = "seedream-4-0-250828"
usd = 0.03
[[models."two-routes".routes]]
engine = "fal"
remote_model = "fal-ai/bytedance/seedream/v4/text-to-image"
edit_model = "fal-ai/bytedance/seedream/v4/edit"

[models."job"]
title = "taken as a job"
family = "test"
sizes = "seedream"
default_resolution = "1k"
n_max = 6
references_max = 10
[[models."job".routes]]
engine = "fal"
remote_model = "fal-ai/bytedance/seedream/v4/text-to-image"
edit_model = "fal-ai/bytedance/seedream/v4/edit"

[models."predictions"]
title = "taken as a prediction"
family = "test"
sizes = "seedream"
routes = [{ engine = "replicate", remote_model = "bytedance/seedream-4" }]

[models."other-server"]
title = "another server of this API"
family = "test"
sizes = "seedream"
routes = [{ engine = "maxapi", remote_model = "seedream-4" }]

[models."ambiguous"]
title = "the operator would rather pay twice"
family = "test"
sizes = "seedream"
default_resolution = "1k"
resend_ambiguous = true
routes = [{ engine = "modelark", remote_model = "seedream-4-0-250828" }]
"""
QUICK = {"AQUATINT_MODELARK__IMAGES_PER_MINUTE": "0", "AQUATINT_TASKS__RETRY_WAIT": "50ms"}


@pytest.fixture(scope="module")
def simulators() -> Iterator[ThreadedSimulators]:
    with ThreadedSimulators() as made:
        yield made


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("catalog") / "models.toml"
    file.write_text(CATALOG)
    return file


@pytest.fixture(scope="module")
def paid_server(
    tmp_path_factory: pytest.TempPathFactory, simulators: ThreadedSimulators, catalog: Path
) -> Iterator[Server]:
    """One server with a key for every provider; its accounts do not rest, so that faults stay in their tests."""
    env = {
        **FAST,
        **QUICK,
        **simulators.environment(),
        "AQUATINT_CATALOG__FILE": str(catalog),
        "AQUATINT_ROUTING__CIRCUIT_FAILURES": "1000",
    }
    with Server(tmp_path_factory.mktemp("paid-server"), env) as server:
        yield server


@pytest.fixture
def paid(paid_server: Server) -> Iterator[Client]:
    with paid_server.client() as made:
        yield made


def trace(client: Client, task: Json) -> Json:
    return data_of(client.get(f"/api/v1/task/{task['taskId']}/trace"))


def calls(client: Client, task: Json) -> list[Json]:
    return [call for attempt in trace(client, task)["attempts"] for call in attempt["calls"]]


def asked(simulators: ThreadedSimulators, prompt: str) -> int:
    """Paid requests that arrived with this prompt."""
    return sum(call.prompt == prompt for call in simulators.desk.calls)


@pytest.mark.parametrize(
    ("model", "engine", "input_", "size"),
    [
        ("seedream-4.5", "modelark/seedream-4-5-251128", {"ratio": "16:9", "resolution": "2k"}, (2848, 1600)),
        ("seedream-4.5", "modelark/seedream-4-5-251128", {"ratio": "9:16", "resolution": "1k"}, (720, 1280)),
        ("seedream-5-lite", "modelark/seedream-5-0-260128", {"ratio": "1:1", "resolution": "1k"}, (1024, 1024)),
        (
            "seedream-5-pro",
            "modelark/dola-seedream-5-0-pro-260628",
            {"ratio": "3:2", "resolution": "1.5k"},
            (1872, 1248),
        ),
        ("gpt-image-2/text-to-image", "openai/gpt-image-2", {"ratio": "21:9", "resolution": "2k"}, (2688, 1152)),
        ("nano-banana-pro", "gemini/gemini-3-pro-image", {"ratio": "4:3", "resolution": "1k"}, (1200, 896)),
        ("job", "fal/fal-ai/bytedance/seedream/v4/text-to-image", {"ratio": "4:3"}, (1152, 864)),
        ("predictions", "replicate/bytedance/seedream-4", {"ratio": "1:1"}, (2048, 2048)),
        ("other-server", "maxapi/seedream-4", {"ratio": "16:9", "resolution": "1k"}, (1280, 720)),
    ],
)
def test_every_provider_serves(
    paid: Client, model: str, engine: str, input_: dict[str, str], size: tuple[int, int]
) -> None:
    """A real picture of the promised size, in our own storage, by the engine that the task names."""
    task = paid.run(model, prompt=f"a harbour for {model}", **input_)
    assert (task["status"], task["engine"]) == ("SUCCESS", engine), task
    shown = opened(httpx.get(task["result"]["urls"][0]).content)
    assert shown.size == size == (task["images"][0]["width"], task["images"][0]["height"])
    assert task["result"]["urls"][0].startswith(paid.base_url)


@pytest.mark.parametrize("model", ["two-routes", "job", "gpt-image-2/image-to-image", "nano-banana-2"])
def test_references_reach_the_provider(paid: Client, simulators: ThreadedSimulators, model: str) -> None:
    """Image-to-image by a data URL: the provider gets bytes, and we a picture."""
    prompt = f"in watercolor, {model}"
    task = paid.run(model, prompt=prompt, imageUrls=[data_url(picture())])
    assert task["status"] == "SUCCESS", task
    body = str(next(call.body for call in simulators.desk.calls if call.prompt == prompt))
    assert "base64" in body or "inlineData" in body or "image[]" in body or "images" in body


def test_n_is_n_calls_and_partial_success(paid: Client, simulators: ThreadedSimulators) -> None:
    """Four images are four calls; the refused one is missing, the others are SUCCESS and charged (decision 17)."""
    prompt = "four boats [[partial:2]]"
    task = paid.run("two-routes", prompt=prompt, n=4)
    assert task["status"] == "SUCCESS"
    assert len(task["result"]["urls"]) == 3
    assert any("1 of 4 images" in warning for warning in task["warnings"])
    found = calls(paid, task)
    assert sorted(call["outcome"] for call in found) == ["made", "made", "made", "refused"]
    assert sum(call["cost_usd"] or 0 for call in found) == pytest.approx(0.09)
    assert asked(simulators, prompt) == 4


@pytest.mark.parametrize(
    ("switch", "reason", "advice"),
    [
        ("[[fail:InputTextSensitiveContentDetected]]", "CONTENT_MODERATION", "stop"),
        ("[[fail:InvalidParameter.Size]]", "INVALID_PARAMETERS", "fix"),
        ("[[fail:AccountOverdueError]]", "INSUFFICIENT_POINTS", "top up"),
        ("[[fail:AuthenticationError]]", None, "stop"),
        ("[[http:500]]", None, "retry"),
        ("[[drop]]", None, "stop"),
    ],
)
def test_failures_and_their_trace(
    paid: Client, simulators: ThreadedSimulators, switch: str, reason: str | None, advice: str
) -> None:
    """Each failure has its reason, its advice, the provider's code, and nothing of the provider's own text."""
    task = paid.run("two-routes", prompt=f"a boat {switch}")
    assert (task["status"], task["failure_reason"]) == ("FAILURE", reason)
    found = trace(paid, task)
    last = found["attempts"][-1]
    assert last["failure"]["advice"] == advice
    assert last["remote_model"] == "seedream-4-0-250828"
    assert last["calls"][0]["charged"] == (switch == "[[drop]]")
    if switch.startswith("[[fail"):
        assert last["failure"]["code"].startswith(switch[7:-2].split(".")[0])
    said = str(found) + str(task)
    assert simulators.desk.key not in said
    assert "Request id" not in said


def test_passing_failures_are_tried_again_and_billed_once(paid: Client, simulators: ThreadedSimulators) -> None:
    """Two failures of the server, then a picture: three requests, one charge."""
    prompt = "third time lucky [[http:503:2]]"
    task = paid.run("two-routes", prompt=prompt)
    assert task["status"] == "SUCCESS"
    assert [attempt["outcome"] for attempt in trace(paid, task)["attempts"]] == ["requeued", "requeued", "SUCCESS"]
    assert simulators.desk.charges()[prompt] == 1


def test_retry_after_is_honoured(paid_server: Server, paid: Client) -> None:
    """The account pauses as long as the provider says, and the task is not failed by it."""
    started = time.monotonic()
    task = paid.run("two-routes", prompt="slowly [[http:429:1]] [[retry-after:1]]")
    assert task["status"] == "SUCCESS"
    assert time.monotonic() - started >= 1.0


@pytest.mark.parametrize("switch", ["[[http:500]]", "[[fail:AuthenticationError]]", "[[fail:AccountOverdueError]]"])
def test_fallback_to_the_next_route(paid: Client, simulators: ThreadedSimulators, switch: str) -> None:
    """Asked for, and nothing billed: the next route serves, says so, and the model is echoed as it was asked for."""
    prompt = f"either way but {switch[2:-2]}"
    simulators.desk.standing["modelark"] = faults.parse(switch)
    try:
        task = paid.run("two-routes", prompt=prompt, fallback=True)
    finally:
        simulators.desk.standing.clear()
    assert task["status"] == "SUCCESS", task
    assert task["engine"].startswith("fal/")
    assert task["input"]["model"] == "two-routes"
    assert any("modelark/seedream-4-0-250828 failed" in warning for warning in task["warnings"])
    engines = [attempt["engine"].partition("/")[0] for attempt in trace(paid, task)["attempts"]]
    assert engines == (["modelark"] * 3 if "500" in switch else ["modelark"]) + ["fal"]
    assert simulators.desk.charges()[prompt] == 1


@pytest.mark.parametrize("switch", ["[[drop]]", "[[fail:InputTextSensitiveContentDetected]]", "[[garbage]]"])
def test_no_fallback_where_money_or_content_forbids(
    paid: Client, simulators: ThreadedSimulators, switch: str
) -> None:
    """What may be billed, and what another provider would refuse as well, stays where it is."""
    prompt = f"never elsewhere {switch}"
    task = paid.run("two-routes", prompt=prompt, fallback=True)
    assert task["status"] == "FAILURE"
    assert {call.provider for call in simulators.desk.calls if call.prompt == prompt} == {"modelark"}
    assert asked(simulators, prompt) == 1


def test_no_fallback_unless_asked(paid: Client, simulators: ThreadedSimulators) -> None:
    """Without the word of caller or operator a task stays with its route."""
    prompt = "faithful [[fail:AuthenticationError]]"
    assert paid.run("two-routes", prompt=prompt)["status"] == "FAILURE"
    assert {call.provider for call in simulators.desk.calls if call.prompt == prompt} == {"modelark"}


def test_the_operator_may_choose_to_pay_twice(paid: Client, simulators: ThreadedSimulators) -> None:
    """`resend_ambiguous` sends a lost call again, as often as a task may run; each is kept as unknown."""
    prompt = "at any price [[drop]]"
    task = paid.run("ambiguous", prompt=prompt)
    assert task["status"] == "FAILURE"
    assert asked(simulators, prompt) == 3
    assert [call["state"] for call in calls(paid, task)] == ["unknown"] * 3


def test_unknown_calls_are_listed_and_resolved(paid_server: Server, paid: Client) -> None:
    """The operator sees what nobody knows, and writes down what he found out."""
    task = paid.run("two-routes", prompt="who knows [[drop]]")
    folder = ("--data-dir", str(paid_server.data_dir))
    listed = run_cli("attempts", "--unknown", *folder, env={"COLUMNS": "250"})
    (row,) = [line for line in listed.stdout.splitlines() if task["taskId"] in line]
    number = row.split("│")[1].strip() if "│" in row else row.split("|")[1].strip()
    assert (
        run_cli("attempts", "resolve", number, "--not-charged", "--note", "seen in the console", *folder).returncode
        == 0
    )
    assert task["taskId"] not in run_cli("attempts", "--unknown", *folder, env={"COLUMNS": "250"}).stdout
    assert run_cli("attempts", "resolve", number, "--charged", *folder).returncode == 1


def test_a_hundred_tasks_fetch_one_reference_once(
    paid_server: Server, paid: Client, receiver: ThreadedReceiver
) -> None:
    """The same URL in 100 concurrent tasks is fetched once within its freshness."""
    receiver.answer_with(lambda letter: Answer(status=200, body=picture(), delay=0.3))
    url = f"{receiver.origin}/shared.png"
    with ThreadPoolExecutor(10) as pool:
        ids = list(pool.map(lambda i: paid.submit("job", prompt=f"shared {i}", imageUrls=[url]), range(100)))
    assert {paid.wait(task_id, 60)["status"] for task_id in ids} == {"SUCCESS"}
    assert len(receiver.letters) == 1


def test_a_bad_reference_costs_nothing(
    paid: Client, simulators: ThreadedSimulators, receiver: ThreadedReceiver
) -> None:
    """The item and the cause are named, and no provider was asked."""
    receiver.answer_with(lambda letter: Answer(status=404))
    prompt = "unseen"
    task = paid.run("two-routes", prompt=prompt, imageUrls=[data_url(picture()), f"{receiver.origin}/gone.png"])
    assert task["failure_reason"] == "INVALID_PARAMETERS"
    assert task["failure_message"].startswith("input.imageUrls[1]: ")
    assert asked(simulators, prompt) == 0


@pytest.mark.parametrize(
    ("model", "switch", "words"),
    [
        ("job", "[[late:1]]", None),
        ("two-routes", "[[garbage]]", "no usable picture"),
        ("job", "[[expired]]", "fetched"),
    ],
)
def test_results_are_fetched_checked_and_ours(
    paid: Client, simulators: ThreadedSimulators, model: str, switch: str, words: str | None
) -> None:
    """A late link is waited for; what is no picture, or is gone, was paid and is not bought again."""
    prompt = f"result {switch}"
    task = paid.run(model, prompt=prompt)
    if words is None:
        assert task["status"] == "SUCCESS", task
    else:
        assert task["status"] == "FAILURE"
        assert words in task["failure_message"]
        assert calls(paid, task)[-1]["charged"] is True
    assert asked(simulators, prompt) == 1


def test_asked_formats_are_delivered(paid: Client) -> None:
    """A provider that makes JPEG alone still gives PNG and WebP where they were asked for."""
    for form in ("png", "webp"):
        task = paid.run("two-routes", prompt=f"as {form}", output_format=form)
        assert task["images"][0]["media_type"] == f"image/{form}"
        assert task["result"]["urls"][0].endswith(f".{form}")


def test_cancel_reaches_the_provider(paid: Client, simulators: ThreadedSimulators) -> None:
    """A cancelled task ends at once, and the provider's job is stopped."""
    task_id = paid.submit("job", prompt="long one [[sleep:30]]")
    paid.wait(task_id, until=["SUBMITTED"])
    (found,) = _until(lambda: [c for c in calls(paid, {"taskId": task_id}) if c["state"] == "acknowledged"])
    assert data_of(paid.cancel(task_id))["status"] == "CANCELLED"
    status = f"{simulators.base_url('fal')}/fal-ai/bytedance/requests/{found['remote_id']}/status"
    headers = {"authorization": f"Key {simulators.desk.key}"}
    _until(lambda: httpx.get(status, headers=headers).json().get("status") not in ("IN_QUEUE", "IN_PROGRESS"))
    assert calls(paid, {"taskId": task_id})[0]["outcome"] == "abandoned"


def test_ignored_parameters_are_a_warning(paid: Client) -> None:
    """A model without ratio and resolution ignores them and says so (decision 13)."""
    task = paid.run("grok-imagine/text-to-image-lite", prompt="a fox", ratio="16:9", resolution="8k")
    assert task["status"] == "SUCCESS", task
    assert len([w for w in task["warnings"] if "was ignored" in w]) == 2


def _until(found: Callable[[], object], timeout: float = 10.0) -> object:
    end = time.monotonic() + timeout
    while not (value := found()):
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
    return value


@pytest.mark.parametrize(
    ("engine", "model"), [("fal", "job"), ("replicate", "predictions"), ("maxapi", "other-server")]
)
def test_signed_callbacks_are_heard(
    server_with: ServerFactory, simulators: ThreadedSimulators, catalog: Path, engine: str, model: str
) -> None:
    """A provider's true callback ends the waiting at once; a forged one is refused and changes nothing."""
    env = {
        **simulators.environment(engine),
        "AQUATINT_CATALOG__FILE": str(catalog),
        f"AQUATINT_{engine.upper()}__CALLBACKS": "true",
        f"AQUATINT_{engine.upper()}__POLLS_PER_SECOND": "0.2",
    }
    if engine == "maxapi":
        env["AQUATINT_MAXAPI__WEBHOOK_SECRET"] = WEBHOOK_SECRET
    server = server_with(null=False, public=True, **env)
    with server.client() as client:
        task = client.run(model, prompt="call me [[sleep:2.2]] [[twice]]")
        assert task["status"] == "SUCCESS", task
        took = trace(client, task)["attempts"][0]["run_ms"]
        assert 2200 <= took < 4500, "polled every five seconds, so only the callback tells so soon"
        forged = client.run(model, prompt="call me not [[sleep:2.2]] [[forged]]")
        assert trace(client, forged)["attempts"][0]["run_ms"] >= 4900
        refused = client.post(f"/callbacks/{engine}", json={"request_id": "x"}, headers={"authorization": ""})
        assert refused.status_code == 401
        assert client.post("/callbacks/studio", json={}).status_code == 404


def test_a_resting_provider_is_probed_and_comes_back(
    server_with: ServerFactory, simulators: ThreadedSimulators, catalog: Path
) -> None:
    """After failures in a row nothing is sent; one probe finds that it is well again, and what waited goes on."""
    server = server_with(
        null=False,
        **simulators.environment("modelark"),
        **QUICK,
        AQUATINT_CATALOG__FILE=str(catalog),
        AQUATINT_ROUTING__CIRCUIT_FAILURES="3",
        AQUATINT_ROUTING__CIRCUIT_WAIT="1500ms",
    )
    with server.client() as client:
        assert client.run("two-routes", prompt="ill [[http:500:3]]")["status"] == "FAILURE"
        started = time.monotonic()
        ids = [client.submit("two-routes", prompt=f"after the rest {i}") for i in range(5)]
        assert all(asked(simulators, f"after the rest {i}") == 0 for i in range(5))
        assert {client.wait(task_id)["status"] for task_id in ids} == {"SUCCESS"}
        assert time.monotonic() - started > 1.0, "nothing rested"


def test_limits_hold(server_with: ServerFactory, simulators: ThreadedSimulators, catalog: Path) -> None:
    """Never more calls open than allowed, never more images a minute than allowed."""
    server = server_with(
        null=False,
        **simulators.environment("modelark"),
        AQUATINT_CATALOG__FILE=str(catalog),
        AQUATINT_MODELARK__IN_FLIGHT="2",
        AQUATINT_MODELARK__IMAGES_PER_MINUTE="600",
    )
    with server.client() as client:
        ids = [client.submit("two-routes", prompt=f"limited {i} [[sleep:0.2]]") for i in range(12)]
        most = 0
        while any(client.query(task_id)["status"] not in ("SUCCESS", "FAILURE") for task_id in ids):
            rows = [call for task_id in ids for call in calls(client, {"taskId": task_id})]
            most = max(most, sum(call["state"] == "sent" for call in rows))
        assert 1 <= most <= 2
        assert {client.query(task_id)["status"] for task_id in ids} == {"SUCCESS"}


def test_sigterm_waits_for_paid_calls_and_leaves_jobs_running(
    server_with: ServerFactory, simulators: ThreadedSimulators, catalog: Path
) -> None:
    """A stop loses no paid answer, and does not wait for a job that can be followed after the restart."""
    server = server_with(
        null=False, **simulators.environment("modelark", "fal"), AQUATINT_CATALOG__FILE=str(catalog), **QUICK
    )
    with server.client() as client:
        paid_id = client.submit("two-routes", prompt="under way [[sleep:2]]")
        job_id = client.submit("job", prompt="a long job [[sleep:12]]")
        client.wait(paid_id, until=["SUBMITTED"])
        _until(lambda: [c for c in calls(client, {"taskId": job_id}) if c["state"] == "acknowledged"])
        started = time.monotonic()
        assert server.stop(timeout=10.0) == 0
        assert time.monotonic() - started < 8.0
        server.start()
        assert client.query(paid_id)["status"] == "SUCCESS"
        assert client.wait(job_id)["status"] == "SUCCESS"
    assert asked(simulators, "under way [[sleep:2]]") == 1
    assert asked(simulators, "a long job [[sleep:12]]") == 1
