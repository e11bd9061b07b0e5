"""Rows to values and back, and the statements that several modules share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from aquatint.domain.task import Attempt, AttemptLog, ClaimedTask, Micros, Result, Status, Task, TaskInput
from aquatint.store.postgres.pool import Connection
from aquatint.store.records import Link

json = msgspec.json.Encoder()
_result = msgspec.json.Decoder(Result)
_input = msgspec.json.Decoder(TaskInput)
_texts = msgspec.json.Decoder(tuple[str, ...])
_log = msgspec.json.Decoder(AttemptLog)

TASK = (
    "no, id, key_id, user_id, model, mode, status, echo, callback_url, created_at, updated_at, attempt, engine,"
    " progress, result, failure_reason, failure_message, warnings, lane, trace"
)
CLAIMED = (
    "task.no, id, key_id, model, input, attempt, failures, progress, created_at, deadline_at, echo, callback_url,"
    " user_id, lane, failed_routes, not_before, turn, batch, priority, trace"
)


def text(value: object) -> str:
    return json.encode(value).decode()


def task(row: Any) -> Task:
    values = list(row)
    values[6] = Status(values[6])
    values[7] = msgspec.Raw(values[7])
    values[14] = None if values[14] is None else _result.decode(values[14])
    values[17] = _texts.decode(values[17]) if values[17] else ()
    return Task(*values)  # same order as TASK


def claimed(row: Any) -> ClaimedTask:
    return ClaimedTask(
        no=row["no"],
        id=row["id"],
        key_id=row["key_id"],
        model=row["model"],
        input=_input.decode(row["input"]),
        attempt=row["attempt"],
        failures=row["failures"],
        progress=row["progress"],
        created_at=row["created_at"],
        deadline_at=row["deadline_at"],
        echo=msgspec.Raw(row["echo"]),
        callback_url=row["callback_url"],
        user_id=row["user_id"],
        lane=row["lane"],
        failed_routes=_texts.decode(row["failed_routes"]) if row["failed_routes"] else (),
        due_at=row["not_before"],
        trace=row["trace"],
    )


def attempt(row: Any) -> Attempt:
    known = _log.decode(row["log"]) if row["log"] is not None else AttemptLog(engine=row["engine"])
    return Attempt(
        row["number"],
        row["due_at"],
        row["started_at"],
        row["finished_at"],
        row["outcome"],
        row["detail"] or "",
        known,
    )


async def add_events(db: Connection, events: Sequence[tuple[int, Micros, str, str]]) -> None:
    """Task, time, name and detail of each."""
    if events:
        await db.execute(
            "INSERT INTO event (task_no, at, name, detail)"
            " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[])",
            *map(list, zip(*events, strict=True)),
        )


def storable(text: str) -> bool:
    """PostgreSQL keeps no U+0000 in a text, so whoever looks for one finds nothing."""
    return "\0" not in text


async def add_links(db: Connection, links: Sequence[Link]) -> None:
    if links:
        await db.execute(
            "INSERT INTO link (token, name, digest, media_type, bytes, expires_at)"
            " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])"
            " ON CONFLICT (token) DO NOTHING",
            [link.token for link in links],
            [link.name for link in links],
            [link.digest for link in links],
            [link.media_type for link in links],
            [link.bytes for link in links],
            [link.expires_at for link in links],
        )


async def close_attempts(
    db: Connection, ends: Sequence[tuple[int, int, Micros, str, str, AttemptLog | None]]
) -> None:
    """Task, number, time, outcome, detail and log of each attempt that has ended; number 0 never was one."""
    ends = [end for end in ends if end[1]]
    if ends:
        await db.execute(
            "UPDATE attempt SET finished_at = v.at, outcome = v.outcome, detail = v.detail, engine = v.engine,"
            " log = v.log"
            " FROM unnest($1::bigint[], $2::int[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bytea[])"
            " AS v(task_no, number, at, outcome, detail, engine, log)"
            " WHERE attempt.task_no = v.task_no AND attempt.number = v.number AND attempt.finished_at IS NULL",
            [end[0] for end in ends],
            [end[1] for end in ends],
            [end[2] for end in ends],
            [end[3] for end in ends],
            [end[4] for end in ends],
            [end[5].engine if end[5] is not None else None for end in ends],
            [json.encode(end[5]) if end[5] is not None else None for end in ends],
        )


async def lock(db: Connection, table: str, numbers: Sequence[int]) -> None:
    """Take these rows in the order that everybody takes them in: an UPDATE of many rows has no order of its own, and
    two of them would wait for each other. Nothing for one row: it is its own order.
    """
    if len(numbers) > 1:
        await db.execute(f"SELECT 1 FROM {table} WHERE no = ANY($1) ORDER BY no FOR NO KEY UPDATE", list(numbers))


async def announce(db: Connection, what: str, which: Sequence[str]) -> None:
    """Tell every process once this transaction is committed."""
    for name in dict.fromkeys(which):
        await db.execute("SELECT pg_notify('aquatint', $1)", f"{what} {name}")
