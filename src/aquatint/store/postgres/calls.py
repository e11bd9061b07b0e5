"""SQL of paid calls and provider accounts. The account's row is the lock under which all workers count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from aquatint.domain import provider
from aquatint.domain.call import CallEnd, CallOutcome, CallState, KeptImage, NewCall, PaidCall, PendingImage
from aquatint.domain.errors import LeaseLost
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits, ProviderState, Verdict, Wait
from aquatint.domain.task import Micros
from aquatint.store.postgres.pool import Connection
from aquatint.store.postgres.rows import add_links, text
from aquatint.store.records import KEPT_LINK, Link

_images = msgspec.json.Decoder(tuple[int, ...])
_handle = msgspec.json.Decoder(dict[str, str])
_pending = msgspec.json.Decoder(tuple[PendingImage, ...])
_kept = msgspec.json.Decoder(tuple[KeptImage, ...])
_state = msgspec.json.Decoder(ProviderState)

_COLUMNS = (
    "no, task_no, attempt, key, engine, remote_model, account, images, resend_safe, state, created_at, outcome,"
    " failure, code, detail, charged, remote_id, request_id, handle, pending, kept, sent_at, acknowledged_at,"
    " settled_at"
)
_QUALIFIED = ", ".join(f"call.{name.strip()}" for name in _COLUMNS.split(","))
_OPEN = "state IN ('intent', 'sent', 'acknowledged')"
_ENDED = 2  # a task's phase, as the migrations name them


def _call(row: Any) -> PaidCall:
    values = list(row)
    values[7] = _images.decode(values[7])
    values[9] = CallState(values[9])
    values[18] = _handle.decode(values[18])
    values[19] = _pending.decode(values[19])
    values[20] = _kept.decode(values[20])
    return PaidCall(*values)  # same order as _COLUMNS


async def of_task(db: Connection, task_no: int) -> list[PaidCall]:
    found = await db.fetch(f"SELECT {_COLUMNS} FROM call WHERE task_no = $1 ORDER BY no", task_no)
    return [_call(row) for row in found]


async def _insist(db: Connection, task_no: int, attempt: int) -> None:
    """Raise LeaseLost unless the attempt owns the task; nobody takes it away before this transaction ends."""
    query = "SELECT 1 FROM task WHERE no = $1 AND attempt = $2 AND phase = 1 FOR UPDATE"
    if await db.fetchval(query, task_no, attempt) is None:
        raise LeaseLost


async def intend(db: Connection, task_no: int, attempt: int, calls: Sequence[NewCall], now: Micros) -> list[PaidCall]:
    await _insist(db, task_no, attempt)
    under_way = await _open_images(db, task_no)
    if under_way.intersection(image for new in calls for image in new.images):
        raise LeaseLost  # somebody else is buying them: whoever asks here is not alone with the task
    return [
        _call(
            await db.fetchrow(
                "INSERT INTO call (task_no, attempt, key, engine, remote_model, account, images, resend_safe, state,"
                f" created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'intent', $9) RETURNING {_COLUMNS}",
                task_no,
                attempt,
                new.key,
                new.engine,
                new.remote_model,
                new.account,
                text(new.images),
                new.resend_safe,
                now,
            )
        )
        for new in calls
    ]


async def _open_images(db: Connection, task_no: int, but: int = 0) -> set[int]:
    """Images of the task that a call is buying, other than call `but`."""
    found = await db.fetch(f"SELECT images FROM call WHERE task_no = $1 AND no <> $2 AND {_OPEN}", task_no, but)
    return {image for (images,) in found for image in _images.decode(images)}


async def adopt(db: Connection, call_no: int, task_no: int, attempt: int) -> None:
    """What was sent can be decided anew only where the provider knows the call's key. `sent_at` tells that it was."""
    await _insist(db, task_no, attempt)
    row = await db.fetchrow(
        "UPDATE call SET attempt = $1, state = CASE WHEN state = 'sent' AND resend_safe THEN 'intent' ELSE state END"
        f" WHERE no = $2 AND {_OPEN} RETURNING account, state, sent_at",
        attempt,
        call_no,
    )
    if row is not None and row["state"] == CallState.INTENT.value and row["sent_at"] is not None:
        await _unprobe(db, row["account"])


