"""The part of requirements.lock that running needs, hashes and all: `python tools/runtime_lock.py postgres s3`.

The lock holds what development needs, too. An image of the server wants none of that, at the very same versions and
hashes. pip is the judge of the result: with --require-hashes it refuses whatever a package needs and the file lacks.
Only the standard library is used, so that the first step of an image can run it.
"""

from __future__ import annotations

import argparse
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OURS = frozenset({"aquatint-client"})  # packages of this repository, which no lock holds: `pip check` judges theirs
_PINNED = re.compile(r"([A-Za-z0-9._-]+)==")
_NAME = re.compile(r"[A-Za-z0-9._-]+")


def canonical(name: str) -> str:
    """The name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def blocks(lock: str) -> dict[str, tuple[str, frozenset[str]]]:
    """By package: its lines in the lock, and the packages that it is there for (the comments `# via`).

    A package may have several versions, each for some systems: all of them are its lines.
    """
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for text in re.split(r"\n(?=[A-Za-z0-9])", lock.strip()):
        pinned = _PINNED.match(text)
        if pinned is None:
            continue
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        comments = [line.lstrip(" #") for line in text.splitlines() if line.lstrip().startswith("#")]
        wanted_by = {canonical(_name(comment.removeprefix("via"))) for comment in comments}
        before, others = found.get(canonical(pinned[1]), ("", frozenset()))
        found[canonical(pinned[1])] = ("\n".join([*before.splitlines(), *lines]), others | wanted_by)
    return found


def _name(text: str) -> str:
    found = _NAME.match(text.strip())
    return found[0] if found else ""


def asked_for(project: dict[str, Any], extras: list[str]) -> set[str]:
    """What the project itself names: its dependencies and those of the extras. Raises SystemExit for none such."""
    table = project["project"]
    optional = table.get("optional-dependencies", {})
    unknown = [extra for extra in extras if extra not in optional]
    if unknown:
        raise SystemExit(f"there is no extra {', '.join(unknown)}; there are {', '.join(optional)}")
    named = [*table["dependencies"], *(line for extra in extras for line in optional[extra])]
    return {canonical(_name(line)) for line in named} - OURS


def subset(lock: str, roots: set[str]) -> str:
    """The blocks of `roots` and of everything they bring along. Raises SystemExit when the lock lacks a root."""
    known = blocks(lock)
    missing = sorted(roots - known.keys())
    if missing:
        raise SystemExit(f"requirements.lock lacks {', '.join(missing)}; renew it with `make lock`")
    kept = set(roots)
    while more := {name for name, (_, wanted_by) in known.items() if name not in kept and wanted_by & kept}:
        kept |= more
    return "".join(f"{known[name][0]}\n" for name in sorted(kept))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    options.add_argument("extras", nargs="*", help="extras of the project, such as postgres and s3")
    options.add_argument("--only", nargs="+", metavar="PACKAGE", help="these packages instead of the project's own")
    options.add_argument("--lock", type=Path, default=ROOT / "requirements.lock")
    options.add_argument("--project", type=Path, default=ROOT / "pyproject.toml")
    given = options.parse_args()
    project = tomllib.loads(given.project.read_text(encoding="utf-8"))
    roots = {canonical(name) for name in given.only} if given.only else asked_for(project, given.extras)
    print(subset(given.lock.read_text(encoding="utf-8"), roots), end="")


if __name__ == "__main__":
    main()
