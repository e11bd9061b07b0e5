"""SQL of submit: many submits of one moment in one transaction, each with everything that belongs to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from aquatint.domain.errors import Conflict, QuotaExceeded, RateLimited
from aquatint.store.postgres import rows
from aquatint.store.postgres.pool import Connection
from aquatint.store.records import NewTask, Submitted

BACKLOG_RETRY = 10.0  # seconds after which a caller whose backlog is full may try again

Answer = Submitted | Exception


async def submit(db: Connection, tasks: Sequence[NewTask]) -> Sequence[Answer]:
    """Write the tasks that are new; a replay answers the earlier task, a refusal its error."""
    answers: list[Answer | None] = [None] * len(tasks)
    await _promises(db, tasks, answers)
    await _backlogs(db, tasks, answers)
    held = await _holds(db, tasks, answers)
    new = [index for index, answer in enumerate(answers) if answer is None]
    turns = await _turns(db, [tasks[index] for index in new])
    written = [tasks[index] for index in new]
    if written:
        await _insert(db, written, turns, [held.get(index, 0) for index in new])
        await rows.announce(db, "work", [task.lane for task in written])
    for index in new:
        answers[index] = Submitted(tasks[index].id)
    refused = [tasks[i] for i, answer in enumerate(answers) if isinstance(answer, Exception)]
    await _forget(db, [task for task in refused if task.idempotency is not None])
    return [answer for answer in answers if answer is not None]


async def _promises(db: Connection, tasks: Sequence[NewTask], answers: list[Answer | None]) -> None:
    """Answer what was submitted before. Of equal keys in one batch the first makes the task."""
    mine: dict[tuple[str, str], int] = {}
    for index, task in enumerate(tasks):
        if task.idempotency is not None:
            mine.setdefault((task.key_id, task.idempotency.key), index)
    if not mine:
        return
    names = sorted(mine)  # one order for all, so that two batches never wait for each other
    keys = [[name[0] for name in names], [name[1] for name in names]]
    await db.execute(
        "DELETE FROM idempotency USING unnest($1::text[], $2::text[]) AS v(key_id, key)"
        " WHERE idempotency.key_id = v.key_id AND idempotency.key = v.key AND expires_at <= $3",
        *keys,
        min(tasks[index].created_at for index in mine.values()),
    )
    firsts = [tasks[mine[name]] for name in names]
    taken = await db.fetch(
        "INSERT INTO idempotency (key_id, key, body_hash, task_id, expires_at)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::text[], $5::bigint[])"
        " ON CONFLICT (key_id, key) DO NOTHING RETURNING key_id, key",
        *keys,
        [task.idempotency.body_hash for task in firsts if task.idempotency is not None],
        [task.id for task in firsts],
        [task.idempotency.expires_at for task in firsts if task.idempotency is not None],
    )
    fresh = {(row["key_id"], row["key"]) for row in taken}
    known = {name: (firsts[i].idempotency, firsts[i].id) for i, name in enumerate(names) if name in fresh}
    stored: dict[tuple[str, str], tuple[bytes, str]] = {
        name: (promise.body_hash, task_id) for name, (promise, task_id) in known.items() if promise is not None
    }
    if len(fresh) < len(names):
        found = await db.fetch(
            "SELECT i.key_id, i.key, body_hash, task_id FROM idempotency i"
            " JOIN unnest($1::text[], $2::text[]) AS v(key_id, key) ON i.key_id = v.key_id AND i.key = v.key",
            *keys,
        )
        stored |= {(row["key_id"], row["key"]): (row["body_hash"], row["task_id"]) for row in found}
    for index, task in enumerate(tasks):
        if task.idempotency is None:
            continue
        name = (task.key_id, task.idempotency.key)
        if name in fresh and mine[name] == index:
            continue
        body_hash, task_id = stored[name]
        if body_hash == task.idempotency.body_hash:
            answers[index] = Submitted(task_id, replayed=True)
        else:
            answers[index] = Conflict("this Idempotency-Key was already used with another body")


async def _backlogs(db: Connection, tasks: Sequence[NewTask], answers: list[Answer | None]) -> None:
    """Refuse what exceeds a key's own backlog."""
    limited = {
        task.key_id
        for task, answer in zip(tasks, answers, strict=True)
        if answer is None and task.max_pending is not None
    }
    if not limited:
        return
    waiting: dict[str, int] = defaultdict(int)
    # One batch at a time counts a key's tasks and adds to them; in one order for all, so that none waits in a circle.
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(v.id, 0)) FROM unnest($1::text[]) AS v(id)",
        [f"backlog {key}" for key in sorted(limited)],
    )
    counted = await db.fetch(
        "SELECT key_id, count(*) AS waiting FROM task WHERE phase = 0 AND key_id = ANY($1) GROUP BY key_id",
        sorted(limited),
    )
    waiting.update({row["key_id"]: row["waiting"] for row in counted})
    for index, task in enumerate(tasks):
        if answers[index] is not None or task.max_pending is None:
            continue
        if waiting[task.key_id] >= task.max_pending:
            words = f"this key has {task.max_pending} tasks waiting; no more are taken"
            answers[index] = RateLimited(words, BACKLOG_RETRY)
        waiting[task.key_id] += 1


