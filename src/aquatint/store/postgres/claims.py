"""SQL of claiming: whose turn it is, within the limits of keys and models, over all workers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from aquatint.domain.lane import LaneState
from aquatint.domain.task import ClaimedTask, Micros
from aquatint.store.postgres import rows
from aquatint.store.postgres.pool import Connection
from aquatint.store.postgres.processes import SEEN
from aquatint.store.records import Served

ORDER = "batch, priority DESC, turn, no"
LOOK_AHEAD = 4  # candidates looked at for each task wanted, where limits may skip some


async def claim(
    db: Connection,
    owner: str,
    lane: str,
    limit: int,
    now: Micros,
    lease_until: Micros,
    key_limits: Mapping[str, int],
    model_limits: Mapping[str, int],
    models: list[str],
) -> list[ClaimedTask]:
    wanted: int | list[int]
    if key_limits or model_limits:
        chosen = await _within_limits(db, lane, limit, now, key_limits, model_limits, models)
        due, wanted = "SELECT no FROM unnest($5::bigint[]) AS v(no) WHERE $6::text[] IS NOT NULL", chosen
    else:
        due = (
            "SELECT no FROM task WHERE phase = 0 AND lane = $4 AND not_before <= $3"
            " AND NOT EXISTS (SELECT 1 FROM lane WHERE name = $4 AND paused)"
            " AND (cardinality($6::text[]) = 0 OR model = ANY($6::text[]))"
            f" ORDER BY {ORDER} LIMIT $5 FOR UPDATE SKIP LOCKED"
        )
        wanted = limit
    taken = await db.fetch(
        f"WITH due AS ({due})"
        " UPDATE task SET phase = 1, attempt = attempt + 1, lease_owner = $1, lease_until = $2,"
        " updated_at = CASE status WHEN 'PENDING' THEN $3 ELSE updated_at END,"
        " status = CASE status WHEN 'PENDING' THEN 'PROCESSING' ELSE status END"
        " FROM due WHERE task.no = due.no AND task.phase = 0 AND task.lane = $4"
        f" RETURNING {rows.CLAIMED}",
        owner,
        lease_until,
        now,
        lane,
        wanted,
        models,
    )
    if not taken:
        return []
    await db.execute(
        "INSERT INTO attempt (task_no, number, owner, started_at, due_at) SELECT no, number, $1, $2, due_at"
        " FROM unnest($3::bigint[], $4::int[], $5::bigint[]) AS v(no, number, due_at)",
        owner,
        now,
        [row["no"] for row in taken],
        [row["attempt"] for row in taken],
        [row["not_before"] for row in taken],
    )
    await rows.add_events(db, [(row["no"], now, "task.claimed", f"attempt {row['attempt']}") for row in taken])
    await db.execute(
        "INSERT INTO lane (name, turn) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET turn = excluded.turn WHERE lane.turn < excluded.turn",
        lane,
        max(row["turn"] for row in taken),
    )
    ordered = sorted(taken, key=lambda row: (row["batch"], -row["priority"], row["turn"], row["no"]))
    return [rows.claimed(row) for row in ordered]


async def _within_limits(
    db: Connection,
    lane: str,
    limit: int,
    now: Micros,
    key_limits: Mapping[str, int],
    model_limits: Mapping[str, int],
    mine: list[str],
) -> list[int]:
    """Tasks in their order that no limit holds back. One worker at a time counts, so that the counts hold."""
    await db.execute("INSERT INTO lane (name) VALUES ($1) ON CONFLICT DO NOTHING", lane)
    # Keys and models run in several lanes: one lock for all counting, not one for each lane.
    await db.execute("SELECT pg_advisory_xact_lock(hashtext('aquatint.limits'))")
    if await db.fetchval("SELECT paused FROM lane WHERE name = $1", lane):
        return []
    keys, models = await _running(db, "key_id", key_limits), await _running(db, "model", model_limits)
    chosen: list[int] = []
    while len(chosen) < limit:
        candidates = await db.fetch(
            "SELECT no, key_id, model FROM task WHERE phase = 0 AND lane = $1 AND not_before <= $2"
            " AND NOT key_id = ANY($3::text[]) AND NOT model = ANY($4::text[]) AND NOT no = ANY($5::bigint[])"
            " AND (cardinality($7::text[]) = 0 OR model = ANY($7::text[]))"
            f" ORDER BY {ORDER} LIMIT $6 FOR UPDATE SKIP LOCKED",
            lane,
            now,
            [key for key, most in key_limits.items() if keys[key] >= most],
            [model for model, most in model_limits.items() if models[model] >= most],
            chosen,
            limit * LOOK_AHEAD,
            mine,
        )
        if not candidates:
            break
        for no, key, model in candidates:
            if len(chosen) == limit:
                break
            if _full(keys, key, key_limits) or _full(models, model, model_limits):
                continue
            chosen.append(no)
            keys[key] += 1
            models[model] += 1
    return chosen


def _full(running: Counter[str], name: str, limits: Mapping[str, int]) -> bool:
    return name in limits and running[name] >= limits[name]


async def _running(db: Connection, column: str, limits: Mapping[str, int]) -> Counter[str]:
    found = await db.fetch(
        f"SELECT {column} AS name, count(*) AS running FROM task WHERE phase = 1 AND {column} = ANY($1::text[])"
        f" GROUP BY {column}",
        list(limits),
    )
    return Counter({row["name"]: row["running"] for row in found})


async def key_limits(db: Connection) -> dict[str, int]:
    found = await db.fetch("SELECT id, max_running FROM key WHERE max_running IS NOT NULL")
    return {row["id"]: row["max_running"] for row in found}


async def renew(
    db: Connection, owner: str, tasks: Sequence[int], deliveries: Sequence[int], lease_until: Micros
) -> list[int]:
    if deliveries:
        await rows.lock(db, "delivery", deliveries)
        await db.execute(
            "UPDATE delivery SET lease_until = $2, next_at = $2"
            " WHERE lease_owner = $1 AND state = 'pending' AND no = ANY($3::bigint[])",
            owner,
            lease_until,
            list(deliveries),
        )
    await rows.lock(db, "task", tasks)
    kept = await db.fetch(
        "UPDATE task SET lease_until = $2 WHERE phase = 1 AND lease_owner = $1 AND no = ANY($3::bigint[])"
        " RETURNING no",
        owner,
        lease_until,
        list(tasks),
    )
    return [row["no"] for row in kept]


async def next_due(db: Connection, lane: str) -> Micros | None:
    found: Micros | None = await db.fetchval(
        "SELECT not_before FROM task WHERE phase = 0 AND lane = $1"
        " AND NOT EXISTS (SELECT 1 FROM lane WHERE name = $1 AND paused) ORDER BY not_before LIMIT 1",
        lane,
    )
    return found


async def ahead(db: Connection, task_no: int, most: int) -> int | None:
    mine = await db.fetchrow("SELECT lane, batch, priority, turn FROM task WHERE no = $1 AND phase = 0", task_no)
    if mine is None:
        return None
    counted = 0
    ranges: Sequence[tuple[str, tuple[Any, ...]]] = (
        ("batch < $3", (mine["batch"],)),
        ("batch = $3 AND priority > $4", (mine["batch"], mine["priority"])),
        (
            "batch = $3 AND priority = $4 AND (turn, no) < ($5, $6)",
            (mine["batch"], mine["priority"], mine["turn"], task_no),
        ),
    )
    for condition, values in ranges:
        counted += await db.fetchval(
            f"SELECT count(*) FROM (SELECT 1 FROM task WHERE phase = 0 AND lane = $1 AND {condition} LIMIT $2) AS v",
            mine["lane"],
            most - counted,
            *values,
        )
    return counted


async def lanes(db: Connection) -> list[LaneState]:
    found = await db.fetch(
        "SELECT name, coalesce(paused, FALSE) AS paused, coalesce(waiting, 0) AS waiting,"
        " coalesce(running, 0) AS running, oldest_at, coalesce(workers, 0) AS workers FROM lane"
        " FULL JOIN (SELECT lane AS name, count(*) FILTER (WHERE phase = 0) AS waiting,"
        " count(*) FILTER (WHERE phase = 1) AS running, min(created_at) FILTER (WHERE phase = 0) AS oldest_at"
        " FROM task WHERE phase < 2 GROUP BY lane) t USING (name)"
        " FULL JOIN (SELECT name, count(*) AS workers FROM process, unnest(works) AS w(name)"
        " WHERE seen_at > (extract(epoch FROM now()) * 1000000)::bigint - $1 GROUP BY name) p USING (name)"
        " ORDER BY name",
        SEEN,
    )
    return [LaneState(*row) for row in found]


async def pause(db: Connection, lane: str, paused: bool) -> None:
    await db.execute(
        "INSERT INTO lane (name, paused) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET paused = excluded.paused",
        lane,
        paused,
    )
    if not paused:
        await rows.announce(db, "work", [lane])


async def served(db: Connection, lane: str, limit: int) -> list[Served]:
    found = await db.fetch(
        "SELECT a.started_at, t.updated_at FROM (SELECT no, attempt, updated_at FROM task"
        " WHERE lane = $1 AND phase = 2 AND status = 'SUCCESS' ORDER BY no DESC LIMIT $2) t"
        " JOIN attempt a ON a.task_no = t.no AND a.number = t.attempt",
        lane,
        limit,
    )
    return [Served(*row) for row in found]
