"""The engines of ADDING_AN_ENGINE.md, installed from the page: one is painted with, both keep their promises."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from support.server import FAST, Server, clean_environment, run_cli

PAGE = Path(__file__).parents[2] / "ADDING_AN_ENGINE.md"
NAMED_FILE = re.compile(r"^`([\w./]+)`\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
CATALOG = re.compile(r"```toml\n(\[models\.\"tartan.*?)^```", re.MULTILINE | re.DOTALL)
TARTAN = {"pyproject.toml", "aquatint_tartan/engine.py", "aquatint_tartan/weave.py", "test_tartan.py"}
POSTCARD = {"aquatint_postcard/engine.py", "postcard.toml", "fake_press.py", "test_postcard.py"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The distribution as an installer leaves it: modules and metadata in a folder of the search path."""
    site = tmp_path_factory.mktemp("site")
    text = PAGE.read_text(encoding="utf-8")
    files = dict(NAMED_FILE.findall(text))
    assert set(files) == TARTAN | POSTCARD
    for name, content in files.items():
        if name != "pyproject.toml":
            (site / name).parent.mkdir(exist_ok=True)
            (site / name).write_text(content, encoding="utf-8")
    project = files["pyproject.toml"]
    (entry,) = re.findall(
        r'^\[project\.entry-points\."(aquatint\.engines)"\]\n(tartan = ".*")$', project, re.MULTILINE
    )
    info = site / "aquatint_tartan-1.0.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: aquatint-tartan\nVersion: 1.0.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(f"[{entry[0]}]\n{entry[1].replace(chr(34), '')}\n", encoding="utf-8")
    (catalog,) = CATALOG.findall(text)
    (site / "tartan.toml").write_text(catalog, encoding="utf-8")
    return {
        "PYTHONPATH": f"{site}:{sysconfig.get_paths()['purelib']}",
        "AQUATINT_CATALOG__FILE": str(site / "tartan.toml"),
    }


@pytest.fixture(scope="module")
def server(installed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("tartan-server"), {**FAST, **installed}) as started:
        yield started


def test_the_command_line_lists_it(installed: dict[str, str]) -> None:
    """`aquatint engines` finds the plug-in and the model that it serves."""
    listed = run_cli("engines", env=installed)
    assert listed.returncode == 0, listed.stderr
    (line,) = [line for line in listed.stdout.splitlines() if "tartan-1" in line]
    assert "tartan" in line
    assert "1.0.0" in line


def test_it_paints_and_says_who_painted(server: Server) -> None:
    """A task of its model succeeds with pictures of exactly the listed size, and the seed brings them back."""
    with server.client() as client:
        task = client.wait(client.submit("tartan-1", prompt="Royal Stewart", ratio="3:2", resolution="1k", n=2))
        assert task["status"] == "SUCCESS", task
        assert task["engine"] == "tartan/1.0.0"
        assert task["warnings"] == ["the words only choose the threads"]
        first, second = (httpx.get(url).content for url in task["result"]["urls"])
        assert Image.open(io.BytesIO(first)).size == (1248, 832)
        assert first != second
        seed = task["images"][1]["seed"]
        again = client.wait(client.submit("tartan-1", prompt="anything", ratio="3:2", resolution="1k", seed=seed))
        assert httpx.get(again["result"]["urls"][0]).content == second


def test_its_refusals_reach_the_caller(server: Server) -> None:
    """What the engine cannot do is answered before the queue, by the catalog's data."""
    with server.client() as client:
        answer = client.try_submit(
            {"model": "tartan-1", "input": {"prompt": "x", "imageUrls": ["https://a.example/b.png"]}}
        )
        assert answer.status_code == 400
        assert "imageUrls" in answer.json()["msg"]


@pytest.mark.parametrize("engine", ["tartan", "postcard"])
def test_they_keep_the_promises(installed: dict[str, str], engine: str) -> None:
    """The page's own tests pass, run as a plug-in author runs them."""
    site = installed["PYTHONPATH"].partition(os.pathsep)[0]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"test_{engine}.py"],
        cwd=site,
        env={**clean_environment(), "PYTHONPATH": installed["PYTHONPATH"]},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "1 passed" in done.stdout
