"""What one operation of the API is: the route that serves it and the words that describe it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aquatint.api.problems import Handler


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter outside the body. `where` is path, query or header."""

    name: str
    where: str
    description: str
    schema: dict[str, Any]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path.

    `answer` is the type inside the envelope's `data`; None means no envelope. Of an event stream it is the type of
    each event's data, by the event's name.
    """

    method: str
    path: str
    name: str  # operationId
    summary: str
    handler: Handler
    answer: Any = None
    description: str = ""
    extension: bool = True  # beyond the documented MaxAPI
    parameters: tuple[Parameter, ...] = ()
    body: dict[str, Any] | None = None  # media type -> OpenAPI media type object
    errors: tuple[int, ...] = ()
    authenticated: bool = True
    tag: str = "tasks"
    example: Any = None
    media_type: str = "application/json"
    accepted: Any = None  # the type of a 202, which comes before the work is done
    error: Any = None  # the type of its refusals in another dialect, whose answers have no envelope either


EVENT_STREAM = "text/event-stream"
TASK_ID = Parameter("taskId", "path", "The task's id, as submit answered it.", {"type": "string"}, required=True)
STRICT = Parameter(
    "X-Aquatint-Strict",
    "header",
    "`true` leaves out every field that the public API does not document.",
    {"type": "string", "enum": ["true", "false"]},
)
