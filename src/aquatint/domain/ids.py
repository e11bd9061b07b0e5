"""The forms of identifiers."""

from __future__ import annotations

import re

_TASK_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def is_task_id(text: str) -> bool:
    """True for a lower-case hyphenated UUID, the only form a task id ever has."""
    return _TASK_ID.fullmatch(text) is not None
