"""Shown: a task as queries, events and waits answer it, with what a caller's headers ask for."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from aquatint.domain.task import Task
from aquatint.services.place import Place
from aquatint.services.tools import PublicUrls
from aquatint.wire import answers


@dataclass(frozen=True, slots=True)
class Shown:
    """`failure_word` is how FAILURE is spelt."""

    urls: PublicUrls
    failure_word: str

    def __call__(self, task: Task, *, strict: bool = False, place: Place | None = None) -> answers.TaskData:
        queue = None if strict else queue_data(place)
        return answers.task_data(task, self.urls.image, strict=strict, failure_word=self.failure_word, queue=queue)


def is_strict(request: Request) -> bool:
    """Whether only fields of the public API are wanted."""
    return request.headers.get("x-aquatint-strict", "").lower() in ("true", "1")


def queue_data(place: Place | None) -> answers.QueueData | None:
    return answers.QueueData(place.position, place.eta_p50, place.eta_p90) if place is not None else None
