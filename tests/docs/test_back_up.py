"""Back-up and restore as docs/how-to/back-up.md tells it: made under load, checked, restored, gone on with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from support.cluster import Cluster
from support.pictures import picture
from support.postgres import BIN, Postgres, running
from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server, clean_environment

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "tools" / "backup_restore_check.py"
PAGE = (ROOT / "docs" / "how-to" / "back-up.md").read_text(encoding="utf-8")
SETTINGS = {
    **FAST,
    **NULL_ENGINE,
    "AQUATINT_ENGINES__NULL_DELAY": "100ms",
    "AQUATINT_WORKER__CONCURRENCY": "8",
    "AQUATINT_WORKER__LEASE": "4s",
}


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    yield from running()


def block(holding: str) -> str:
    (found,) = [text for text in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if holding in text]
    return str(found)


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """A block of the page as pasted, with the programs of the wheel's PostgreSQL and the test's Python."""
    return subprocess.run(
        ["bash", "-euc", script.replace("python3 ", f"{sys.executable} ").replace(" tools/", f" {TOOL.parent}/")],
        cwd=folder,
        env=clean_environment({**variables, "PATH": f"{BIN}:{os.environ['PATH']}"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def submit_until(stop: threading.Event, server: Server, receiver: ThreadedReceiver, ids: list[str]) -> None:
    with server.client() as client:
        while not stop.is_set():
            ids.append(client.submit(callback=receiver.url))
            time.sleep(0.005)


def test_a_dump_under_load_is_checked_and_restored(tmp_path: Path, postgres: Postgres) -> None:
    """Everything acknowledged before the dump exists after it, ends once and is called back; pictures are served."""
    ids: list[str] = []
    with ThreadedReceiver() as receiver:
        with Cluster(tmp_path, postgres, SETTINGS) as cluster:
            server = cluster.server().start()
            cluster.worker().start()
            stop = threading.Event()
            load = threading.Thread(target=submit_until, args=(stop, server, receiver, ids))
            load.start()
            with server.client() as client:  # the null engine's pictures are all the same: one file
                for width in (100, 200):
                    assert client.upload(picture(width)).status_code == 200
            time.sleep(3.0)
            (tmp_path / "backup").mkdir()
            before = list(ids)
            dumped = shell(block("pg_dump"), tmp_path, AQUATINT_DATABASE__URL=cluster.url)
            assert dumped.returncode == 0, dumped.stderr
            shutil.copytree(cluster.data_dir / "assets", tmp_path / "backup" / "assets")
            stop.set()
            load.join(10)
            for process in (server, *cluster.workers):
                process.kill()
        assert len(before) > 100
        _check(tmp_path, postgres)
        # The accident: the database and the files are gone.
        restored_url = postgres.database()
        shutil.rmtree(cluster.data_dir / "assets")
        restored = shell(block("pg_restore"), tmp_path, AQUATINT_DATABASE__URL=restored_url)
        assert restored.returncode == 0, restored.stderr
        shutil.copytree(tmp_path / "backup" / "assets", cluster.data_dir / "assets")
        with Cluster(tmp_path, postgres, SETTINGS) as again:
            again.url = again.env["AQUATINT_DATABASE__URL"] = restored_url
            unfinished = again.count("SELECT count(*) FROM task WHERE phase < 2")
            assert unfinished > 0, "the dump was made of a server that had nothing to do"
            again.env["AQUATINT_ASSETS__PUBLIC_URL"] = server.base_url
            second = again.server()
            second.port = server.port
            second.start()
            again.worker().start()
            again.wait_until_ended(60)
            known = {str(row[0]) for row in again.sql("SELECT id FROM task WHERE status = 'SUCCESS'")}
            assert set(before) <= known
            assert again.count("SELECT count(*) FROM delivery WHERE state = 'delivered'") == len(known)
            with second.client() as client:
                for task_id in (before[0], before[-1]):
                    (url,) = client.query(task_id)["result"]["urls"]
                    assert httpx.get(url).status_code == 200


def _check(folder: Path, postgres: Postgres) -> None:
    """The tool is content with the back-up, touches no database in use, and finds what is missing or damaged."""
    command = (
        block("--scratch").replace("postgresql://localhost/scratch", "$SCRATCH").rstrip() + " --assets backup/assets"
    )
    scratch = postgres.database()
    good = shell(command, folder, SCRATCH=scratch)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "nothing is wrong with this back-up" in good.stdout
    refused = shell(command, folder, SCRATCH=scratch)
    assert refused.returncode == 1
    assert "not empty" in refused.stderr
    (victim, other) = [path for path in (folder / "backup" / "assets").rglob("*") if path.is_file()][:2]
    kept = victim.read_bytes(), other.read_bytes()
    victim.unlink()
    other.write_bytes(b"other bytes")
    bad = shell(command, folder, SCRATCH=postgres.database())
    assert bad.returncode == 1
    assert f"a living URL leads to nothing: {victim.name}" in bad.stdout
    assert f"other bytes than its name says: {other.name}" in bad.stdout
    victim.write_bytes(kept[0])
    other.write_bytes(kept[1])


def test_half_written_tasks_are_found(tmp_path: Path, postgres: Postgres) -> None:
    """What no transaction of ours leaves behind is told by the tool, task by task."""
    with Cluster(tmp_path, postgres, SETTINGS) as cluster, ThreadedReceiver() as receiver:
        server = cluster.server().start()
        cluster.worker().start()
        with server.client() as client:
            task_id = str(client.wait(client.submit(callback=receiver.url))["taskId"])
        cluster.sql("DELETE FROM delivery")
        cluster.sql("DELETE FROM link")
        (tmp_path / "backup").mkdir()
        assert shell(block("pg_dump"), tmp_path, AQUATINT_DATABASE__URL=cluster.url).returncode == 0
        (tmp_path / "backup" / "assets").mkdir()
    command = f"{sys.executable} {TOOL} backup/aquatint.dump --scratch {postgres.database()} --assets backup/assets"
    found = shell(command, tmp_path)
    assert found.returncode == 1
    assert f"ended tasks without the callback that they owe: {task_id}" in found.stdout
    assert f"results without a URL: {task_id}" in found.stdout


def test_a_copy_of_sqlite_is_checked(tmp_path: Path) -> None:
    """The page's commands copy a living data folder; the tool is content with it, and not with half of it."""
    folder = tmp_path / "home"
    running_server = Server(folder, {**NULL_ENGINE, **FAST})
    running_server.data_dir = folder / "aquatint-data"
    with running_server, running_server.client() as client:
        for _ in range(20):
            client.wait(client.submit())
        (folder / "backup").mkdir()
        copied = shell(block("source.backup(target)"), folder)
        assert copied.returncode == 0, copied.stderr
    command = block("backup/aquatint.db --assets")
    good = shell(command, folder)
    assert good.returncode == 0, good.stdout + good.stderr
    database = folder / "backup" / "aquatint.db"
    whole = database.read_bytes()
    database.write_bytes(whole[: len(whole) // 2])
    assert shell(command, folder).returncode == 1
    usage = shell(f"{sys.executable} {TOOL} nowhere.db", folder)
    assert usage.returncode == 2


def test_old_tasks_are_deleted_as_the_capacity_page_says(tmp_path: Path, postgres: Postgres) -> None:
    """The page's SQL takes ended tasks of its age with all their rows, and leaves the young and the waiting alone."""
    page = (ROOT / "docs" / "how-to" / "capacity.md").read_text(encoding="utf-8")
    (statements,) = re.findall(r"^```sql\n(BEGIN;.*?)^```", page, re.MULTILINE | re.DOTALL)
    with Cluster(tmp_path, postgres, SETTINGS) as cluster, ThreadedReceiver() as receiver:
        server = cluster.server().start()
        cluster.worker().start()
        with server.client() as client:
            ids = [client.submit(callback=receiver.url) for _ in range(6)]
            cluster.wait_until_ended(30)
            long_ago = (time.time_ns() // 1000) - 100 * 86400 * 10**6
            old = f"(SELECT no FROM task WHERE id IN ('{ids[0]}', '{ids[1]}', '{ids[2]}'))"
            cluster.sql(f"UPDATE task SET updated_at = {long_ago} WHERE no IN {old}")
            cluster.sql(
                f"UPDATE delivery SET state = 'pending' WHERE task_no = (SELECT no FROM task WHERE id = '{ids[2]}')"
            )
            (tmp_path / "clean.sql").write_text(statements)
            done = shell(f"psql -v ON_ERROR_STOP=1 -f clean.sql '{cluster.url}'", tmp_path)
            assert done.returncode == 0, done.stderr
            assert [client.get(f"/api/v1/task/{task}").status_code for task in ids] == [404, 404, 200, 200, 200, 200]
        for table in ("event", "attempt", "delivery"):
            assert cluster.count(f"SELECT count(DISTINCT task_no) FROM {table}") == 4
            assert cluster.count(f"SELECT count(*) FROM {table} WHERE task_no NOT IN (SELECT no FROM task)") == 0
        orphans = "SELECT count(*) FROM delivery_attempt WHERE delivery_no NOT IN (SELECT no FROM delivery)"
        assert cluster.count(orphans) == 0
