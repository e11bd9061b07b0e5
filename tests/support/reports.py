"""Reports of tests as the process that collects them can take them."""

from __future__ import annotations


def sendable(value: object) -> object:
    """The same with plain types and text that is UTF-8: hostile input may stand in the message of a failure.

    Without it the run would end with an error of its own in place of the failure.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {sendable(key): sendable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [sendable(part) for part in value] if isinstance(value, list) else tuple(map(sendable, value))
    return value if type(value) in (type(None), bool, int, float, bytes) else repr(value)
