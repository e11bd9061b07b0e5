"""SQL of paid calls and provider accounts."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec

from aquatint.domain import provider
from aquatint.domain.call import CallEnd, CallOutcome, CallState, KeptImage, NewCall, PaidCall, PendingImage
from aquatint.domain.errors import LeaseLost
from aquatint.domain.provider import Admitted, CircuitRules, ProviderLimits, ProviderState, Verdict, Wait
from aquatint.domain.task import Micros
from aquatint.store.records import KEPT_LINK

_json = msgspec.json.Encoder()
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


def _call(row: Sequence[Any]) -> PaidCall:
    values = list(row)
    values[7] = _images.decode(values[7])
    values[8] = bool(values[8])
    values[9] = CallState(values[9])
    values[15] = bool(values[15])
    values[18] = _handle.decode(values[18])
    values[19] = _pending.decode(values[19])
    values[20] = _kept.decode(values[20])
    return PaidCall(*values)  # same order as _COLUMNS


def _text(value: object) -> str:
    return _json.encode(value).decode()


def of_task(db: sqlite3.Connection, task_no: int) -> list[PaidCall]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM call WHERE task_no = ? ORDER BY no", (task_no,)).fetchall()
    return [_call(row) for row in rows]


def _insist(db: sqlite3.Connection, task_no: int, attempt: int) -> None:
    """Raise LeaseLost unless the attempt owns the task."""
    query = "SELECT 1 FROM task WHERE no = ? AND attempt = ? AND phase = 1"
    if not db.execute(query, (task_no, attempt)).fetchall():
        raise LeaseLost


def intend(
    db: sqlite3.Connection, task_no: int, attempt: int, calls: Sequence[NewCall], now: Micros
) -> list[PaidCall]:
    _insist(db, task_no, attempt)
    under_way = _open_images(db, task_no)
    if under_way.intersection(image for new in calls for image in new.images):
        raise LeaseLost  # somebody else is buying them: whoever asks here is not alone with the task
    written = []
    for new in calls:
        row = db.execute(
            "INSERT INTO call (task_no, attempt, key, engine, remote_model, account, images, resend_safe, state,"
            f" created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'intent', ?) RETURNING {_COLUMNS}",
            (
                task_no,
                attempt,
                new.key,
                new.engine,
                new.remote_model,
                new.account,
                _text(new.images),
                new.resend_safe,
                now,
            ),
        ).fetchall()
        written.append(_call(row[0]))
    return written


def _open_images(db: sqlite3.Connection, task_no: int, but: int = 0) -> set[int]:
    """Images of the task that a call is buying, other than call `but`."""
    query = f"SELECT images FROM call WHERE task_no = ? AND no <> ? AND {_OPEN}"
    return {image for (images,) in db.execute(query, (task_no, but)).fetchall() for image in _images.decode(images)}


def adopt(db: sqlite3.Connection, call_no: int, task_no: int, attempt: int) -> None:
    """What was sent can be decided anew only where the provider knows the call's key. `sent_at` tells that it was."""
    _insist(db, task_no, attempt)
    rows = db.execute(
        "UPDATE call SET attempt = ?,"
        " state = CASE WHEN state = 'sent' AND resend_safe THEN 'intent' ELSE state END"
        f" WHERE no = ? AND {_OPEN} RETURNING account, state, sent_at",
        (attempt, call_no),
    ).fetchall()
    for account, state, sent_at in rows:
        if state == CallState.INTENT.value and sent_at is not None:
            _unprobe(db, account)


def admit(
    db: sqlite3.Connection,
    call: PaidCall,
    attempt: int,
    limits: ProviderLimits,
    probe_for: Micros,
    now: Micros,
) -> Admitted | Wait:
    _insist(db, call.task_no, attempt)
    state = _provider(db, call.account)
    in_flight = _in_flight(db, call.account) if limits.in_flight else 0
    answer, state = provider.admit(state, limits, len(call.images), in_flight, probe_for, now)
    if isinstance(answer, Admitted):
        changed = db.execute(
            "UPDATE call SET state = 'sent', sent_at = ? WHERE no = ? AND state = 'intent' AND attempt = ?",
            (now, call.no, attempt),
        ).rowcount
        if not changed:
            raise LeaseLost
        _keep_provider(db, state)
    return answer


