"""SQL of deliveries: claim, log, redeliver."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from aquatint.domain.delivery import ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryState, ReplayFilter
from aquatint.domain.task import Micros

_TASK = "SELECT id, trace FROM task WHERE no = ?"


def claim(
    db: sqlite3.Connection,
    owner: str,
    limit: int,
    now: Micros,
    lease_until: Micros,
    busy_hosts: Sequence[str],
) -> list[ClaimedDelivery]:
    """Take due deliveries of hosts that have room; next_at becomes the lease's end, so a lost one comes due again."""
    marks = ", ".join("?" * len(busy_hosts))
    rows = db.execute(
        "UPDATE delivery SET tries = tries + 1, lease_owner = ?, lease_until = ?, next_at = ?"
        " WHERE no IN (SELECT no FROM delivery WHERE state = 'pending' AND next_at <= ?"
        f" AND host NOT IN ({marks}) ORDER BY next_at LIMIT ?)"
        " RETURNING no, id, task_no, url, host, body, tries, key_id, created_at",
        (owner, lease_until, lease_until, now, *busy_hosts, limit),
    ).fetchall()
    secrets: dict[str, str | None] = {}
    claimed = []
    for row in sorted(rows, key=lambda row: int(row[0])):
        no, delivery_id, task_no, url, host, body, tries, key_id, created_at = row
        if key_id not in secrets:
            found = db.execute("SELECT webhook_secret FROM key WHERE id = ?", (key_id,)).fetchone()
            secrets[key_id] = found[0] if found else None
        secret = secrets[key_id]
        task_id, trace = next(iter(db.execute(_TASK, (task_no,)).fetchall()), ("", ""))
        ended_at = created_at if tries == 1 and not _tried(db, no) else None
        claimed.append(
            ClaimedDelivery(no, delivery_id, task_no, url, host, body, tries, secret, task_id, trace, ended_at)
        )
    return claimed


def _tried(db: sqlite3.Connection, delivery_no: int) -> bool:
    """Whether it was tried in an earlier round: a repetition counts from 1 again."""
    return bool(db.execute("SELECT 1 FROM delivery_attempt WHERE delivery_no = ? LIMIT 1", (delivery_no,)).fetchall())


def put_back(db: sqlite3.Connection, numbers: Sequence[int], next_at: Micros) -> None:
    db.executemany(
        "UPDATE delivery SET tries = tries - 1, lease_owner = NULL, lease_until = NULL, next_at = ? WHERE no = ?",
        [(next_at, no) for no in numbers],
    )


def next_due(db: sqlite3.Connection, busy_hosts: Sequence[str]) -> Micros | None:
    marks = ", ".join("?" * len(busy_hosts))
    rows = db.execute(
        f"SELECT next_at FROM delivery WHERE state = 'pending' AND host NOT IN ({marks}) ORDER BY next_at LIMIT 1",
        tuple(busy_hosts),
    ).fetchall()
    return rows[0][0] if rows else None


def record(
    db: sqlite3.Connection,
    delivery_no: int,
    attempt: DeliveryAttempt,
    state: DeliveryState,
    next_at: Micros | None,
) -> None:
    db.execute(
        "INSERT INTO delivery_attempt (delivery_no, number, at, duration_ms, status, outcome, detail, response)"
        " SELECT no, (SELECT coalesce(max(number), 0) + 1 FROM delivery_attempt WHERE delivery_no = ?1),"
        " ?2, ?3, ?4, ?5, ?6, ?7 FROM delivery WHERE no = ?1",  # not when it was deleted meanwhile
        (
            delivery_no,
            attempt.at,
            attempt.duration_ms,
            attempt.status,
            attempt.outcome,
            attempt.detail,
            attempt.response,
        ),
    )
    db.execute(
        "UPDATE delivery SET state = ?, next_at = ?, lease_owner = NULL, lease_until = NULL WHERE no = ?",
        (state.value, next_at, delivery_no),
    )


def release_foreign(db: sqlite3.Connection, owner: str, now: Micros) -> int:
    """Deliveries leased to a dead process are due at once; the interrupted try does not count."""
    return db.execute(
        "UPDATE delivery SET next_at = ?, tries = max(0, tries - 1), lease_owner = NULL, lease_until = NULL"
        " WHERE state = 'pending' AND lease_owner IS NOT NULL AND lease_owner <> ?",
        (now, owner),
    ).rowcount


def listing(db: sqlite3.Connection, task_no: int) -> list[Delivery]:
    found = []
    rows = db.execute(
        "SELECT no, id, url, state, created_at, next_at, body FROM delivery WHERE task_no = ?", (task_no,)
    ).fetchall()
    for no, delivery_id, url, state, created_at, next_at, body in rows:
        log = db.execute(
            "SELECT number, at, duration_ms, status, outcome, detail, response FROM delivery_attempt"
            " WHERE delivery_no = ? ORDER BY number",
            (no,),
        ).fetchall()
        attempts = tuple(DeliveryAttempt(*row) for row in log)
        found.append(Delivery(delivery_id, url, DeliveryState(state), created_at, next_at, attempts, body))
    return found


def replay(db: sqlite3.Connection, wanted: ReplayFilter, now: Micros, limit: int) -> int:
    marks = ", ".join("?" * len(wanted.states))
    mine = "" if wanted.key_id is None else " AND key_id = ?"
    rows = db.execute(
        "UPDATE delivery SET state = 'pending', next_at = ?, tries = 0, lease_owner = NULL, lease_until = NULL"
        " WHERE no IN (SELECT no FROM delivery WHERE created_at >= ? AND created_at < ?"
        f" AND state IN ({marks}){mine} ORDER BY created_at LIMIT ?) RETURNING task_no",
        (
            now,
            wanted.ended_from,
            wanted.ended_to,
            *(state.value for state in wanted.states),
            *(() if wanted.key_id is None else (wanted.key_id,)),
            limit,
        ),
    ).fetchall()
    db.executemany(
        "INSERT INTO event (task_no, at, name) VALUES (?, ?, 'delivery.requested')",
        [(task_no, now) for (task_no,) in rows],
    )
    return len(rows)


def redeliver(db: sqlite3.Connection, task_no: int, now: Micros) -> bool:
    changed = db.execute(
        "UPDATE delivery SET state = 'pending', next_at = ?, tries = 0, lease_owner = NULL, lease_until = NULL"
        " WHERE task_no = ?",
        (now, task_no),
    ).rowcount
    if changed:
        db.execute("INSERT INTO event (task_no, at, name) VALUES (?, ?, 'delivery.requested')", (task_no, now))
    return bool(changed)
