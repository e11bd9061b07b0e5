"""The pages hold together: links resolve, and what they tell people to type exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from aquatint.cli.app import app
from aquatint.settings import describe, load

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    if path.name != "LICENSE.md"
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"\bpython3? ((?:\.\./)*[\w./-]+\.py)")


def anchors(page: Path) -> set[str]:
    """The anchors that a reader of Markdown makes of the page's headings."""
    found = set()
    for heading in re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).strip()
        found.add(words.replace(" ", "-"))
    return found


def blocks(page: Path, *languages: str) -> list[str]:
    return [text for language, text in BLOCK.findall(page.read_text(encoding="utf-8")) if language in languages]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that exists, and an anchor in it."""
    broken = []
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in LINK.findall(text):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_page_has_one_title(page: Path) -> None:
    """A page starts with its only first-level heading."""
    outside = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert outside.startswith("# ")
    assert len(re.findall(r"^# ", outside, re.MULTILINE)) == 1


def test_every_page_can_be_reached_from_the_readme() -> None:
    """No page is an orphan: links, and folders that the README names, lead to all of them."""
    seen: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in seen:
            continue
        seen.add(page)
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            file = (page.parent / target.partition("#")[0]).resolve()
            if file.is_dir():
                ahead += file.glob("*.md")
            elif file.suffix == ".md" and file.exists():
                ahead.append(file)
    assert [name for name, page in zip(NAMES, PAGES, strict=True) if page not in seen] == []


def test_make_targets_that_pages_name_exist() -> None:
    """`make x` in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test", "check", "bench"} <= named
    assert named <= targets


def test_programs_that_pages_run_exist() -> None:
    """`python examples/x.py` in a page or in an example names a program of the repository."""
    texts = [block for page in PAGES for block in blocks(page, "sh", "bash")]
    texts += [path.read_text(encoding="utf-8") for path in (ROOT / "examples").glob("*.py")]
    named = {program for text in texts for program in PROGRAM.findall(text)}
    assert named
    assert [program for program in sorted(named) if not (ROOT / program).is_file()] == []


def test_commands_that_pages_type_parse() -> None:
    """Every `aquatint …` line in a block is a command with options that the command line knows."""
    typed = []
    for page in PAGES:
        for line in "\n".join(blocks(page, "sh", "bash")).splitlines():
            words = shlex.split(line.rstrip("&\\ "), comments=True) if "aquatint " in line and "'" not in line else []
            if (
                words
                and (start := next((i for i, w in enumerate(words) if Path(w).name == "aquatint"), None)) is not None
            ):
                typed.append(words[start + 1 :])
    assert len(typed) >= 8
    for words in typed:
        command, context = typer.main.get_command(app), None
        while isinstance(command, TyperGroup):
            if command.invoke_without_command and (not words or words[0].startswith("-")):
                break
            context = typer.Context(command, context)
            name, command, words = command.resolve_command(context, words)
            assert command is not None, name
        assert command is not None
        command.make_context(command.name, list(words), parent=context)


def test_settings_that_pages_mention_exist() -> None:
    """Every variable in a page is read by the settings."""
    known = {
        f"AQUATINT_{name.upper().replace('.', '__')}"
        for name, _ in describe(load({}))  # sections of plug-ins are theirs to name
    } | {
        *("AQUATINT_CONFIG", "AQUATINT_SECRETS", "AQUATINT_API_KEY"),
        "AQUATINT_MCP_TOKEN",
        *("AQUATINT_URL", "AQUATINT_KEY", "AQUATINT_SECTION__FIELD"),
    }
    for program in (ROOT / "tests" / "live").glob("*.py"):
        known |= set(re.findall(r"AQUATINT_LIVE_[A-Z0-9_]+", program.read_text(encoding="utf-8")))
    named = {name for page in PAGES for name in re.findall(r"AQUATINT_[A-Z0-9_]+", page.read_text(encoding="utf-8"))}
    assert named <= known


def test_pictures_are_small_and_their_sources_stated() -> None:
    """Photographs keep to 600 kB and are all in the table of sources; pictures of the pages keep to 300 kB."""
    photos = ROOT / "examples" / "photos"
    stated = set(re.findall(r"^\| `([\w-]+\.jpg)` \|", (photos / "SOURCE.md").read_text("utf-8"), re.MULTILINE))
    assert {path.name for path in photos.glob("*.jpg")} == stated
    assert all(path.stat().st_size <= 600_000 for path in photos.glob("*.jpg"))
    assert all(path.stat().st_size <= 300_000 for path in (ROOT / "docs" / "images").iterdir())
