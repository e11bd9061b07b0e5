"""SQL of the deletion of one task."""

from __future__ import annotations

import msgspec

from aquatint.domain.task import Micros, Result, StoredReference, TaskInput
from aquatint.store.postgres.pool import Connection
from aquatint.store.records import INLINE_LINK

NOBODY = ""  # owner of what was deleted
_input = msgspec.json.Decoder(TaskInput)
_result = msgspec.json.Decoder(Result)
_GONE = b'{"prompt":""}'


async def delete(db: Connection, task_no: int, now: Micros) -> bool:
    """Forget what was sent and what came back."""
    found = await db.fetchrow("SELECT input, result FROM task WHERE no = $1 AND phase = 2 FOR UPDATE", task_no)
    if found is None:
        return False
    sent, made = _input.decode(found["input"]), found["result"]
    tokens = [image.token for image in _result.decode(made).images] if made is not None else []
    await db.execute("UPDATE link SET expires_at = least(expires_at, $1) WHERE token = ANY($2::text[])", now, tokens)
    for reference in sent.references:
        if isinstance(reference, StoredReference):
            # Each task holds one such link for each of its bytes, so one goes: whichever ends first.
            await db.execute(
                "UPDATE link SET expires_at = least(expires_at, $1) WHERE token = (SELECT token FROM link"
                " WHERE digest = $2 AND name = $3 AND NOT expired ORDER BY expires_at LIMIT 1 FOR UPDATE)",
                now,
                reference.digest,
                INLINE_LINK,
            )
    for statement in (
        "DELETE FROM delivery_attempt WHERE delivery_no IN (SELECT no FROM delivery WHERE task_no = $1)",
        "DELETE FROM delivery WHERE task_no = $1",
        "DELETE FROM event WHERE task_no = $1",
        "UPDATE attempt SET detail = '' WHERE task_no = $1",
    ):
        await db.execute(statement, task_no)
    await db.execute(
        "UPDATE task SET key_id = $2, user_id = NULL, callback_url = NULL, echo = '{}', input = $3, result = NULL,"
        " failure_message = NULL, warnings = NULL WHERE no = $1",
        task_no,
        NOBODY,
        _GONE,
    )
    return True