async def admit(
    db: Connection, call: PaidCall, attempt: int, limits: ProviderLimits, probe_for: Micros, now: Micros
) -> Admitted | Wait:
    await _insist(db, call.task_no, attempt)
    state = await _provider(db, call.account)
    in_flight = await _in_flight(db, call.account) if limits.in_flight else 0
    answer, state = provider.admit(state, limits, len(call.images), in_flight, probe_for, now)
    if isinstance(answer, Admitted):
        changed = await db.fetchval(
            "UPDATE call SET state = 'sent', sent_at = $1 WHERE no = $2 AND state = 'intent' AND attempt = $3"
            " RETURNING 1",
            now,
            call.no,
            attempt,
        )
        if changed is None:
            raise LeaseLost
        await _keep_provider(db, state)
    return answer


async def _in_flight(db: Connection, account: str) -> int:
    """Calls that the provider works on and that somebody waits for.

    One whose results only wait to be fetched is none of them. Nor is one whose task waits to be run again: it cannot
    end before that, and were it counted, tasks that wait for its place could keep it from ever getting its turn.
    """
    return int(
        await db.fetchval(
            "SELECT count(*) FROM call WHERE account = $1 AND state IN ('sent', 'acknowledged')"
            " AND (state = 'sent' OR pending = '[]') AND (SELECT phase FROM task WHERE no = call.task_no) = 1",
            account,
        )
    )


async def acknowledge(
    db: Connection,
    call_no: int,
    at: Micros,
    remote_id: str,
    request_id: str,
    handle: dict[str, str],
    pending: tuple[PendingImage, ...],
) -> None:
    row = await db.fetchrow(
        "SELECT call.state, call.task_no, call.images, call.account, task.phase FROM call"
        " JOIN task ON task.no = call.task_no WHERE call.no = $1 FOR UPDATE OF call",
        call_no,
    )
    if row is None or row["state"] not in ("sent", "acknowledged", "unknown"):
        return
    state, outcome = CallState.ACKNOWLEDGED, ""
    if row["state"] == CallState.UNKNOWN.value and row["phase"] == _ENDED:
        # Nobody goes on with it: open, it would count as in flight for ever. So it stands as one to be cancelled.
        state, outcome = CallState.SETTLED, CallOutcome.ABANDONED.value
    elif row["state"] == CallState.UNKNOWN.value:
        open_images = await _open_images(db, row["task_no"], call_no)
        if open_images.intersection(_images.decode(row["images"])):
            state = CallState.UNKNOWN  # bought anew meanwhile, as the operator wished; only its fate is noted
    await db.execute(
        "UPDATE call SET state = $2, outcome = $3, acknowledged_at = coalesce(acknowledged_at, $4),"
        " settled_at = CASE WHEN $2 = 'acknowledged' THEN NULL ELSE settled_at END,"
        " remote_id = coalesce(nullif($5, ''), remote_id), request_id = coalesce(nullif($6, ''), request_id),"
        " handle = coalesce(nullif($7, '{}'), handle), pending = $8, charged = TRUE WHERE no = $1",
        call_no,
        state.value,
        outcome,
        at,
        remote_id,
        request_id,
        text(handle),
        text(pending),
    )
    if pending:
        await _unprobe(db, row["account"])  # the provider has done its part, however long the download takes


