"""SQL of paid calls and provider accounts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from aquatint.domain import provider
from aquatint.domain.call import CallEnd, CallOutcome, CallState, KeptImage, NewCall, PaidCall, PendingImage
from aquatint.domain.errors import LeaseLost
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits, ProviderState, Verdict, Wait
from aquatint.domain.task import Micros

_json = msgspec.json.Encoder()
_images = msgspec.json.Decoder(tuple[int, ...])
_handle = msgspec.json.Decoder(dict[str, str])
_pending = msgspec.json.Decoder(tuple[PendingImage, ...])
_kept = msgspec.json.Decoder(tuple[KeptImage, ...])
_state = msgspec.json.Decoder(ProviderState)

_COLUMNS = (
    "no, task_no, attempt, key, engine, remote_model, account, images, resend_safe, state, created_at, outcome,"
    " failure, code, detail, charged, remote_id, request_id, handle, pending, kept, sent_at, acknowledged_at,"
    " settled_at"
)
_QUALIFIED = ", ".join(f"call.{name.strip()}" for name in _COLUMNS.split(","))
_OPEN = "state IN ('intent', 'sent', 'acknowledged')"


def _call(row: Sequence[Any]) -> PaidCall:
    values = list(row)
    values[7] = _images.decode(values[7])
    values[8] = bool(values[8])
    values[9] = CallState(values[9])
    values[15] = bool(values[15])
    values[18] = _handle.decode(values[18])
    values[19] = _pending.decode(values[19])
    values[20] = _kept.decode(values[20])
    return PaidCall(*values)  # same order as _COLUMNS


def _text(value: object) -> str:
    return _json.encode(value).decode()


def of_task(db: sqlite3.Connection, task_no: int) -> list[PaidCall]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM call WHERE task_no = ? ORDER BY no", (task_no,)).fetchall()
    return [_call(row) for row in rows]


def _insist(db: sqlite3.Connection, task_no: int, attempt: int) -> None:
    """Raise LeaseLost unless the attempt owns the task."""
    query = "SELECT 1 FROM task WHERE no = ? AND attempt = ? AND phase = 1"
    if not db.execute(query, (task_no, attempt)).fetchall():
        raise LeaseLost


def intend(
    db: sqlite3.Connection, task_no: int, attempt: int, calls: Sequence[NewCall], now: Micros
) -> list[PaidCall]:
    _insist(db, task_no, attempt)
    written = []
    for new in calls:
        row = db.execute(
            "INSERT INTO call (task_no, attempt, key, engine, remote_model, account, images, resend_safe, state,"
            f" created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'intent', ?) RETURNING {_COLUMNS}",
            (
                task_no,
                attempt,
                new.key,
                new.engine,
                new.remote_model,
                new.account,
                _text(new.images),
                new.resend_safe,
                now,
            ),
        ).fetchall()
        written.append(_call(row[0]))
    return written


def adopt(db: sqlite3.Connection, call_no: int, task_no: int, attempt: int) -> None:
    """What was sent can be decided anew only where the provider knows the call's key."""
    _insist(db, task_no, attempt)
    db.execute(
        "UPDATE call SET attempt = ?,"
        " state = CASE WHEN state = 'sent' AND resend_safe THEN 'intent' ELSE state END"
        f" WHERE no = ? AND {_OPEN}",
        (attempt, call_no),
    )


def admit(
    db: sqlite3.Connection,
    call: PaidCall,
    attempt: int,
    limits: ProviderLimits,
    probe_for: Micros,
    now: Micros,
) -> Admitted | Wait:
    _insist(db, call.task_no, attempt)
    state = _provider(db, call.account)
    in_flight = _in_flight(db, call.account) if limits.in_flight else 0
    answer, state = provider.admit(state, limits, len(call.images), in_flight, probe_for, now)
    if isinstance(answer, Admitted):
        changed = db.execute(
            "UPDATE call SET state = 'sent', sent_at = ? WHERE no = ? AND state = 'intent' AND attempt = ?",
            (now, call.no, attempt),
        ).rowcount
        if not changed:
            raise LeaseLost
        _keep_provider(db, state)
    return answer


def _in_flight(db: sqlite3.Connection, account: str) -> int:
    """Calls that the provider works on. One whose results only wait to be fetched is none of them."""
    query = (
        "SELECT count(*) FROM call WHERE account = ?"
        " AND (state = 'sent' OR (state = 'acknowledged' AND pending = '[]'))"
    )
    return int(db.execute(query, (account,)).fetchall()[0][0])


