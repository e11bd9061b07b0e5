"""SQL of outcomes: settle, requeue, release; each fenced by the attempt's number."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from aquatint.domain.task import Micros
from aquatint.store.postgres import calls, rows
from aquatint.store.postgres.pool import Connection
from aquatint.store.records import Link, NewDelivery, Requeue, Settlement


async def settle(db: Connection, outcomes: Sequence[Settlement]) -> Sequence[bool | Exception]:
    """Write the outcomes whose attempts own their tasks; which those were."""
    written = [False] * len(outcomes)
    left = list(range(len(outcomes)))
    while left:  # two outcomes of one task must not meet in one statement
        wave: dict[int, int] = {}
        for index in left:
            wave.setdefault(outcomes[index].task_no, index)
        mine = sorted(wave.values(), key=lambda index: outcomes[index].task_no)
        for index, done in zip(mine, await _wave(db, [outcomes[index] for index in mine]), strict=True):
            written[index] = done
        left = [index for index in left if index not in set(mine)]
    return written


async def _wave(db: Connection, outcomes: Sequence[Settlement]) -> list[bool]:
    await rows.lock(db, "task", [o.task_no for o in outcomes])
    changed = await db.fetch(
        "UPDATE task SET phase = 2, status = v.status, updated_at = v.at, engine = v.engine, progress = v.progress,"
        " result = v.result, failure_reason = v.failure_reason, failure_message = v.failure_message,"
        " warnings = v.warnings, lease_owner = NULL, lease_until = NULL"
        " FROM unnest($1::bigint[], $2::int[], $3::text[], $4::bigint[], $5::text[], $6::float8[], $7::bytea[],"
        " $8::text[], $9::text[], $10::text[]) AS v(no, attempt, status, at, engine, progress, result,"
        " failure_reason, failure_message, warnings)"
        " WHERE task.no = v.no AND task.attempt = v.attempt AND task.phase < 2"
        " RETURNING task.no, task.key_id, task.points",
        [o.task_no for o in outcomes],
        [o.attempt for o in outcomes],
        [o.status.value for o in outcomes],
        [o.at for o in outcomes],
        [o.engine for o in outcomes],
        [o.progress for o in outcomes],
        [None if o.result is None else rows.json.encode(o.result) for o in outcomes],
        [o.failure_reason for o in outcomes],
        [o.failure_message for o in outcomes],
        [rows.text(o.warnings) if o.warnings else None for o in outcomes],
    )
    owners = {row["no"]: (row["key_id"], row["points"]) for row in changed}
    mine = [o for o in outcomes if o.task_no in owners]
    if mine:
        await rows.close_attempts(
            db,
            [
                (
                    o.task_no,
                    o.attempt,
                    o.at,
                    o.status.value,
                    o.detail,
                    msgspec.structs.replace(o.log, engine=o.engine),
                )
                for o in mine
            ],
        )
        await rows.add_events(
            db, [(o.task_no, o.at, f"task.{o.status.lower()}", o.failure_message or "") for o in mine]
        )
        await calls.close_open(db, [o.task_no for o in mine], max(o.at for o in mine))
        await _points(db, mine, owners)
        await rows.add_links(db, [link for o in mine for link in _links(o)])
        await _deliveries(db, [(o, o.delivery, owners[o.task_no][0]) for o in mine if o.delivery is not None])
    return [o.task_no in owners for o in outcomes]


def _links(outcome: Settlement) -> list[Link]:
    if outcome.result is None:
        return []
    expires_at = outcome.result.expires_at
    return [
        Link(image.token, image.name, image.digest, image.media_type, image.bytes, expires_at)
        for image in outcome.result.images
    ]


async def _points(db: Connection, outcomes: Sequence[Settlement], owners: dict[int, tuple[str, int]]) -> None:
    """Capture what the surviving images cost and give the rest of each hold back."""
    booked: list[tuple[int, str, str, int, Micros]] = []
    for outcome in outcomes:
        key_id, held = owners[outcome.task_no]
        captured = min(held, outcome.points_charged)
        if captured:
            booked.append((outcome.task_no, "capture", key_id, captured, outcome.at))
        if held > captured:
            booked.append((outcome.task_no, "release", key_id, held - captured, outcome.at))
    if not booked:
        return
    await db.execute(
        "INSERT INTO ledger (task_no, kind, key_id, points, at)"
        " SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])",
        *map(list, zip(*booked, strict=True)),
    )
    back: dict[str, int] = {}
    for _, kind, key_id, points, _ in booked:
        if kind == "release":
            back[key_id] = back.get(key_id, 0) + points
    if back:
        keys = sorted(back)
        await db.execute("SELECT 1 FROM key WHERE id = ANY($1) ORDER BY id FOR UPDATE", keys)
        await db.execute(
            "UPDATE key SET points = key.points + v.points"
            " FROM unnest($1::text[], $2::bigint[]) AS v(id, points) WHERE key.id = v.id",
            keys,
            [back[key] for key in keys],
        )


async def _deliveries(db: Connection, new: Sequence[tuple[Settlement, NewDelivery, str]]) -> None:
    if not new:
        return
    await db.execute(
        "INSERT INTO delivery (id, task_no, key_id, url, host, body, state, next_at, created_at)"
        " SELECT id, task_no, key_id, url, host, body, 'pending', next_at, created_at"
        " FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bigint[],"
        " $8::bigint[]) AS v(id, task_no, key_id, url, host, body, next_at, created_at)",
        [delivery.id for _, delivery, _ in new],
        [outcome.task_no for outcome, _, _ in new],
        [key_id for _, _, key_id in new],
        [delivery.url for _, delivery, _ in new],
        [delivery.host for _, delivery, _ in new],
        [delivery.body for _, delivery, _ in new],
        [delivery.next_at for _, delivery, _ in new],
        [outcome.at for outcome, _, _ in new],
    )
    await rows.announce(db, "delivery", [""])


async def requeue(db: Connection, how: Requeue) -> bool:
    routes = rows.text(how.failed_routes) if how.failed_routes else ""
    lane = await db.fetchval(
        "UPDATE task SET phase = 0, not_before = $3,"
        " failures = CASE WHEN $4::text IS NULL THEN failures + $5::int ELSE 0 END,"
        " lane = coalesce($4, lane), failed_routes = CASE $6::text WHEN '' THEN failed_routes ELSE $6 END,"
        " lease_owner = NULL, lease_until = NULL"
        " WHERE no = $1 AND attempt = $2 AND phase = 1 RETURNING lane",
        how.task_no,
        how.attempt,
        how.not_before,
        how.lane,
        int(how.failed),
        routes,
    )
    if lane is None:
        return False
    await rows.close_attempts(db, [(how.task_no, how.attempt, how.at, "requeued", how.why, how.log)])
    await rows.add_events(db, [(how.task_no, how.at, "task.requeued", how.why)])
    await rows.announce(db, "work", [lane])
    return True


async def release_expired(db: Connection, now: Micros) -> int:
    """Give back tasks whose worker stopped renewing its lease, and deliveries likewise."""
    why = "its worker went away"
    lost = await db.fetch(
        "UPDATE task SET phase = 0, not_before = $1, lease_owner = NULL, lease_until = NULL"
        " WHERE no IN (SELECT no FROM task WHERE phase = 1 AND lease_until <= $1 FOR UPDATE SKIP LOCKED)"
        " RETURNING no, attempt, lane",
        now,
    )
    await rows.close_attempts(db, [(row["no"], row["attempt"], now, "lost", why, None) for row in lost])
    await rows.add_events(db, [(row["no"], now, "task.requeued", why) for row in lost])
    await rows.announce(db, "work", [row["lane"] for row in lost])
    return len(lost)
