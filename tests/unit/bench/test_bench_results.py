"""What the benchmark makes of its samples: medians, ratios, goals, the page."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bench import plots, svg
from bench.goals import Goal, goals
from bench.hardware import Hardware
from bench.plan import FULL, Sample
from bench.report import Circumstances, page
from bench.summary import Summary, number

OURS, FLOOR, DURABLE = "aquatint", "starlette + group commit", "celery durable"
HARDWARE = Hardware(2, "a CPU", 8.0, "6.1", "3.11.7", "3.40.1", "ext4", 220.0, 900.0, 0.1)


def samples(subject: str, measure: str, name: str, *values: float) -> list[Sample]:
    return [Sample(index, subject, measure, {name: value}) for index, value in enumerate(values)]


def goal(summary: Summary, words: str) -> Goal:
    [found] = [row for row in goals(summary) if words in row.what]
    return found


def render(*given: Sample, without: str = "", hardware: Hardware = HARDWARE) -> str:
    told = (f"Without peers: {without}.",) if without else ()
    return page(Summary(given), hardware, FULL, Circumstances("python -m bench", "2026-01-01", 7.0, told))


def test_figure_is_the_median_with_its_range() -> None:
    """Three rounds give their median and their spread, whatever their order."""
    figure = Summary(samples(OURS, "submit 64", "per_s", 5000, 1000, 4000)).figure(OURS, "submit 64", "per_s")
    assert str(figure) == "4,000 [1,000..5,000]"


def test_what_was_not_measured_has_no_figure() -> None:
    """A missing measure is None, so that it is never taken for zero."""
    summary = Summary(samples(OURS, "submit 64", "per_s", 5000))
    assert summary.figure(OURS, "submit 16", "per_s") is None
    assert summary.ratio("submit 64", "per_s", OURS, FLOOR) is None


def test_ratio_is_taken_round_by_round() -> None:
    """A slow round of both sides leaves the ratio as it is; the ratio of medians would be 1."""
    ours = samples(OURS, "submit 64", "per_s", 100, 2000, 3000)
    floor = samples(FLOOR, "submit 64", "per_s", 200, 4000, 2000)
    ratio = Summary([*ours, *floor]).ratio("submit 64", "per_s", OURS, FLOOR)
    assert ratio is not None
    assert ratio.median == pytest.approx(0.5)


@pytest.mark.parametrize(("rate", "held"), [(4000, True), (3999, False)])
def test_rate_goal_is_decided_by_the_median(rate: float, held: bool) -> None:
    """The best round does not save a goal."""
    summary = Summary(samples(OURS, "submit 64", "per_s", 100, rate, 9000))
    assert goal(summary, "durable submits/s, 64 connections, auth").held is held


@pytest.mark.parametrize(("latency", "held"), [(6.0, True), (6.1, False)])
def test_latency_goal_is_an_upper_limit(latency: float, held: bool) -> None:
    """A latency holds its goal up to and including the limit."""
    assert goal(Summary(samples(OURS, "low", "hook_p50_ms", latency)), "p50").held is held


def test_one_lost_task_in_one_round_is_one_too_many() -> None:
    """For lost tasks the sum decides: their median over three rounds would be 0."""
    lost = samples(OURS, "kill", "lost", 0, 1, 0)
    opened = samples(OURS, "kill", "open", 300, 300, 300)
    row = goal(Summary([*lost, *opened]), "lost")
    assert (row.measured, row.held) == ("1 of 900 open", False)


def test_kill_with_nothing_open_proves_nothing() -> None:
    """When all tasks were already called back, "none lost" is not held."""
    row = goal(Summary([*samples(OURS, "kill", "lost", 0), *samples(OURS, "kill", "open", 0)]), "lost")
    assert row.held is False


def test_unmeasured_goals_are_neither_held_nor_broken() -> None:
    """An empty run decides nothing."""
    assert {row.held for row in goals(Summary([]))} == {None}


def test_best_peer_is_the_faster_one() -> None:
    """Ours is compared with the peer that did best in this run."""
    rates = {OURS: 1000.0, "celery tuned": 200.0, DURABLE: 100.0}
    summary = Summary([Sample(0, name, "flight", {"per_s": rate}) for name, rate in rates.items()])
    assert goal(summary, "best peer").measured == "5"


def test_page_says_what_was_wrong_with_the_run() -> None:
    """A busy machine, a failed subject, a missing peer and a data folder in memory are all on the page."""
    in_memory = Hardware(2, "a CPU", 8.0, "6.1", "3.11.7", "3.40.1", "tmpfs", 1.0, 2.0, 0.1)
    busy = Sample(0, OURS, "low", {"meter_others": 55.0})
    failed = Sample(1, DURABLE, "flight", {}, "TimeoutError: /somewhere/here", log="/somewhere/on/this/machine")
    text = render(busy, failed, without="redis-server is not installed", hardware=in_memory)
    assert "others used up to 55 %" in text
    assert "celery durable, flight: failed (TimeoutError)" in text
    assert "redis-server is not installed" in text
    assert "nothing here was durable" in text
    assert "/somewhere" not in text


def test_page_of_a_clean_run_warns_of_nothing() -> None:
    """The notes are only there when something was wrong."""
    text = render(*samples(OURS, "submit 64", "per_s", 5000, 5100, 5200))
    assert "| aquatint | submit 64 connections | 5,100 [5,000..5,200] |" in text
    assert "not quiet" not in text
    assert "failed (" not in text


@pytest.mark.parametrize(
    ("value", "shown"), [(12345.6, "12,346"), (99.94, "99.9"), (9.876, "9.88"), (0, "0"), (64, "64")]
)
def test_numbers_keep_three_digits(value: float, shown: str) -> None:
    """Figures are shown as precisely as they are known."""
    assert number(value) == shown


def grown(size: int, round_: int, **values: float) -> Sample:
    return Sample(round_, OURS, f"grown {size}", values)


@pytest.mark.parametrize(("rate", "held"), [(900.0, True), (899.0, False)])
def test_growth_is_judged_against_small_tables_of_the_same_round(rate: float, held: bool) -> None:
    """A rate may fall by a tenth from the smallest to the largest tables, not by more."""
    small, large = min(FULL.sizes), max(FULL.sizes)
    rounds = [grown(small, 0, submit_per_s=1000), grown(large, 0, submit_per_s=rate)]
    assert goal(Summary(rounds), "SQLite: submits/s, with").held is held


def test_callbacks_that_never_came_break_their_goal() -> None:
    """What did not arrive counts as late as it was waited for, so that it cannot go unnoticed."""
    late = samples(OURS, "webhook lag, dead", "lag_p99_ms", 15_000)
    assert goal(Summary(late), "SQLite: the same beside 100 dead").held is False


def test_sections_apart_do_not_count_as_rounds() -> None:
    """The page says how often the servers were compared, whatever other sections were repeated."""
    mixed = [*samples(OURS, "submit 64", "per_s", 1, 2), *samples(OURS, "load 100", "per_s", 1, 2, 3)]
    assert Summary(mixed).rounds() == 2


def test_what_would_take_too_long_is_said() -> None:
    """A number of waiting tasks that was left out is on the page with its reason."""
    text = render(
        Sample(0, OURS, "waits 5000", {"wall_s": 50.0, "per_s": 100.0}),
        Sample(0, OURS, "waits 20000", {"would_take_s": 200.0}),
    )
    assert "aquatint: 20,000 tasks would take about 200 s" in text


def test_synchronous_calls_stand_beside_litellm() -> None:
    """Aquatint, LiteLLM and the provider alone are rows of one table, load by load; what was not measured is none."""
    text = render(
        Sample(0, "the provider alone", "images 16", {"per_s": 800.0, "answer_p50_ms": 20.0}),
        Sample(0, OURS, "images 16", {"per_s": 90.0, "answer_p50_ms": 170.0}),
        Sample(0, "litellm", "images 16", {"per_s": 60.0, "answer_p50_ms": 260.0}),
        Sample(0, "litellm", "images idle", {"meter_rss": 340.0}),
    )
    rows = [line for line in text.splitlines() if "| images" in line]
    assert [row.split(" | ")[:3] for row in rows] == [
        ["| the provider alone", "images 16 connections", "800"],
        ["| aquatint", "images 16 connections", "90"],
        ["| litellm", "images 16 connections", "60"],
        ["| litellm", "images idle", "340"],
    ]


def test_plots_are_drawn_of_what_was_measured(tmp_path: Path) -> None:
    """Valid SVG with a point for each figure; an open one where the server fell behind; nothing for nothing."""
    assert plots.draw(Summary([]), FULL, tmp_path / "plots") == []
    values = {"answer_p50_ms": 2.0, "answer_p99_ms": 5.0, "hook_p50_ms": 4.0, "hook_p99_ms": 9.0}
    found = [
        Sample(0, OURS, "load 100", {**values, "per_s": 100.0}),
        Sample(0, OURS, "load 2000", {**values, "per_s": 1500.0}),
        grown(1000, 0, submit_per_s=5000, query_per_s=9000, claim_p50_ms=1.0),
    ]
    drawn = plots.draw(Summary(found), FULL, tmp_path / "plots")
    assert [plot.file for plot in drawn] == ["plots/load.svg", "plots/growth.svg"]
    texts = [(tmp_path / plot.file).read_text() for plot in drawn]
    for text in texts:
        ET.fromstring(text)
    assert texts[0].count('class="c0 full"') == texts[0].count('class="c0 hollow"') == 4
    assert "prefers-color-scheme: dark" in texts[0]


@pytest.mark.parametrize(("values", "ticks"), [((3.0, 48.0), (2, 5, 10, 20, 50)), ((100.0, 100.0), (100, 200))])
def test_logarithmic_axes_hold_their_values(values: tuple[float, ...], ticks: tuple[float, ...]) -> None:
    """Ticks at 1, 2 and 5 around the values, and an axis of some length even for a single one."""
    axis = svg.logarithmic("ms", values)
    assert axis.ticks == pytest.approx(ticks)
    assert axis.low <= min(values) <= max(values) <= axis.high
