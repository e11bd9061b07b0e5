"""The readable page: complete, well formed, self-contained, and faithful to the document it is made from."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from aquatint.api import docs_page, docs_words
from aquatint.domain.task import TERMINAL, Status
from aquatint.wire.answers import FullTaskData, TaskData

DOCUMENT = json.loads((Path(__file__).parents[3] / "openapi.json").read_text(encoding="utf-8"))
VOID = frozenset({"meta", "br", "hr", "img", "input", "link"})
OPERATIONS = [
    (method, path, described) for path, methods in DOCUMENT["paths"].items() for method, described in methods.items()
]


class Page(HTMLParser):
    """What a reader of the page meets: elements, ids, links, headings, cells, code blocks."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.cells: list[str] = []
        self.blocks: list[str] = []
        self.mistakes: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "td":
            self.cells.append("")
        if tag == "pre":
            self.blocks.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.mistakes.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data
        if "pre" in self.open:
            self.blocks[-1] += data


@pytest.fixture(scope="module")
def html() -> str:
    return docs_page.render(DOCUMENT)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_every_element_is_closed_where_it_was_opened(page: Page) -> None:
    """The page is well-formed HTML."""
    assert page.mistakes == []
    assert page.open == []


def test_every_anchor_leads_somewhere_and_no_id_is_taken_twice(page: Page) -> None:
    """A link inside the page never dangles."""
    assert [name for name, count in Counter(page.ids).items() if count > 1] == []
    assert {link.removeprefix("#") for link in page.links if link.startswith("#")} <= set(page.ids)


def test_headings_form_an_outline(page: Page) -> None:
    """One h1, and no level is skipped on the way down."""
    assert page.headings.count(1) == 1
    assert page.headings[0] == 1
    jumps = [(a, b) for a, b in zip(page.headings, page.headings[1:], strict=False) if b > a + 1]
    assert jumps == []


def test_the_first_link_skips_to_the_text(page: Page) -> None:
    """Keyboard readers get past the navigation with one key."""
    assert page.links[0] == "#main"
    assert ("main", {"id": "main"}) in page.tags


def test_nothing_is_loaded_and_nothing_runs(html: str, page: Page) -> None:
    """The page keeps its own strict content security policy."""
    assert {tag for tag, _ in page.tags} & {"script", "link", "img", "iframe", "form", "object", "embed"} == set()
    assert not re.search(r"url\(|@import|\son\w+=|javascript:|style=", html)


@pytest.mark.parametrize(("method", "path", "described"), OPERATIONS, ids=[o[2]["operationId"] for o in OPERATIONS])
def test_every_operation_is_described_with_an_example(
    page: Page, html: str, method: str, path: str, described: dict
) -> None:
    """Each operation has its anchor, its route, its refusals and a curl command that calls it."""
    name = described["operationId"]
    assert name in page.ids
    article = html[html.index(f'<article aria-labelledby="{name}">') :].split("</article>")[0]
    assert f">{method.upper()}</span> <code>{path}</code>" in article
    assert [code for code in described["responses"] if code >= "400" and f"#error-{code}" not in article] == []
    assert ("extension" in article.split("</p>")[0]) == described["x-aquatint-extension"]
    block = next(b for b in Page(article).blocks if b.startswith("curl"))
    words = shlex.split(block)
    assert words[0] == "curl"
    route = re.sub(r"\{\w+\}", r"\\$[A-Z_]+", path)
    assert [word for word in words if re.fullmatch(rf"\$AQUATINT_URL{route}", word)]
    assert ("POST" in words or "-d" in words or "-F" in words) == (method == "post")
    assert ("Authorization: Bearer $AQUATINT_KEY" in words) == (described.get("security") != [])


def test_the_submit_example_is_the_documented_one(page: Page) -> None:
    """What the page tells people to send is the example of the document."""
    words = shlex.split(next(b for b in page.blocks if "/task/submit" in b))
    sent = json.loads(words[words.index("-d") + 1])
    body = DOCUMENT["paths"]["/api/v1/task/submit"]["post"]["requestBody"]["content"]["application/json"]
    assert sent == body["example"]


def test_every_row_says_what_it_means(html: str) -> None:
    """No field and no parameter is left without words."""
    rows = re.findall(
        r"<tr><td><code>([^<]*)</code></td><td class=\"kind\">.*?</td><td>(.*?)</td></tr>", html, re.DOTALL
    )
    assert len(rows) > 50
    assert [name for name, meaning in rows if not meaning.strip()] == []


def test_every_field_of_every_answer_is_on_the_page(page: Page) -> None:
    """Schemas of the document and fields of the page are the same set."""
    shown = {cell.strip() for cell in page.cells}
    schemas = DOCUMENT["components"]["schemas"]
    prefixes = {"ResultData": "result.", "ImageData": "images[].", "QueueData": "queue."}
    for name, schema in schemas.items():
        if name != "Error":
            fields = {prefixes.get(name, "") + field for field in schema["properties"]}
            assert fields <= shown, name


def test_words_do_not_outlive_their_fields() -> None:
    """A field that is gone from the document has no words left."""
    schemas = DOCUMENT["components"]["schemas"]
    known = {f"{name}.{field}" for name, schema in schemas.items() for field in schema.get("properties", {})}
    known |= {f"input.{field}" for field in schemas["SubmitRequest"]["properties"]["input"]["properties"]}
    known |= {"form.file"}
    assert set(docs_words.FIELDS) <= known


def test_additive_fields_are_those_beyond_the_public_api() -> None:
    """The section of additive fields follows the wire types."""
    documented = {field.name for field in msgspec.structs.fields(TaskData)}
    everything = {field.name for field in msgspec.structs.fields(FullTaskData)}
    assert set(docs_words.ADDITIVE) == everything - documented


def test_statuses_are_the_seven_with_their_ends() -> None:
    """The table of statuses says what the domain says."""
    assert [word for word, _, _ in docs_words.STATUSES] == list(Status)
    assert {word for word, _, final in docs_words.STATUSES if final} == TERMINAL


def test_every_sample_answer_has_the_fields_of_its_schema(page: Page) -> None:
    """Example answers are JSON with every field that the schema requires."""
    answers = [json.loads(block) for block in page.blocks if block.startswith('{\n  "code": 0')]
    tasks = [a["data"] for a in answers if "result" in a["data"]]
    assert tasks
    (trace,) = (a["data"] for a in answers if "attempts" in a["data"] and "taskId" in a["data"])
    assert set(trace["attempts"][0]["calls"][0]) == set(DOCUMENT["components"]["schemas"]["CallData"]["required"])
    for task in tasks:
        assert set(task) == set(DOCUMENT["components"]["schemas"]["FullTaskData"]["required"])
        assert task["result"]["urls"]


def test_the_documents_words_are_escaped() -> None:
    """Markup in a description is shown, not obeyed."""
    hostile = json.loads(json.dumps(DOCUMENT))
    operation = hostile["paths"]["/api/v1/tasks"]["get"]
    operation["summary"] = operation["description"] = '<img src="x"> & `<b>`'
    operation["parameters"][0]["description"] = "<script>1</script>"
    html = docs_page.render(hostile)
    assert "<img" not in html
    assert "<script" not in html
    assert "&lt;script&gt;1&lt;/script&gt;" in html
