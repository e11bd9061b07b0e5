"""The commands that talk to a server, as people and scripts use them."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aquatint.cli import main
from aquatint.cli.terminal.detect import detect
from aquatint.cli.terminal.encode import encode
from aquatint.cli.words import clean, print_json
from aquatint.engines.null import PIXEL
from aquatint.webhooks.signature import Signer
from aquatint_client import Aquatint
from support import terminal
from support.ports import free_port
from support.receiver import ThreadedReceiver
from support.scripted import HANG_UP, Say, answer, ok, refused, scripted
from support.sdk import SECRET
from support.server import COMMAND, KEY, Server, clean_environment

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "castle.jpg"
ID = "01a202de-8022-7713-a87e-ac3173bc173c"


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """`aquatint ...` within this process, in an empty folder, with nothing in the environment but what is given."""

    def run(*arguments: str, server: Server | None = None, env: Mapping[str, str] | None = None) -> Done:
        given = {"AQUATINT_URL": server.base_url, "AQUATINT_API_KEY": KEY} if server is not None else {}
        with monkeypatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AQUATINT_")]:
                patch.delenv(name)
            for name, value in {**given, **(env or {})}.items():
                patch.setenv(name, value)
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["aquatint", *arguments])
            try:
                main()
                code = 0
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Done(code, *capsys.readouterr())

    return run


def test_generate_saves_and_says_where(run: Run, plain_server: Server, tmp_path: Path) -> None:
    """stdout holds the paths and nothing else; what happens is on stderr."""
    done = run("generate", "a cat", "-i", str(PHOTO), "--ratio", "16:9", "-n", "2", "-o", "out", server=plain_server)
    assert done.code == 0, done.err
    paths = [tmp_path / line for line in done.out.splitlines()]
    assert len(paths) == 2
    assert [path.read_bytes() for path in paths] == [PIXEL, PIXEL]
    assert done.err.splitlines()[-1] == "SUCCESS"


def test_generate_as_json(run: Run, plain_server: Server, tmp_path: Path) -> None:
    """One document with the task and the files; a file is never replaced."""
    done = run("generate", "a cat", "-o", "cat.png", "--seed", "5", "--json", server=plain_server)
    found = json.loads(done.out)
    assert (tmp_path / found["files"][0]).read_bytes() == PIXEL
    assert found["task"]["input"]["seed"] == 5
    again = run("generate", "a cat", "-o", "cat.png", server=plain_server)
    assert (again.code, again.out) == (1, "")
    assert "cat.png is there already" in again.err


def test_a_submit_without_waiting(run: Run, plain_server: Server) -> None:
    task_id = run("generate", "later", "--no-wait", server=plain_server).out.strip()
    watched = run("tasks", "watch", task_id, "--json", server=plain_server)
    events = [json.loads(line) for line in watched.out.splitlines()]
    assert watched.code == 0
    assert events[0]["event"] == "task.submitted"
    assert events[-1]["event"] == "done"
    assert events[-1]["data"]["status"] == "SUCCESS"
    lines = run("tasks", "watch", task_id, server=plain_server).out.splitlines()
    assert "task.submitted" in lines[0]


def test_a_task_from_list_to_rerun(run: Run, plain_server: Server, tmp_path: Path) -> None:
    with Aquatint(plain_server.base_url, KEY) as client:
        for _ in range(3):
            client.submit("earlier")
    first = run("generate", "told \x1b]0;title\x07 twice\nover", "--seed", "9", "--json", server=plain_server)
    task_id = json.loads(first.out)["task"]["taskId"]
    listed = run("tasks", "list", "-n", "3", "--json", server=plain_server).out.splitlines()
    assert len(listed) == 3
    assert json.loads(listed[0])["taskId"] == task_id
    table = run("tasks", "list", "--status", "success", "--model", "seedream-4.5", server=plain_server).out
    shown = run("tasks", "show", task_id, "-o", "copy", server=plain_server).out
    for text in (table, shown):
        assert task_id in text
        assert "told ]0;title twice over" in text
        assert "\x1b]" not in text
    assert "task.submitted" in shown
    assert (tmp_path / shown.splitlines()[-1]).read_bytes() == PIXEL
    document = json.loads(run("tasks", "show", task_id, "--json", server=plain_server).out)
    assert (document["task"]["taskId"], document["deliveries"]) == (task_id, [])
    again = json.loads(run("tasks", "rerun", task_id, "--json", server=plain_server).out)["task"]
    assert again["taskId"] != task_id
    assert again["input"] == document["task"]["input"]
    other = json.loads(run("tasks", "rerun", task_id, "--seed", "10", "--json", server=plain_server).out)["task"]
    assert other["input"]["seed"] == 10
    cancelled = run("tasks", "cancel", task_id, server=plain_server)
    assert cancelled.code == 1
    assert "already ended" in cancelled.err


def test_a_rerun_needs_the_whole_input(run: Run, plain_server: Server) -> None:
    """Images that came inside the submit are not told again; the seed of the picture is."""
    with Aquatint(plain_server.base_url, KEY, local_images="inline") as client:
        task = client.generate("inline", PHOTO, timeout=20).task
        plain = client.generate("seeded", seed=12, timeout=20).task
        unseeded = client.generate("unseeded", timeout=20).task
    done = run("tasks", "rerun", task.id, server=plain_server)
    assert done.code == 2
    assert "inside its submit" in done.err
    again = run("tasks", "rerun", plain.id, "--same-seed", "--json", server=plain_server)
    assert json.loads(again.out)["task"]["input"]["seed"] == plain.images[0].seed == 12
    assert unseeded.images[0].seed is None  # this engine tells none
    none = run("tasks", "rerun", unseeded.id, "--same-seed", server=plain_server)
    assert (none.code, none.out) == (1, "")


def test_cancel(run: Run, endless: Server) -> None:
    task_id = run("generate", "endless", "--no-wait", server=endless).out.strip()
    assert run("tasks", "cancel", task_id, server=endless).out == f"cancelled {task_id}\n"
    assert run("tasks", "watch", task_id, server=endless).code == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("generate", "x", "--ratio", "7:1"), 2, "input.ratio"),
        (("generate", "x", "-i", "no-such-file.jpg"), 2, "no-such-file.jpg cannot be read"),
        (("generate", " "), 2, "the prompt is empty"),
        (("generate", "x", "--inline", "paint"), 2, "--inline"),
        (("generate", "x", "--strict", "-i", str(PHOTO)), 2, "takes references by URL only"),
        (("generate", "x", "--timeout", "0"), 4, "aquatint tasks show"),
        (("generate", "x", "--key", "wrong"), 3, "does not know this key"),
        (("tasks", "show", ID), 1, "task not found"),
        (("tasks", "show", "../account"), 2, "not the id"),
        (("tasks", "list", "--status", "LOST"), 2, "status"),
    ],
)
def test_exit_codes_of_a_real_server(
    run: Run, plain_server: Server, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = run(*arguments, server=plain_server)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert "Traceback" not in done.err


FAILED = {"taskId": ID, "status": "FAILURE", "input": {}, "result": None, "failure_reason": "CONTENT_MODERATION"}


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        (refused(429, "slowly", Retry_After="9999"), 5, "slowly"),
        (refused(402, "no points"), 5, "no points"),
        (HANG_UP, 6, "nobody can say"),
        (answer(200, b"<html>hotel</html>", kind="text/html"), 6, "not the API's"),
        (ok(FAILED), 1, "CONTENT_MODERATION"),
        (ok({**FAILED, "status": "TIMEOUT"}), 4, "deadline"),
    ],
    ids=["429", "402", "lost", "html", "failed", "timeout"],
)
def test_exit_codes_of_other_servers(run: Run, said: Say, code: int, words: str) -> None:
    with scripted(lambda seen, _: said) as server:
        done = run("generate", "x", "--strict", env={"AQUATINT_URL": server.origin, "AQUATINT_API_KEY": "k"})
    assert (done.code, done.out) == (code, "")
    assert words in done.err


def test_without_a_server_or_a_key_it_says_what_to_type(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aquatint.cli.remote.DEFAULT_URL", f"http://127.0.0.1:{free_port()}")
    done = run("generate", "x", env={"AQUATINT_API_KEY": "k"})
    assert done.code == 3
    assert "\n    aquatint serve\n" in done.err
    assert "export AQUATINT_URL=" in done.err
    done = run("tasks", "list")
    assert done.code == 3
    assert "export AQUATINT_API_KEY=" in done.err


def test_the_key_may_be_in_a_file(run: Run, plain_server: Server, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    url = ("--url", plain_server.base_url)
    assert run("tasks", "list", "-n", "1", *url, "--key-file", "key", env={"AQUATINT_API_KEY": "wrong"}).code == 0
    assert run("tasks", "list", *url, "--key-file", "nowhere").code == 2


def test_ctrl_c_cancels_the_task(endless: Server) -> None:
    """On a terminal: the bar is there, Ctrl-C asks the server to end the task, and says so."""
    with Aquatint(endless.base_url, KEY) as client:
        before = {task.id for task in client.list(page_size=100)}
        shown = terminal.on_terminal(
            ["generate", "for ever"],
            {"AQUATINT_URL": endless.base_url, "AQUATINT_API_KEY": KEY},
            interrupt=lambda output: b"painting" in output,
        )
        assert shown.code == 130
        text = shown.output.decode()
        assert "cancelled; nothing is charged" in text
        (task,) = [task for task in client.list(page_size=5) if task.id not in before]
        assert task.status == "CANCELLED"
        assert task.id in text


@pytest.mark.parametrize("protocol", ["kitty", "sixel"])
def test_pictures_in_the_terminal(plain_server: Server, tmp_path: Path, protocol: str) -> None:
    """On a terminal the picture follows its path."""
    shown = terminal.on_terminal(
        ["generate", "seen", "-o", str(tmp_path), "--inline", protocol],
        {"AQUATINT_URL": plain_server.base_url, "AQUATINT_API_KEY": KEY},
    )
    assert shown.code == 0
    (path,) = tmp_path.iterdir()
    assert str(path).encode() in shown.output
    assert getattr(terminal, protocol)(shown.output).size == (1, 1)


def test_no_pictures_where_there_is_no_terminal(run: Run, plain_server: Server) -> None:
    assert "\x1b" not in run("generate", "unseen", "--inline", "kitty", server=plain_server).out


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 48), (33, 61)])
def test_encoders_are_understood(size: tuple[int, int]) -> None:
    """Kitty and iTerm2 get the picture itself, sixel terminals one of 256 colours that is close to it."""
    rng = np.random.default_rng(1)
    colors = rng.integers(0, 256, (12, 3), dtype=np.uint8)
    picture = Image.fromarray(colors[rng.integers(0, 12, (size[1], size[0]))])
    exact = np.asarray(picture, dtype=int)
    for name in ("kitty", "iterm"):
        assert np.array_equal(np.asarray(getattr(terminal, name)(encode(name, picture, 40).encode())), exact)  # type: ignore[arg-type]
    close = np.asarray(terminal.sixel(encode("sixel", picture, 40).encode()), dtype=int)
    assert close.shape == exact.shape
    assert np.abs(close - exact).max() <= 3


@pytest.mark.parametrize(
    ("env", "protocol"),
    [
        ({}, None),
        ({"TERM": "xterm-256color"}, None),
        ({"TERM": "dumb", "KITTY_WINDOW_ID": "1"}, None),
        ({"TERM": "xterm-kitty"}, "kitty"),
        ({"TERM": "xterm-256color", "KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM": "xterm-kitty", "TMUX": "/tmp/x"}, None),
        ({"TERM": "screen-256color", "TERM_PROGRAM": "iTerm.app"}, None),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "iterm"),
        ({"TERM": "xterm-256color", "LC_TERMINAL": "iTerm2"}, "iterm"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "iterm"),
        ({"TERM": "foot"}, "sixel"),
        ({"TERM": "foot-extra"}, "sixel"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, None),
    ],
)
def test_terminals_are_known_by_what_they_say(env: dict[str, str], protocol: str | None) -> None:
    assert detect(env) == protocol


def test_hostile_words_cannot_command_a_terminal() -> None:
    assert clean("a\x1b[2Jb\x9bc\u202ed\r\ne\x07") == "a[2Jbcd  e"
    assert clean("水墨画 ünï ✓") == "水墨画 ünï ✓"


def test_json_cannot_either(capsys: pytest.CaptureFixture[str]) -> None:
    """What is escaped reads back as it was."""
    value = {"prompt": "a\x1b[2J\x9b31m\u202e水墨画"}
    print_json(value)
    out = capsys.readouterr().out
    assert out.isascii() is False
    assert not {"\x1b", "\x9b", "\u202e"} & set(out)
    assert json.loads(out) == value


@pytest.mark.parametrize(
    ("words", "expected"),
    [("aquatint generate x --ratio 16", "16:9"), ("aquatint generate x --model seedream-4.", "seedream-4.5")],
)
def test_shells_complete(plain_server: Server, words: str, expected: str) -> None:
    """Ratios without a server, models from it."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("aquatint"))],
        env=clean_environment(
            {
                "_AQUATINT_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split()) - 1),
                "AQUATINT_URL": plain_server.base_url,
                "AQUATINT_API_KEY": KEY,
            }
        ),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert expected in done.stdout.split(), done.stderr


