"""Instruments: counters and histograms that cost a fraction of a microsecond, shown through prometheus_client.

prometheus_client's own take a lock and up to a microsecond at each step. Ours are only ever used on the event loop,
so a dict is enough. bench/telemetry.py measures both.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.utils import floatToGoString


class Counter(Collector):
    """Counts by the values of its labels. `name` ends in `_total`."""

    def __init__(self, registry: CollectorRegistry, name: str, words: str, labels: Sequence[str] = ()) -> None:
        self._name = name
        self._words = words
        self._labels = tuple(labels)
        self._counts: dict[tuple[str, ...], int] = {}
        registry.register(self)

    def add(self, *labels: str) -> None:
        self._counts[labels] = self._counts.get(labels, 0) + 1

    def describe(self) -> Iterable[Metric]:
        return [CounterMetricFamily(self._name, self._words, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._words, labels=self._labels)
        for labels, count in self._counts.items():
            family.add_metric(labels, count)
        return [family]


class Histogram(Collector):
    """How long things took, by the values of its labels; `bounds` are the upper ends of the buckets, ascending."""

    def __init__(
        self,
        registry: CollectorRegistry,
        name: str,
        words: str,
        labels: Sequence[str],
        bounds: Sequence[float],
    ) -> None:
        self._name = name
        self._words = words
        self.labels = tuple(labels)
        self._bounds = tuple(bounds)
        self._marks = [*map(floatToGoString, bounds), "+Inf"]
        self._rows: dict[tuple[str, ...], Durations] = {}
        registry.register(self)

    def of(self, *labels: str) -> Durations:
        """What belongs to these labels, for those who come again and again."""
        row = self._rows.get(labels)
        if row is None:
            row = self._rows[labels] = Durations(self._bounds)
        return row

    def observe(self, value: float, *labels: str) -> None:
        row = self._rows.get(labels) or self.of(*labels)
        row.counts[bisect_left(self._bounds, value)] += 1
        row.total += value

    def counts(self) -> Iterable[tuple[tuple[str, ...], int]]:
        """How many values there are by labels."""
        return [(labels, sum(row.counts)) for labels, row in self._rows.items()]

    def describe(self) -> Iterable[Metric]:
        return [HistogramMetricFamily(self._name, self._words, labels=self.labels)]

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(self._name, self._words, labels=self.labels)
        for labels, row in self._rows.items():
            reached = itertools.accumulate(row.counts)
            family.add_metric(labels, list(zip(self._marks, reached, strict=True)), row.total)
        return [family]


class CountOf(Collector):
    """A counter that costs nothing: how many values a histogram has."""

    def __init__(self, registry: CollectorRegistry, name: str, words: str, histogram: Histogram) -> None:
        self._name = name
        self._words = words
        self._histogram = histogram
        registry.register(self)

    def describe(self) -> Iterable[Metric]:
        return [CounterMetricFamily(self._name, self._words, labels=self._histogram.labels)]

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._words, labels=self._histogram.labels)
        for labels, count in self._histogram.counts():
            family.add_metric(labels, count)
        return [family]


class Durations:
    """One row of a histogram: how many fell into each bucket, and the sum of all values."""

    __slots__ = ("_bounds", "counts", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self._bounds, value)] += 1
        self.total += value


class Gauge(Collector):
    """What stands now, by the values of its labels: written anew as a whole, so that nothing old stays."""

    def __init__(self, registry: CollectorRegistry, name: str, words: str, labels: Sequence[str] = ()) -> None:
        self._name = name
        self._words = words
        self._labels = tuple(labels)
        self._values: dict[tuple[str, ...], float] = {}
        registry.register(self)

    def set(self, values: dict[tuple[str, ...], float]) -> None:
        self._values = values

    def describe(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(self._name, self._words, labels=self._labels)]

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(self._name, self._words, labels=self._labels)
        for labels, value in self._values.items():
            family.add_metric(labels, value)
        return [family]
