"""What the shell may complete. Asks the server where one is set, briefly, and never fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

from aquatint_client import Aquatint, AquatintError

T = TypeVar("T")
PATIENCE = 1.5  # seconds: somebody waits at the Tab key
LISTED = 20


def ratios(incomplete: str) -> list[str]:
    return _those(incomplete, ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9"))


def resolutions(incomplete: str) -> list[str]:
    return _those(incomplete, ("1k", "2k", "4k"))


def formats(incomplete: str) -> list[str]:
    return _those(incomplete, ("png", "jpeg", "webp"))


def protocols(incomplete: str) -> list[str]:
    return _those(incomplete, ("auto", "kitty", "iterm", "sixel", "none"))


def statuses(incomplete: str) -> list[str]:
    words = ("PENDING", "PROCESSING", "SUBMITTED", "SUCCESS", "FAILURE", "TIMEOUT", "CANCELLED")
    return _those(incomplete.upper(), words)


def models(incomplete: str) -> list[str]:
    return _those(incomplete, _asked(lambda client: [model.name for model in client.models()]))


def tasks(incomplete: str) -> list[tuple[str, str]]:
    """Ids of the newest tasks, with the words that they were made from."""

    def newest(client: Aquatint) -> list[tuple[str, str]]:
        found = client.list(page_size=LISTED)
        return [(task.id, task.prompt or "") for task, _ in zip(found, range(LISTED), strict=False)]

    return [(one, words) for one, words in _asked(newest) if one.startswith(incomplete)]


def _those(incomplete: str, words: tuple[str, ...] | list[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


def _asked(ask: Callable[[Aquatint], list[T]]) -> list[T]:
    try:
        url = os.environ.get("AQUATINT_URL", "http://127.0.0.1:8000")
        with Aquatint(url, retries=0, request_timeout=PATIENCE) as client:
            return ask(client)
    except AquatintError:
        return []