@dataclass(frozen=True, slots=True)
class Listener:
    process: subprocess.Popen[str]
    port: int

    def post(self, body: bytes, headers: Mapping[str, str]) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", "/hook", body, dict(headers))
        try:
            return connection.getresponse().status
        finally:
            connection.close()

    def line(self) -> dict[str, object]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))


def listening(*options: str) -> Listener:
    port = free_port()
    process = subprocess.Popen(
        [*COMMAND, "webhooks", "listen", "--port", str(port), "--json", *options],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert f"127.0.0.1:{port}" in process.stderr.readline()
    return Listener(process, port)


def test_callbacks_are_printed_verified_and_passed_on(plain_server: Server) -> None:
    """A real server's callback is genuine and reaches the program behind; a forged one is refused and does not."""
    with ThreadedReceiver() as behind, Aquatint(plain_server.base_url, KEY) as client:
        listener = listening("--secret", SECRET, "--forward", behind.url)
        try:
            task = client.generate("x", callback_url=f"http://127.0.0.1:{listener.port}/hook", timeout=20).task
            told = listener.line()
            assert (told["genuine"], told["path"], told["answered"]) == (True, "/hook", f"200 by {behind.url}")
            assert told["body"]["data"]["taskId"] == task.id  # type: ignore[index]
            (letter,) = behind.wait_for(1)
            assert letter.headers["webhook-id"] == told["webhook_id"]
            assert listener.post(b'{"code":0}', {"webhook-id": "x"}) == 401
            assert listener.line()["genuine"] is False
            body = b"\x1b[2J not json"
            assert listener.post(body, Signer([SECRET]).headers("m", int(time.time()), body)) == 401
            assert listener.line()["genuine"] is False
            assert len(behind.letters) == 1
        finally:
            listener.process.terminate()
            assert listener.process.wait(10) == 0


def test_what_cannot_be_passed_on_is_not_lost() -> None:
    """502 makes the server try again later; without a secret nothing is refused."""
    listener = listening("--forward", f"http://127.0.0.1:{free_port()}/")
    try:
        assert listener.post(b"{}", {}) == 502
        assert listener.line()["genuine"] is None
    finally:
        listener.process.terminate()
        assert listener.process.wait(10) == 0
