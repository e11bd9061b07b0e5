"""docs/how-to/queue-control.md and the catching up of receive-webhooks-at-scale.md, typed into a shell."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from aquatint.testing.receiver import Answer
from support.client import Client
from support.receiver import ThreadedReceiver
from support.server import FAST, KEY, NULL_ENGINE, Server, clean_environment

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the commands are made for curl")


def lines(page: str, holding: str) -> list[str]:
    """Commands of a page that hold a word; a command may go over several lines."""
    text = (ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    commands = re.split(r"\n(?=curl |aquatint )", blocks.replace("\\\n", " "))
    return [command.split("\n#")[0] for command in commands if holding in command]


def typed(command: str, server: Server, key: str) -> str:
    done = subprocess.run(
        ["bash", "-euc", command],
        env=clean_environment(
            {
                "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
                "AQUATINT_URL": server.base_url,
                "AQUATINT_KEY": key,
                "AQUATINT_SERVER__DATA_DIR": str(server.data_dir),
                **server.env,
            }
        ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def answered(command: str, server: Server, key: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(typed(command, server, key))
    assert found["code"] == 0, found
    data: dict[str, Any] = found["data"]
    return data


def test_the_commands_of_queue_control(tmp_path: Path) -> None:
    """Keys are made, a batch task is taken; a paused lane gives nothing, a drained one is empty, a resumed works."""
    page = "queue-control.md"
    with Server(tmp_path / "s", {**NULL_ENGINE, **FAST, "AQUATINT_ENGINES__NULL_DELAY": "1s"}) as server:
        made = [typed(command, server, KEY) for command in lines(page, "keys create")]
        assert len(made) == 4
        admin = made[-1].split()[1]
        shop = made[0].split()[1]
        (submit,) = lines(page, "/task/submit")
        pause, drain = (command.replace("studio", "null") for command in lines(page, "/pause"))
        (resume,) = (command.replace("studio", "null") for command in lines(page, "/resume"))
        (look,) = lines(page, '/admin/lanes"')
        running = answered(submit, server, shop)["taskId"]
        with Client(server.base_url, shop) as client:
            client.wait(running, until=("PROCESSING", "SUBMITTED"))
            assert answered(pause, server, admin)["paused"] is True
            waiting = answered(submit, server, shop)["taskId"]
            assert answered(drain, server, admin)["running"] == 0
            assert client.query(running)["status"] == "SUCCESS"
            shown = client.query(waiting)
            assert shown["status"] == "PENDING"
            assert shown["queue"]["position"] == 1
            (lane,) = [lane for lane in answered(look, server, admin)["lanes"] if lane["name"] == "null"]
            assert (lane["paused"], lane["waiting"], lane["running"]) == (True, 1, 0)
            assert answered(resume, server, admin)["paused"] is False
            assert client.wait(waiting)["status"] == "SUCCESS"


def test_a_receiver_that_was_down_catches_up(tmp_path: Path) -> None:
    """Both ways of the page tell of a task whose callback was never taken: by query, and by sending it again."""
    page = "receive-webhooks-at-scale.md"
    settings = {**NULL_ENGINE, **FAST, "AQUATINT_WEBHOOKS__SCHEDULE": "100ms"}
    with Server(tmp_path / "s", settings) as server, ThreadedReceiver() as receiver, server.client() as client:
        receiver.answer_with(lambda letter: Answer(503))
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
        task = client.submit(callback=receiver.url)
        client.wait_delivery(task, "failed")
        heard = len(receiver.letters)
        receiver.answer_with(lambda letter: Answer())
        (catch_up,) = lines(page, "updatedAfter=")
        found = answered(re.sub(r"updatedAfter=[^&\"]+", f"updatedAfter={since}", catch_up), server, KEY)
        assert [shown["taskId"] for shown in found["tasks"]] == [task]
        (again,) = lines(page, "/deliveries/replay")
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60))
        first, last = re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", again)
        counted = answered(again.replace(first, since).replace(last, until), server, KEY)
        assert list(counted.values()) == [1]
        client.wait_delivery(task, "delivered")
        assert len(receiver.letters) == heard + 1
