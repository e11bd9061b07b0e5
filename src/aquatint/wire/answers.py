"""Answers: the envelope and the task object, the same for queries and webhooks."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from aquatint.domain.task import ResultImage, Status, Task
from aquatint.wire import times

UrlOf = Callable[[ResultImage], str]


class ResultData(msgspec.Struct, frozen=True):
    """`result` of a successful task."""

    type: str
    urls: list[str]


class TaskData(msgspec.Struct, frozen=True):
    """The task object exactly as the public API documents it (strict mode answers this)."""

    taskId: str  # noqa: N815  # the contract's spelling
    status: str
    input: msgspec.Raw
    result: ResultData | None
    failure_reason: str | None
    created_at: str
    updated_at: str


class ImageData(msgspec.Struct, frozen=True):
    """What is known of one result image, in the order of `result.urls`."""

    width: int
    height: int
    media_type: str
    bytes: int
    seed: int | None


class QueueData(msgspec.Struct, frozen=True):
    """Where a waiting task stands. The estimates rest on how its engine served lately; null without a history."""

    position: int  # 1 is next
    eta_seconds_p50: float | None
    eta_seconds_p90: float | None


class FullTaskData(TaskData, frozen=True):
    """The task object with Aquatint's documented additive fields."""

    engine: str | None  # which engine serves or served it, such as `studio/0.1.0`; null while it waits
    progress: float  # 0..1
    failure_message: str | None  # plain words for people; failure_reason is for programs
    warnings: list[str]  # what the engine did not understand or could only approximate
    images: list[ImageData]
    expires_at: str | None  # when the result URLs stop answering
    queue: QueueData | None  # only while it waits


class Envelope(msgspec.Struct, frozen=True):
    code: int
    msg: str
    data: object


class ErrorEnvelope(msgspec.Struct, frozen=True):
    code: int
    msg: str


class SubmitData(msgspec.Struct, frozen=True):
    taskId: str  # noqa: N815  # the contract's spelling


class DeliveryAttemptData(msgspec.Struct, frozen=True):
    number: int
    at: str
    duration_ms: int
    status: int | None
    outcome: str
    detail: str
    response: str


class DeliveryData(msgspec.Struct, frozen=True):
    id: str
    url: str
    state: str
    created_at: str
    next_attempt_at: str | None
    attempts: list[DeliveryAttemptData]
    body: msgspec.Raw  # what is sent, as JSON; `id` goes with it as the header webhook-id


class TaskPage(msgspec.Struct, frozen=True):
    tasks: list[FullTaskData]
    next_cursor: str | None


class FileData(msgspec.Struct, frozen=True):
    url: str
    media_type: str
    width: int
    height: int
    bytes: int
    expires_at: str


class LaneData(msgspec.Struct, frozen=True):
    """One engine's line."""

    name: str
    paused: bool
    waiting: int
    running: int
    oldest_at: str | None  # when the longest waiting task was submitted
    workers: int  # processes that take its tasks


class ReplayData(msgspec.Struct, frozen=True):
    deliveries: int  # that are made again


class AccountData(msgspec.Struct, frozen=True):
    key_id: str
    name: str
    points: int | None  # null: not counted
    models: list[str]  # empty: every model
    requests_per_minute: int | None
    weight: float  # share of a line that many wait in
    max_running: int | None
    max_pending: int | None
    priority_max: int
    admin: bool


_encoder = msgspec.json.Encoder()


def ok(data: object) -> bytes:
    """The success envelope around `data`."""
    return _encoder.encode(Envelope(0, "ok", data))


def failure(code: int, message: str) -> bytes:
    """The failure envelope; `code` repeats the HTTP status."""
    return _encoder.encode(ErrorEnvelope(code, message))


def task_data(
    task: Task,
    url_of: UrlOf,
    *,
    strict: bool = False,
    failure_word: str = "FAILURE",
    queue: QueueData | None = None,
) -> TaskData:
    """The task as queries and webhooks show it."""
    result = None
    if task.status is Status.SUCCESS and task.result is not None:
        result = ResultData("image", [url_of(image) for image in task.result.images])
    status = failure_word if task.status is Status.FAILURE else str(task.status)
    created_at, updated_at = times.render(task.created_at), times.render(task.updated_at)
    if strict:
        return TaskData(task.id, status, task.echo, result, task.failure_reason, created_at, updated_at)
    images = task.result.images if task.result is not None else ()
    return FullTaskData(
        taskId=task.id,
        status=status,
        input=task.echo,
        result=result,
        failure_reason=task.failure_reason,
        created_at=created_at,
        updated_at=updated_at,
        engine=task.engine,
        progress=round(task.progress, 3),
        failure_message=task.failure_message,
        warnings=list(task.warnings),
        images=[ImageData(i.width, i.height, i.media_type, i.bytes, i.seed) for i in images],
        expires_at=times.render(task.result.expires_at) if task.result is not None else None,
        queue=queue,
    )
