"""The body of a callback: the same envelope and object that a query answers."""

from __future__ import annotations

from aquatint.domain.task import Task
from aquatint.wire import answers


def build(task: Task, url_of: answers.UrlOf) -> bytes:
    """JSON bytes, identical for every attempt of the delivery."""
    return answers.ok(answers.task_data(task, url_of))
