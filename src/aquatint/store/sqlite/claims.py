"""SQL of claiming: whose turn it is, within the limits of keys and models."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from aquatint.domain.lane import LaneState
from aquatint.domain.task import ClaimedTask, Micros, TaskInput
from aquatint.store.records import Served

_input = msgspec.json.Decoder(TaskInput)
_texts = msgspec.json.Decoder(tuple[str, ...])

ORDER = "batch, priority DESC, turn, no"
LOOK_AHEAD = 4  # candidates looked at for each task wanted, where limits may skip some


def claim(
    db: sqlite3.Connection,
    owner: str,
    lane: str,
    limit: int,
    now: Micros,
    lease_until: Micros,
    model_limits: Mapping[str, int],
    models: Sequence[str],
) -> tuple[list[ClaimedTask], int]:
    """The claimed tasks, and the highest fair turn among them."""
    if db.execute("SELECT 1 FROM lane WHERE name = ? AND paused", (lane,)).fetchall():
        return [], 0
    key_limits = dict(db.execute("SELECT id, max_running FROM key WHERE max_running IS NOT NULL").fetchall())
    mine = f" AND model IN ({_marks(models)})" if models else ""
    if key_limits or model_limits:
        chosen: list[object] = [*_within_limits(db, lane, limit, now, key_limits, model_limits, models)]
        where, values = f"no IN ({', '.join('?' * len(chosen))})", chosen
    else:
        where = (
            "no IN (SELECT no FROM task WHERE phase = 0 AND lane = ? AND not_before <= ?"
            f"{mine} ORDER BY {ORDER} LIMIT ?)"
        )
        values = [lane, now, *models, limit]
    rows = db.execute(
        "UPDATE task SET phase = 1, attempt = attempt + 1, lease_owner = ?, lease_until = ?,"
        " updated_at = CASE status WHEN 'PENDING' THEN ? ELSE updated_at END,"
        " status = CASE status WHEN 'PENDING' THEN 'PROCESSING' ELSE status END"
        f" WHERE {where}"
        " RETURNING no, id, key_id, model, input, attempt, failures, progress, created_at, deadline_at,"
        " echo, callback_url, user_id, lane, failed_routes, not_before, turn, batch, priority, trace",
        (owner, lease_until, now, *values),
    ).fetchall()
    db.executemany(
        "INSERT INTO attempt (task_no, number, owner, started_at, due_at) VALUES (?, ?, ?, ?, ?)",
        [(row[0], row[5], owner, now, row[15]) for row in rows],
    )
    db.executemany(
        "INSERT INTO event (task_no, at, name, detail) VALUES (?, ?, 'task.claimed', ?)",
        [(row[0], now, f"attempt {row[5]}") for row in rows],
    )
    rows.sort(key=lambda row: (row[17], -row[18], row[16], row[0]))
    return [_claimed(row) for row in rows], max((row[16] for row in rows), default=0)


def _within_limits(
    db: sqlite3.Connection,
    lane: str,
    limit: int,
    now: Micros,
    key_limits: Mapping[str, int],
    model_limits: Mapping[str, int],
    mine: Sequence[str],
) -> list[int]:
    """Tasks in their order that no limit holds back."""
    keys, models = _running(db, "key_id", key_limits), _running(db, "model", model_limits)
    chosen: list[int] = []
    while len(chosen) < limit:
        full_keys = [key for key, most in key_limits.items() if keys[key] >= most]
        full_models = [model for model, most in model_limits.items() if models[model] >= most]
        candidates = db.execute(
            "SELECT no, key_id, model FROM task WHERE phase = 0 AND lane = ? AND not_before <= ?"
            f" AND key_id NOT IN ({_marks(full_keys)}) AND model NOT IN ({_marks(full_models)})"
            f" AND no NOT IN ({_marks(chosen)}){f' AND model IN ({_marks(mine)})' if mine else ''}"
            f" ORDER BY {ORDER} LIMIT ?",
            (lane, now, *full_keys, *full_models, *chosen, *mine, limit * LOOK_AHEAD),
        ).fetchall()
        if not candidates:
            break
        for no, key, model in candidates:
            if len(chosen) == limit:
                break
            if keys[key] >= key_limits.get(key, keys[key] + 1) or models[model] >= model_limits.get(
                model, models[model] + 1
            ):
                continue
            chosen.append(no)
            keys[key] += 1
            models[model] += 1
    return chosen


def _running(db: sqlite3.Connection, column: str, limits: Mapping[str, int]) -> Counter[str]:
    names = list(limits)
    rows = db.execute(
        f"SELECT {column}, count(*) FROM task WHERE phase = 1 AND {column} IN ({_marks(names)}) GROUP BY {column}",
        names,
    ).fetchall()
    return Counter(dict(rows))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _claimed(row: Sequence[Any]) -> ClaimedTask:
    no, task_id, key_id, model, input_, attempt, failures, progress, *rest = row
    created_at, deadline_at, echo, callback_url, user_id, lane, failed_routes, due_at, *_, trace = rest
    return ClaimedTask(
        no=no,
        id=task_id,
        key_id=key_id,
        model=model,
        input=_input.decode(input_),
        attempt=attempt,
        failures=failures,
        progress=float(progress),  # RETURNING gives a REAL column's whole numbers as int
        created_at=created_at,
        deadline_at=deadline_at,
        echo=msgspec.Raw(echo),
        callback_url=callback_url,
        user_id=user_id,
        lane=lane,
        failed_routes=_texts.decode(failed_routes) if failed_routes else (),
        due_at=due_at,
        trace=trace,
    )


def renew(
    db: sqlite3.Connection, owner: str, tasks: Sequence[int], deliveries: Sequence[int], lease_until: Micros
) -> list[int]:
    if deliveries:
        db.execute(
            "UPDATE delivery SET lease_until = ?, next_at = ? WHERE lease_owner = ? AND state = 'pending'"
            " AND no IN (SELECT value FROM json_each(?))",
            (lease_until, lease_until, owner, _numbers(deliveries)),
        )
    kept = db.execute(
        "UPDATE task SET lease_until = ? WHERE phase = 1 AND lease_owner = ?"
        " AND no IN (SELECT value FROM json_each(?)) RETURNING no",
        (lease_until, owner, _numbers(tasks)),
    ).fetchall()
    return [no for (no,) in kept]


def _numbers(values: Sequence[int]) -> str:
    return msgspec.json.encode(list(values)).decode()


def next_due(db: sqlite3.Connection, lane: str) -> Micros | None:
    query = (
        "SELECT not_before FROM task WHERE phase = 0 AND lane = ?"
        " AND NOT EXISTS (SELECT 1 FROM lane WHERE name = ? AND paused) ORDER BY not_before LIMIT 1"
    )
    rows = db.execute(query, (lane, lane)).fetchall()
    return rows[0][0] if rows else None


def ahead(db: sqlite3.Connection, task_no: int, most: int) -> int | None:
    query = "SELECT lane, batch, priority, turn FROM task WHERE no = ? AND phase = 0"
    rows = db.execute(query, (task_no,)).fetchall()
    if not rows:
        return None
    lane, batch, priority, turn = rows[0]
    # Three ranges of the index, in its order: an earlier class, a higher priority, an earlier turn.
    counted = 0
    for condition, values in (
        ("batch < ?", (batch,)),
        ("batch = ? AND priority > ?", (batch, priority)),
        ("batch = ? AND priority = ? AND (turn, no) < (?, ?)", (batch, priority, turn, task_no)),
    ):
        counted += db.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM task WHERE phase = 0 AND lane = ? AND {condition} LIMIT ?)",
            (lane, *values, most - counted),
        ).fetchall()[0][0]
    return counted


def turns(db: sqlite3.Connection) -> Iterable[tuple[str, str, int, int]]:
    """Lane, key, first and last turn of what waits."""
    query = "SELECT lane, key_id, min(turn), max(turn) FROM task WHERE phase = 0 GROUP BY lane, key_id"
    return db.execute(query).fetchall()


def lanes(db: sqlite3.Connection, served: Sequence[str]) -> list[LaneState]:
    found: dict[str, dict[str, Any]] = {}
    for lane, phase, count, first in db.execute(
        # From the index alone; numbers rise with time, so the lowest is the oldest.
        "SELECT lane, 0, count(*), min(no) FROM task WHERE phase = 0 GROUP BY lane"
        " UNION ALL SELECT lane, 1, count(*), 0 FROM task WHERE phase = 1 GROUP BY lane"
    ).fetchall():
        state = found.setdefault(lane, {})
        state["running" if phase else "waiting"] = count
        if not phase:
            oldest = db.execute("SELECT created_at FROM task WHERE no = ?", (first,)).fetchall()
            state["oldest_at"] = oldest[0][0] if oldest else None
    paused = dict(db.execute("SELECT name, paused FROM lane").fetchall())
    return [
        LaneState(
            name=name,
            paused=bool(paused.get(name, 0)),
            waiting=found.get(name, {}).get("waiting", 0),
            running=found.get(name, {}).get("running", 0),
            oldest_at=found.get(name, {}).get("oldest_at"),
            workers=int(name in served),
        )
        for name in sorted({*found, *paused, *served})
    ]


def pause(db: sqlite3.Connection, lane: str, paused: bool) -> None:
    db.execute(
        "INSERT INTO lane (name, paused) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
        (lane, paused),
    )


def served(db: sqlite3.Connection, lane: str, limit: int) -> list[Served]:
    rows = db.execute(
        "SELECT a.started_at, t.updated_at FROM (SELECT no, attempt, updated_at FROM task"
        " WHERE lane = ? AND phase = 2 AND status = 'SUCCESS' ORDER BY no DESC LIMIT ?) t"
        " JOIN attempt a ON a.task_no = t.no AND a.number = t.attempt",
        (lane, limit),
    ).fetchall()
    return [Served(*row) for row in rows]
