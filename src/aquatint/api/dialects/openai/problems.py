"""From any error to the shape, status and headers by which OpenAI's libraries know what to do."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Awaitable, Callable

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from aquatint.api.observed import request_id
from aquatint.api.problems import STORE_RETRY_AFTER
from aquatint.domain.errors import (
    CallerError,
    Conflict,
    Forbidden,
    Gone,
    InvalidInput,
    NotFound,
    QuotaExceeded,
    RateLimited,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
    UnknownModel,
)
from aquatint.domain.task import Status, Task
from aquatint.telemetry import logger
from aquatint.wire.openai import answers

TASK_ID = "x-aquatint-task-id"
ANSWERED = "aquatint.task_id"  # in the ASGI scope: the task that the request has made or found
INVALID = "invalid_request_error"
SERVER = "server_error"
_ONCE = {"x-should-retry": "false"}  # another try would meet the same
_AGAIN = {"x-should-retry": "true"}

# Our fields in OpenAI's spelling.
_PARAMS = {"input.imageUrls": "image", "Idempotency-Key": "Idempotency-Key"}
_INDEX = re.compile(r"^(?P<name>[\w.-]+?)(?P<index>\[\d+\])?$")

Handler = Callable[[Request], Awaitable[Response]]


def answer(
    request: Request,
    status: int,
    message: str,
    kind: str,
    code: str | None = None,
    *,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """An error in OpenAI's shape."""
    body = answers.error(message, kind, param, code)
    return Response(body, status, {**(headers or {}), **task_header(request)}, media_type="application/json")


def task_header(request: Request) -> dict[str, str]:
    """Which task this request is about, once it has one."""
    task_id = request.scope.get(ANSWERED)
    return {TASK_ID: task_id} if task_id else {}


def answering(handler: Handler) -> Handler:
    """The handler with every error turned into OpenAI's shape."""

    @functools.wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except CallerError as error:
            return refused(request, error)
        except StoreUnavailable as error:
            logger().error("store.refused", request_id=request_id(request.scope), why=str(error))
            wait = {"retry-after": str(STORE_RETRY_AFTER)}
            return answer(request, 503, "the server cannot store this now", SERVER, "overloaded", headers=wait)
        except ClientDisconnect:
            return answer(request, 400, "the connection closed before the body was complete", INVALID)
        except Exception:  # noqa: BLE001  # the last net, in this dialect's words
            which = request_id(request.scope)
            logger().exception("request.broke", request_id=which, path=request.url.path)
            return answer(request, 500, f"internal error; request id {which}", SERVER, headers=_ONCE)

    return answered


def refused(request: Request, error: CallerError) -> Response:
    """What a request gets that cannot be served as it is."""
    code: str | None
    headers: dict[str, str] = {}
    param, kind, status, message = None, INVALID, error.status, error.message
    match error:
        case InvalidInput():
            param = _param(error.path)
            code = "missing_required_parameter" if ": is required" in message else "invalid_value"
            message = message.replace(error.path, param, 1) if error.path else message
        case UnknownModel():
            status, code, param = 404, "model_not_found", "model"
            message = error.message.replace("/api/v1/models", "/v1/models")
        case Unauthenticated():
            code, message = "invalid_api_key", "Incorrect API key provided."
        case QuotaExceeded():
            status, code, kind, headers = 429, "insufficient_quota", "insufficient_quota", _ONCE
        case RateLimited():
            code, kind = "rate_limit_exceeded", "requests"
            headers = {"retry-after": str(math.ceil(error.retry_after))}
        case Forbidden():
            code = "permission_denied"
        case Conflict():
            code, headers = "idempotency_conflict", _ONCE
        case NotFound():
            code = "not_found"
        case Gone():
            code = "expired"
        case TooLarge():
            code = "request_too_large"
        case _:
            code = None
    return answer(request, status, message, kind, code, param=param or None, headers=headers)


def failed(request: Request, task: Task) -> Response:
    """What is answered for a task that ended without pictures, or has not ended yet. None of it makes another."""
    said = task.failure_message or "no picture was made"
    match task.status, task.failure_reason:
        case Status.FAILURE, "CONTENT_MODERATION":
            blocked = "Your request was rejected by the safety system."
            return answer(request, 400, blocked, "image_generation_user_error", "moderation_blocked", headers=_ONCE)
        case Status.FAILURE, "INVALID_PARAMETERS":
            return answer(request, 400, said, INVALID, "invalid_value", headers=_ONCE)
        case Status.FAILURE, "INSUFFICIENT_POINTS":
            return answer(request, 429, said, "insufficient_quota", "insufficient_quota", headers=_ONCE)
        case Status.FAILURE, _:
            return answer(request, 500, said, SERVER, "generation_failed", headers=_ONCE)
        case Status.TIMEOUT, _:
            return answer(request, 504, said, SERVER, "task_timeout", headers=_ONCE)
        case Status.CANCELLED, _:
            return answer(request, 409, "the task was cancelled", INVALID, "task_cancelled", headers=_ONCE)
    still = f"task {task.id} is still under way; the same request, or GET /api/v1/task/{task.id}, waits on for it"
    return answer(request, 504, still, SERVER, "still_running", headers=_AGAIN)


def _param(path: str) -> str:
    match = _INDEX.match(path)
    if match is None:
        return path
    name = _PARAMS.get(match["name"], match["name"].removeprefix("input."))
    return name + (match["index"] or "")
