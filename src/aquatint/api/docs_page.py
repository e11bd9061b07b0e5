"""The readable page of the API: one HTML document made from the OpenAPI document, no scripts, no assets."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib import resources
from string import Template
from typing import Any

from aquatint.api import docs_schemas as schemas
from aquatint.api import docs_words as words

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

Json = dict[str, Any]
Row = Sequence[str]  # cells of HTML

_GROUPS = {
    "tasks": "Tasks",
    "callbacks": "Callbacks",
    "files": "Files",
    "models": "Models and account",
    "operator": "For operators",
    "openai": "In OpenAI's spelling",
}
_CODE = re.compile(r"`([^`]+)`")
_SHELL_NAMES = {"taskId": "TASK_ID", "token": "TOKEN", "name": "NAME", "lane": "LANE", "model": "MODEL"}


def render(document: Json) -> str:
    """The whole page. `document` is an OpenAPI 3.1 document of this server."""
    operations = [
        _Operation(document, path, method, described)
        for path, methods in document["paths"].items()
        for method, described in methods.items()
    ]
    info = document["info"]
    return Template(_resource("docs_page.html")).substitute(
        title=escape(info["title"]),
        version=escape(info["version"]),
        description=_prose(info["description"]),
        css=_resource("docs_page.css"),
        navigation=_navigation(operations),
        operations="\n".join(_groups(operations)),
        task=_task(document),
        errors=_errors(document),
    )


def _resource(name: str) -> str:
    return resources.files("aquatint.api").joinpath(name).read_text(encoding="utf-8")


class _Operation:
    """One operation and everything that the page says of it."""

    def __init__(self, document: Json, path: str, method: str, described: Json) -> None:
        self._document = document
        self._described = described
        self.path = path
        self.method = method.upper()
        self.name: str = described["operationId"]
        self.summary: str = described["summary"]
        self.tag: str = described["tags"][0]

    def html(self) -> str:
        extension = ' <span class="tag">extension</span>' if self._described.get("x-aquatint-extension") else ""
        verb = f'<span class="verb {self.method.lower()}">{self.method}</span>'
        parts = [
            f'<article aria-labelledby="{self.name}">',
            _heading(3, self.name, self.summary),
            f'<p class="route">{verb} <code>{escape(self.path)}</code>{extension}</p>',
        ]
        if "description" in self._described:
            parts.append(f"<p>{_prose(self._described['description'])}</p>")
        parts += self._parameters()
        parts += self._body()
        parts += self._example()
        parts += self._answer()
        parts.append(self._errors())
        parts.append("</article>")
        return "\n".join(parts)

    def _parameters(self) -> Iterator[str]:
        rows = [
            (
                f"<code>{escape(given['name'])}</code>",
                f"{given['in']}, {schemas.kind(given['schema'])}{_need(given['required'])}",
                _prose(given["description"]),
            )
            for given in self._described.get("parameters", [])
        ]
        if rows:
            yield "<h4>Parameters</h4>"
            yield _table(("Name", "Where and what", "Meaning"), rows)

    def _body(self) -> Iterator[str]:
        for media_type, content in self._described.get("requestBody", {}).get("content", {}).items():
            name, schema = schemas.resolve(self._document, content["schema"])
            yield f"<h4>Body <code>{escape(media_type)}</code></h4>"
            rows: list[Row] = []
            for field, described in schema["properties"].items():
                rows.append(_field_row(name or "form", field, described, field in schema.get("required", ())))
                for inner, inside in described.get("properties", {}).items():
                    needed = inner in described.get("required", ())
                    rows.append(_field_row("input", inner, inside, needed, prefix=f"{field}."))
            yield _table(("Field", "Type", "Meaning"), rows)

    def _example(self) -> Iterator[str]:
        yield "<h4>Example</h4>"
        yield _pre("\n".join(self.curl()))

    def curl(self) -> list[str]:
        """The command that calls this operation, one option a line."""
        path = re.sub(r"\{(\w+)\}", lambda match: f"${_SHELL_NAMES[match[1]]}", self.path)
        url = f'"$AQUATINT_URL{path}"'
        options = []
        if self._described.get("security") != []:
            options.append('-H "Authorization: Bearer $AQUATINT_KEY"')
        content = self._described.get("requestBody", {}).get("content", {})
        if next(iter(content), "") == "application/json":
            sent = json.dumps(content["application/json"]["example"], indent=2, ensure_ascii=False)
            options += ['-H "Content-Type: application/json"', f"-d {shlex.quote(sent)}".replace("\n", "\n  ")]
        elif "multipart/form-data" in content:
            form = content["multipart/form-data"].get("example", {"file": "@photo.jpg"})
            options += [f"-F {shlex.quote(f'{name}={value}')}" for name, value in form.items()]
        elif self.method == "POST":
            url = f"-X POST {url}"
        command = f"curl -sS{'N' * self._streamed} {url}" + (" -o picture.png" if self._binary else "")
        lines = [command, *(f"  {option}" for option in options)]
        return [f"{line} \\" for line in lines[:-1]] + lines[-1:]

    @property
    def _success(self) -> Json:
        content: Json = self._described["responses"]["200"]["content"]
        (media,) = content.values()
        schema: Json = media["schema"]
        return schema

    @property
    def _binary(self) -> bool:
        return self._success.get("format") == "binary"

    @property
    def _streamed(self) -> bool:
        return "x-events" in self._success

    def _answer(self) -> Iterator[str]:
        if self._binary:
            return
        if self._streamed:
            yield from self._events()
            return
        if "$ref" in self._success:  # another dialect, without an envelope
            yield "<details><summary>Answer</summary>"
            refusal = self._described["responses"]["401"]["content"]["application/json"]["schema"]
            accepted = self._described["responses"].get("202", {}).get("content", {})
            for schema in (self._success, *(media["schema"] for media in accepted.values()), refusal):
                sample = schemas.sample(self._document, schema, "", "")
                yield _pre(json.dumps(sample, indent=2, ensure_ascii=False))
                yield from self._types(schema)
            yield "</details>"
            return
        data = self._success["properties"]["data"]
        sample = {"code": 0, "msg": "ok", "data": schemas.sample(self._document, data, "", "")}
        yield "<details><summary>Answer</summary>"
        yield _pre(json.dumps(sample, indent=2, ensure_ascii=False))
        yield from self._types(data)
        yield "</details>"

    def _events(self) -> Iterator[str]:
        yield "<details><summary>Events</summary>"
        for event, data in self._success["x-events"].items():
            names = ", ".join(f"<code>{escape(name)}</code>" for name in event.split(" and "))
            yield f"<h4>{names}</h4>"
            yield _pre(json.dumps(schemas.sample(self._document, data, "", ""), ensure_ascii=False))
            yield from self._types(data)
        yield "</details>"

    def _types(self, data: Json) -> Iterator[str]:
        for name, schema in schemas.named(self._document, data):
            if name != "FullTaskData" and schema.get("properties"):
                yield f"<h4><code>{escape(schemas.shown_name(name))}</code></h4>"
                rows = [_field_row(name, field, kind, False) for field, kind in schema["properties"].items()]
                yield _table(("Field", "Type", "Meaning"), rows)
            elif name == "FullTaskData":
                yield '<p>See <a href="#task-object">the task object</a>.</p>'

    def _errors(self) -> str:
        codes = [code for code in self._described["responses"] if not code.startswith("2")]
        links = ", ".join(f'<a href="#error-{code}">{code}</a>' for code in codes)
        return f'<p class="answers">Refusals: {links}</p>'


def _groups(operations: Sequence[_Operation]) -> Iterator[str]:
    for tag, title in _GROUPS.items():
        yield f'<section aria-labelledby="{tag}">{_heading(2, tag, title)}'
        yield from (operation.html() for operation in operations if operation.tag == tag)
        yield "</section>"


def _task(document: Json) -> str:
    properties = document["components"]["schemas"]["FullTaskData"]["properties"]
    documented = [_field_row("FullTaskData", f, p, False) for f, p in properties.items() if f not in words.ADDITIVE]
    nested = [
        _field_row(schema, field, kind, False, prefix=prefix)
        for schema, prefix in (("ResultData", "result."), ("ImageData", "images[]."), ("QueueData", "queue."))
        for field, kind in document["components"]["schemas"][schema]["properties"].items()
    ]
    additive = [_field_row("FullTaskData", f, p, False) for f, p in properties.items() if f in words.ADDITIVE]
    columns = ("Field", "Type", "Meaning")
    statuses = [
        (f"<code>{status}</code>", _prose(meaning), "final" if final else "")
        for status, meaning, final in words.STATUSES
    ]
    reasons = [(f"<code>{reason}</code>", _prose(meaning), advice) for reason, meaning, advice in words.REASONS]
    results = [row for row in nested if "result." in row[0]]
    place = next(i for i, row in enumerate(additive) if row[0] == "<code>images</code>") + 1
    additive[place:place] = [row for row in nested if "images[]" in row[0]]
    additive += [row for row in nested if "queue." in row[0]]
    return f"""<section aria-labelledby="task-object">
{_heading(2, "task-object", "The task object")}
<p>The same object in queries, listings and callbacks.</p>
{_table(columns, documented + results)}
{_heading(3, "additive-fields", "Additive fields")}
<p>Aquatint adds these to what the public API documents. Clients that know only the documented fields ignore them; the
header <code>X-Aquatint-Strict: true</code> leaves them out of a query.</p>
{_table(columns, additive)}
{_heading(3, "statuses", "Statuses")}
<p>In this order, never backwards: PENDING, PROCESSING, SUBMITTED, then one of the final four.</p>
{_table(("Status", "Meaning", "End"), statuses)}
{_heading(3, "failure-reasons", "Failure reasons")}
{_table(("failure_reason", "Meaning", "What to do"), reasons)}
</section>"""


def _errors(document: Json) -> str:
    meanings: dict[str, str] = {}
    for methods in document["paths"].values():
        for described in methods.values():
            meanings |= {c: r["description"] for c, r in described["responses"].items() if not c.startswith("2")}
    rows = [(f'<code id="error-{code}">{code}</code>', _prose(meanings[code])) for code in sorted(meanings)]
    example = json.dumps(
        {"code": 400, "msg": "input.ratio: must be one of 1:1, 4:3, … for seedream-4.5"}, ensure_ascii=False
    )
    return f"""<section aria-labelledby="errors">
{_heading(2, "errors", "Errors")}
<p>The HTTP status says it, and <code>code</code> repeats it. <code>msg</code> is for people; where a field is to
blame, it starts with the field’s path. What nobody foresaw answers 500 with a request id to look for in the server’s
log.</p>
{_pre(example)}
{_table(("Code", "Meaning"), rows)}
</section>"""


def _navigation(operations: Sequence[_Operation]) -> str:
    groups: list[tuple[str, list[tuple[str, str]]]] = [("", [("start", "Start")])]
    for tag, title in _GROUPS.items():
        groups.append((title, [(o.name, o.summary) for o in operations if o.tag == tag]))
    reference = [
        ("task-object", "The task object"),
        ("additive-fields", "Additive fields"),
        ("statuses", "Statuses"),
        ("failure-reasons", "Failure reasons"),
        ("receiving", "Receiving callbacks"),
        ("errors", "Errors"),
    ]
    groups.append(("Reference", reference))
    return "\n".join(_navigation_group(title, links) for title, links in groups)


def _navigation_group(title: str, links: Iterable[tuple[str, str]]) -> str:
    items = "".join(f'<li><a href="#{anchor}">{escape(text)}</a></li>' for anchor, text in links)
    heading = f"<strong>{escape(title)}</strong>" if title else ""
    return f"<div>{heading}<ul>{items}</ul></div>"


def _heading(level: int, anchor: str, text: str) -> str:
    return f'<h{level} id="{anchor}"><a class="anchor" href="#{anchor}">{escape(text)}</a></h{level}>'


def _table(columns: Sequence[str], rows: Iterable[Row]) -> str:
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
    body = "\n".join(
        "<tr>" + "".join(_cell(columns[i], cell) for i, cell in enumerate(row)) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table>"


def _cell(column: str, html: str) -> str:
    return f'<td class="kind">{html}</td>' if column in ("Type", "Where and what") else f"<td>{html}</td>"


def _pre(text: str) -> str:
    return f'<pre tabindex="0"><code>{escape(text, quote=False)}</code></pre>'


def _prose(text: str) -> str:
    """Plain text to HTML; what stands between backquotes becomes code."""
    return _CODE.sub(r"<code>\1</code>", escape(text, quote=False))


def _need(required: bool) -> str:
    return ' <span class="need">required</span>' if required else ""


def _field_row(schema: str, field: str, described: Json, required: bool, *, prefix: str = "") -> Row:
    meaning = words.FIELDS.get(f"{schema}.{field}") or described.get("description", "")
    return (f"<code>{escape(prefix + field)}</code>", schemas.kind(described) + _need(required), _prose(meaning))
