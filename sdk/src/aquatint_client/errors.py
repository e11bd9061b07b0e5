"""The one tree of errors.

AquatintError
├── Misuse                  nothing was sent: no key, no address, an id or an argument that cannot be right
│   ├── BadImage            a reference image that cannot be read
│   └── NotInStrictMode     the documented MaxAPI has no such thing; the message says what to do instead
├── ConnectionFailed        no answer came, after all repeats; nothing was bought by it
├── SubmitUnknown           a submit was sent and nobody can say whether it was taken; carries idempotency_key
├── ApiError                the server said no: code, msg, request_id
│   ├── InvalidInput        400
│   │   ├── UnknownModel    400
│   │   └── ContentRejected 400   moderation before the task; carries categories
│   ├── Unauthorized        401
│   ├── OutOfPoints         402
│   ├── Forbidden           403
│   ├── NotFound            404, and 405 where the server has no such route
│   ├── Conflict            409
│   ├── Gone                410
│   ├── TooLarge            413
│   ├── RateLimited         429   carries retry_after
│   ├── ServerError         5xx   carries retry_after
│   └── BadAnswer           an answer that is not the API's: a page of HTML, a redirect, broken JSON
├── TaskError               the task ended without a picture: task, reason, message
│   ├── TaskFailed          FAILURE
│   ├── TaskTimeout         TIMEOUT
│   └── TaskCancelled       CANCELLED
├── WaitTimedOut            your patience ended first; the task goes on; carries task_id
├── DownloadFailed          a picture could not be fetched
└── BadSignature            a webhook that was not signed with this secret, or is too old
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aquatint_client.values import Task


class AquatintError(Exception):
    """Root of every error that this package raises on purpose."""


class Misuse(AquatintError, ValueError):
    """The call cannot be right as it is; nothing was sent."""


class BadImage(Misuse):
    """A reference image is missing, unreadable or of no kind that can be sent."""


class NotInStrictMode(Misuse):
    """What was asked for is not part of the documented MaxAPI."""


class ConnectionFailed(AquatintError):
    """No answer came."""


class SubmitUnknown(AquatintError):
    """A submit left this machine and its outcome is not known; it is not sent again by itself.

    `idempotency_key` is what it was sent with: a server that honours the header answers the same task when you
    submit again with it.
    """

    def __init__(self, message: str, idempotency_key: str) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class ApiError(AquatintError):
    """The server answered that it will not. `code` is the HTTP status, `msg` is for people."""

    def __init__(self, code: int, msg: str, request_id: str | None = None) -> None:
        super().__init__(f"{msg} ({code})" if msg else f"status {code}")
        self.code = code
        self.msg = msg
        self.request_id = request_id


class InvalidInput(ApiError):
    """A field is missing, malformed or out of range; `msg` names it."""


class UnknownModel(InvalidInput):
    """There is no such model; `msg` lists close names."""


class ContentRejected(InvalidInput):
    """Rejected by moderation before a task was made; `categories` are those that were found."""

    def __init__(self, code: int, msg: str, request_id: str | None, categories: tuple[str, ...]) -> None:
        super().__init__(code, msg, request_id)
        self.categories = categories


class Unauthorized(ApiError):
    """The key is missing, wrong or revoked."""


class OutOfPoints(ApiError):
    """The key's points do not cover the task."""


class Forbidden(ApiError):
    """The key may not do this."""


class NotFound(ApiError):
    """No such task, file or route."""


class Conflict(ApiError):
    """The request contradicts what is stored: the task has ended, the Idempotency-Key had another body."""


class Gone(ApiError):
    """It was there and has expired."""


class TooLarge(ApiError):
    """The body or a file is over the server's limit."""


class _Later(ApiError):
    """An answer that may say when to come back; `retry_after` in seconds."""

    def __init__(self, code: int, msg: str, request_id: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(code, msg, request_id)
        self.retry_after = retry_after


class RateLimited(_Later):
    """Too many requests, or the queue is full."""


class ServerError(_Later):
    """The server is in trouble."""


class BadAnswer(ApiError):
    """The answer is not one of the API: perhaps the address is wrong, or a proxy answered."""


class TaskError(AquatintError):
    """The task ended without a picture. `reason` is for programs and may be None, `message` is for people."""

    def __init__(self, task: Task, message: str) -> None:
        super().__init__(message)
        self.task = task
        self.reason = task.failure_reason
        self.message = message


class TaskFailed(TaskError):
    """The task ended as FAILURE."""


class TaskTimeout(TaskError):
    """The task was not done by its deadline."""


class TaskCancelled(TaskError):
    """The task was cancelled."""


class WaitTimedOut(AquatintError):
    """The task had not ended when `timeout` had passed. It goes on: wait again, or cancel it."""

    def __init__(self, task_id: str, task: Task | None, seconds: float) -> None:
        state = f" ({task.status})" if task is not None else ""
        super().__init__(f"task {task_id} has not ended within {seconds:g} s{state}; it goes on")
        self.task_id = task_id
        self.task = task


class DownloadFailed(AquatintError):
    """A picture could not be fetched, or what came is no picture."""


class BadSignature(AquatintError):
    """The webhook was not signed with this secret, or its time is too far from now."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    400: InvalidInput,
    401: Unauthorized,
    402: OutOfPoints,
    403: Forbidden,
    404: NotFound,
    405: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    422: InvalidInput,
}


def api_error(
    code: int,
    msg: str,
    request_id: str | None = None,
    retry_after: float | None = None,
    categories: tuple[str, ...] = (),
) -> ApiError:
    """The error of a refusal, by its code."""
    if categories or (code == 400 and msg == "content rejected by moderation"):
        return ContentRejected(code, msg, request_id, categories)
    if code == 400 and msg.startswith("model: there is no model"):
        return UnknownModel(code, msg, request_id)
    if code == 429:
        return RateLimited(code, msg, request_id, retry_after)
    if code >= 500:
        return ServerError(code, msg, request_id, retry_after)
    return _BY_STATUS.get(code, ApiError)(code, msg, request_id)
