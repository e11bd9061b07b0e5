"""SQL for the operator's overview, and of the secrets that processes share."""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from aquatint.domain.task import AttemptLog, Micros, Status
from aquatint.store.records import Crowd, Finished

_log = msgspec.json.Decoder(AttemptLog)
_UNTROUBLED = (Status.SUCCESS, Status.CANCELLED)


def finished(db: sqlite3.Connection, since: Micros, limit: int) -> list[Finished]:
    rows = db.execute(
        "SELECT key_id, lane, status, log, json_array_length(CAST(result AS TEXT), '$.images'), created_at,"
        " attempt.started_at, updated_at FROM task INDEXED BY task_ended"
        " LEFT JOIN attempt ON attempt.task_no = task.no AND attempt.number = task.attempt"
        " WHERE phase = 2 AND updated_at >= ? ORDER BY updated_at DESC LIMIT ?",
        (since, limit),
    ).fetchall()
    return [_finished(*row) for row in rows]


def _finished(
    key_id: str,
    lane: str,
    status: str,
    log: Any,
    images: int | None,
    created_at: Micros,
    started_at: Micros | None,
    ended_at: Micros,
) -> Finished:
    cause = _log.decode(log).failure if log is not None and status not in _UNTROUBLED else ""
    return Finished(key_id, lane, Status(status), cause, images or 0, created_at, started_at, ended_at)


def crowds(db: sqlite3.Connection) -> list[Crowd]:
    waiting = dict(db.execute("SELECT key_id, count(*) FROM task WHERE phase = 0 GROUP BY key_id").fetchall())
    running = dict(db.execute("SELECT key_id, count(*) FROM task WHERE phase = 1 GROUP BY key_id").fetchall())
    return [Crowd(key, waiting.get(key, 0), running.get(key, 0)) for key in sorted({*waiting, *running})]


def secret(db: sqlite3.Connection, name: str, fresh: bytes) -> bytes:
    db.execute("INSERT OR IGNORE INTO secret (name, value) VALUES (?, ?)", (name, fresh))
    ((value,),) = db.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchall()
    return bytes(value)