def _in_flight(db: sqlite3.Connection, account: str) -> int:
    """Calls that the provider works on and that somebody here waits for.

    One whose results only wait to be fetched is none of them. Nor is one whose task waits to be run again: it cannot
    end before that, and were it counted, tasks that wait for its place could keep it from ever getting its turn.
    """
    query = (
        "SELECT count(*) FROM call WHERE account = ? AND state IN ('sent', 'acknowledged')"  # as its index is written
        " AND (state = 'sent' OR pending = '[]') AND (SELECT phase FROM task WHERE no = call.task_no) = 1"
    )
    return int(db.execute(query, (account,)).fetchall()[0][0])


def acknowledge(
    db: sqlite3.Connection,
    call_no: int,
    at: Micros,
    remote_id: str,
    request_id: str,
    handle: dict[str, str],
    pending: tuple[PendingImage, ...],
) -> None:
    row = db.execute(
        "SELECT call.state, call.task_no, call.images, call.account, task.phase FROM call"
        " JOIN task ON task.no = call.task_no WHERE call.no = ?",
        (call_no,),
    ).fetchall()
    if not row or row[0][0] not in ("sent", "acknowledged", "unknown"):
        return
    known, task_no, images, account, phase = row[0]
    state, outcome = CallState.ACKNOWLEDGED, ""
    if known == CallState.UNKNOWN.value and phase == _ENDED:
        # Nobody goes on with it: open, it would count as in flight for ever. So it stands as one to be cancelled.
        state, outcome = CallState.SETTLED, CallOutcome.ABANDONED.value
    elif known == CallState.UNKNOWN.value and _open_images(db, task_no, call_no).intersection(_images.decode(images)):
        state = CallState.UNKNOWN  # bought anew meanwhile, as the operator wished; only what became of it is noted
    db.execute(
        "UPDATE call SET state = ?, outcome = ?, acknowledged_at = coalesce(acknowledged_at, ?),"
        " settled_at = CASE ? WHEN 'acknowledged' THEN NULL ELSE settled_at END,"
        " remote_id = CASE ? WHEN '' THEN remote_id ELSE ? END,"
        " request_id = CASE ? WHEN '' THEN request_id ELSE ? END,"
        " handle = CASE ? WHEN '{}' THEN handle ELSE ? END, pending = ?, charged = 1"
        " WHERE no = ?",
        (
            state.value,
            outcome,
            at,
            state.value,
            remote_id,
            remote_id,
            request_id,
            request_id,
            _text(handle),
            _text(handle),
            _text(pending),
            call_no,
        ),
    )
    if pending:
        _unprobe(db, account)  # the provider has done its part, however long the download takes


def end(
    db: sqlite3.Connection,
    call_no: int,
    how: CallEnd,
    verdict: Verdict | None,
    retry_after: float | None,
    rules: CircuitRules,
) -> None:
    row = db.execute(
        "UPDATE call SET state = ?, outcome = ?, settled_at = ?, failure = ?, code = ?, detail = ?, charged = ?,"
        " kept = ?, request_id = CASE ? WHEN '' THEN request_id ELSE ? END"
        " WHERE no = ? AND (state <> 'settled' OR outcome = ?) RETURNING account, sent_at",
        (
            how.state.value,
            how.outcome.value if how.outcome is not None else "",
            how.at,
            how.failure,
            how.code,
            how.detail,
            how.charged,
            _text(how.kept),
            how.request_id,
            how.request_id,
            call_no,
            CallOutcome.ABANDONED.value,
        ),
    ).fetchall()
    db.executemany(
        "INSERT INTO link (token, name, digest, media_type, bytes, expires_at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [
            (f"{KEPT_LINK}-{call_no}-{i.index}", KEPT_LINK, i.digest, i.media_type, i.bytes, how.keep_until)
            for i in (how.kept if row else ())
        ],
    )
    for account, sent_at in row:
        if verdict is not None:
            state = _provider(db, account)
            changed = provider.after(state, verdict, retry_after, rules, how.at)
            if changed != state:
                _keep_provider(db, changed)
        elif sent_at is not None:
            _unprobe(db, account)


