"""What the pages about the client show is run, in the order of the page."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

import aquatint_client
from aquatint_client import errors
from support.receiver import ThreadedReceiver
from support.server import KEY, Server

ROOT = Path(__file__).parents[2]
PAGES = ["docs/how-to/python-client.md", "sdk/README.md"]


@pytest.mark.parametrize("page", PAGES)
def test_the_programs_of_the_page_run(
    page: str, plain_server: Server, receiver: ThreadedReceiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 2
    shutil.copy(ROOT / "examples" / "photos" / "castle.jpg", tmp_path / "cat.jpg")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AQUATINT_URL", plain_server.base_url)
    monkeypatch.setenv("AQUATINT_API_KEY", KEY)
    for block in blocks:
        code = block.replace("https://example.com/callback", receiver.url)
        exec(compile(code, page, "exec"), {"__name__": "page"})
    assert len(list((tmp_path / "out").iterdir())) >= 5


def test_every_error_is_on_the_page_and_in_the_tree() -> None:
    """The page names each class, and so does the drawing at the top of errors.py."""
    defined = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and kind.__module__ == errors.__name__ and not name.startswith("_")
    }
    page = set(re.findall(r"`(\w+)`", (ROOT / PAGES[0]).read_text(encoding="utf-8")))
    assert defined - page <= {"TaskError"}
    assert defined == set(re.findall(r"(?:├── |└── )(\w+)", errors.__doc__ or "")) | {"AquatintError"}
    assert defined <= set(aquatint_client.__all__)


def test_the_versions_agree() -> None:
    """Client and server are of the same version, and the server asks for exactly that one."""
    server = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    client = tomllib.loads((ROOT / "sdk" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert server["version"] == client["version"] == aquatint_client.__version__
    assert f"aquatint-client=={client['version']}" in server["dependencies"]
    assert [line.partition(">")[0] for line in client["dependencies"]] == ["httpx"]
