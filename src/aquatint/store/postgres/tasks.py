"""SQL that reads tasks, and the small writes of a running one."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.domain.task import Attempt, Micros, Task, TaskFilter
from aquatint.store.postgres import rows, search
from aquatint.store.postgres.pool import Connection
from aquatint.store.records import Event

Submitted = tuple[int, int, str, Micros]  # task, attempt, engine, time
Progressed = tuple[int, int, float]  # task, attempt, fraction


async def read(db: Connection, task_id: str) -> Task | None:
    if not rows.storable(task_id):
        return None
    row = await db.fetchrow(f"SELECT {rows.TASK} FROM task WHERE id = $1", task_id)
    return rows.task(row) if row is not None else None


async def listing(db: Connection, wanted: TaskFilter) -> list[Task]:
    conditions = ["key_id = $1"]
    values: list[object] = [wanted.key_id]
    for condition, value in (
        ("user_id =", wanted.user_id),
        ("status =", wanted.status.value if wanted.status is not None else None),
        ("model =", wanted.model),
        ("created_at >=", wanted.created_after),
        ("created_at <=", wanted.created_before),
        ("updated_at >=", wanted.updated_after),
        ("no <", wanted.before),
    ):
        if value is not None:
            values.append(value)
            conditions.append(f"{condition} ${len(values)}")
    if wanted.words is not None:
        values.append(wanted.words)
        conditions.append(search.condition(len(values)))
    if not all(rows.storable(value) for value in values if isinstance(value, str)):
        return []
    found = await db.fetch(
        f"SELECT {rows.TASK} FROM task WHERE {' AND '.join(conditions)} ORDER BY no DESC LIMIT ${len(values) + 1}",
        *values,
        wanted.limit,
    )
    return [rows.task(row) for row in found]


async def promised(db: Connection, key_id: str, first: str, last: str, limit: int) -> list[Task]:
    found = await db.fetch(
        f"SELECT {rows.TASK} FROM task WHERE id IN (SELECT task_id FROM idempotency WHERE key_id = $1 AND key >= $2"
        " AND key <= $3) ORDER BY no DESC LIMIT $4",
        key_id,
        first,
        last,
        limit,
    )
    return [rows.task(row) for row in found]


async def events(db: Connection, task_no: int, after: int, limit: int) -> list[Event]:
    found = await db.fetch(
        # `id + 0`: of the two indexes only the task's is a good way, however few events the planner sees after the id
        "SELECT id, at, name, detail FROM event WHERE task_no = $1 AND id + 0 > $2 ORDER BY id + 0 LIMIT $3",
        task_no,
        after,
        limit,
    )
    return [Event(*row) for row in found]


async def numbered(db: Connection, numbers: list[int]) -> list[Task]:
    found = await db.fetch(f"SELECT {rows.TASK} FROM task WHERE no = ANY($1::bigint[])", numbers)
    return [rows.task(row) for row in found]


async def attempts(db: Connection, task_no: int) -> list[Attempt]:
    found = await db.fetch(
        "SELECT number, due_at, started_at, finished_at, outcome, detail, engine, log FROM attempt"
        " WHERE task_no = $1 ORDER BY number",
        task_no,
    )
    return [rows.attempt(row) for row in found]


async def overdue(db: Connection, now: Micros, limit: int) -> list[Task]:
    found = await db.fetch(
        f"SELECT {rows.TASK} FROM task WHERE phase < 2 AND deadline_at <= $1 ORDER BY deadline_at LIMIT $2",
        now,
        limit,
    )
    return [rows.task(row) for row in found]


async def unstarted(db: Connection, now: Micros, limit: int) -> list[Task]:
    found = await db.fetch(
        f"SELECT {rows.TASK} FROM task WHERE phase = 0 AND attempt = 0 AND start_by IS NOT NULL AND start_by <= $1"
        " LIMIT $2",
        now,
        limit,
    )
    return [rows.task(row) for row in found]


async def strays(db: Connection, lanes: list[str], seen_since: Micros, limit: int) -> list[Task]:
    found = await db.fetch(
        f"SELECT {rows.TASK} FROM task WHERE phase = 0 AND NOT lane = ANY($1::text[])"
        " AND NOT lane = ANY(ARRAY(SELECT unnest(engines) FROM process WHERE seen_at >= $2)) LIMIT $3",
        lanes,
        seen_since,
        limit,
    )
    return [rows.task(row) for row in found]


async def move(db: Connection, task_no: int, lane: str) -> None:
    await db.execute("UPDATE task SET lane = $2 WHERE no = $1 AND phase = 0", task_no, lane)
    await rows.announce(db, "work", [lane])


async def mark_submitted(db: Connection, marks: Sequence[Submitted]) -> None:
    await rows.lock(db, "task", [mark[0] for mark in marks])
    changed = await db.fetch(
        "UPDATE task SET engine = v.engine,"
        " updated_at = CASE status WHEN 'PROCESSING' THEN v.at ELSE updated_at END, status = 'SUBMITTED'"
        " FROM unnest($1::bigint[], $2::int[], $3::text[], $4::bigint[]) AS v(no, attempt, engine, at)"
        " WHERE task.no = v.no AND task.attempt = v.attempt AND phase = 1 RETURNING task.no, v.at, v.engine",
        *map(list, zip(*sorted(marks), strict=True)),
    )
    await rows.add_events(db, [(row["no"], row["at"], "task.handed_over", row["engine"]) for row in changed])


async def note_progress(db: Connection, notes: Sequence[Progressed]) -> None:
    await rows.lock(db, "task", [note[0] for note in notes])
    await db.execute(
        "UPDATE task SET progress = v.progress FROM unnest($1::bigint[], $2::int[], $3::float8[]) AS"
        " v(no, attempt, progress) WHERE task.no = v.no AND task.attempt = v.attempt AND phase = 1",
        *map(list, zip(*sorted(notes), strict=True)),
    )


async def count_waiting(db: Connection, most: int) -> int:
    return int(await db.fetchval("SELECT count(*) FROM (SELECT 1 FROM task WHERE phase = 0 LIMIT $1) AS v", most))
