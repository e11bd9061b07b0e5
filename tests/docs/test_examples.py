"""The example programs, each run as a person runs it, against a real server that really paints."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from support.ports import free_port
from support.server import FAST, KEY, Server, clean_environment

EXAMPLES = Path(__file__).parents[2] / "examples"
PHOTOS = EXAMPLES / "photos"
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {**FAST, "AQUATINT_WEBHOOKS__SECRET": SECRET}
    with Server(tmp_path_factory.mktemp("examples-server"), settings) as started:
        yield started


def run(server: Server, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    environment = clean_environment({"AQUATINT_URL": server.base_url, "AQUATINT_KEY": KEY})
    command = [sys.executable, str(EXAMPLES / program), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_submit_and_poll(server: Server, tmp_path: Path) -> None:
    """Words become a picture of the documented size, and the statuses are told on the way."""
    done = run(server, "submit_and_poll.py", "a lighthouse at dusk", tmp_path / "lighthouse.png")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(tmp_path / "lighthouse.png")
    assert Image.open(tmp_path / "lighthouse.png").size == (1280, 720)
    assert "SUCCESS" in done.stderr


def test_follow(server: Server, tmp_path: Path) -> None:
    """The events of a painting are told as they come, and the picture is saved at the end."""
    done = run(server, "follow.py", "a lighthouse at dusk", tmp_path / "lighthouse.png")
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "lighthouse.png").size == (1280, 720)
    assert [
        name for name in ("task.submitted", "task.claimed", "task.success") if f" {name} " not in done.stderr
    ] == []


def test_a_refused_submit_is_an_error(server: Server, tmp_path: Path) -> None:
    """An empty prompt ends the program with the server's 400, and no file is left."""
    done = run(server, "submit_and_poll.py", "", tmp_path / "none.png")
    assert done.returncode != 0
    assert "400" in done.stderr
    assert not (tmp_path / "none.png").exists()


def test_photo_as_data_url(server: Server, tmp_path: Path) -> None:
    """A photo inside the request is painted in the listed ratio nearest to its own, and is not echoed."""
    done = run(server, "photo_as_data_url.py", PHOTOS / "raccoon.jpg", "as an oil painting", tmp_path / "oil.png")
    assert done.returncode == 0, done.stderr
    assert Image.open(tmp_path / "oil.png").size == (1152, 864)
    assert len(done.stderr) < 2000
    assert "data:image/jpeg;base64,…" in done.stderr


def test_upload_then_use(server: Server, tmp_path: Path) -> None:
    """One upload serves two tasks, and their pictures differ."""
    done = run(server, "upload_then_use.py", PHOTOS / "dandelions.jpg", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert "uploaded: 1600 x 900" in done.stderr
    watercolor, pencil = (Image.open(tmp_path / "out" / f"{name}.png") for name in ("watercolor", "pencil"))
    assert watercolor.size == pencil.size == (1280, 720)
    assert watercolor.tobytes() != pencil.tobytes()


def test_cancel(server: Server) -> None:
    """A painting task ends as CANCELLED, cancelling again changes nothing, and an unknown task is a 404."""
    done = run(server, "cancel.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["CANCELLED", "CANCELLED", "404"]


def test_submit_once(server: Server) -> None:
    """The same key and body make one task, however often they are sent."""
    done = run(server, "submit_once.py", f"order-{secrets.token_hex(4)}")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert second == f"{first} replayed"


@pytest.fixture
def receiver() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The receiver as a process with the server's secret, and its callBackUrl."""
    command = [sys.executable, str(EXAMPLES / "webhook_receiver.py"), "--port", str(free_port())]
    environment = clean_environment({"AQUATINT_WEBHOOKS__SECRET": SECRET})
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().removeprefix("callBackUrl: ").strip()
        finally:
            process.terminate()


def test_webhook_receiver(server: Server, receiver: tuple[subprocess.Popen[str], str]) -> None:
    """The receiver takes a signed callback, knows it the second time, and refuses a forged one."""
    process, url = receiver
    assert process.stdout is not None
    with server.client() as client:
        task_id = client.submit(callback=url, prompt="a mountain lake", resolution="1k", ratio="16:9")
        task = client.wait(task_id, timeout=60)
        assert process.stdout.readline().strip() == f"{task_id} SUCCESS {task['result']['urls'][0]}"
        client.post(f"/api/v1/task/{task_id}/redeliver")
        assert process.stdout.readline().startswith(f"{task_id} SUCCESS (again) ")
    forged = subprocess.run(
        ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", url, "-d", '{"data": {"taskId": "x"}}'],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert forged.stdout == "401"


def test_every_example_is_listed_and_tested() -> None:
    """A program without a row in the README, or without a test here, fails."""
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    here = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in sorted(programs) if f"[{name}]({name})" not in listed or f'"{name}"' not in here] == []
