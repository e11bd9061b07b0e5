"""SQL that reads what happened after an event, for those who follow tasks. One writer: ids are in order of commit."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from aquatint.domain.history import Edge, Happened, Pulse
from aquatint.domain.task import Status

_json = msgspec.json.Encoder()


def edge(db: sqlite3.Connection) -> Edge:
    return Edge(int(db.execute("SELECT coalesce(max(id), 0) FROM event").fetchall()[0][0]))


def happened(
    db: sqlite3.Connection, after: int, until: int, limit: int, tasks: Sequence[int], keys: Sequence[str]
) -> list[Happened]:
    rows = db.execute(
        "SELECT e.id, e.at, e.name, e.detail, t.no, t.key_id FROM event AS e CROSS JOIN task AS t ON t.no = e.task_no"
        " WHERE e.id > ? AND e.id <= ?"
        " AND (t.no IN (SELECT value FROM json_each(?)) OR t.key_id IN (SELECT value FROM json_each(?)))"
        " ORDER BY e.id LIMIT ?",
        (after, until, _text(tasks), _text(keys), limit),
    ).fetchall()
    return [Happened(*row) for row in rows]


def pulses(db: sqlite3.Connection, tasks: Sequence[int], keys: Sequence[str], limit: int) -> list[Pulse]:
    columns = "no, id, key_id, status, progress, lane"
    rows = db.execute(
        f"SELECT {columns} FROM task WHERE no IN (SELECT value FROM json_each(?))", (_text(tasks),)
    ).fetchall()
    if keys:
        rows += db.execute(
            f"SELECT {columns} FROM task WHERE phase = 1 AND key_id IN (SELECT value FROM json_each(?)) LIMIT ?",
            (_text(keys), limit),
        ).fetchall()
    return [Pulse(no, id_, key, Status(status), progress, lane) for no, id_, key, status, progress, lane in rows]


def _text(values: Sequence[object]) -> str:
    return _json.encode(values).decode()
