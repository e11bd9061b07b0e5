"""Our instruments say what prometheus_client's would say of the same happenings."""

from __future__ import annotations

import random

import prometheus_client
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from aquatint.telemetry import Metrics
from aquatint.telemetry.instruments import Counter, CountOf, Gauge, Histogram

BOUNDS = (0.001, 0.5, 1, 2.5, 60, 3600)


def text(registry: CollectorRegistry) -> list[str]:
    return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]


def test_counters_count_as_theirs() -> None:
    """The same lines for the same steps."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    counter = Counter(ours, "a_total", "How many.", ("x", "y"))
    other = prometheus_client.Counter("a_total", "How many.", ("x", "y"), registry=theirs)
    for x, y in (("1", "2"), ("1", "2"), ("1", 'quote" \\ and\nline'), ("", "2")):
        counter.add(x, y)
        other.labels(x, y).inc()
    assert text(ours) == text(theirs)


def test_histograms_fall_into_their_buckets() -> None:
    """The same buckets, counts and sums, also for values on a bound and beyond all of them."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    histogram = Histogram(ours, "a_seconds", "How long.", ("x",), BOUNDS)
    other = prometheus_client.Histogram("a_seconds", "How long.", ("x",), buckets=BOUNDS, registry=theirs)
    chance = random.Random(7)
    values = [*BOUNDS, 0.0, 1e9, *(chance.expovariate(0.2) for _ in range(500))]
    for value in values:
        label = chance.choice(["a", "b"])
        histogram.observe(value, label)
        other.labels(label).observe(value)
    assert sorted(text(ours)) == sorted(text(theirs))
    assert text(ours)


def test_a_counter_may_be_a_histograms_count() -> None:
    """It rises with every value."""
    registry = CollectorRegistry()
    histogram = Histogram(registry, "a_seconds", "How long.", ("x",), BOUNDS)
    CountOf(registry, "a_total", "How many.", histogram)
    for value in (0.1, 5.0, 1e9):
        histogram.observe(value, "b")
    assert registry.get_sample_value("a_total", {"x": "b"}) == 3


def test_gauges_forget_what_is_gone() -> None:
    """A lane that is no more has no line."""
    registry = CollectorRegistry()
    gauge = Gauge(registry, "a", "What stands.", ("x",))
    gauge.set({("1",): 1, ("2",): 2})
    gauge.set({("2",): 3})
    assert (registry.get_sample_value("a", {"x": "1"}), registry.get_sample_value("a", {"x": "2"})) == (None, 3)


def test_both_formats_can_be_read() -> None:
    """OpenMetrics where the reader asks for it, which is stricter about names and ends."""
    metrics = Metrics("1.2.3")
    metrics.requests("/a", "GET", "200").observe(0.1)
    metrics.settled("studio", "FAILURE", "CONTENT_MODERATION", 3.0)
    metrics.called("fal", "not sent")
    body, media_type = metrics.render("application/openmetrics-text; version=1.0.0")
    assert media_type.startswith("application/openmetrics-text")
    families = {family.name for family in text_string_to_metric_families(body.decode())}
    assert {"aquatint_http_requests", "aquatint_tasks_settled", "aquatint_calls"} <= families
    plain, media_type = metrics.render("text/html")
    assert media_type.startswith("text/plain")
    assert b'aquatint_calls_total{engine="fal",outcome="not_sent"} 1.0' in plain
    assert b'aquatint_build_info{python="' in plain