async def end(
    db: Connection,
    call_no: int,
    how: CallEnd,
    verdict: Verdict | None,
    retry_after: float | None,
    rules: CircuitRules,
) -> None:
    row = await db.fetchrow(
        "UPDATE call SET state = $2, outcome = $3, settled_at = $4, failure = $5, code = $6, detail = $7,"
        " charged = $8, kept = $9, request_id = coalesce(nullif($10, ''), request_id)"
        " WHERE no = $1 AND (state <> 'settled' OR outcome = $11) RETURNING account, sent_at",
        call_no,
        how.state.value,
        how.outcome.value if how.outcome is not None else "",
        how.at,
        how.failure,
        how.code,
        how.detail,
        how.charged,
        text(how.kept),
        how.request_id,
        CallOutcome.ABANDONED.value,
    )
    if row is None:
        return
    links = [
        Link(f"{KEPT_LINK}-{call_no}-{i.index}", KEPT_LINK, i.digest, i.media_type, i.bytes, how.keep_until)
        for i in how.kept
    ]
    await add_links(db, links)
    if verdict is not None:
        state = await _provider(db, row["account"])
        changed = provider.after(state, verdict, retry_after, rules, how.at)
        if changed != state:
            await _keep_provider(db, changed)
    elif row["sent_at"] is not None:
        await _unprobe(db, row["account"])


async def close_open(db: Connection, task_nos: Sequence[int], at: Micros) -> None:
    """The tasks have ended: nothing of them stays open, and what may have been paid is said so."""
    # An intent with a time of sending was to be sent again under its key: as unknown as one that is under way.
    doubtful = "(state = 'sent' OR (state = 'intent' AND sent_at IS NOT NULL))"
    ended = await db.fetch(
        "UPDATE call SET settled_at = $2,"
        f" outcome = CASE WHEN {doubtful} THEN '' WHEN state = 'intent' THEN 'not sent' ELSE 'abandoned' END,"
        f" failure = CASE WHEN {doubtful} THEN 'OutcomeUnknown' ELSE failure END,"
        " charged = sent_at IS NOT NULL,"
        f" detail = CASE WHEN {doubtful} THEN 'the task ended before the answer came' ELSE detail END,"
        f" state = CASE WHEN {doubtful} THEN 'unknown' ELSE 'settled' END"
        f" WHERE task_no = ANY($1) AND {_OPEN} RETURNING account, sent_at",
        list(task_nos),
        at,
    )
    for account in sorted({row["account"] for row in ended if row["sent_at"] is not None}):
        await _unprobe(db, account)


async def recent(db: Connection, unknown: bool, limit: int) -> list[tuple[str, PaidCall]]:
    where = "WHERE call.state = 'unknown'" if unknown else ""
    found = await db.fetch(
        f"SELECT task.id, {_QUALIFIED} FROM call JOIN task ON task.no = call.task_no"
        f" {where} ORDER BY call.no DESC LIMIT $1",
        limit,
    )
    return [(row[0], _call(list(row)[1:])) for row in found]


async def resolve(db: Connection, call_no: int, charged: bool, note: str, at: Micros) -> bool:
    outcome = CallOutcome.LOST if charged else CallOutcome.FAILED
    changed = await db.fetchval(
        "UPDATE call SET state = 'settled', outcome = $2, charged = $3, detail = detail || ' | ' || $4,"
        " settled_at = $5 WHERE no = $1 AND state = 'unknown' RETURNING 1",
        call_no,
        outcome.value,
        charged,
        note,
        at,
    )
    return changed is not None


async def providers(db: Connection) -> list[ProviderState]:
    return [_state.decode(row["state"]) for row in await db.fetch("SELECT state FROM provider ORDER BY account")]


async def _provider(db: Connection, account: str) -> ProviderState:
    """The account's state, locked until the transaction ends."""
    await db.execute(
        "INSERT INTO provider (account, state) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        account,
        text(ProviderState(account)),
    )
    return _state.decode(await db.fetchval("SELECT state FROM provider WHERE account = $1 FOR UPDATE", account))


async def _keep_provider(db: Connection, state: ProviderState) -> None:
    await db.execute("UPDATE provider SET state = $2 WHERE account = $1", state.account, text(state))


async def _unprobe(db: Connection, account: str) -> None:
    """A call that may have been the account's probe is over and says nothing: do not wait for it."""
    state = await _provider(db, account)
    if state.probe_until:
        await _keep_provider(db, provider.unprobed(state))
