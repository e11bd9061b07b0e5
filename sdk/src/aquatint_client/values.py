"""What the API's answers are in Python. `raw` is what came, for fields that have no name here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from aquatint_client import _json
from aquatint_client._json import JsonObject

PENDING, PROCESSING, SUBMITTED = "PENDING", "PROCESSING", "SUBMITTED"
SUCCESS, FAILURE, TIMEOUT, CANCELLED = "SUCCESS", "FAILURE", "TIMEOUT", "CANCELLED"
TERMINAL = frozenset({SUCCESS, FAILURE, TIMEOUT, CANCELLED})


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What is known of one picture; all None where the server does not say."""

    url: str
    width: int | None = None
    height: int | None = None
    media_type: str | None = None
    size: int | None = None  # bytes
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """Where a waiting task stands: 1 is next. Estimates in seconds, None without enough history."""

    position: int
    eta_seconds_p50: float | None = None
    eta_seconds_p90: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """A task as the server shows it. `status` is one of the seven words of the API."""

    id: str
    status: str
    input: JsonObject = field(default_factory=dict)
    urls: tuple[str, ...] = ()
    images: tuple[ImageInfo, ...] = ()  # one for each URL
    failure_reason: str | None = None
    failure_message: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    expires_at: datetime | None = None
    engine: str | None = None
    progress: float | None = None  # 0 to 1
    warnings: tuple[str, ...] = ()
    queue: Queue | None = None
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @property
    def done(self) -> bool:
        return self.status in TERMINAL

    @property
    def succeeded(self) -> bool:
        return self.status == SUCCESS

    @property
    def model(self) -> str | None:
        return _json.text(self.input, "model")

    @property
    def prompt(self) -> str | None:
        return _json.text(self.input, "prompt")

    @classmethod
    def of(cls, raw: JsonObject) -> Task:
        """The task in an answer's `data`. FAILED, which some servers write, is FAILURE."""
        status = (_json.text(raw, "status") or "").upper()
        urls = _json.texts(_json.as_object(raw.get("result")), "urls")
        known = _json.objects(raw, "images")
        known = known if len(known) == len(urls) else ({},) * len(urls)
        return cls(
            id=_json.text(raw, "taskId") or "",
            status=FAILURE if status == "FAILED" else status,
            input=_json.as_object(raw.get("input")),
            urls=urls,
            images=tuple(_image(url, fields) for url, fields in zip(urls, known, strict=True)),
            failure_reason=_json.text(raw, "failure_reason"),
            failure_message=_json.text(raw, "failure_message"),
            created_at=_json.time(raw, "created_at"),
            updated_at=_json.time(raw, "updated_at"),
            expires_at=_json.time(raw, "expires_at"),
            engine=_json.text(raw, "engine"),
            progress=_json.number(raw, "progress"),
            warnings=_json.texts(raw, "warnings"),
            queue=queue_of(raw),
            raw=raw,
        )


def _image(url: str, fields: JsonObject) -> ImageInfo:
    return ImageInfo(
        url=url,
        width=_json.whole(fields, "width"),
        height=_json.whole(fields, "height"),
        media_type=_json.text(fields, "media_type"),
        size=_json.whole(fields, "bytes"),
        seed=_json.whole(fields, "seed"),
    )


def queue_of(raw: JsonObject) -> Queue | None:
    """The place in line in a task or in a progress event."""
    fields = _json.as_object(raw.get("queue"))
    position = _json.whole(fields, "position")
    if position is None:
        return None
    return Queue(position, _json.number(fields, "eta_seconds_p50"), _json.number(fields, "eta_seconds_p90"))


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of a task that is waited for. `task` is the whole task where the step told it."""

    task_id: str
    status: str
    fraction: float | None = None  # 0 to 1
    queue: Queue | None = None
    task: Task | None = None

    @classmethod
    def of_task(cls, task: Task) -> Progress:
        return cls(task.id, task.status, task.progress, task.queue, task)


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream. `id` is empty for what is not stored, such as progress."""

    id: str
    name: str
    task_id: str
    at: datetime | None
    detail: str | None
    task: Task | None
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted submit. `replayed`: the server had this very submit already, and nothing was bought by it."""

    task_id: str
    idempotency_key: str
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A reference image on the server; `url` works as an item of `images`."""

    url: str
    media_type: str | None = None
    width: int | None = None
    height: int | None = None
    size: int | None = None  # bytes
    expires_at: datetime | None = None

    @classmethod
    def of(cls, raw: JsonObject) -> UploadedFile:
        return cls(
            url=_json.text(raw, "url") or "",
            media_type=_json.text(raw, "media_type"),
            width=_json.whole(raw, "width"),
            height=_json.whole(raw, "height"),
            size=_json.whole(raw, "bytes"),
            expires_at=_json.time(raw, "expires_at"),
        )


TaskLike = str | Task | Submitted


def id_of(task: TaskLike) -> str:
    """The id of a task, however it is held."""
    match task:
        case str():
            return task
        case Task():
            return task.id
        case Submitted():
            return task.task_id
