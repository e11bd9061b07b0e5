"""What the pages on the OpenAI SDK and on MCP tell people to type, typed."""

from __future__ import annotations

import io
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

from aquatint.cli.app import app
from support.pictures import picture
from support.server import FAST, KEY, NULL_ENGINE, Server, clean_environment

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    return [block for kind, block in BLOCK.findall(text) if kind == language]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    names = next(block for block in blocks("use-the-openai-sdk.md", "toml") if "dialects" in block)
    env = {**NULL_ENGINE, **FAST}
    folder = tmp_path_factory.mktemp("dialects-docs")
    config = folder / "aquatint.toml"
    config.write_text(names, encoding="utf-8")
    with Server(folder, {**env, "AQUATINT_CONFIG": str(config)}) as started:
        yield started


def test_the_openai_page(server: Server, tmp_path: Path) -> None:
    """The program paints and saves, the curl command answers pictures, the operator's names mean what they say."""
    (tmp_path / "photo.jpg").write_bytes(picture(form="JPEG"))
    variables = clean_environment({"OPENAI_BASE_URL": f"{server.base_url}/v1", "OPENAI_API_KEY": KEY})
    (program,) = blocks("use-the-openai-sdk.md", "python")
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(server.base_url)
    Image.open(io.BytesIO((tmp_path / "edited.png").read_bytes())).load()
    command = next(block for block in blocks("use-the-openai-sdk.md", "sh") if "curl" in block)
    done = subprocess.run(["bash", "-euc", command], env=variables, capture_output=True, text=True, check=False)
    assert json.loads(done.stdout)["data"][0]["url"], done.stderr
    (names,) = blocks("use-the-openai-sdk.md", "toml")
    with server.client() as client:
        listed = {model["id"] for model in client.get("/v1/models").json()["data"]}
    assert set(tomllib.loads(names)["dialects"]["openai_models"]) <= listed


def test_the_mcp_page() -> None:
    """Every entry for a host, and every command, has options that exist."""
    commands = []
    for entry in map(json.loads, blocks("use-with-mcp.md", "json")):
        (hosted,) = (entry.get("mcpServers") or entry["servers"]).values()
        assert set(hosted["env"]) == {"AQUATINT_URL", "AQUATINT_API_KEY"}
        commands.append([hosted["command"], *hosted["args"]])
    for block in blocks("use-with-mcp.md", "sh"):
        words = shlex.split(block)
        if "mcp" in words and words[0] != "pip":
            commands.append(words[len(words) - words[::-1].index("aquatint") - 1 :])
    assert len(commands) == 5
    known = {option for parameter in get_command(app).commands["mcp"].params for option in parameter.opts}  # type: ignore[attr-defined]
    for command in commands:
        assert command[:2] == ["aquatint", "mcp"], command
        assert {word for word in command if word.startswith("--")} <= known, command
    assert CliRunner().invoke(app, ["mcp", "--help"]).exit_code == 0
