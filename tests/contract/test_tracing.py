"""Traces, with a real collector: one from submit to webhook, across processes, and nothing private in it."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from aquatint.testing.receiver import Answer
from support.cluster import Cluster
from support.keys import make_key
from support.otlp import Collector, Exported
from support.pictures import picture
from support.ports import free_port
from support.postgres import Postgres
from support.receiver import ThreadedReceiver
from support.server import FAST, KEY, NULL_ENGINE, Server, ServerFactory
from support.simulators import ThreadedSimulators

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACE, CALLER_SPAN = CALLER[3:35], CALLER[36:52]
TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-0[13]")  # sampled; 2 says that the id is random
WHOLE = {
    "task.submit",
    "task.claim",
    "task.attempt",
    "attempt.wait",
    "attempt.run",
    "attempt.store",
    "task.settle",
    "delivery.attempt",
}
ENDPOINT = "AQUATINT_TELEMETRY__OTLP_ENDPOINT"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


def has(trace: str, names: set[str] = WHOLE) -> Callable[[Sequence[Exported]], bool]:
    """Whether the trace has spans of all these names."""
    return lambda spans: names <= {span.name for span in spans if span.trace == trace}


def one(spans: Sequence[Exported], name: str) -> Exported:
    (found,) = [span for span in spans if span.name == name]
    return found


def lines(log: str) -> list[Mapping[str, object]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def test_one_trace_from_submit_to_webhook(
    server_with: ServerFactory, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """Every span of a task is of the caller's trace, each below what it belongs to, and the receiver gets it, too."""
    server = server_with(**{ENDPOINT: collector.endpoint})
    with server.client() as client:
        task_id = client.submit(callback=receiver.url, headers={"traceparent": CALLER})
        (letter,) = receiver.wait_for(1)
        spans = collector.wait(has(TRACE))
    assert {span.trace for span in spans} == {TRACE}
    assert {span.name for span in spans} == WHOLE
    submit, attempt = one(spans, "task.submit"), one(spans, "task.attempt")
    assert submit.parent == CALLER_SPAN
    assert {one(spans, name).parent for name in ("task.claim", "task.attempt", "delivery.attempt")} == {submit.id}
    assert {one(spans, f"attempt.{phase}").parent for phase in ("wait", "run", "store")} == {attempt.id}
    assert one(spans, "task.settle").parent == attempt.id
    assert letter.headers["traceparent"] == f"00-{TRACE}-{one(spans, 'delivery.attempt').id}-01"
    assert {span.attributes["aquatint.task"] for span in spans if not span.name.startswith("attempt.")} == {task_id}
    assert attempt.attributes["aquatint.lane"] == "null"
    assert one(spans, "task.settle").attributes["aquatint.status"] == "SUCCESS"
    assert one(spans, "delivery.attempt").attributes["aquatint.outcome"] == "delivered"
    assert all(span.error is None and span.start <= span.end for span in spans)


