"""What the guides tell people to type, typed: the README, the tutorial, back-up and restore, webhook secrets."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from support.receiver import ThreadedReceiver
from support.server import FAST, KEY, NULL_ENGINE, Server, clean_environment

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str, holding: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return [block for kind, block in BLOCK.findall(text) if kind == language and holding in block]


def shell(script: str, folder: Path, **variables: str) -> str:
    """Run a block as pasted, with the test's Python as python3. Raises when it fails."""
    done = subprocess.run(
        ["bash", "-euc", script.replace("python3 ", f"{sys.executable} ")],
        cwd=folder,
        env=clean_environment(variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("guides-server"), {**NULL_ENGINE, **FAST}) as started:
        yield started


@pytest.mark.parametrize(
    ("page", "number"), [("README.md", 0), ("docs/tutorial.md", 0), ("docs/tutorial.md", 1), ("docs/tutorial.md", 2)]
)
def test_the_submits_of_the_guides_are_accepted(server: Server, page: str, number: int, tmp_path: Path) -> None:
    """A submit command copied from the page answers a taskId."""
    submits = blocks(page, "sh", "/api/v1/task/submit")
    command = submits[number].split("\n# {")[0].split("export AQUATINT_URL")[-1]
    command = command[command.index("curl") :].replace("the-url-of-the-answer", "https://example.com/a.jpg")
    answer = json.loads(shell(command, tmp_path, AQUATINT_URL=server.base_url, AQUATINT_KEY=KEY))
    assert answer["code"] == 0
    assert list(answer["data"]) == ["taskId"]


def test_the_tutorials_upload_works(server: Server) -> None:
    """The upload of the tutorial names a photo of the repository and answers a URL."""
    (command,) = blocks("docs/tutorial.md", "sh", "-F file=")
    answer = json.loads(shell(command, ROOT, AQUATINT_URL=server.base_url, AQUATINT_KEY=KEY))
    assert answer["data"]["url"].startswith(server.base_url)


def test_a_back_up_taken_while_the_server_runs_can_be_restored(tmp_path: Path) -> None:
    """The commands of the page copy a living data folder; a server on the copy has the task and its picture."""
    folder = tmp_path / "home"
    running = Server(folder, {**NULL_ENGINE, **FAST})
    running.data_dir = folder / "aquatint-data"
    with running, running.client() as client:
        task = client.wait(client.submit())
        (commands,) = blocks("docs/how-to/back-up.md", "sh", "source.backup(target)")
        (folder / "backup").mkdir()
        shell(commands, folder)
    shutil.rmtree(folder / "aquatint-data")
    (folder / "backup").rename(folder / "aquatint-data")
    with running, running.client() as client:
        assert client.query(task["taskId"]) == task
        assert client.get(task["result"]["urls"][0]).status_code == 200


def test_the_secret_that_the_page_makes_signs_callbacks(tmp_path: Path) -> None:
    """A secret made by the command of the page is accepted by the server, and their library verifies with it."""
    (command,) = blocks("docs/how-to/receive-webhooks.md", "sh", "/dev/urandom")
    secret = shell(f'{command}printf %s "$AQUATINT_WEBHOOKS__SECRET"', tmp_path)
    with (
        ThreadedReceiver() as receiver,
        Server(tmp_path / "s", {**NULL_ENGINE, **FAST, "AQUATINT_WEBHOOKS__SECRET": secret}) as server,
        server.client() as client,
    ):
        task_id = client.submit(callback=receiver.url)
        (letter,) = receiver.wait_for(1)
        (snippet,) = blocks("docs/how-to/receive-webhooks.md", "python", "standardwebhooks")
        names = {"secret": secret, "body": letter.body, "headers": dict(letter.headers), "Webhook": Webhook}
        exec(snippet, names)
        assert names["data"]["data"]["taskId"] == task_id  # type: ignore[index]
