"""`aquatint simulate`: what it prints can be pasted, what it serves answers, and it ends when asked to."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from aquatint.cli.address import reachable
from aquatint.cli.simulate import simulate
from aquatint.cli.simulators import announcement
from aquatint.domain.errors import ConfigurationError
from aquatint.settings import load
from aquatint.testing.simulators.app import MOUNTS, Simulators
from aquatint.testing.simulators.painter import PlainPainter
from support.ports import free_port
from support.server import clean_environment

COMMAND = (sys.executable, "-c", "import typer; from aquatint.cli.simulate import simulate; typer.run(simulate)")


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, and all that it printed until it was ready."""
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if f"AQUATINT_{list(MOUNTS)[-1].upper()}__BASE_URL" in line:
                break
        yield process, "".join(lines)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        process.stdout.close()


def exported(text: str) -> dict[str, str]:
    """The settings in the printed lines, read as a shell reads them."""
    found = {}
    for line in text.splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["export"]:
            (assignment,) = words[1:]
            name, _, value = assignment.partition("=")
            found[name] = value
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    """The printed settings are valid and lead to it; jobs take as long as asked; its end is no failure."""
    with running("--plain", "--port", "0", "--key", "a key's value", "--job-seconds", "0.4") as (process, text):
        environment = exported(text)
        settings = load(environment)
        assert settings.maxapi.api_key == "a key's value"
        base = settings.maxapi.base_url
        headers = {"Authorization": "Bearer a key's value"}
        body = {"model": "seedream-4.5", "input": {"prompt": "x", "resolution": "1k"}}
        started = time.monotonic()
        with httpx.Client(base_url=base, headers=headers, trust_env=False) as web:
            task = web.post("/api/v1/task/submit", json=body).json()["data"]["taskId"]
            while (now := web.get(f"/api/v1/task/{task}").json()["data"])["status"] != "SUCCESS":
                assert time.monotonic() - started < 10, now
                time.sleep(0.02)
            assert time.monotonic() - started > 0.3
            assert web.get(now["result"]["urls"][0]).status_code == 200
            (admin,) = re.findall(r"http://\S+/admin/calls", text)
            assert web.get(admin).json()["charges"] == {"x": 1}
        os.kill(process.pid, number)
        assert process.wait(10) == 0


def test_it_paints_with_studio() -> None:
    """Without --plain the embedded engine paints, and its workers end with the command."""
    with running("--port", "0") as (process, text):
        base = exported(text)["AQUATINT_MAXAPI__BASE_URL"]
        with httpx.Client(base_url=base, headers={"Authorization": "Bearer sim-key"}, trust_env=False) as web:
            body = {"model": "seedream-4", "input": {"prompt": "mountain lake", "resolution": "1k", "ratio": "1:1"}}
            task = web.post("/api/v1/task/submit", json=body).json()["data"]["taskId"]
            end = time.monotonic() + 60
            while (now := web.get(f"/api/v1/task/{task}").json()["data"])["status"] != "SUCCESS":
                assert time.monotonic() < end, now
                time.sleep(0.1)
            assert now["images"][0]["width"] == 1024
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(10) == 0


async def test_the_lines_to_paste() -> None:
    """Key and address of each provider, under its name, and what lets a server fetch from this machine."""
    async with Simulators(PlainPainter(), key="$(rm -rf x) 'y'") as simulators:
        text = announcement(simulators)
        environment = exported(text)
        assert environment == simulators.environment()
        for engine in MOUNTS:
            assert f"\n# {engine}\n" in text
        assert len(environment) == 2 * len(MOUNTS) + 2  # fal has its public keys besides
        load(environment)


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        ("http://127.0.0.1:9000", "127.0.0.1", "http://127.0.0.1:9000"),
        ("http://0.0.0.0:9000", "0.0.0.0", "http://127.0.0.1:9000"),
        ("http://:::9000", "::", "http://127.0.0.1:9000"),
        ("http://::1:9000", "::1", "http://[::1]:9000"),
        ("http://sims.example.com:80", "sims.example.com", "http://sims.example.com:80"),
    ],
)
def test_addresses_that_can_be_used(origin: str, host: str, expected: str) -> None:
    """What it listens on is not always where it can be found."""
    assert reachable(origin, host) == expected


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake in the settings, said in one line, with nothing left running."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigurationError) as caught:
            simulate(host="127.0.0.1", port=port, plain=False)
    (problem,) = caught.value.problems
    assert problem == f"127.0.0.1:{port} cannot be opened (address already in use)"
    assert capsys.readouterr().out == ""
    with pytest.raises(ConfigurationError):
        simulate(host="nowhere.invalid", port=free_port(), plain=True)
