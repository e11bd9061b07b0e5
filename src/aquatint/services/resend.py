"""Resend: which task a repeated request belongs to when the caller has no Idempotency-Key.

OpenAI's libraries send a request again when its answer is lost or says that another try may help, with the count of
the try in a header and nothing else to tell it by. Equal requests of one key make equal tasks, so it is enough that
there are as many tasks as requests: try `n` takes a task of the same content that no other try `n` has taken.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from aquatint.domain.task import TERMINAL, Task
from aquatint.services.tools import SECOND, Clock, new_id
from aquatint.store.base import Store

PREFIX = "resend"
REMEMBERED = 20_000  # tasks, and refused contents, of this process
MOST_ALIKE = 100  # tasks of one content that are looked at
MOST_PATIENCE = 3600.0  # seconds that a caller waits for an answer before it tries again
PAUSE = 150.0  # seconds between two tries, at most, with room to spare
SUBMIT_SECONDS = 5.0  # that a try waits for the one before it to be stored
SUBMIT_STEP = 0.01


class _Answer(Enum):
    UNDER_WAY = auto()  # somebody waits for it
    SENT = auto()
    LOST = auto()  # the caller had gone


@dataclass(slots=True)
class _Seen:
    """What this process knows of a task: the last try that took it, and what became of its answer."""

    attempt: int
    answer: _Answer


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a request: whose, of what content, the how manieth (0 the first), and how long its caller waits."""

    key_id: str
    digest: bytes
    number: int
    patience: float  # seconds

    @property
    def content(self) -> tuple[str, bytes]:
        return self.key_id, self.digest


class ResendService:
    """What it remembers besides the store only sharpens its choice; without it, it rather answers the same twice."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._refused: OrderedDict[tuple[str, bytes], list[tuple[int, int]]] = OrderedDict()  # next try, until when
        self._submitting: Counter[tuple[str, bytes]] = Counter()

    def promise(self, attempt: Attempt) -> str:
        """An idempotency key that no other request has, and by which later tries find its task."""
        return f"{PREFIX}{attempt.digest.hex()}{new_id().replace('-', '')}"

    async def __call__(self, attempt: Attempt) -> str | None:
        """The task of an earlier try of the same request; None when this one has to make it."""
        if attempt.number == 0:
            return None
        await self._settled(attempt)
        head = f"{PREFIX}{attempt.digest.hex()}"
        window = attempt.number * (min(attempt.patience, MOST_PATIENCE) + PAUSE)
        since = self._clock.now() - int(window * SECOND)
        alike = await self._store.promised(attempt.key_id, head + 32 * "0", head + 32 * "f", MOST_ALIKE)
        free = [task for task in alike if self._is_free(task, attempt.number, since)]
        lost = [task for task in free if self._answer(task.id) in (None, _Answer.LOST)]
        if not lost and self._was_refused(attempt):
            return None
        chosen = next(iter(lost or free), None)
        if chosen is None:
            return None
        self.taken(chosen.id, attempt)
        return chosen.id

    @contextlib.contextmanager
    def submitting(self, attempt: Attempt) -> Iterator[None]:
        """Around a submit: a later try waits until it is stored or refused."""
        self._submitting[attempt.content] += 1
        try:
            yield
        finally:
            self._submitting[attempt.content] -= 1
            if not self._submitting[attempt.content]:
                del self._submitting[attempt.content]

    def taken(self, task_id: str, attempt: Attempt) -> None:
        """Somebody waits for the task's answer."""
        self._seen[task_id] = _Seen(attempt.number, _Answer.UNDER_WAY)
        self._seen.move_to_end(task_id)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def answered(self, task_id: str, attempt: Attempt, *, lost: bool) -> None:
        """The answer to this try was sent, or nobody was there to take it."""
        seen = self._seen.get(task_id)
        if seen is not None and seen.attempt == attempt.number:
            seen.answer = _Answer.LOST if lost else _Answer.SENT

    def refused(self, attempt: Attempt, retry_after: float) -> None:
        """There is no task because the caller was told to try again later; its next try may make one."""
        until = self._clock.now() + int((retry_after + 10.0) * SECOND)
        self._refused.setdefault(attempt.content, []).append((attempt.number + 1, until))
        if len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)

    async def _settled(self, attempt: Attempt) -> None:
        for _ in range(round(SUBMIT_SECONDS / SUBMIT_STEP)):
            if not self._submitting[attempt.content]:
                return
            await asyncio.sleep(SUBMIT_STEP)

    def _is_free(self, task: Task, number: int, since: int) -> bool:
        seen = self._seen.get(task.id)
        taken = seen is not None and seen.attempt >= number
        return not taken and (task.status not in TERMINAL or task.updated_at >= since)

    def _answer(self, task_id: str) -> _Answer | None:
        seen = self._seen.get(task_id)
        return seen.answer if seen is not None else None

    def _was_refused(self, attempt: Attempt) -> bool:
        now = self._clock.now()
        waiting = [entry for entry in self._refused.pop(attempt.content, []) if entry[1] > now]
        mine = next((entry for entry in waiting if entry[0] == attempt.number), None)
        if mine is not None:
            waiting.remove(mine)
        if waiting:
            self._refused[attempt.content] = waiting
        return mine is not None