async def _holds(db: Connection, tasks: Sequence[NewTask], answers: list[Answer | None]) -> dict[int, int]:
    """Take points from the balances; how many each task holds. Keys whose points are not counted hold none."""
    paying = [i for i, task in enumerate(tasks) if answers[i] is None and task.points]
    if not paying:
        return {}
    keys = sorted({tasks[index].key_id for index in paying})
    found = await db.fetch("SELECT id, points FROM key WHERE id = ANY($1) ORDER BY id FOR UPDATE", keys)
    balance: dict[str, int | None] = {row["id"]: row["points"] for row in found}
    held: dict[int, int] = {}
    for index in paying:
        task = tasks[index]
        left = balance.get(task.key_id)
        if left is None:
            continue
        if left < task.points:
            answers[index] = QuotaExceeded(f"this task needs {task.points} points; the balance is {left}")
            continue
        balance[task.key_id] = left - task.points
        held[index] = task.points
    await db.execute(
        "UPDATE key SET points = v.points FROM unnest($1::text[], $2::bigint[]) AS v(id, points) WHERE key.id = v.id",
        [key for key, points in balance.items() if points is not None],
        [points for points in balance.values() if points is not None],
    )
    return held


async def _turns(db: Connection, tasks: Sequence[NewTask]) -> list[int]:
    """The fair turn of each task: one row a lane and key is moved on by all of its tasks in the batch."""
    costs: dict[tuple[str, str], int] = defaultdict(int)
    for task in tasks:
        costs[task.lane, task.key_id] += task.cost
    names = sorted(costs)
    if not names:
        return []
    moved = await db.fetch(
        "INSERT INTO turn AS t (lane, key_id, next)"
        " SELECT v.lane, v.key_id, coalesce(l.turn, 0) + v.cost"
        " FROM unnest($1::text[], $2::text[], $3::bigint[]) AS v(lane, key_id, cost)"
        " LEFT JOIN lane l ON l.name = v.lane ORDER BY v.lane, v.key_id"
        " ON CONFLICT (lane, key_id) DO UPDATE SET next = greatest("
        "   t.next, coalesce((SELECT turn FROM lane WHERE name = t.lane), 0)"
        " ) + (SELECT c.cost FROM unnest($1::text[], $2::text[], $3::bigint[]) AS c(lane, key_id, cost)"
        "      WHERE c.lane = t.lane AND c.key_id = t.key_id)"
        " RETURNING lane, key_id, next",
        [name[0] for name in names],
        [name[1] for name in names],
        [costs[name] for name in names],
    )
    start = {(row["lane"], row["key_id"]): row["next"] - costs[row["lane"], row["key_id"]] for row in moved}
    turns = []
    for task in tasks:
        turns.append(start[task.lane, task.key_id])
        start[task.lane, task.key_id] += task.cost
    return turns


async def _insert(db: Connection, tasks: Sequence[NewTask], turns: Sequence[int], held: Sequence[int]) -> None:
    numbers = await db.fetch(
        "INSERT INTO task (id, key_id, user_id, model, mode, status, not_before, deadline_at, start_by, created_at,"
        " updated_at, points, callback_url, echo, input, lane, batch, priority, turn, trace)"
        " SELECT id, key_id, user_id, model, mode, 'PENDING', created_at, deadline_at, start_by, created_at,"
        " created_at, points, callback_url, echo, input, lane, batch, priority, turn, trace"
        " FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],"
        " $8::bigint[], $9::bigint[], $10::text[], $11::bytea[], $12::bytea[], $13::text[], $14::bool[],"
        " $15::smallint[], $16::bigint[], $17::text[]) AS v(id, key_id, user_id, model, mode, deadline_at, start_by,"
        " created_at, points, callback_url, echo, input, lane, batch, priority, turn, trace) RETURNING no, id",
        [task.id for task in tasks],
        [task.key_id for task in tasks],
        [task.user_id for task in tasks],
        [task.model for task in tasks],
        [task.mode for task in tasks],
        [task.deadline_at for task in tasks],
        [task.start_by for task in tasks],
        [task.created_at for task in tasks],
        list(held),
        [task.callback_url for task in tasks],
        [task.echo for task in tasks],
        [rows.json.encode(task.input) for task in tasks],
        [task.lane for task in tasks],
        [task.batch for task in tasks],
        [task.priority for task in tasks],
        list(turns),
        [task.trace for task in tasks],
    )
    number = {row["id"]: row["no"] for row in numbers}
    await rows.add_events(db, [(number[task.id], task.created_at, "task.submitted", "") for task in tasks])
    await rows.add_links(db, [link for task in tasks for link in task.links])
    booked = [(number[task.id], task, points) for task, points in zip(tasks, held, strict=True) if points]
    if booked:
        await db.execute(
            "INSERT INTO ledger (task_no, kind, key_id, points, at)"
            " SELECT task_no, 'hold', key_id, points, at"
            " FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) AS v(task_no, key_id, points, at)",
            [no for no, _, _ in booked],
            [task.key_id for _, task, _ in booked],
            [points for _, _, points in booked],
            [task.created_at for _, task, _ in booked],
        )


async def _forget(db: Connection, tasks: Sequence[NewTask]) -> None:
    """Take back the promises of tasks that were refused: the same key may come again once there are points."""
    if tasks:
        await db.execute("DELETE FROM idempotency WHERE task_id = ANY($1)", [task.id for task in tasks])
