"""docs/how-to/one-machine-to-many.md and store-on-s3.md, step by step, on a real PostgreSQL and a real S3 server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from support.ports import free_port
from support.postgres import Postgres, running
from support.server import clean_environment

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "one-machine-to-many.md"
STORAGE = ROOT / "docs" / "how-to" / "store-on-s3.md"


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [str(block) for block in re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    yield from running()


@pytest.fixture(scope="module")
def storage() -> Iterator[Any]:
    """A client of an S3 server of this process, with the bucket of the page."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="aquatint",
        aws_secret_access_key="a-secret",
        config=Config(s3={"addressing_style": "path"}),
    )
    client.create_bucket(Bucket="aquatint")
    yield client
    client.close()
    server.stop()


class Machines:
    """Commands of the page, run as on machines of their own that share the two settings files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.variables = clean_environment({"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"})
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self, block: str, **variables: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", block],
            cwd=self._folder,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, block: str) -> subprocess.Popen[bytes]:
        with (self._folder / f"log-{len(self._running)}").open("wb") as log:
            process = subprocess.Popen(
                ["bash", "-euc", re.sub(r"^aquatint ", "exec aquatint ", block, flags=re.MULTILINE)],
                cwd=self._folder,
                env=self.variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def logs(self) -> str:
        return "\n".join(f"{p.name}:\n{p.read_text(errors='replace')[-1500:]}" for p in self._folder.glob("log-*"))

    def end(self) -> list[int]:
        for process in self._running:
            if process.poll() is None:
                process.terminate()
        codes = []
        for process in self._running:
            try:
                codes.append(process.wait(30))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                codes.append(-9)
        return codes


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(tmp_path)
    try:
        yield made
    finally:
        made.end()


def until_ready(url: str, machines: Machines) -> None:
    end = time.monotonic() + 60
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        assert time.monotonic() < end, machines.logs()
        time.sleep(0.1)


@pytest.mark.timeout(240)
def test_the_guide_step_by_step(tmp_path: Path, postgres: Postgres, storage: Any, machines: Machines) -> None:
    """Role, database, files, keys, two servers, two workers, tasks; a worker is killed, and each task ends once."""
    for statement in blocks(GUIDE, "sql")[0].replace("choose one", "choose-one").split(";\n"):
        if statement.strip():
            postgres.sql(statement)
    ports = free_port(), free_port()
    open_settings, secrets = blocks(GUIDE, "toml")
    own = {
        '"0.0.0.0"': '"127.0.0.1"',
        "https://images.example.com": f"http://127.0.0.1:{ports[0]}",
        "https://s3.example.com": storage.meta.endpoint_url,
    }
    for written, here in own.items():
        assert written in open_settings
        open_settings = open_settings.replace(written, here)
    own = {
        "db.example.com": f"127.0.0.1:{postgres.port}",
        's3_secret_key = "…"': 's3_secret_key = "a-secret"',
        "whsec_…": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    for written, here in own.items():
        assert written in secrets
        secrets = secrets.replace(written, here)
    assert "…" not in secrets
    (tmp_path / "aquatint.toml").write_text(open_settings)
    (tmp_path / "secrets.toml").write_text(secrets)
    (tmp_path / "secrets.toml").chmod(0o600)
    steps = blocks(GUIDE, "sh")
    (install,) = [step for step in steps if step.startswith("pip install")]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    (named,) = re.findall(r"aquatint\[([a-z0-9,]+)\]", install)
    assert set(named.split(",")) <= set(extras)
    (keys,) = [step for step in steps if "keys create" in step]
    keys = keys.replace("/etc/aquatint.toml", str(tmp_path / "aquatint.toml"))
    keys = keys.replace("/etc/aquatint-secrets.toml", str(tmp_path / "secrets.toml"))
    first, operations = re.findall(r"^aq_\S+$", machines.run(keys), re.MULTILINE)
    machines.variables |= {
        "AQUATINT_CONFIG": str(tmp_path / "aquatint.toml"),
        "AQUATINT_SECRETS": str(tmp_path / "secrets.toml"),
        "AQUATINT_WORKER__LEASE": "4s",
    }
    servers = [step for step in steps if step.startswith("aquatint serve")]
    assert len(servers) == 2
    urls = []
    for command, port in zip(servers, ports, strict=True):
        (written,) = re.findall(r"--port (\d+)", command)
        machines.start(command.replace(written, str(port)))
        urls.append(f"http://127.0.0.1:{port}")
    workers = [machines.start(step) for step in steps if step.startswith("aquatint worker")]
    assert len(workers) == 2
    for url in urls:
        until_ready(url, machines)
    (submit,) = [step for step in steps if "/task/submit" in step]
    answers = [machines.run(submit, AQUATINT_URL=url, AQUATINT_KEY=first) for url in urls for _ in range(3)]
    ids = [json.loads(answer)["data"]["taskId"] for answer in answers]
    with httpx.Client(base_url=urls[1], headers={"authorization": f"Bearer {first}"}, timeout=30) as client:

        def state(task: str) -> dict[str, Any]:
            found: dict[str, Any] = client.get(f"/api/v1/task/{task}").json()["data"]
            return found

        end = time.monotonic() + 60
        while not any(state(task)["status"] in ("PROCESSING", "SUBMITTED") for task in ids):
            assert time.monotonic() < end, machines.logs()
        os.killpg(workers[0].pid, signal.SIGKILL)
        end = time.monotonic() + 120
        while not all(state(task)["status"] == "SUCCESS" for task in ids):
            assert time.monotonic() < end, machines.logs()
            time.sleep(0.3)
        (result,) = state(ids[0])["result"]["urls"]
    assert result.startswith(urls[0])
    answer = httpx.get(result)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(storage.meta.endpoint_url)
    assert httpx.get(answer.headers["location"]).content.startswith(b"\x89PNG")
    names = [item["Key"] for item in storage.list_objects_v2(Bucket="aquatint")["Contents"]]
    assert all(re.fullmatch(r"pictures/([0-9a-f]{2})/\1[0-9a-f]{62}", name) for name in names)
    (look,) = [step for step in steps if "/admin/lanes" in step]
    lanes = json.loads(machines.run(look, AQUATINT_URL=urls[1], OPERATIONS_KEY=operations))["data"]["lanes"]
    assert [lane["running"] for lane in lanes if lane["name"] == "studio"] == [0]
    counted = postgres.sql(
        "SELECT count(*) FROM event WHERE name = 'task.success'",
        f"postgresql://aquatint:choose-one@127.0.0.1:{postgres.port}/aquatint",
    )
    assert counted == [(len(ids),)]
    codes = machines.end()
    assert codes[:2] == [0, 0]
    assert codes[3] == 0


def test_the_storage_page_serves(tmp_path: Path, storage: Any, machines: Machines) -> None:
    """One machine with pictures on S3 by the page's variables: uploads land there, and are passed on from there."""
    (exports,) = [step for step in blocks(STORAGE, "sh") if "S3_ENDPOINT" in step]
    port = free_port()
    exports = exports.replace("https://s3.example.com", storage.meta.endpoint_url).replace("the-secret", "a-secret")
    machines.variables["AQUATINT_API_KEY"] = "a-key-of-this-test-0123456789"
    machines.start(f"{exports.rstrip()} --port {port}")
    until_ready(f"http://127.0.0.1:{port}", machines)
    photo = (ROOT / "examples" / "photos" / "raccoon.jpg").read_bytes()
    answer = httpx.post(
        f"http://127.0.0.1:{port}/api/v1/files",
        files={"file": ("raccoon.jpg", photo)},
        headers={"authorization": "Bearer a-key-of-this-test-0123456789"},
        timeout=30,
    )
    url = answer.json()["data"]["url"]
    passed_on = httpx.get(url)
    assert passed_on.status_code == 200
    assert passed_on.headers["content-type"] == "image/jpeg"
    rules = json.loads(blocks(STORAGE, "json")[0])
    storage.put_bucket_lifecycle_configuration(Bucket="aquatint", LifecycleConfiguration=rules)
    assert len(storage.get_bucket_lifecycle_configuration(Bucket="aquatint")["Rules"]) == 2