def test_lines_about_a_task_name_it_and_its_trace(
    server_with: ServerFactory, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """The log and the collector are searched by the same two ids."""
    receiver.answer_with(lambda _: Answer(status=400))
    server = server_with(**{ENDPOINT: collector.endpoint})
    with server.client() as client:
        task_id = client.submit(callback=receiver.url, headers={"traceparent": CALLER})
        client.wait_delivery(task_id, "failed")
    told = {str(line["event"]): (line.get("task"), line.get("trace")) for line in lines(server.log())}
    assert told["task.settled"] == told["delivery.failed"] == (task_id, TRACE)


def test_a_trace_begins_with_us_where_nobody_began_it(
    server_with: ServerFactory, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """Without a traceparent, or with nonsense in its place, the submit begins a trace of its own."""
    server = server_with(**{ENDPOINT: collector.endpoint})
    with server.client() as client:
        client.submit(callback=receiver.url)
        client.submit(callback=receiver.url, headers={"traceparent": "00-zz-00f067aa0ba902b7-01"})
        client.submit(callback=receiver.url, headers={"traceparent": f"00-{'0' * 32}-00f067aa0ba902b7-01"})
        letters = receiver.wait_for(3)
    traces = {found[1] for letter in letters if (found := TRACEPARENT.fullmatch(letter.headers["traceparent"]))}
    assert len(traces) == 3
    for trace in traces:
        spans = collector.wait(has(trace))
        assert one([span for span in spans if span.trace == trace], "task.submit").parent == ""


def test_what_the_caller_does_not_sample_is_not_sent(
    server_with: ServerFactory, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """A traceparent that says no is carried on, and its spans stay here; ours are kept by their share."""
    server = server_with(**{ENDPOINT: collector.endpoint, "AQUATINT_TELEMETRY__SAMPLE": "0"})
    with server.client() as client:
        client.submit(callback=receiver.url, headers={"traceparent": f"{CALLER[:-2]}00"})
        (letter,) = receiver.wait_for(1)
        client.submit(callback=receiver.url)
        receiver.wait_for(2)
        other = "00-11112222333344445555666677778888-00f067aa0ba902b7-01"
        client.submit(callback=receiver.url, headers={"traceparent": other})
        collector.wait(has(other[3:35]))
    assert letter.headers["traceparent"].startswith(f"00-{TRACE}-")
    assert letter.headers["traceparent"].endswith("-00")
    server.stop()
    assert {span.trace for span in collector.spans()} == {other[3:35]}


def test_nothing_is_traced_unless_asked(null_server: Server, receiver: ThreadedReceiver) -> None:
    """Without an endpoint a caller's traceparent leads nowhere, and nothing of OpenTelemetry is in the process."""
    with null_server.client() as asking:
        asking.submit(callback=receiver.url, headers={"traceparent": CALLER})
    letter = next(iter(receiver.wait_for(1)))
    assert "traceparent" not in letter.headers
    maps = Path(f"/proc/{null_server.pid}/maps").read_text()
    assert "google/_upb" not in maps, "the exporter's protobuf was loaded"
    assert all("trace" not in line for line in lines(null_server.log()))


def test_a_collector_that_is_gone_hinders_nobody(server_with: ServerFactory, receiver: ThreadedReceiver) -> None:
    """Tasks end, callbacks come, the stop is quick, and the log says in its own form what could not be sent."""
    server = server_with(**{ENDPOINT: f"http://127.0.0.1:{free_port()}"})
    with server.client() as client:
        assert client.run(callback=receiver.url)["status"] == "SUCCESS"
        receiver.wait_for(1)
    assert server.stop(timeout=15.0) == 0
    after = itertools.dropwhile(lambda line: not line.startswith("{"), server.log().splitlines())
    assert [line for line in after if line and not line.startswith("{")] == []
    assert "trace.unsent" in {line["event"] for line in lines(server.log())}


def test_spans_of_a_paid_task_with_references_and_a_retry(
    server_with: ServerFactory, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """References, each paid call with its end, the failed run and the good one are all in the trace."""
    receiver.answer_with(lambda letter: Answer(body=picture()) if letter.path.endswith(".png") else Answer())
    prompt = "a harbour [[http:503:1]]"
    with ThreadedSimulators() as simulators:
        server = server_with(
            null=False,
            **{ENDPOINT: collector.endpoint, "AQUATINT_TASKS__RETRY_WAIT": "50ms"},
            **simulators.environment("modelark"),
        )
        with server.client() as client:
            task = client.run(
                "seedream-4.5",
                prompt=prompt,
                imageUrls=[f"{receiver.origin}/a.png"],
                callback=receiver.url,
                headers={"traceparent": CALLER},
            )
            assert task["status"] == "SUCCESS", task
            spans = collector.wait(has(TRACE, {*WHOLE, "call", "attempt.references"}))
    attempts = sorted((span for span in spans if span.name == "task.attempt"), key=lambda span: span.start)
    calls = sorted((span for span in spans if span.name == "call"), key=lambda span: span.start)
    assert [span.attributes["aquatint.attempt"] for span in attempts] == [1, 2]
    assert [span.parent for span in calls] == [span.id for span in attempts]
    assert [span.attributes["aquatint.outcome"] for span in calls] == ["failed", "made"]
    assert [span.error for span in calls] == ["Unavailable", None]
    assert {span.attributes["aquatint.engine"] for span in calls} == {"modelark"}
    under = {span.parent for span in spans if span.name in ("attempt.run", "attempt.wait", "attempt.store")}
    assert under <= {span.id for span in calls}
    assert {span.parent for span in spans if span.name == "attempt.references"} <= {
        *(span.id for span in attempts),
        *(span.id for span in calls),
    }


def test_spans_hold_nothing_private(
    server_with: ServerFactory, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """No prompt, key, secret, caller's URL or result URL, whatever goes well or wrong."""
    secrets = {
        "prompt": "an unspeakable lighthouse",
        "callback": "callback-token-4711",
        "reference": "signature-0815",
        "user": "customer-jane",
        "key": KEY,
        "shared": "shared-word-1234",
    }
    receiver.answer_with(lambda letter: Answer(status=404) if "gone" in letter.path else Answer(status=400))
    server = server_with(**{ENDPOINT: collector.endpoint})
    _, own = make_key(server, webhook_secret=secrets["shared"])
    with server.client(own) as client:
        callback = f"{receiver.url}?token={secrets['callback']}"
        for urls in (None, [f"{receiver.origin}/gone.png?sig={secrets['reference']}"]):
            task_id = client.submit(
                prompt=secrets["prompt"],
                imageUrls=urls,
                callback=callback,
                user_id=secrets["user"],
                headers={"traceparent": CALLER},
            )
            client.wait_delivery(task_id, "failed")
        assert (
            client.try_submit({"model": secrets["prompt"], "input": {"prompt": secrets["prompt"]}}).status_code == 400
        )
    server.stop()
    sent = collector.raw().decode("latin-1")
    assert "task.attempt" in sent
    hidden = [*secrets.values(), own, "http://", "https://", str(receiver.origin)]
    assert [word for word in hidden if word in sent] == []


def test_one_trace_through_many_processes(
    tmp_path: Path, postgres: Postgres, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """The server's spans and the worker's are of one trace, joined by the row in the database alone."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_API_KEY": KEY, ENDPOINT: collector.endpoint}
    with Cluster(tmp_path, postgres, env) as cluster:
        server = cluster.server().start()
        cluster.worker().start()
        with server.client() as client:
            client.submit(callback=receiver.url, headers={"traceparent": CALLER})
            (letter,) = receiver.wait_for(1, timeout=60.0)
        spans = collector.wait(has(TRACE))
    assert {span.trace for span in spans} == {TRACE}
    makers = {span.name: span.instance for span in spans}
    assert makers["task.submit"] != makers["task.attempt"] == makers["task.settle"] == makers["delivery.attempt"]
    assert letter.headers["traceparent"].startswith(f"00-{TRACE}-")


def test_a_cancelled_task_ends_its_trace(
    server_with: ServerFactory, collector: Collector, receiver: ThreadedReceiver
) -> None:
    """The cancel is written below the submit, and the run that it stops says so."""
    server = server_with(
        **{ENDPOINT: collector.endpoint, "AQUATINT_ENGINES__NULL_DELAY": "1h", "AQUATINT_WORKER__DRAIN": "0s"}
    )
    with server.client() as client:
        task_id = client.submit(callback=receiver.url, headers={"traceparent": CALLER})
        client.wait(task_id, until=("SUBMITTED",))
        assert client.cancel(task_id).status_code == 200
        spans = collector.wait(has(TRACE, {"task.settle", "task.attempt", "delivery.attempt"}))
    assert one(spans, "task.settle").parent == one(spans, "task.submit").id
    assert one(spans, "task.settle").attributes["aquatint.status"] == "CANCELLED"
    assert one(spans, "task.attempt").error == "CancelledError"
