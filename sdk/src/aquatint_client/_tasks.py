"""The plain operations: one question, one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from aquatint_client import _json
from aquatint_client._actions import Flow, tell
from aquatint_client._answers import data_of
from aquatint_client._core import Core, ask, fetch
from aquatint_client._json import JsonObject
from aquatint_client.errors import BadAnswer, Conflict
from aquatint_client.records import Account, Delivery, Model
from aquatint_client.values import CANCELLED, Task


def get(core: Core, task_id: str) -> Flow[Task]:
    return _task((yield from fetch(core, core.request("GET", core.task_path(task_id)))))


def _task(data: JsonObject) -> Task:
    task = Task.of(data)
    if not task.id or not task.status:
        raise BadAnswer(200, "the answer holds no task")
    return task


def cancel(core: Core, task_id: str) -> Flow[Task]:
    """The cancelled task. A repeat after a lost answer finds it cancelled already: that is no conflict."""
    core.extension("cancel")
    request = core.request("POST", core.task_path(task_id, "/cancel"))
    answer = yield from ask(core, request)
    try:
        return _task(data_of(answer))
    except Conflict:
        task = yield from get(core, task_id)
        if task.status == CANCELLED:
            return task
        raise


def delete(core: Core, task_id: str) -> Flow[None]:
    core.extension("delete tasks")
    yield from fetch(core, core.request("DELETE", core.task_path(task_id)))


def trace(core: Core, task_id: str) -> Flow[JsonObject]:
    core.extension("explain a task")
    return (yield from fetch(core, core.request("GET", core.task_path(task_id, "/trace"))))


def pages(core: Core, filters: Mapping[str, str | datetime | None], page_size: int) -> Flow[None]:
    """Tells every task, newest first, page by page, as long as somebody listens."""
    core.extension("list tasks")
    query = {"limit": str(page_size)}
    query |= {
        name: _moment(value) if isinstance(value, datetime) else value
        for name, value in filters.items()
        if value is not None
    }
    while True:
        data = yield from fetch(core, core.request("GET", "/api/v1/tasks", query=query))
        for raw in _json.objects(data, "tasks"):
            yield from tell(Task.of(raw))
        cursor = _json.text(data, "next_cursor")
        if not cursor or cursor == query.get("cursor"):
            return
        query["cursor"] = cursor


def models(core: Core) -> Flow[Sequence[Model]]:
    core.extension("list models")
    data = yield from fetch(core, core.request("GET", "/api/v1/models"))
    return [Model.of(raw) for raw in _json.objects(data, "models")]


def account(core: Core) -> Flow[Account]:
    core.extension("show an account")
    return Account.of((yield from fetch(core, core.request("GET", "/api/v1/account"))))


def deliveries(core: Core, task_id: str) -> Flow[Sequence[Delivery]]:
    core.extension("show callbacks")
    data = yield from fetch(core, core.request("GET", core.task_path(task_id, "/deliveries")))
    return [Delivery.of(raw) for raw in _json.objects(data, "deliveries")]


def redeliver(core: Core, task_id: str) -> Flow[None]:
    core.extension("send callbacks again")
    yield from fetch(core, core.request("POST", core.task_path(task_id, "/redeliver")))


def _moment(at: datetime) -> str:
    """With its zone; a time without one is meant as this machine's."""
    return (at if at.tzinfo is not None else at.astimezone()).isoformat()
