"""`aquatint demo`: what it shows, what it leaves, what it says when something fails, and its commands by hand."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from PIL import Image

from aquatint.cli import demo_by_hand
from aquatint.cli.demo import CITY, PHOTO, RECEIVER, WATERCOLOR
from support.ports import free_port
from support.server import COMMAND, clean_environment, run_cli

ROOT = Path(__file__).parents[2]
SECONDS = 60.0  # what the demo may take on two cores that it has to itself


def test_the_demo_paints_and_checks_the_callback(tmp_path: Path) -> None:
    """Without a terminal it ends with 0, tells the task's life, and leaves the photo and two pictures of 2k."""
    started = time.monotonic()
    done = run_cli("demo", "--out", str(tmp_path / "out"), cwd=ROOT, timeout=2 * SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - started < 2 * SECONDS
    for name in ("watercolor.png", "cyberpunk.png"):
        assert Image.open(tmp_path / "out" / name).size == (2848, 1600)
        assert name in done.stdout
    assert Image.open(tmp_path / "out" / "photo.jpg").size == Image.open(ROOT / PHOTO).size
    assert len(re.findall(r"\d s +SUCCESS", done.stdout)) == 2
    assert "callback  came, is signed, and equals the query's answer" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_photo_that_is_none_ends_the_demo(tmp_path: Path) -> None:
    """The message says what the server said; the exit code is 1; the server is gone."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8 this is no picture")
    done = run_cli("demo", "--out", str(tmp_path / "out"), "--photo", str(broken), cwd=tmp_path)
    assert done.returncode == 1
    assert "aquatint: the task ended as FAILURE: input.imageUrls[0]" in done.stderr
    (port,) = re.findall(r"serves on http://127\.0\.0\.1:(\d+)", done.stdout)
    assert [p.pid for p in psutil.process_iter(["cmdline"]) if port in (p.info["cmdline"] or [])] == []


def test_a_missing_photo_is_said_before_anything_starts(tmp_path: Path) -> None:
    """A wrong path costs a sentence."""
    done = run_cli("demo", "--photo", "nowhere.jpg", cwd=tmp_path)
    assert done.returncode == 1
    assert "there is no photograph nowhere.jpg" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_stopped_demo_stops_its_server(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C and SIGTERM leave no process behind."""
    process = subprocess.Popen(
        [*COMMAND, "demo", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        env=clean_environment({"PYTHONUNBUFFERED": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "submitted" not in (line := process.stdout.readline()):
        assert line, process.communicate()
    below = psutil.Process(process.pid).children(recursive=True)
    assert below
    process.send_signal(number)
    process.communicate(timeout=30)
    assert process.returncode != 0
    _, alive = psutil.wait_procs(below, timeout=5)
    assert alive == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="the commands are made for curl")
def test_its_commands_repeat_each_step_by_hand(tmp_path: Path) -> None:
    """The printed commands, pasted into a shell one after another, paint the photo and take its callback."""
    port = free_port()
    text = demo_by_hand.commands(
        aquatint=str(Path(sys.executable).with_name("aquatint")),
        python=sys.executable,
        photo=ROOT / PHOTO,
        receiver=ROOT / RECEIVER,
        watercolor={**WATERCOLOR, "resolution": "1k"},
        city={**CITY, "resolution": "1k"},
        port=port,
        photo_port=free_port(),
        callback_port=free_port(),
    )
    start, submit, query, save, words, stop = re.split(r"^# \d\. ", text, flags=re.MULTILINE)[1:]
    health = f"until curl -s http://127.0.0.1:{port}/healthz; do sleep 0.1; done"
    painted = f"until ( #{query}\n) | grep '\"SUCCESS\"'; do sleep 0.3; done"
    told = "until grep -q ' SUCCESS http' said; do sleep 0.2; done"  # the receiver's line, not the query's
    steps = [f"#{start}", health, f"#{submit}", painted, f"#{save}", told, f"#{words}", "jobs", f"#{stop}"]
    script = "\n".join(["set -m", *steps, "wait"])
    done = subprocess.run(
        ["bash", "-c", f"exec > said 2> complaints\n{script}"],
        cwd=tmp_path,
        env=clean_environment({"PATH": os.environ["PATH"]}),
        timeout=100,
        check=False,
    )
    said_text = (tmp_path / "said").read_text(encoding="utf-8")
    assert done.returncode in (0, 143), (tmp_path / "complaints").read_text(encoding="utf-8")
    assert Image.open(tmp_path / "picture.png").size == (1280, 720)
    assert re.search(rf"^[0-9a-f-]{{36}} SUCCESS http://127\.0\.0\.1:{port}/files/", said_text, re.MULTILINE)
    assert "not signed" not in said_text
    assert len(re.findall(r'"code":0,"msg":"ok","data":\{"taskId":"[0-9a-f-]{36}"\}', said_text)) == 1
    assert len(re.findall(r"Running", said_text)) == 3
