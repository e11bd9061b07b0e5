"""The command line as people use it: processes, exit codes, words."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from aquatint.cli import main
from support.ports import free_port
from support.server import NULL_ENGINE, Server, run_cli

NULL = dict(NULL_ENGINE)


@dataclass(frozen=True, slots=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`aquatint ...` within this process: the same entry point, without the second that a process takes to start."""

    def run(*arguments: str, env: Mapping[str, str] | None = None) -> Done:
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AQUATINT_")]:
                patch.delenv(name)
            for name, value in {"COLUMNS": "200", **(env or {})}.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["aquatint", *arguments])
            try:
                main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Done(code, *capsys.readouterr())

    return run


def test_keys_of_a_running_server(null_server: Server, run_here: Run) -> None:
    """A key made by command works at once; revoked, it stops within two seconds; its secret is shown once."""
    folder = ("--data-dir", str(null_server.data_dir))
    made = run_cli(
        "keys", "create", "from the shell", "--models", "seedream-4, seedream-5-lite", "--points", "9", *folder
    )
    assert made.returncode == 0, made.stderr
    key_id, secret = made.stdout.split()
    with null_server.client(secret) as client:
        account = client.account()
        assert account["key_id"] == key_id
        assert account["models"] == ["seedream-4", "seedream-5-lite"]
        assert account["points"] == 9
        listed = run_here("keys", "list", *folder)
        assert key_id in listed.stdout
        assert "from the shell" in listed.stdout
        assert secret not in listed.stdout
        assert secret[:8] in listed.stdout
        revoked = run_cli("keys", "revoke", key_id, *folder)
        assert revoked.returncode == 0
        time.sleep(2.1)
        assert client.get("/api/v1/account").status_code == 401
    assert "revoked" in run_here("keys", "list", *folder).stdout
    again = run_here("keys", "revoke", key_id, *folder)
    assert again.returncode == 1
    assert key_id in again.stderr


def test_secrets_are_not_on_disk(null_server: Server, run_here: Run) -> None:
    """Only a hash of a key's secret is stored."""
    made = run_here("keys", "create", "hidden", "--data-dir", str(null_server.data_dir))
    secret = made.stdout.split()[1].encode()
    for file in null_server.data_dir.glob("aquatint.db*"):
        assert secret not in file.read_bytes()
    assert secret.decode() not in null_server.log()


def test_wrong_usage(run_here: Run) -> None:
    """Unknown commands and options are exit code 2 with a hint."""
    for arguments in (
        ("paint",),
        ("keys", "create"),
        ("keys", "create", "x", "--points", "-1"),
        ("serve", "--port", "x"),
    ):
        done = run_here(*arguments)
        assert done.returncode == 2, arguments
        assert done.stderr
        assert "Traceback" not in done.stderr


def test_mistakes_in_settings(run_here: Run) -> None:
    """Every command lists all mistakes in plain words and ends with 2."""
    env = {"AQUATINT_SERVER__PORT": "x", "AQUATINT_ASSETS__RETENTION": "soon"}
    for command in (("serve",), ("config", "show"), ("keys", "list")):
        done = run_here(*command, env=env)
        assert done.returncode == 2, command
        assert "server.port" in done.stderr
        assert "assets.retention" in done.stderr
        assert "Traceback" not in done.stderr


def test_config_show_is_redacted(run_here: Run, tmp_path: Path) -> None:
    """What is in force, from file and environment, without a secret's value."""
    file = tmp_path / "a.toml"
    file.write_text('[webhooks]\nsecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"\n')
    done = run_here(
        "config", "show", "--config", str(file), env={"AQUATINT_API_KEY": "hush", "AQUATINT_SERVER__PORT": "81"}
    )
    assert done.returncode == 0
    lines = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    assert lines["server.port"] == "81"
    assert lines["server.api_key"] == lines["webhooks.secret"] == "(set)"
    assert "hush" not in done.stdout
    assert "MfKQ9r8" not in done.stdout


def test_config_defaults_are_a_config(run_here: Run, tmp_path: Path) -> None:
    """The printed defaults are a valid file of settings that changes nothing."""
    printed = run_here("config", "show", "--defaults")
    file = tmp_path / "all.toml"
    file.write_text(printed.stdout)
    assert run_here("config", "show", "--config", str(file)).stdout == run_here("config", "show").stdout


def test_engines(run_here: Run) -> None:
    """The list says which engine serves which model, and what is only installed."""
    done = run_here("engines")
    assert done.returncode == 0, done.stderr
    assert "studio" in done.stdout
    assert "seedream-4.5" in done.stdout
    assert "null" in done.stdout
    refused = run_here("engines", env={"AQUATINT_ENGINES__ROUTE_ALL_TO": "null"})
    assert refused.returncode == 2
    assert "allow_testing" in refused.stderr
    unknown = run_here("engines", env={"AQUATINT_ENGINES__ROUTE_ALL_TO": "nonsense"})
    assert unknown.returncode == 2
    assert "nonsense" in unknown.stderr


