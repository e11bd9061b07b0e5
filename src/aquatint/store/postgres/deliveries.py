"""SQL of deliveries: claim, log, redeliver."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.domain.delivery import ClaimedDelivery, Delivery, DeliveryAttempt, DeliveryState, ReplayFilter
from aquatint.domain.task import Micros
from aquatint.store.postgres import rows
from aquatint.store.postgres.pool import Connection

Tried = tuple[int, DeliveryAttempt, DeliveryState, Micros | None]  # delivery, its try, and what happens next


async def claim(
    db: Connection, owner: str, limit: int, now: Micros, lease_until: Micros, busy_hosts: Sequence[str]
) -> list[ClaimedDelivery]:
    """Take due deliveries of hosts that have room; next_at becomes the lease's end, so a lost one comes due again."""
    taken = await db.fetch(
        "WITH due AS (SELECT no FROM delivery WHERE state = 'pending' AND next_at <= $3"
        " AND NOT host = ANY($4::text[]) ORDER BY next_at LIMIT $5 FOR UPDATE SKIP LOCKED)"
        " UPDATE delivery SET tries = tries + 1, lease_owner = $1, lease_until = $2, next_at = $2 FROM due"
        " WHERE delivery.no = due.no"
        " RETURNING delivery.no, id, task_no, url, host, body, tries,"
        " (SELECT webhook_secret FROM key WHERE key.id = delivery.key_id) AS secret,"
        " coalesce((SELECT id FROM task WHERE task.no = task_no), '') AS task_id,"
        " coalesce((SELECT trace FROM task WHERE task.no = task_no), '') AS trace,"
        # A repeated round counts from 1 again, so the log tells which try is the very first.
        " CASE WHEN tries = 1 AND NOT EXISTS (SELECT 1 FROM delivery_attempt a WHERE a.delivery_no = delivery.no)"
        " THEN delivery.created_at END AS ended_at",
        owner,
        lease_until,
        now,
        list(busy_hosts),
        limit,
    )
    return [ClaimedDelivery(*row) for row in sorted(taken, key=lambda row: int(row["no"]))]


async def put_back(db: Connection, numbers: list[int], next_at: Micros) -> None:
    await db.execute(
        "UPDATE delivery SET tries = tries - 1, lease_owner = NULL, lease_until = NULL, next_at = $2"
        " WHERE no = ANY($1::bigint[])",
        numbers,
        next_at,
    )


async def next_due(db: Connection, busy_hosts: Sequence[str]) -> Micros | None:
    found: Micros | None = await db.fetchval(
        "SELECT next_at FROM delivery WHERE state = 'pending' AND NOT host = ANY($1::text[])"
        " ORDER BY next_at LIMIT 1",
        list(busy_hosts),
    )
    return found


async def record(db: Connection, tried: Sequence[Tried]) -> Sequence[Exception | None]:
    await rows.lock(db, "delivery", [no for no, _, _, _ in tried])
    await db.execute(
        "INSERT INTO delivery_attempt (delivery_no, number, at, duration_ms, status, outcome, detail, response)"
        " SELECT v.delivery_no, (SELECT coalesce(max(number), 0) + 1 FROM delivery_attempt a"
        " WHERE a.delivery_no = v.delivery_no), v.at, v.duration_ms, v.status, v.outcome, v.detail, v.response"
        " FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[])"
        " AS v(delivery_no, at, duration_ms, status, outcome, detail, response)"
        " WHERE EXISTS (SELECT 1 FROM delivery WHERE delivery.no = v.delivery_no)",  # not when deleted meanwhile
        [no for no, _, _, _ in tried],
        [attempt.at for _, attempt, _, _ in tried],
        [attempt.duration_ms for _, attempt, _, _ in tried],
        [attempt.status for _, attempt, _, _ in tried],
        [attempt.outcome for _, attempt, _, _ in tried],
        [attempt.detail for _, attempt, _, _ in tried],
        [attempt.response.replace("\0", "") for _, attempt, _, _ in tried],
    )
    await db.execute(
        "UPDATE delivery SET state = v.state, next_at = v.next_at, lease_owner = NULL, lease_until = NULL"
        " FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS v(no, state, next_at) WHERE delivery.no = v.no",
        [no for no, _, _, _ in tried],
        [state.value for _, _, state, _ in tried],
        [next_at for _, _, _, next_at in tried],
    )
    return [None] * len(tried)


async def listing(db: Connection, task_no: int) -> list[Delivery]:
    found = []
    for row in await db.fetch(
        "SELECT no, id, url, state, created_at, next_at, body FROM delivery WHERE task_no = $1", task_no
    ):
        log = await db.fetch(
            "SELECT number, at, duration_ms, status, outcome, detail, response FROM delivery_attempt"
            " WHERE delivery_no = $1 ORDER BY number",
            row["no"],
        )
        attempts = tuple(DeliveryAttempt(*tried) for tried in log)
        found.append(
            Delivery(
                row["id"],
                row["url"],
                DeliveryState(row["state"]),
                row["created_at"],
                row["next_at"],
                attempts,
                row["body"],
            )
        )
    return found


async def redeliver(db: Connection, task_no: int, now: Micros) -> bool:
    changed = await db.fetchval(
        "UPDATE delivery SET state = 'pending', next_at = $2, tries = 0, lease_owner = NULL, lease_until = NULL"
        " WHERE task_no = $1 RETURNING 1",
        task_no,
        now,
    )
    if changed is not None:
        await rows.add_events(db, [(task_no, now, "delivery.requested", "")])
        await rows.announce(db, "delivery", [""])
    return changed is not None


async def replay(db: Connection, wanted: ReplayFilter, now: Micros, limit: int) -> int:
    changed = await db.fetch(
        "UPDATE delivery SET state = 'pending', next_at = $1, tries = 0, lease_owner = NULL, lease_until = NULL"
        " WHERE no IN (SELECT no FROM delivery WHERE created_at >= $2 AND created_at < $3 AND state = ANY($4::text[])"
        " AND ($5::text IS NULL OR key_id = $5) ORDER BY created_at LIMIT $6) RETURNING task_no",
        now,
        wanted.ended_from,
        wanted.ended_to,
        [state.value for state in wanted.states],
        wanted.key_id,
        limit,
    )
    await rows.add_events(db, [(row["task_no"], now, "delivery.requested", "") for row in changed])
    if changed:
        await rows.announce(db, "delivery", [""])
    return len(changed)
