"""Records a database as a version leaves it behind, for the tests of migrations.

`PYTHONPATH=<a checkout of that version>/src:tests python -m support.recorded sqlite <file>` makes one on SQLite;
with `postgresql` in its place one on PostgreSQL. In it are tasks that wait, run and have ended, points that are held,
callbacks that came and that did not; the server was killed.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from support.pictures import picture
from support.ports import free_port
from support.postgres import BIN, running
from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server, run_cli


def record(folder: Path, url: str) -> None:
    """Lead a server through everything that leaves rows behind."""
    data = folder / "data"
    settings = {**FAST, **NULL_ENGINE, "AQUATINT_WORKER__CONCURRENCY": "1"}
    if url:
        settings["AQUATINT_DATABASE__URL"] = url
    made = run_cli("keys", "create", "counted", "--points", "100", "--data-dir", str(data), env=settings)
    assert made.returncode == 0, made.stderr
    secret = made.stdout.split()[1]
    server = Server(folder, settings, data_dir=data)
    with ThreadedReceiver() as receiver, server, server.client() as client, server.client(secret) as counted:
        client.wait(client.submit(callback=receiver.url))
        client.wait(client.submit(callback=receiver.url, n=2))
        client.wait(client.submit(callback=f"http://127.0.0.1:{free_port()}/", user_id="ann"))
        counted.wait(counted.submit(headers={"idempotency-key": "again"}))
        client.post("/api/v1/files", files={"file": ("a.png", picture(), "image/png")}).raise_for_status()
    slow = Server(folder, {**settings, "AQUATINT_ENGINES__NULL_DELAY": "60s"}, data_dir=data).start()
    with slow.client() as client, slow.client(secret) as counted:
        counted.wait(counted.submit(), until=("PROCESSING", "SUBMITTED"))
        counted.submit()
        client.submit(callback=f"http://127.0.0.1:{free_port()}/")
        client.post(f"/api/v1/task/{client.submit()}/cancel").raise_for_status()
    slow.kill()


def dump_sqlite(folder: Path) -> str:
    database = sqlite3.connect(folder / "data" / "aquatint.db")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return "\n".join([*database.iterdump(), f"PRAGMA user_version={version};"]) + "\n"


def dump_postgres(url: str) -> str:
    done = subprocess.run([str(BIN / "pg_dump"), "--inserts", "--no-owner", url], capture_output=True, check=True)
    lines = done.stdout.decode().splitlines()
    return "\n".join(line for line in lines if line and not line.startswith(("\\", "--", "SET "))) + "\n"


def main() -> None:
    kind, file = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        if kind == "sqlite":
            record(Path(folder), "")
            file.write_text(dump_sqlite(Path(folder)))
            return
        for postgres in running():
            url = postgres.database()
            record(Path(folder), url)
            file.write_text(dump_postgres(url))


if __name__ == "__main__":
    main()
