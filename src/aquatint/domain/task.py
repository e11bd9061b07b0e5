"""The task: what a caller submitted, its statuses and the order they may follow."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from aquatint.domain.errors import FailureReason

Mode = Literal["text_to_image", "image_to_image"]
Micros = int  # microseconds since 1970-01-01 UTC; every stored time is one


class Status(StrEnum):
    """The seven statuses of the contract, unchanged inside."""

    PENDING = "PENDING"
    PROCESSING = "PROCESSING"
    SUBMITTED = "SUBMITTED"
    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    TIMEOUT = "TIMEOUT"
    CANCELLED = "CANCELLED"


TERMINAL = frozenset({Status.SUCCESS, Status.FAILURE, Status.TIMEOUT, Status.CANCELLED})
RUNNING = frozenset({Status.PROCESSING, Status.SUBMITTED})


class UrlReference(msgspec.Struct, frozen=True, tag="url"):
    """A reference image to be fetched by the worker."""

    url: str


class StoredReference(msgspec.Struct, frozen=True, tag="stored"):
    """A reference image that came inside the request and is already in our assets."""

    digest: str


Reference = UrlReference | StoredReference


class Moment(msgspec.Struct, frozen=True):
    """A time as a caller gives it: a moment, or so many seconds from the submit."""

    at: Micros | None = None
    within: float | None = None

    def resolve(self, now: Micros) -> Micros:
        return self.at if self.at is not None else now + int((self.within or 0.0) * 1_000_000)


class TaskInput(msgspec.Struct, frozen=True, omit_defaults=True):
    """The input after validation: snake_case, canonical spelling, nothing guessed.

    `ratio` None means the caller left it out: 1:1 for text, the nearest listed ratio for a reference.
    `options` are the further fields that an engine may read (seed and output_format among them).
    """

    prompt: str
    references: tuple[Reference, ...] = ()
    ratio: str | None = None
    resolution: str = "2k"
    n: int = 1
    seed: int | None = None
    fallback: bool = False
    options: dict[str, object] = {}
    notes: tuple[str, ...] = ()  # what was ignored when it was submitted; becomes warnings

    @property
    def mode(self) -> Mode:
        return "image_to_image" if self.references else "text_to_image"


class ResultImage(msgspec.Struct, frozen=True):
    """One image of a result: where its bytes are and what they are."""

    token: str  # unguessable; part of the public URL
    name: str  # last part of the URL path, with a real extension
    digest: str
    media_type: str
    width: int
    height: int
    bytes: int
    seed: int | None = None


class Result(msgspec.Struct, frozen=True):
    """What a successful task made, in generation order; never empty."""

    images: tuple[ResultImage, ...]
    expires_at: Micros  # when the URLs stop answering


class Task(msgspec.Struct, frozen=True):
    """One task as stored. `echo` is the JSON object that queries give back as `input`."""

    no: int
    id: str
    key_id: str
    user_id: str | None
    model: str
    mode: Mode
    status: Status
    echo: msgspec.Raw
    callback_url: str | None
    created_at: Micros
    updated_at: Micros
    attempt: int
    engine: str | None = None
    progress: float = 0.0
    result: Result | None = None
    failure_reason: FailureReason | None = None
    failure_message: str | None = None
    warnings: tuple[str, ...] = ()
    lane: str = ""  # the engine that it waits for, or that served it
    trace: str = ""  # traceparent (W3C) of its submit; empty when nothing is traced


class ClaimedTask(msgspec.Struct, frozen=True):
    """A task that this worker owns until its lease ends; `attempt` fences every later write."""

    no: int
    id: str
    key_id: str
    model: str
    input: TaskInput
    attempt: int
    failures: int  # earlier runs that failed for a passing reason
    progress: float  # what earlier runs have shown; it never goes back
    created_at: Micros
    deadline_at: Micros
    echo: msgspec.Raw
    callback_url: str | None
    user_id: str | None
    lane: str = ""  # the engine that serves it now
    failed_routes: tuple[str, ...] = ()  # names of routes that are not tried again for this task
    due_at: Micros = 0  # since when it could have been claimed
    trace: str = ""  # traceparent of its submit


class AttemptLog(msgspec.Struct, frozen=True):
    """What an attempt knows of itself when it ends, for the trace. Durations are milliseconds."""

    engine: str | None = None
    remote_model: str = ""
    references_ms: int = 0  # fetching and cleaning what the caller named
    wait_ms: int = 0  # for a place, a rate or a rest to end
    run_ms: int = 0  # the engine, or the provider
    store_ms: int = 0  # downloading, checking and storing the results
    bytes_in: int = 0  # references
    bytes_out: int = 0  # results
    failure: str = ""  # name of the error's class
    advice: str = ""
    code: str = ""  # the provider's word


class Attempt(msgspec.Struct, frozen=True):
    """One attempt as stored. `outcome` is the status that it led to, `requeued` or `lost`; None while it runs."""

    number: int
    due_at: Micros | None  # since when it could have been claimed
    started_at: Micros
    finished_at: Micros | None
    outcome: str | None
    detail: str
    log: AttemptLog


class TaskFilter(msgspec.Struct, frozen=True):
    """Which tasks of one key to list, newest first. `before` is the cursor: the last `no` already seen."""

    key_id: str
    status: Status | None = None
    model: str | None = None
    user_id: str | None = None
    created_after: Micros | None = None
    created_before: Micros | None = None
    updated_after: Micros | None = None
    before: int | None = None
    limit: int = 20
    words: str | None = None  # that the prompt holds, among the key's newest tasks only
