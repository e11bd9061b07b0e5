"""SQL of tasks: submit, claim, settle, and the reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aquatint.domain.errors import Conflict, QuotaExceeded, RateLimited
from aquatint.domain.task import (
    Attempt,
    AttemptLog,
    Micros,
    Result,
    Status,
    Task,
    TaskFilter,
)
from aquatint.store.records import Event, Link, NewTask, Requeue, Settlement, Submitted
from aquatint.store.sqlite import calls, search

_json = msgspec.json.Encoder()
_result = msgspec.json.Decoder(Result)
_texts = msgspec.json.Decoder(tuple[str, ...])
_log = msgspec.json.Decoder(AttemptLog)

BACKLOG_RETRY = 10.0  # seconds after which a caller whose backlog is full may try again

_COLUMNS = (
    "no, id, key_id, user_id, model, mode, status, echo, callback_url, created_at, updated_at, attempt, engine,"
    " progress, result, failure_reason, failure_message, warnings, lane, trace"
)


def _task(row: Sequence[Any]) -> Task:
    values = list(row)
    values[6] = Status(values[6])
    values[7] = msgspec.Raw(values[7])
    values[14] = None if values[14] is None else _result.decode(values[14])
    values[17] = _texts.decode(values[17]) if values[17] else ()
    return Task(*values)  # same order as _COLUMNS


def add_event(db: sqlite3.Connection, task_no: int, at: Micros, name: str, detail: str = "") -> None:
    db.execute("INSERT INTO event (task_no, at, name, detail) VALUES (?, ?, ?, ?)", (task_no, at, name, detail))


def add_link(db: sqlite3.Connection, link: Link) -> None:
    db.execute(
        "INSERT INTO link (token, name, digest, media_type, bytes, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
        (link.token, link.name, link.digest, link.media_type, link.bytes, link.expires_at),
    )


def replayed(db: sqlite3.Connection, new: NewTask) -> Submitted | None:
    """The task that this idempotency key already made. Raises Conflict when it came with another body."""
    promise = new.idempotency
    if promise is None:
        return None
    found = db.execute(
        "SELECT body_hash, task_id, expires_at FROM idempotency WHERE key_id = ? AND key = ?",
        (new.key_id, promise.key),
    ).fetchone()
    if found is None:
        return None
    if found[2] <= new.created_at:
        db.execute("DELETE FROM idempotency WHERE key_id = ? AND key = ?", (new.key_id, promise.key))
        return None
    if found[0] != promise.body_hash:
        raise Conflict("this Idempotency-Key was already used with another body")
    return Submitted(found[1], replayed=True)


def insert(db: sqlite3.Connection, new: NewTask, turn: int) -> Submitted:
    """Write a task that is no replay, with its hold, idempotency row, links and event.

    Raises QuotaExceeded, RateLimited when the key's own backlog is full.
    """
    if new.max_pending is not None and _waiting_of(db, new.key_id) >= new.max_pending:
        raise RateLimited(f"this key has {new.max_pending} tasks waiting; no more are taken", BACKLOG_RETRY)
    points = _hold(db, new) if new.points else 0
    number = db.execute(
        "INSERT INTO task (id, key_id, user_id, model, mode, status, not_before, deadline_at, created_at,"
        " updated_at, points, callback_url, echo, input, lane, batch, priority, turn, start_by, trace)"
        " VALUES (?, ?, ?, ?, ?, 'PENDING', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.id,
            new.key_id,
            new.user_id,
            new.model,
            new.mode,
            new.created_at,
            new.deadline_at,
            new.created_at,
            new.created_at,
            points,
            new.callback_url,
            new.echo,
            _json.encode(new.input),
            new.lane,
            new.batch,
            new.priority,
            turn,
            new.start_by,
            new.trace,
        ),
    ).lastrowid
    assert number is not None  # noqa: S101  # an INSERT into a rowid table always sets it
    if points:
        _book(db, number, new.key_id, "hold", points, new.created_at)
    if new.idempotency is not None:
        promise = new.idempotency
        db.execute(
            "INSERT INTO idempotency (key_id, key, body_hash, task_id, expires_at) VALUES (?, ?, ?, ?, ?)",
            (new.key_id, promise.key, promise.body_hash, new.id, promise.expires_at),
        )
    for link in new.links:
        add_link(db, link)
    add_event(db, number, new.created_at, "task.submitted")
    return Submitted(new.id)


def _waiting_of(db: sqlite3.Connection, key_id: str) -> int:
    return int(db.execute("SELECT count(*) FROM task WHERE phase = 0 AND key_id = ?", (key_id,)).fetchall()[0][0])


def _hold(db: sqlite3.Connection, new: NewTask) -> int:
    """Take the points from the key's balance; 0 when the key's points are not counted."""
    row = db.execute("SELECT points FROM key WHERE id = ?", (new.key_id,)).fetchone()
    if row is None or row[0] is None:
        return 0
    if row[0] < new.points:
        raise QuotaExceeded(f"this task needs {new.points} points; the balance is {row[0]}")
    db.execute("UPDATE key SET points = points - ? WHERE id = ?", (new.points, new.key_id))
    return new.points


def _book(db: sqlite3.Connection, task_no: int, key_id: str, kind: str, points: int, at: Micros) -> None:
    db.execute(
        "INSERT INTO ledger (task_no, kind, key_id, points, at) VALUES (?, ?, ?, ?, ?)",
        (task_no, kind, key_id, points, at),
    )


def mark_submitted(task_no: int, attempt: int, engine: str, at: Micros) -> Callable[[sqlite3.Connection], None]:
    def write(db: sqlite3.Connection) -> None:
        changed = db.execute(
            "UPDATE task SET engine = ?, updated_at = CASE status WHEN 'PROCESSING' THEN ? ELSE updated_at END,"
            " status = 'SUBMITTED' WHERE no = ? AND attempt = ? AND phase = 1",
            (engine, at, task_no, attempt),
        ).rowcount
        if changed:
            add_event(db, task_no, at, "task.handed_over", engine)

    return write


def note_progress(task_no: int, attempt: int, fraction: float) -> Callable[[sqlite3.Connection], None]:
    def write(db: sqlite3.Connection) -> None:
        db.execute(
            "UPDATE task SET progress = ? WHERE no = ? AND attempt = ? AND phase = 1",
            (fraction, task_no, attempt),
        )

    return write


def settle(db: sqlite3.Connection, outcome: Settlement) -> bool:
    row = db.execute(
        "UPDATE task SET phase = 2, status = ?, updated_at = ?, engine = ?,"
        " progress = ?, result = ?, failure_reason = ?,"
        " failure_message = ?, warnings = ?, lease_owner = NULL, lease_until = NULL"
        " WHERE no = ? AND attempt = ? AND phase < 2 RETURNING key_id, points",
        (
            outcome.status.value,  # a plain text: SQLite's adapter takes longer over an enum than over the row
            outcome.at,
            outcome.engine,
            outcome.progress,
            None if outcome.result is None else _json.encode(outcome.result),
            outcome.failure_reason,
            outcome.failure_message,
            _json.encode(outcome.warnings) if outcome.warnings else None,
            outcome.task_no,
            outcome.attempt,
        ),
    ).fetchall()
    if not row:
        return False
    log = msgspec.structs.replace(outcome.log, engine=outcome.engine)
    _close_attempt(db, outcome.task_no, outcome.attempt, outcome.at, outcome.status.value, outcome.detail, log)
    calls.close_open(db, outcome.task_no, outcome.at)
    add_event(db, outcome.task_no, outcome.at, f"task.{outcome.status.lower()}", outcome.failure_message or "")
    _settle_points(db, outcome, key_id=row[0][0], held=row[0][1])
    if outcome.result is not None:
        for image in outcome.result.images:
            expires_at = outcome.result.expires_at
            link = Link(image.token, image.name, image.digest, image.media_type, image.bytes, expires_at)
            add_link(db, link)
    if outcome.delivery is not None:
        new = outcome.delivery
        db.execute(
            "INSERT INTO delivery (id, task_no, key_id, url, host, body, state, next_at, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
            (new.id, outcome.task_no, row[0][0], new.url, new.host, new.body, new.next_at, outcome.at),
        )
    return True


def _close_attempt(
    db: sqlite3.Connection,
    task_no: int,
    attempt: int,
    at: Micros,
    what: str,
    detail: str,
    log: AttemptLog | None = None,
) -> None:
    if attempt:
        db.execute(
            "UPDATE attempt SET finished_at = ?, outcome = ?, detail = ?, engine = ?, log = ?"
            " WHERE task_no = ? AND number = ? AND finished_at IS NULL",
            (
                at,
                what,
                detail,
                log.engine if log is not None else None,
                _json.encode(log) if log is not None else None,
                task_no,
                attempt,
            ),
        )


def _settle_points(db: sqlite3.Connection, outcome: Settlement, key_id: str, held: int) -> None:
    """Capture what the surviving images cost and give the rest of the hold back."""
    if not held:
        return
    captured = min(held, outcome.points_charged)
    if captured:
        _book(db, outcome.task_no, key_id, "capture", captured, outcome.at)
    if held > captured:
        _book(db, outcome.task_no, key_id, "release", held - captured, outcome.at)
        db.execute("UPDATE key SET points = points + ? WHERE id = ?", (held - captured, key_id))


def requeue(db: sqlite3.Connection, how: Requeue) -> bool:
    changed = db.execute(
        "UPDATE task SET phase = 0, not_before = ?, failures = CASE WHEN ? IS NULL THEN failures + ? ELSE 0 END,"
        " lane = coalesce(?, lane), failed_routes = CASE ? WHEN '' THEN failed_routes ELSE ? END,"
        " lease_owner = NULL, lease_until = NULL"
        " WHERE no = ? AND attempt = ? AND phase = 1",
        (
            how.not_before,
            how.lane,
            how.failed,
            how.lane,
            *[_json.encode(how.failed_routes).decode() if how.failed_routes else ""] * 2,
            how.task_no,
            how.attempt,
        ),
    ).rowcount
    if changed:
        _close_attempt(db, how.task_no, how.attempt, how.at, "requeued", how.why, how.log)
        add_event(db, how.task_no, how.at, "task.requeued", how.why)
    return bool(changed)


def release(db: sqlite3.Connection, where: str, value: object, now: Micros) -> int:
    """Give back leased tasks whose owner is gone; `where` is a condition on task with one parameter."""
    rows = db.execute(
        "UPDATE task SET phase = 0, not_before = ?, lease_owner = NULL, lease_until = NULL"
        f" WHERE phase = 1 AND {where} RETURNING no, attempt",
        (now, value),
    ).fetchall()
    for task_no, attempt in rows:
        _close_attempt(db, task_no, attempt, now, "lost", "its worker went away")
        add_event(db, task_no, now, "task.requeued", "its worker went away")
    return len(rows)


def read(db: sqlite3.Connection, task_id: str) -> Task | None:
    rows = db.execute(f"SELECT {_COLUMNS} FROM task WHERE id = ?", (task_id,)).fetchall()
    return _task(rows[0]) if rows else None


def overdue(db: sqlite3.Connection, now: Micros, limit: int) -> list[Task]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM task WHERE phase < 2 AND deadline_at <= ? ORDER BY deadline_at LIMIT ?",
        (now, limit),
    ).fetchall()
    return [_task(row) for row in rows]


def unstarted(db: sqlite3.Connection, now: Micros, limit: int) -> list[Task]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM task WHERE phase = 0 AND attempt = 0 AND start_by IS NOT NULL AND start_by <= ?"
        " LIMIT ?",
        (now, limit),
    ).fetchall()
    return [_task(row) for row in rows]


def listing(db: sqlite3.Connection, wanted: TaskFilter) -> list[Task]:
    conditions = ["key_id = ?"]
    values: list[object] = [wanted.key_id]
    for condition, value in (
        ("user_id = ?", wanted.user_id),
        ("status = ?", wanted.status),
        ("model = ?", wanted.model),
        ("created_at >= ?", wanted.created_after),
        ("created_at <= ?", wanted.created_before),
        ("updated_at >= ?", wanted.updated_after),
        ("no < ?", wanted.before),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if wanted.words is not None:
        conditions.append(search.CONDITION)
        values += search.prepare(db, wanted.key_id, wanted.words)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM task WHERE {' AND '.join(conditions)} ORDER BY no DESC LIMIT ?",
        (*values, wanted.limit),
    ).fetchall()
    return [_task(row) for row in rows]


def promised(db: sqlite3.Connection, key_id: str, first: str, last: str, limit: int) -> list[Task]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM task WHERE id IN (SELECT task_id FROM idempotency WHERE key_id = ? AND key >= ?"
        " AND key <= ?) ORDER BY no DESC LIMIT ?",
        (key_id, first, last, limit),
    ).fetchall()
    return [_task(row) for row in rows]


def events(db: sqlite3.Connection, task_no: int, after: int, limit: int) -> list[Event]:
    rows = db.execute(
        "SELECT id, at, name, detail FROM event WHERE task_no = ? AND id > ? ORDER BY id LIMIT ?",
        (task_no, after, limit),
    ).fetchall()
    return [Event(*row) for row in rows]


def numbered(db: sqlite3.Connection, numbers: Sequence[int]) -> list[Task]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM task WHERE no IN (SELECT value FROM json_each(?))",
        (_json.encode(list(numbers)).decode(),),
    ).fetchall()
    return [_task(row) for row in rows]


def attempts(db: sqlite3.Connection, task_no: int) -> list[Attempt]:
    rows = db.execute(
        "SELECT number, due_at, started_at, finished_at, outcome, detail, engine, log FROM attempt"
        " WHERE task_no = ? ORDER BY number",
        (task_no,),
    ).fetchall()
    return [_attempt(row) for row in rows]


def _attempt(row: Sequence[Any]) -> Attempt:
    number, due_at, started_at, finished_at, outcome, detail, engine, log = row
    known = _log.decode(log) if log is not None else AttemptLog(engine=engine)
    return Attempt(number, due_at, started_at, finished_at, outcome, detail or "", known)


def strays(db: sqlite3.Connection, lanes: Sequence[str], limit: int) -> list[Task]:
    marks = ", ".join("?" * len(lanes))
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM task WHERE phase = 0 AND lane NOT IN ({marks}) LIMIT ?", (*lanes, limit)
    ).fetchall()
    return [_task(row) for row in rows]


def move(db: sqlite3.Connection, task_no: int, lane: str) -> None:
    db.execute("UPDATE task SET lane = ? WHERE no = ? AND phase = 0", (lane, task_no))


def count_waiting(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM task WHERE phase = 0").fetchall()[0][0])
