"""The curl commands of the page at /docs, copied from it and run against the server that shows it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from support.receiver import ThreadedReceiver
from support.server import FAST, KEY, NULL_ENGINE, Server, clean_environment

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "raccoon.jpg"
OPERATIONS = json.loads((Path(__file__).parents[2] / "openapi.json").read_text(encoding="utf-8"))["paths"]
NAMES = [described["operationId"] for methods in OPERATIONS.values() for described in methods.values()]

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are made for curl")


OPENAI = {"createImage": "data", "editImage": "data", "listOpenAIModels": "data", "getOpenAIModel": "id"}
STREAMS = ("followTask", "followKey")  # the second never ends


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "500ms"}
    with Server(tmp_path_factory.mktemp("docs-server"), settings) as started:
        yield started


@pytest.fixture(scope="module")
def examples(server: Server) -> dict[str, str]:
    """The commands of the page by operation."""
    page = httpx.get(f"{server.base_url}/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    found = re.findall(r'<article aria-labelledby="(\w+)">.*?<code>(curl .*?)</code></pre>', page.text, re.DOTALL)
    return {name: html.unescape(command) for name, command in found}


@pytest.fixture(scope="module")
def ended(server: Server) -> dict[str, str]:
    """A task that has ended and whose callback has come."""
    with ThreadedReceiver() as receiver, server.client() as client:
        task = client.wait(client.submit(callback=receiver.url))
        receiver.wait_for(1)
    token, name = task["result"]["urls"][0].split("/")[-2:]
    return {"TASK_ID": task["taskId"], "TOKEN": token, "NAME": name}


def test_every_operation_has_an_example(examples: dict[str, str]) -> None:
    """The page shows one command for each operation of openapi.json."""
    assert sorted(examples) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_works(
    name: str, server: Server, examples: dict[str, str], ended: dict[str, str], tmp_path: Path
) -> None:
    """Pasted into a shell, the command is answered with code 0, or saves the file."""
    shutil.copyfile(PHOTO, tmp_path / "photo.jpg")
    names = {"LANE": "null", "MODEL": "seedream-4.5"}
    variables = {"AQUATINT_URL": server.base_url, "AQUATINT_KEY": KEY, **names, **ended}
    if name == "cancelTask":
        with server.client() as client:
            variables["TASK_ID"] = client.submit()
    if name in STREAMS:
        assert_streams(examples[name], variables)
        return
    done = subprocess.run(
        ["bash", "-euc", examples[name]],
        cwd=tmp_path,
        env=clean_environment(variables),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if name == "getFile":
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
    elif name in OPENAI:
        assert OPENAI[name] in json.loads(done.stdout), done.stdout
    else:
        assert json.loads(done.stdout)["code"] == 0, done.stdout


def assert_streams(command: str, variables: Mapping[str, str]) -> None:
    """Pasted into a shell, the command shows what comes as it comes."""
    with subprocess.Popen(
        ["bash", "-euc", f"exec {command}"], env=clean_environment(variables), stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        try:
            assert running.stdout.readline() == "retry: 1000\n"
        finally:
            running.terminate()
