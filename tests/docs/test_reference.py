"""Every setting, error, event, command and field is documented, and nothing that does not exist is."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import msgspec
import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from aquatint.api import openapi
from aquatint.cli.app import app
from aquatint.domain import errors
from aquatint.domain.task import TERMINAL, Status
from aquatint.settings import default_text
from aquatint.wire.answers import FullTaskData, TaskData

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
SOURCE = Path(str(resources.files("aquatint")))
EVENT = re.compile(r"[a-z]+\.[a-z_]+")


def rows(page: str, heading: str = "") -> list[list[str]]:
    """Cells of the table rows of a page, or of one of its sections."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    if heading:
        text = re.split(r"^#+ ", text.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_settings_are_those_of_the_default_file() -> None:
    """The page has one row for each setting, with its variable and its default as the file writes it."""
    expected = {}
    section = ""
    for line in default_text().splitlines():
        if head := re.fullmatch(r"\[(\w+)\]", line):
            section = head[1]
        elif field := re.fullmatch(r"(\w+) = (.*?)(?:\s+#.*)?", line):
            name = f"{section}.{field[1]}"
            variable = f"AQUATINT_{section.upper()}__{field[1].upper()}"
            expected[name] = ("AQUATINT_API_KEY" if name == "server.api_key" else variable, field[2].strip())
    documented = {
        code(row[0])[0]: (code(row[1])[0], code(row[2])[0]) for row in rows("settings.md") if row[0].startswith("`")
    }
    assert documented == expected
    assert {f"{s}.{f}" for s, table in tomllib.loads(default_text()).items() for f in table} == set(expected)


def test_every_setting_has_words() -> None:
    """No setting is listed without a meaning."""
    assert [row[0] for row in rows("settings.md") if not row[3]] == []


def test_every_caller_error_is_documented_with_its_code() -> None:
    """The table of refusals names each CallerError with the status that it answers."""
    documented = {
        (int(row[0]), name) for row in rows("errors.md", "## Refused requests")[1:] for name in code(row[1])
    }
    raised = {(kind.status, kind.__name__) for kind in subclasses(errors.CallerError)}
    assert raised <= documented
    assert {name for _, name in documented} == {name for _, name in raised} | {"StoreUnavailable"}


def test_every_code_of_the_api_is_documented() -> None:
    """Whatever the OpenAPI document says may be answered has a row."""
    documented = {int(row[0]) for row in rows("errors.md", "## Refused requests")[1:]}
    assert set(openapi.WORDS) <= documented


def test_every_engine_error_is_documented_with_its_reason() -> None:
    """The table of failures names each EngineError with the reason that it settles as, and its advice."""
    documented = {code(row[1])[0]: (row[0].strip("`"), row[2]) for row in rows("errors.md", "## Failed tasks")[1:]}
    raised = {
        kind.__name__: (kind.failure_reason or "null", kind.advice)
        for kind in subclasses(errors.EngineError)
        if kind.__module__ == errors.__name__  # other rooms' own kinds are told by the class that they belong to
    }
    assert documented == raised


def subclasses(kind: type) -> Iterator[type]:
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def test_every_event_of_a_task_is_documented() -> None:
    """The names that the store writes are the rows of the first table."""
    written = {f"task.{status.lower()}" for status in TERMINAL}
    for file in (SOURCE / "store").rglob("*.py"):
        for text in strings(ast.parse(file.read_text(encoding="utf-8"))):
            written |= set(re.findall(r"(?:^|')((?:task|delivery)\.[a-z_]+)(?:'|$)", text))
    documented = {code(row[0])[0] for row in rows("events.md", "## History of a task")[1:]}
    assert documented == written


def test_every_event_of_the_log_is_documented() -> None:
    """The names that the code logs are the rows of the second table, with their level."""
    logged = set()
    for file in SOURCE.rglob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.args:
                level = call.func.attr.replace("exception", "error")
                if level in ("debug", "info", "warning", "error"):
                    logged |= {(name, level) for name in strings(call.args[0]) if EVENT.fullmatch(name)}
    documented = {(code(row[0])[0], row[1]) for row in rows("events.md", "## Log")[1:]}
    assert documented == logged


def strings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def commands(group: TyperGroup, path: str = "aquatint") -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            if command.invoke_without_command:
                yield f"{path} {name}", command
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def root() -> TyperGroup:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    return group


def test_every_command_is_documented() -> None:
    """The page has a row for each command, with the names of its arguments."""
    expected = set()
    for path, command in commands(root()):
        arguments = [str(p.name).upper() for p in command.params if isinstance(p, TyperArgument)]
        expected.add(" ".join([path, *(a.replace("KEY_ID", "ID") for a in arguments)]))
    assert {code(row[0])[0] for row in rows("cli.md")[1:] if row[0].startswith("`aquatint")} == expected


def test_every_option_is_documented_where_it_is() -> None:
    """The table of options names each option of each command, and no other."""
    documented: dict[str, set[str]] = {}
    for row in rows("cli.md", "## Options")[1:]:
        for command in code(row[0]) or ["*"]:
            documented.setdefault(command, set()).update(code(row[1]))
    for path, command in commands(root()):
        name = path.removeprefix("aquatint ")
        known = documented.get(name, set()) | documented.get(name.split()[0], set()) | {"--config"}
        given = [p for p in command.params if isinstance(p, TyperOption)]
        options = {o for p in given for o in (*p.opts, *p.secondary_opts) if o != "--help"}
        assert options <= known, name
        assert documented.get(name, set()) <= options, name


def test_the_task_object_is_documented_field_by_field() -> None:
    """Fields of the public API and additive fields are in their own tables."""
    documented = {code(row[0])[0] for row in rows("task-object.md", "## Fields of the public API")[1:]}
    additive = {code(row[0])[0] for row in rows("task-object.md", "## Additive fields")[1:]}
    public = {field.name for field in msgspec.structs.fields(TaskData)}
    everything = {field.name for field in msgspec.structs.fields(FullTaskData)}
    assert {name for name in documented if "." not in name} == public
    assert additive == everything - public


def test_the_statuses_are_documented_with_their_ends() -> None:
    """The table of statuses says what the domain says."""
    found = {code(row[0])[0]: row[2] == "yes" for row in rows("task-object.md", "## Statuses")[1:]}
    assert found == {status: status in TERMINAL for status in Status}


def test_the_error_tree_is_drawn_as_it_is() -> None:
    """The drawing at the top of domain/errors.py names exactly the classes below it."""
    drawing = inspect.getdoc(errors) or ""
    drawn = set(re.findall(r"(?:├── |└── )(\w+)", drawing)) | {"AquatintError"}
    defined = {
        name for name, kind in vars(errors).items() if isinstance(kind, type) and kind.__module__ == errors.__name__
    }
    assert drawn == defined
