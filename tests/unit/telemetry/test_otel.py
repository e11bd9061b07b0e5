"""The tracer on the OpenTelemetry SDK, sending to a real collector; and what is there without it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from aquatint import bootstrap, settings
from aquatint.domain.errors import ConfigurationError
from aquatint.telemetry import NullTracer, Telemetry
from aquatint.telemetry.otel import OtelTracer
from support.otlp import Collector, Exported

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as made:
        yield made


@pytest.fixture
def tracer(collector: Collector) -> Iterator[OtelTracer]:
    made = OtelTracer(f"{collector.endpoint}/", "ours", "1.2.3", "process-1", 1.0)
    yield made
    made.close()


def sent(tracer: OtelTracer, collector: Collector) -> dict[str, Exported]:
    tracer.close()
    return {span.name: span for span in collector.spans()}


def test_a_span_goes_below_the_one_around_it(tracer: OtelTracer, collector: Collector) -> None:
    """Of the same trace, that is; a task of another trace stays in its own."""
    with tracer.begin("outer", CALLER) as outer:
        with tracer.span("inner", CALLER):
            pass
        with tracer.span("stranger", "00-11112222333344445555666677778888-00f067aa0ba902b7-01"):
            pass
    spans = sent(tracer, collector)
    assert spans["outer"].parent == CALLER[36:52]
    assert spans["inner"].parent == spans["outer"].id == outer.traceparent[36:52]
    assert spans["stranger"].trace == "11112222333344445555666677778888"
    assert {span.instance for span in spans.values()} == {"process-1"}


def test_what_is_not_traced_stays_so(tracer: OtelTracer, collector: Collector) -> None:
    """A task without a traceparent, from before there was tracing, makes no spans."""
    with tracer.span("nothing", "") as span:
        span.note(a=1)
        span.fail("x")
        assert span.traceparent == ""
    tracer.past("nothing", "", 1.0)
    assert sent(tracer, collector) == {}


def test_errors_are_told_by_their_class(tracer: OtelTracer, collector: Collector) -> None:
    """Their text may hold anything, so it is not in the span, nor is a traceback."""
    with pytest.raises(RuntimeError), tracer.begin("bad", ""):
        raise RuntimeError("a prompt, a key, https://a.invalid/?token=1")
    assert sent(tracer, collector)["bad"].error == "RuntimeError"
    assert b"token" not in collector.raw()
    assert b"Traceback" not in collector.raw()


def test_facts_are_ours_by_name(tracer: OtelTracer, collector: Collector) -> None:
    """Each under our prefix; what is not known is left out."""
    with tracer.begin("a", "", one=1, none=None) as span:
        span.note(two="2", three=True, nothing=None)
    assert sent(tracer, collector)["a"].attributes == {
        "aquatint.one": 1,
        "aquatint.two": "2",
        "aquatint.three": True,
    }


def test_a_past_span_ends_now(tracer: OtelTracer, collector: Collector) -> None:
    """It has the length that was given."""
    tracer.past("waited", CALLER, 2.5)
    span = sent(tracer, collector)["waited"]
    assert span.end - span.start == 2_500_000_000
    assert abs(time.time() - span.end / 1e9) < 5


def read(**environment: str) -> settings.Settings:
    return settings.load(environment)


def problems(wanted: settings.Settings) -> list[str]:
    return [problem for problem in bootstrap.check(wanted) if "telemetry" in problem]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"AQUATINT_TELEMETRY__OTLP_ENDPOINT": "collector:4318"}, "must start with http"),
        (
            {"AQUATINT_TELEMETRY__OTLP_ENDPOINT": "http://c:4318", "AQUATINT_TELEMETRY__SAMPLE": "1.5"},
            "from 0 to 1",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(environment: dict[str, str], words: str) -> None:
    """At start, with the others' mistakes, and in words."""
    (problem,) = problems(read(**environment))
    assert words in problem


def test_who_may_read_the_metrics_is_one_of_three() -> None:
    """Anything else is a mistake."""
    with pytest.raises(ConfigurationError) as caught:
        read(AQUATINT_SERVER__METRICS="everybody")
    assert "local, open, off" in caught.value.problems[0]


PROGRAM = """
import sys
class Gone:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "opentelemetry":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Gone())
from aquatint import bootstrap, settings
print(bootstrap.check(settings.load({"AQUATINT_SERVER__DATA_DIR": sys.argv[1]})))
wanted = settings.load({"AQUATINT_TELEMETRY__OTLP_ENDPOINT": "http://127.0.0.1:4318"})
print(bootstrap.check(wanted))
"""


def test_without_the_extra_it_is_named(tmp_path: object) -> None:
    """All else works without OpenTelemetry; whoever asks for traces is told what to install."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.splitlines() == [
        "[]",
        str(["telemetry.otlp_endpoint: traces need the extra: pip install 'aquatint[otel]'"]),
    ], done.stderr


def test_nothing_of_it_is_imported_unasked() -> None:
    """Neither OpenTelemetry nor what it brings along."""
    program = (
        "import sys\nfrom aquatint import bootstrap, settings\nfrom aquatint.cli.app import app\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('opentelemetry', 'google', 'requests')])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def test_the_null_tracer_keeps_nothing() -> None:
    """One span serves everybody, so that not tracing costs nothing."""
    tracer = NullTracer()
    with tracer.begin("a", CALLER) as one, tracer.span("b", CALLER, "client", task="x") as two:
        one.note(a=1)
        two.fail("x")
    assert one is two
    assert one.traceparent == ""
    assert not Telemetry.silent().tracer.on
