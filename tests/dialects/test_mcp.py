"""`aquatint mcp`, by the official package's own client: over stdio with a real process, and over HTTP."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ImageContent, ResourceLink

from aquatint.cli.mcp.command import mcp
from aquatint.domain.errors import ConfigurationError
from support.pictures import data_url, opened, picture
from support.ports import free_port
from support.server import COMMAND, FAST, KEY, NULL_ENGINE, Server, clean_environment, run_cli

TOOLS = ["cancel_task", "edit_image", "generate_image", "get_task", "list_models", "list_tasks"]
TOKEN = "a-secret-of-this-test"
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each task takes half a second."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "500ms", "AQUATINT_WORKER__CONCURRENCY": "4"}
    with Server(tmp_path_factory.mktemp("mcp-server"), env) as started:
        yield started


def environment(server: Server | None, **more: str) -> dict[str, str]:
    given = {"AQUATINT_URL": server.base_url, "AQUATINT_API_KEY": KEY} if server is not None else {}
    return clean_environment({**given, **more})


@asynccontextmanager
async def over_stdio(*arguments: str, env: dict[str, str]) -> AsyncIterator[Client]:
    started = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "mcp", *arguments], env=env)
    async with Client(started) as client:
        yield client


@contextmanager
def over_http(server: Server, *arguments: str, **env: str) -> Iterator[str]:
    """The address of an `aquatint mcp --http` that runs while the block lasts."""
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "mcp", "--http", "--port", str(port), *arguments],
        env=environment(server, **env),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 30
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.TransportError:
                assert time.monotonic() < end
                assert process.poll() is None
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert said == b""


def data_of(result: CallToolResult) -> dict[str, Any]:
    assert not result.is_error, result.content
    assert result.structured_content is not None
    return result.structured_content


def refusal(result: CallToolResult) -> str:
    assert result.is_error
    (said,) = result.content
    return str(getattr(said, "text", ""))


def shown(result: CallToolResult) -> list[bytes]:
    return [base64.b64decode(block.data) for block in result.content if isinstance(block, ImageContent)]


async def test_tools_over_stdio(server: Server) -> None:
    """Every tool does what it says, waits with progress, and answers pictures, links, words and plain data."""
    steps: list[tuple[float, float | None, str | None]] = []

    async def on_progress(done: float, total: float | None, message: str | None) -> None:
        steps.append((done, total, message))

    async with over_stdio(env=environment(server)) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert sorted(tools) == TOOLS
        assert all(tool.description and tool.output_schema for tool in tools.values())
        assert "ctx" not in tools["generate_image"].input_schema["properties"]

        asked = {"prompt": "a quiet harbour", "n": 2, "ratio": "16:9", "resolution": "1k", "seed": "9007199254740993"}
        made = await client.call_tool("generate_image", asked, progress_callback=on_progress)
        task = data_of(made)
        assert (task["status"], task["prompt"], len(task["pictures"])) == ("SUCCESS", "a quiet harbour", 2)
        assert len(shown(made)) == 2
        assert all(opened(data).format == "PNG" for data in shown(made))
        links = [block for block in made.content if isinstance(block, ResourceLink)]
        assert [str(link.uri) for link in links] == [picture["url"] for picture in task["pictures"]]
        assert steps
        assert [step[0] for step in steps] == sorted({step[0] for step in steps}), "progress must go up"

        with server.client() as tasks:
            assert tasks.query(task["task_id"])["input"]["seed"] == 9007199254740993
        again = await client.call_tool("get_task", {"task_id": task["task_id"]})
        assert data_of(again) == task
        assert shown(again) == shown(made)
        bare = await client.call_tool("get_task", {"task_id": task["task_id"], "with_pictures": False})
        assert shown(bare) == []

        edited = await client.call_tool("edit_image", {"prompt": "warmer", "images": [data_url(picture())]})
        listed = data_of(await client.call_tool("list_tasks", {"limit": 2}))["tasks"]
        assert [item["task_id"] for item in listed] == [data_of(edited)["task_id"], task["task_id"]]
        models = {model["name"]: model for model in data_of(await client.call_tool("list_models"))["models"]}
        assert models["seedream-4.5"]["most_references"] == 14
        assert "16:9" in models["seedream-4.5"]["ratios"]


async def test_what_goes_wrong_is_told(server: Server) -> None:
    """A tool that cannot do it says why, in words that a model can act on."""
    async with over_stdio(env=environment(server)) as client:
        for tool, arguments, words in (
            ("generate_image", {"prompt": "x", "model": "no-such"}, "there is no model"),
            ("generate_image", {"prompt": "x", "ratio": "7:5"}, "ratio"),
            ("generate_image", {"prompt": "x", "n": 99}, "15"),
            ("edit_image", {"prompt": "x", "images": []}, "at least one picture"),
            ("edit_image", {"prompt": "x", "images": ["/etc/passwd"]}, "may not be read here"),
            ("edit_image", {"prompt": "x", "images": ["data:image/png;base64,%%"]}, "base64"),
            ("edit_image", {"prompt": "x", "images": ["data:text/plain;base64,aGVsbG8="]}, "no picture"),
            ("get_task", {"task_id": "../keys"}, "../keys"),
            ("list_tasks", {"status": "GONE"}, "status"),
            ("cancel_task", {"task_id": "01a202de-8022-7713-a87e-ac3173bc173c"}, "not found"),
        ):
            assert words in refusal(await client.call_tool(tool, arguments)), (tool, arguments)


async def test_a_task_that_takes_longer(server: Server) -> None:
    """The tool's patience ends before the task does: its id is told, and it can be ended."""
    async with over_stdio("--wait", "0.2", env=environment(server)) as client:
        early = await client.call_tool("generate_image", {"prompt": "slow"})
        task = data_of(early)
        assert task["status"] in ("PENDING", "PROCESSING", "SUBMITTED")
        assert shown(early) == []
        ended = data_of(await client.call_tool("cancel_task", {"task_id": task["task_id"]}))
        assert (ended["task_id"], ended["status"]) == (task["task_id"], "CANCELLED")


