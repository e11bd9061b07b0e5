"""SQL that reads what happened after an event, for those who follow tasks. docs/decisions tells why ids need care."""

from __future__ import annotations

from aquatint.domain.history import Edge, Happened, Pulse
from aquatint.domain.task import Status
from aquatint.store.postgres.pool import Connection


async def edge(db: Connection) -> Edge:
    """Every transaction that adds an event holds this lock from before it takes an id until it has ended."""
    newest, still_open = await db.fetchrow(
        "SELECT coalesce((SELECT max(id) FROM event), 0), ARRAY(SELECT virtualtransaction FROM pg_locks"
        " WHERE locktype = 'relation' AND relation = 'event'::regclass::oid AND mode = 'RowExclusiveLock' AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))"
    )
    return Edge(newest, frozenset(still_open))


async def happened(
    db: Connection, after: int, until: int, limit: int, tasks: list[int], keys: list[str]
) -> list[Happened]:
    found = await db.fetch(
        # One index range of events, and one look by its number for the task of each: never a scan of either table,
        # whatever the planner believes of values that it does not know.
        "WITH e AS MATERIALIZED (SELECT * FROM event WHERE id > $1 AND id <= $2 ORDER BY id)"
        " SELECT e.id, e.at, e.name, e.detail, t.no, t.key_id FROM e"
        " CROSS JOIN LATERAL (SELECT no, key_id FROM task WHERE no = e.task_no OFFSET 0) AS t"
        " WHERE t.no = ANY($4::bigint[]) OR t.key_id = ANY($5::text[]) ORDER BY e.id LIMIT $3",
        after,
        until,
        limit,
        tasks,
        keys,
    )
    return [Happened(*row) for row in found]


async def pulses(db: Connection, tasks: list[int], keys: list[str], limit: int) -> list[Pulse]:
    columns = "no, id, key_id, status, progress, lane"
    found = await db.fetch(
        f"SELECT {columns} FROM task WHERE no = ANY($1::bigint[])"
        f" UNION ALL (SELECT {columns} FROM task WHERE phase = 1 AND key_id = ANY($2::text[]) LIMIT $3)",
        tasks,
        keys,
        limit,
    )
    return [Pulse(row[0], row[1], row[2], Status(row[3]), row[4], row[5]) for row in found]
