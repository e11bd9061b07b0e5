"""Every metric and every span is documented, and the dashboard shows what there is."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from aquatint.domain.call import CallOutcome
from aquatint.telemetry import Metrics

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "metrics.md"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "aquatint.json").read_text(encoding="utf-8"))
KINDS = {"counter": "_total", "gauge": "", "histogram": ""}
SERIES = re.compile(r"\b((?:aquatint|process|python)_[a-z_]+)\b")


def rows(heading: str) -> list[list[str]]:
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def described() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Kind and labels of each family that a process may show."""
    found = {}
    registry = Metrics("1").registry
    for collector in list(registry._collector_to_names):
        families = collector.describe() if hasattr(collector, "describe") else []
        for family in families or collector.collect():
            labels = getattr(family, "_labelnames", ())
            found[family.name + KINDS[family.type]] = (family.type, tuple(labels))
    return found


def test_every_metric_is_documented() -> None:
    """Name, kind and labels of our own; names of what the client library adds."""
    there = described()
    ours = {name: about for name, about in there.items() if name.startswith("aquatint_")}
    assert len(ours) >= 15
    documented = {
        code(name)[0]: (kind, tuple(code(labels)))
        for heading in ("Requests", "Tasks", "Paid calls", "Callbacks", "Lanes", "The process")
        for name, kind, labels, _ in rows(heading)
    }
    assert {name: about for name, about in documented.items() if name.startswith("aquatint_")} == ours
    others = {name for name in documented if not name.startswith("aquatint_")}
    assert others == {name for name in there if not name.startswith("aquatint_")}


def test_every_metric_has_words() -> None:
    """No name stands without a meaning, on the page and in the answer."""
    for heading in ("Requests", "Tasks", "Paid calls", "Callbacks", "Lanes", "The process"):
        assert [row[0] for row in rows(heading) if len(row[3]) < 10] == []
    helps = re.findall(r"^# HELP (\S+) (.*)$", Metrics().render("")[0].decode(), re.MULTILINE)
    assert [name for name, words in helps if not words] == []


def test_every_end_of_a_call_is_documented() -> None:
    """The words that a paid call is counted under."""
    (row,) = [row for row in rows("Paid calls") if "aquatint_calls_total" in row[0]]
    assert set(code(row[3])) >= {outcome.value.replace(" ", "_") for outcome in CallOutcome} | {"unknown"}


def test_every_span_is_documented() -> None:
    """The names that the code gives to spans are the rows of the table."""
    named = set()
    for file in (ROOT / "src" / "aquatint").rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args):
                continue
            owner = ast.unparse(call.func.value)
            if call.func.attr in ("begin", "span", "past") and owner.endswith("tracer"):
                named |= names(call.args[0])
    documented = {code(row[0])[0] for row in rows("Spans")}
    assert named == documented


def names(argument: ast.expr) -> set[str]:
    if isinstance(argument, ast.Constant):
        return {argument.value}
    assert ast.unparse(argument) == "f'attempt.{on}'"
    return {f"attempt.{phase}" for phase in ("references", "wait", "run", "store")}


def expressions(node: Any) -> list[str]:
    if isinstance(node, dict):
        found = [node["expr"]] if isinstance(node.get("expr"), str) else []
        return found + [text for value in node.values() for text in expressions(value)]
    return [text for value in node for text in expressions(value)] if isinstance(node, list) else []


def test_the_dashboard_asks_for_what_there_is() -> None:
    """Every series in it is one of ours, every label one that the series has, and most of ours are in it."""
    there = described()
    asked = set()
    for expression in expressions(DASHBOARD):
        series = set(SERIES.findall(expression))
        assert series, expression
        bases = {re.sub(r"_(bucket|sum|count)$", "", name) if name not in there else name for name in series}
        assert bases <= set(there), expression
        asked |= bases
        labels = {label for name in bases for label in there[name][1]} | {"le", "instance", "job", "generation"}
        used = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", expression))
        for group in re.findall(r"\bby\s*\(([^)]*)\)", expression):
            used |= {label.strip() for label in group.split(",")}
        assert used <= labels, expression
    ours = {name for name in there if name.startswith("aquatint_")}
    assert ours - asked == set(), "a metric that no panel shows"


def test_the_dashboard_is_whole() -> None:
    """Ids are unique, panels have titles and do not overlap, and all ask the data source that is chosen."""
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["title"]
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, panel["title"]
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "instance"]


@pytest.mark.parametrize("word", ["http://", "https://", "localhost"])
def test_the_dashboard_knows_no_place(word: str) -> None:
    """It holds nobody's address."""
    assert word not in json.dumps(DASHBOARD)