async def test_a_wrong_key_is_told(server: Server) -> None:
    async with over_stdio(env={**environment(server), "AQUATINT_API_KEY": "wrong"}) as client:
        assert "unauthorized" in refusal(await client.call_tool("list_models"))


async def test_with_nothing_else_running(tmp_path: Path) -> None:
    """Without an address it brings its own server, edits files of allowed folders, and leaves nothing behind."""
    allowed, outside, kept, temporary = (tmp_path / name for name in ("photos", "secret", "kept", "tmp"))
    for folder in (allowed, outside, temporary):
        folder.mkdir()
    (allowed / "photo.png").write_bytes(picture(300, 200))
    (allowed / "words.txt").write_text("not a picture")
    (outside / "photo.png").write_bytes(picture())
    (allowed / "link.png").symlink_to(outside / "photo.png")
    arguments = ("--allow-dir", str(allowed), "--save-dir", str(kept))
    async with over_stdio(*arguments, env=environment(None, TMPDIR=str(temporary))) as client:
        asked = {"prompt": "make it black and white", "images": [str(allowed / "photo.png")], "resolution": "1k"}
        made = await client.call_tool("edit_image", asked)
        task = data_of(made)
        assert task["engine"].startswith("studio/")
        (saved,) = (Path(item["saved_as"]) for item in task["pictures"])
        assert saved.parent == kept
        whole = opened(saved.read_bytes())
        assert whole.size == (1248, 832)
        (small,) = (opened(data) for data in shown(made))
        assert max(small.size) <= 1024 or small.size == whole.size
        red, green, blue = whole.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
        assert max(red, green, blue) - min(red, green, blue) <= 6
        for path in ("link.png", "../secret/photo.png", "missing.png", "words.txt", "", "\0"):
            wrong = await client.call_tool("edit_image", {"prompt": "x", "images": [f"{allowed}/{path}"]})
            assert str(outside) not in refusal(wrong), path
        relative = await client.call_tool("edit_image", {"prompt": "x", "images": [f"file://{outside}/photo.png"]})
        assert "there is no such file" in refusal(relative)
    assert list(temporary.iterdir()) == []
    assert [path.name for path in kept.iterdir()] == [saved.name]


