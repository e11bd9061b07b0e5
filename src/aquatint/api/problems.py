"""From any error to the contract's envelope."""

from __future__ import annotations

import functools
import math
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope

from aquatint.api.observed import request_id
from aquatint.domain.errors import CallerError, RateLimited, StoreUnavailable
from aquatint.telemetry import logger
from aquatint.wire import answers, hygiene

Handler = Callable[[Request], Awaitable[Response]]
STORE_RETRY_AFTER = 5  # seconds


def envelope(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(body, status, headers, media_type="application/json")


def failure(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    """The failure envelope with a tidied message."""
    return envelope(answers.failure(status, hygiene.tidy(message)), status, headers)


def answering(handler: Handler) -> Handler:
    """The handler with every error of ours turned into its envelope."""

    @functools.wraps(handler)
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except RateLimited as error:
            return failure(error.status, error.message, {"retry-after": str(math.ceil(error.retry_after))})
        except CallerError as error:
            return failure(error.status, error.message)
        except StoreUnavailable as error:
            logger().error("store.refused", request_id=request_id(request.scope), why=str(error))
            return failure(503, "the server cannot store this now", {"retry-after": str(STORE_RETRY_AFTER)})
        except ClientDisconnect:
            return failure(400, "the connection closed before the body was complete")

    return answered


def broken(scope: Scope) -> Response:
    """What a request gets that met what nobody foresaw: a bare 500, details only in the log."""
    which = request_id(scope)
    logger().exception("request.broke", request_id=which, path=scope["path"])
    return failure(500, f"internal error; request id {which}")


def refused(error: HTTPException) -> Response:
    """Unknown paths and wrong methods, in the envelope too."""
    words = {404: "there is nothing at this path", 405: "this path does not know that method"}
    headers = dict(error.headers) if error.headers else None
    return failure(error.status_code, words.get(error.status_code, error.detail), headers)