def test_doctor_on_a_good_set_up(tmp_path: Path) -> None:
    """Nothing fails, and the engine has really painted."""
    done = run_cli(
        "doctor", "--data-dir", str(tmp_path / "data"), env={"AQUATINT_SERVER__PORT": str(free_port())}, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[fail]" not in done.stdout
    assert "painted a small picture" in done.stdout


def test_doctor_on_a_broken_set_up(run_here: Run, tmp_path: Path) -> None:
    """What is wrong is said in plain words, all of it, with exit code 1 and no traceback."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = {
            **NULL,
            "AQUATINT_SERVER__PORT": str(taken.getsockname()[1]),
            "AQUATINT_API_KEY": "short",
            "AQUATINT_DATABASE__URL": "mysql://host/db",
            "AQUATINT_ENGINES__ALLOW_TESTING": "false",
        }
        done = run_cli("doctor", "--data-dir", str(blocked / "data"), env=env, timeout=120)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "sqlite:///" in done.stdout
    assert "is a server running?" in done.stdout
    assert "can be guessed" in done.stdout
    assert done.stdout.count("[fail]") >= 2
    settings = run_here("doctor", env={"AQUATINT_SERVER__PORT": "x", "AQUATINT_LOG__LEVEL": "y"})
    assert settings.returncode == 1
    assert settings.stdout.count("[fail]") == 2


UNWORKABLE = [
    ("AQUATINT_WEBHOOKS__SECRET", "not base64!", "webhooks.secret"),
    ("AQUATINT_SERVER__PORT", "70000", "70000"),
]


@pytest.mark.parametrize(("name", "value", "word"), UNWORKABLE)
def test_serve_with_what_cannot_work(run_here: Run, tmp_path: Path, name: str, value: str, word: str) -> None:
    """Values of the right form that cannot work end the start in plain words."""
    done = run_here("serve", "--data-dir", str(tmp_path / "data"), env={**NULL, name: value})
    assert done.returncode == 2
    assert word in done.stderr


@pytest.mark.parametrize(("name", "value", "word"), UNWORKABLE)
def test_doctor_on_what_cannot_work(run_here: Run, tmp_path: Path, name: str, value: str, word: str) -> None:
    """What would end the start is a finding, too."""
    done = run_here("doctor", "--data-dir", str(tmp_path / "data"), env={**NULL, name: value})
    assert done.returncode == 1
    assert "[fail]" in done.stdout
    assert word in done.stdout


def test_second_server_on_the_same_folder(null_server: Server) -> None:
    """One folder has one server; the second says so and ends, and the first goes on."""
    done = run_cli("serve", "--port", str(free_port()), "--data-dir", str(null_server.data_dir), env=NULL, timeout=60)
    assert done.returncode != 0
    assert "another server" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr + done.stdout
    with null_server.client() as client:
        assert client.run()["status"] == "SUCCESS"


def test_taken_port(null_server: Server, tmp_path: Path) -> None:
    """A port that another program holds is said in plain words."""
    done = run_cli(
        "serve", "--port", str(null_server.port), "--data-dir", str(tmp_path / "data"), env=NULL, timeout=60
    )
    assert done.returncode != 0
    assert str(null_server.port) in done.stderr
    assert "Traceback" not in done.stderr


def test_first_start_shows_a_key_once(tmp_path: Path) -> None:
    """The key that the first start prints works; the second start prints none."""
    with Server(tmp_path / "server", {**NULL, "AQUATINT_API_KEY": ""}) as server:
        secret = next(word for word in server.log().split() if word.startswith("aq_"))
        with server.client(secret) as client:
            assert client.run()["status"] == "SUCCESS"
        shown = server.log().count(secret)
        assert server.stop() == 0
        server.start()
        assert server.log().count("aq_") == shown
        with server.client(secret) as client:
            assert client.account()["name"] == "first"


def test_every_mistake_of_a_set_up_is_told_at_once(tmp_path: Path) -> None:
    """Settings, catalog, engines, keys and secrets: one start names them all, and nothing is opened."""
    catalog = tmp_path / "models.toml"
    catalog.write_text(
        '[models.m]\ntitle = "M"\nfamily = "m"\nsizes = "seedream"\nroutes = [{ engine = "imaginary" }]\n'
    )
    started = run_cli(
        "serve",
        "--data-dir",
        str(tmp_path / "data"),
        env={
            "AQUATINT_CATALOG__FILE": str(catalog),
            "AQUATINT_SERVER__PORT": "70000",
            "AQUATINT_WEBHOOKS__SECRET": "whsec_!",
            "AQUATINT_FAL__CALLBACKS": "true",
            "AQUATINT_SECRETS": str(tmp_path / "nowhere"),
        },
    )
    assert started.returncode == 2
    for words in ("server.port", "imaginary", "webhooks.secret", "fal.callbacks", "nowhere"):
        assert words in started.stderr
    assert not (tmp_path / "data").exists()


def test_a_forced_route_needs_its_key(tmp_path: Path) -> None:
    """Sending everything to a provider without a key stops the start and names the setting."""
    started = run_cli("serve", "--data-dir", str(tmp_path), env={"AQUATINT_ENGINES__ROUTE_ALL_TO": "modelark"})
    assert started.returncode == 2
    assert "set modelark.api_key" in started.stderr