def close_open(db: sqlite3.Connection, task_no: int, at: Micros) -> None:
    """The task has ended: nothing of it stays open, and what may have been paid is said so."""
    if not db.execute(f"SELECT 1 FROM call WHERE task_no = ? AND {_OPEN} LIMIT 1", (task_no,)).fetchall():
        return
    # An intent with a time of sending was to be sent again under its key: as unknown as one that is under way.
    doubtful = "(state = 'sent' OR (state = 'intent' AND sent_at IS NOT NULL))"
    rows = db.execute(
        "UPDATE call SET settled_at = ?,"
        f" outcome = CASE WHEN {doubtful} THEN '' WHEN state = 'intent' THEN 'not sent' ELSE 'abandoned' END,"
        f" failure = CASE WHEN {doubtful} THEN 'OutcomeUnknown' ELSE failure END,"
        " charged = sent_at IS NOT NULL,"
        f" detail = CASE WHEN {doubtful} THEN 'the task ended before the answer came' ELSE detail END,"
        f" state = CASE WHEN {doubtful} THEN 'unknown' ELSE 'settled' END"
        f" WHERE task_no = ? AND {_OPEN} RETURNING account, sent_at",
        (at, task_no),
    ).fetchall()
    for account, sent_at in rows:
        if sent_at is not None:
            _unprobe(db, account)


def recent(db: sqlite3.Connection, unknown: bool, limit: int) -> list[tuple[str, PaidCall]]:
    where = "WHERE call.state = 'unknown'" if unknown else ""
    rows = db.execute(
        f"SELECT task.id, {_QUALIFIED} FROM call JOIN task ON task.no = call.task_no"
        f" {where} ORDER BY call.no DESC LIMIT ?",
        (limit,),
    ).fetchall()
    return [(row[0], _call(row[1:])) for row in rows]


def resolve(db: sqlite3.Connection, call_no: int, charged: bool, note: str, at: Micros) -> bool:
    query = (
        "UPDATE call SET state = 'settled', outcome = ?, charged = ?, detail = detail || ' | ' || ?, settled_at = ?"
        " WHERE no = ? AND state = 'unknown'"
    )
    outcome = CallOutcome.LOST if charged else CallOutcome.FAILED
    return bool(db.execute(query, (outcome.value, charged, note, at, call_no)).rowcount)


def providers(db: sqlite3.Connection) -> list[ProviderState]:
    return [_state.decode(row[0]) for row in db.execute("SELECT state FROM provider ORDER BY account").fetchall()]


def _provider(db: sqlite3.Connection, account: str) -> ProviderState:
    rows = db.execute("SELECT state FROM provider WHERE account = ?", (account,)).fetchall()
    return _state.decode(rows[0][0]) if rows else ProviderState(account)


def _keep_provider(db: sqlite3.Connection, state: ProviderState) -> None:
    db.execute(
        "INSERT INTO provider (account, state) VALUES (?, ?)"
        " ON CONFLICT (account) DO UPDATE SET state = excluded.state",
        (state.account, _text(state)),
    )


def _unprobe(db: sqlite3.Connection, account: str) -> None:
    """A call that may have been the account's probe is over and says nothing: do not wait for it."""
    state = _provider(db, account)
    if state.probe_until:
        _keep_provider(db, provider.unprobed(state))
