"""OpenAI's errors, and those that a prompt can ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping

from aquatint.testing.simulators.faults import Faults

# [[fail:CODE]]: status, type and text of OpenAI's errors. A code that is not here is a bad request.
_FAILURES: dict[str, tuple[int, str, str]] = {
    "moderation_blocked": (400, "image_generation_user_error", "Your request was rejected by the safety system."),
    "content_policy_violation": (400, "image_generation_user_error", "Your request was rejected."),
    "image_content_policy_violation": (400, "image_generation_user_error", "Your image was rejected."),
    "billing_hard_limit_reached": (400, "billing_limit_user_error", "Billing hard limit has been reached."),
    "invalid_api_key": (401, "invalid_request_error", "Incorrect API key provided: sk-****."),
    "organization_not_verified": (403, "invalid_request_error", "Your organization must be verified."),
    "unsupported_country_region_territory": (403, "request_forbidden", "Country, region, or territory not supported"),
    "model_not_found": (404, "invalid_request_error", "The model does not exist or you do not have access to it."),
    "conflict": (409, "invalid_request_error", "The resource was changed by another request."),
    "request_too_large": (413, "invalid_request_error", "The request is too large."),
    "unprocessable_entity": (422, "invalid_request_error", "The request could not be processed."),
    "insufficient_quota": (
        429,
        "insufficient_quota",
        "You exceeded your current quota, check your plan and billing.",
    ),
    "rate_limit_exceeded": (429, "images", "Rate limit reached for images per minute. Please try again later."),
    "server_error": (500, "server_error", "The server had an error while processing your request."),
    "overloaded": (503, "server_error", "The engine is currently overloaded, please try again later."),
}
_BY_STATUS = {status: code for code, (status, _, _) in _FAILURES.items() if status != 400}


class Refusal(Exception):
    """An answer that is an error of OpenAI's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        *,
        param: str | None = None,
        kind: str = "invalid_request_error",
        more: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"message": message, "type": kind, "param": param, "code": code, **(more or {})}
        self.headers = headers or {}


def fault(wrong: Faults) -> Refusal:
    """The error that the faults ask for, by status or by code."""
    default = "server_error" if wrong.http >= 500 else "invalid_value"
    code = _BY_STATUS.get(wrong.http, default) if wrong.http else wrong.fail
    status, kind, message = _FAILURES.get(code, (400, "invalid_request_error", f"Invalid request ({code})."))
    more: dict[str, object] = {}
    headers: dict[str, str] = {}
    if code == "moderation_blocked":
        more["moderation_details"] = {"moderation_stage": "input", "categories": ["violence"]}
    wait = 1.0 if wrong.fail == "rate_limit_exceeded" and wrong.retry_after is None else wrong.retry_after
    if wait is not None:
        headers = {"retry-after": str(math.ceil(wait)), "retry-after-ms": str(round(wait * 1000))}
    if code == "insufficient_quota":
        headers["x-should-retry"] = "false"
    return Refusal(wrong.http or status, message, code, kind=kind, more=more, headers=headers)
