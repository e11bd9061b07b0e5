"""Medians over rounds with their spread, and ratios taken round by round before their median."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from bench.plan import Sample

APART = ("webhook", "images", "waits", "load ", "grow")  # measures of sections with rounds of their own


@dataclass(frozen=True, slots=True)
class Figure:
    """A median with its range over the rounds."""

    median: float
    low: float
    high: float
    rounds: int

    def __str__(self) -> str:
        if self.rounds == 1:
            return number(self.median)
        return f"{number(self.median)} [{number(self.low)}..{number(self.high)}]"


def number(value: float) -> str:
    """Three significant digits, thousands with a comma."""
    if abs(value) >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


class Summary:
    """All samples of one run."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self.samples = tuple(samples)

    def figure(self, subject: str, measure: str, name: str) -> Figure | None:
        """The figure, or None when it was not measured."""
        return _figure(list(self._by_round(subject, measure, name).values()))

    def total(self, subject: str, measure: str, name: str) -> float | None:
        """The sum over the rounds, for things that must not happen even once."""
        values = self._by_round(subject, measure, name)
        return sum(values.values()) if values else None

    def ratio(self, measure: str, name: str, above: str, below: str) -> Figure | None:
        """`above` over `below`, each round with its own."""
        over, under = self._by_round(above, measure, name), self._by_round(below, measure, name)
        return _figure([over[index] / under[index] for index in over if under.get(index)])

    def change(self, subject: str, name: str, after: str, before: str) -> Figure | None:
        """One measure over another of the same subject, each round with its own."""
        over, under = self._by_round(subject, after, name), self._by_round(subject, before, name)
        return _figure([over[index] / under[index] for index in over if under.get(index)])

    def rounds(self) -> int:
        """How many rounds the sections had that are compared with each other."""
        return len({s.round for s in self.samples if not s.measure.startswith(APART)})

    def failures(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.failed]

    def worst(self, name: str, subject: str = "") -> float:
        """The highest value of a name anywhere in the run, or of one subject; 0 when nobody measured it."""
        found = (s.values[name] for s in self.samples if name in s.values and subject in ("", s.subject))
        return max(found, default=0.0)

    def _by_round(self, subject: str, measure: str, name: str) -> dict[int, float]:
        return {
            sample.round: sample.values[name]
            for sample in self.samples
            if sample.subject == subject and sample.measure == measure and name in sample.values
        }


def _figure(values: Sequence[float]) -> Figure | None:
    if not values:
        return None
    return Figure(statistics.median(values), min(values), max(values), len(values))