def acknowledge(
    db: sqlite3.Connection,
    call_no: int,
    at: Micros,
    remote_id: str,
    request_id: str,
    handle: dict[str, str],
    pending: tuple[PendingImage, ...],
) -> None:
    db.execute(
        "UPDATE call SET state = 'acknowledged', acknowledged_at = coalesce(acknowledged_at, ?),"
        " remote_id = CASE ? WHEN '' THEN remote_id ELSE ? END,"
        " request_id = CASE ? WHEN '' THEN request_id ELSE ? END,"
        " handle = CASE ? WHEN '{}' THEN handle ELSE ? END, pending = ?, charged = 1"
        " WHERE no = ? AND state IN ('sent', 'acknowledged', 'unknown')",
        (
            at,
            remote_id,
            remote_id,
            request_id,
            request_id,
            _text(handle),
            _text(handle),
            _text(pending),
            call_no,
        ),
    )


def end(
    db: sqlite3.Connection,
    call_no: int,
    how: CallEnd,
    verdict: Verdict | None,
    retry_after: float | None,
    rules: CircuitRules,
) -> None:
    row = db.execute(
        "UPDATE call SET state = ?, outcome = ?, settled_at = ?, failure = ?, code = ?, detail = ?, charged = ?,"
        " kept = ?, request_id = CASE ? WHEN '' THEN request_id ELSE ? END"
        " WHERE no = ? AND (state <> 'settled' OR outcome = ?) RETURNING account",
        (
            how.state.value,
            how.outcome.value if how.outcome is not None else "",
            how.at,
            how.failure,
            how.code,
            how.detail,
            how.charged,
            _text(how.kept),
            how.request_id,
            how.request_id,
            call_no,
            CallOutcome.ABANDONED.value,
        ),
    ).fetchall()
    if row and verdict is not None:
        state = _provider(db, row[0][0])
        changed = provider.after(state, verdict, retry_after, rules, how.at)
        if changed != state:
            _keep_provider(db, changed)


def close_open(db: sqlite3.Connection, task_no: int, at: Micros) -> None:
    """The task has ended: nothing of it stays open, and what may have been paid is said so."""
    if not db.execute(f"SELECT 1 FROM call WHERE task_no = ? AND {_OPEN} LIMIT 1", (task_no,)).fetchall():
        return
    db.execute(
        "UPDATE call SET settled_at = ?,"
        " outcome = CASE state WHEN 'intent' THEN 'not sent' WHEN 'acknowledged' THEN 'abandoned' ELSE outcome END,"
        " charged = state <> 'intent',"
        " detail = CASE state WHEN 'sent' THEN 'the task ended before the answer came' ELSE detail END,"
        " state = CASE state WHEN 'sent' THEN 'unknown' ELSE 'settled' END"
        f" WHERE task_no = ? AND {_OPEN}",
        (at, task_no),
    )


def recent(db: sqlite3.Connection, unknown: bool, limit: int) -> list[tuple[str, PaidCall]]:
    where = "WHERE call.state = 'unknown'" if unknown else ""
    rows = db.execute(
        f"SELECT task.id, {_QUALIFIED} FROM call JOIN task ON task.no = call.task_no"
        f" {where} ORDER BY call.no DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [(row[0], _call(row[1:])) for row in rows]


def resolve(db: sqlite3.Connection, call_no: int, charged: bool, note: str, at: Micros) -> bool:
    query = (
        "UPDATE call SET state = 'settled', outcome = ?, charged = ?, detail = detail || ' | ' || ?, settled_at = ?"
        " WHERE no = ? AND state = 'unknown'"
    )
    outcome = CallOutcome.LOST if charged else CallOutcome.FAILED
    return bool(db.execute(query, (outcome.value, charged, note, at, call_no)).rowcount)


def task_of(db: sqlite3.Connection, engine: str, remote_id: str) -> str | None:
    rows = db.execute(
        "SELECT task.id FROM call JOIN task ON task.no = call.task_no"
        f" WHERE call.engine = ? AND call.remote_id = ? AND call.remote_id <> '' AND call.{_OPEN} LIMIT 1",
        (engine, remote_id),
    ).fetchall()
    return rows[0][0] if rows else None


def providers(db: sqlite3.Connection) -> list[ProviderState]:
    return [_state.decode(row[0]) for row in db.execute("SELECT state FROM provider ORDER BY account").fetchall()]


def _provider(db: sqlite3.Connection, account: str) -> ProviderState:
    rows = db.execute("SELECT state FROM provider WHERE account = ?", (account,)).fetchall()
    return _state.decode(rows[0][0]) if rows else ProviderState(account)


def _keep_provider(db: sqlite3.Connection, state: ProviderState) -> None:
    db.execute(
        "INSERT INTO provider (account, state) VALUES (?, ?)"
        " ON CONFLICT (account) DO UPDATE SET state = excluded.state",
        (state.account, _text(state)),
    )
