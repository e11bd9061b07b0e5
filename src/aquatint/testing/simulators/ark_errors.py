"""Errors as Ark words them: status, code, message, and the loose word that it calls a type."""

from __future__ import annotations

from aiohttp import web

_TABLE = (  # start of the code, HTTP status, type, message
    ("MissingParameter", 400, "BadRequest", "The request failed because it is missing one or multiple parameters."),
    ("InvalidParameter", 400, "BadRequest", "One or more parameters specified in the request are not valid."),
    ("InvalidArgumentError", 400, "BadRequest", "An argument of the request is not valid."),
    ("InvalidImageURL.EmptyURL", 400, "BadRequest", "Empty base64 image url."),
    ("InvalidImageURL", 400, "BadRequest", "Invalid base64 image url."),
    ("OutofContextError", 400, "BadRequest", "Total tokens of image and text exceed max message tokens."),
    ("Input", 400, "BadRequest", "The request failed because the input may contain sensitive information."),
    ("Output", 400, "BadRequest", "The request failed because the output may contain sensitive information."),
    (
        "SensitiveContent",
        400,
        "BadRequest",
        "The request failed because the input text may contain sensitive content.",
    ),
    ("ContentSecurityDetectionError", 400, "BadRequest", "Internal error."),
    ("InvalidEndpoint.ClosedEndpoint", 400, "BadRequest", "The endpoint is currently closed or unavailable."),
    ("InvalidSubscription", 400, "Forbidden", "Your account does not have a valid subscription."),
    ("AuthenticationError", 401, "Unauthorized", "The API key or AK/SK in the request is missing or invalid."),
    ("InvalidAccountStatus", 401, "Forbidden", "There is an issue with your account status."),
    ("AccountOverdueError", 403, "Forbidden", "The request failed because your account has an overdue balance."),
    ("OperationDenied.ServiceOverdue", 403, "Forbidden", "Operation is denied because your balance is overdue."),
    ("OperationDenied", 403, "Forbidden", "Operation is denied."),
    ("AccessDenied", 403, "Forbidden", "You do not have access to the requested resource."),
    (
        "InvalidEndpointOrModel",
        404,
        "NotFound",
        "The model or endpoint does not exist or you do not have access to it.",
    ),
    ("ModelNotOpen", 404, "NotFound", "Your account has not activated the model."),
    ("UnsupportedModel", 404, "NotFound", "The model does not support this feature."),
    ("NotFound", 404, "NotFound", "The specified resource is not found."),
    ("Conflict", 409, "Conflict", "The request conflicts with the current state of the resource."),
    ("RequestBodyTooLarge", 413, "PayloadTooLarge", "The request body is larger than the limit allowed."),
    ("QuotaExceeded:queue", 429, "TooManyRequests", "The request has exceeded the quota."),
    ("QuotaExceeded:plan", 429, "TooManyRequests", "You have exceeded the weekly usage quota."),
    ("QuotaExceeded", 429, "TooManyRequests", "Your account [sim] has exhausted its free trial quota for the model."),
    ("SetLimitExceeded", 429, "TooManyRequests", "Your account [sim] has reached the set inference limit."),
    ("ServerOverloaded", 429, "TooManyRequests", "The service is currently unable to handle additional requests."),
    ("RequestBurstTooFast", 429, "TooManyRequests", "System protection triggered by request burst."),
    ("InflightBatchsizeExceeded", 429, "TooManyRequests", "The Inflight Batchsize limit has been exceeded."),
    ("ModelAccountIpm", 429, "TooManyRequests", "IPM (Images Per Minute) limit of the model is exceeded."),
    ("RateLimitExceeded", 429, "TooManyRequests", "The RPM limit of the associated endpoint has been exceeded."),
    ("Internal", 500, "InternalServerError", "The service encountered an unexpected internal error."),
)
_BY_STATUS = {
    400: "InvalidParameter",
    401: "AuthenticationError",
    403: "AccessDenied",
    404: "InvalidEndpointOrModel.NotFound",
    409: "Conflict",
    413: "RequestBodyTooLarge",
    429: "ModelAccountIpmRateLimitExceeded",
}


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, code: str, message: str = "", *, param: str = "", status: int = 0) -> None:
        super().__init__(code)
        known = next((row for row in _TABLE if code.startswith(row[0])), None)
        if known is None and "RateLimitExceeded" in code:
            known = ("", 429, "TooManyRequests", "A rate limit of the account has been exceeded.")
        _, usual_status, self.kind, usual_message = known or ("", 400, "BadRequest", "The request failed.")
        self.code = code.partition(":")[0]
        self.status = status or usual_status
        self.message = message or usual_message
        self.param = param

    def plain(self) -> dict[str, str]:
        """The error as it stands inside an answer."""
        return {"code": self.code, "message": self.message}

    def response(self, request_id: str, headers: dict[str, str] | None = None) -> web.Response:
        error = {
            "code": self.code,
            "message": f"{self.message} Request id: {request_id}",
            "param": self.param,
            "type": self.kind,
        }
        return web.json_response({"error": error}, status=self.status, headers=headers)


def of_status(status: int) -> Refused:
    """The error that Ark would give with this HTTP status."""
    usual = "InternalServiceError" if status >= 500 else "InvalidParameter"
    return Refused(_BY_STATUS.get(status, usual), status=status)


def invalid(param: str, problem: str, code: str = "InvalidParameter") -> Refused:
    return Refused(code, f"The parameter `{param}` specified in the request is not valid: {problem}.", param=param)
