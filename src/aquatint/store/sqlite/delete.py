"""SQL of the deletion of one task."""

from __future__ import annotations

import sqlite3

import msgspec

from aquatint.domain.task import Micros, Result, StoredReference, TaskInput
from aquatint.store.records import INLINE_LINK

NOBODY = ""  # owner of what was deleted
_input = msgspec.json.Decoder(TaskInput)
_result = msgspec.json.Decoder(Result)
_GONE = b'{"prompt":""}'


def delete(db: sqlite3.Connection, task_no: int, now: Micros) -> bool:
    """Forget what was sent and what came back."""
    found = db.execute("SELECT input, result FROM task WHERE no = ? AND phase = 2", (task_no,)).fetchall()
    if not found:
        return False
    sent, made = _input.decode(found[0][0]), found[0][1]
    if made is not None:
        db.executemany(
            "UPDATE link SET expires_at = min(expires_at, ?) WHERE token = ?",
            [(now, image.token) for image in _result.decode(made).images],
        )
    for reference in sent.references:
        if isinstance(reference, StoredReference):
            # Each task holds one such link for each of its bytes, so one goes: whichever ends first.
            db.execute(
                "UPDATE link SET expires_at = min(expires_at, ?) WHERE token = (SELECT token FROM link"
                " WHERE digest = ? AND name = ? AND expired = 0 ORDER BY expires_at LIMIT 1)",
                (now, reference.digest, INLINE_LINK),
            )
    for statement in (
        "DELETE FROM delivery_attempt WHERE delivery_no IN (SELECT no FROM delivery WHERE task_no = ?)",
        "DELETE FROM delivery WHERE task_no = ?",
        "DELETE FROM event WHERE task_no = ?",
        "UPDATE attempt SET detail = '' WHERE task_no = ?",
    ):
        db.execute(statement, (task_no,))
    db.execute(
        "UPDATE task SET key_id = ?, user_id = NULL, callback_url = NULL, echo = '{}', input = ?, result = NULL,"
        " failure_message = NULL, warnings = NULL WHERE no = ?",
        (NOBODY, _GONE, task_no),
    )
    return True