def test_only_the_protocol_on_stdout(server: Server) -> None:
    """Garbage is answered in the protocol or not at all, and the end of the input is the end of the process."""
    lines = [
        b"garbage",
        b"{}",
        b"[1, 2",
        json.dumps(INITIALIZE).encode(),
        b'{"jsonrpc":"2.0","id":2,"method":"ping"}',
    ]
    process = subprocess.Popen(
        [*COMMAND, "mcp"],
        env=environment(server),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(b"\n".join(lines) + b"\n")
        process.stdin.flush()
        answers: list[dict[str, Any]] = []
        while not answers or answers[-1].get("id") != 2:
            answers.append(json.loads(process.stdout.readline()))
        assert {answer["jsonrpc"] for answer in answers} == {"2.0"}
        assert 1 in [answer.get("id") for answer in answers]
        process.stdin.close()
        assert process.stdout.read() == b""
        assert process.wait(15) == 0
    finally:
        process.kill()
        process.stdout.close()


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_sigterm_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its own server goes with it, folder and processes, although nobody has closed its input."""
    process = subprocess.Popen(
        [*COMMAND, "mcp"],
        env=environment(None, TMPDIR=str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps(INITIALIZE).encode() + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        assert len(list(tmp_path.iterdir())) >= 1
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(15) == 0
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.stdin.close()
        process.stdout.close()


async def test_tools_over_http(server: Server) -> None:
    """The same tools for clients on the network that know the secret; nobody else gets in."""
    with over_http(server, AQUATINT_MCP_TOKEN=TOKEN) as url:
        async with (
            httpx2.AsyncClient(headers={"authorization": f"Bearer {TOKEN}"}, timeout=30) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            assert sorted(tool.name for tool in (await client.list_tools()).tools) == TOOLS
            made = await client.call_tool("generate_image", {"prompt": "over http", "images": [data_url(picture())]})
            assert data_of(made)["status"] == "SUCCESS"
            assert len(shown(made)) == 1
            refused = await client.call_tool("edit_image", {"prompt": "x", "images": ["/etc/hosts"]})
            assert "may not be read here" in refusal(refused)
        for sent in ({}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}):
            answer = httpx.post(url, json=INITIALIZE, headers={**HEADERS, **sent}, trust_env=False)
            assert answer.status_code == 401, sent


async def test_a_page_of_another_site_cannot_use_it(server: Server) -> None:
    """On the loopback no secret is needed, so foreign names in Host and Origin are turned away."""
    with over_http(server) as url:
        async with Client(url) as client:
            assert sorted(tool.name for tool in (await client.list_tools()).tools) == TOOLS
        for sent, status in (({"host": "evil.example"}, 421), ({"origin": "https://evil.example"}, 403)):
            answer = httpx.post(url, json=INITIALIZE, headers={**HEADERS, **sent}, trust_env=False)
            assert answer.status_code == status, sent


def test_what_cannot_be_right_is_refused_at_the_start(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Before anything is served, and in words for the operator."""
    done = run_cli("mcp", "--http", "--host", "0.0.0.0", env={"AQUATINT_API_KEY": "x"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "AQUATINT_MCP_TOKEN" in done.stderr
    for options, words in (
        ({"http": True, "allow_dir": [tmp_path]}, "--allow-dir"),
        ({"allow_dir": [tmp_path / "none"]}, "is no folder"),
        ({"url": "ftp://x"}, "mcp:"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            mcp(**options)
        assert words in caught.value.problems[0]
    assert capfd.readouterr().out == ""
