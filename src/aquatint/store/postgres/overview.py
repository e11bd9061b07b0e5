"""SQL for the operator's overview, and of the secrets that processes share."""

from __future__ import annotations

import msgspec

from aquatint.domain.task import AttemptLog, Micros, Status
from aquatint.store.postgres.pool import Connection
from aquatint.store.records import Crowd, Finished

_log = msgspec.json.Decoder(AttemptLog)


async def finished(db: Connection, since: Micros, limit: int) -> list[Finished]:
    rows = await db.fetch(
        "SELECT key_id, lane, status, CASE WHEN status NOT IN ('SUCCESS', 'CANCELLED') THEN log END AS log,"
        " coalesce(json_array_length(convert_from(result, 'UTF8')::json -> 'images'), 0) AS images, created_at,"
        " attempt.started_at, updated_at FROM (SELECT * FROM task WHERE phase = 2 AND updated_at >= $1"
        " ORDER BY updated_at DESC LIMIT $2) AS task"
        " LEFT JOIN attempt ON attempt.task_no = task.no AND attempt.number = task.attempt"
        " ORDER BY updated_at DESC",
        since,
        limit,
    )
    return [
        Finished(
            row["key_id"],
            row["lane"],
            Status(row["status"]),
            _log.decode(row["log"]).failure if row["log"] is not None else "",
            row["images"],
            row["created_at"],
            row["started_at"],
            row["updated_at"],
        )
        for row in rows
    ]


async def crowds(db: Connection) -> list[Crowd]:
    rows = await db.fetch(
        "SELECT key_id, count(*) FILTER (WHERE phase = 0) AS waiting, count(*) FILTER (WHERE phase = 1) AS running"
        " FROM task WHERE phase < 2 GROUP BY key_id ORDER BY key_id"
    )
    return [Crowd(row["key_id"], row["waiting"], row["running"]) for row in rows]


async def secret(db: Connection, name: str, fresh: bytes) -> bytes:
    await db.execute("INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, fresh)
    found: bytes = await db.fetchval("SELECT value FROM secret WHERE name = $1", name)
    return found
