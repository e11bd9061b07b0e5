"""Google's errors, and those that a prompt can ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aquatint.testing.simulators.faults import Faults

_TYPE = "type.googleapis.com/google.rpc"
_QUOTA_TEXT = (
    "You exceeded your current quota, please check your plan and billing details. "
    "For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits."
)
_QUOTA = {
    "@type": f"{_TYPE}.QuotaFailure",
    "violations": [{"quotaMetric": "generate_requests", "quotaId": "GenerateRequestsPerMinutePerProjectPerModel"}],
}
_WRONG_KEY = {"@type": f"{_TYPE}.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
_NO_BILLING = {"@type": f"{_TYPE}.ErrorInfo", "reason": "BILLING_DISABLED", "domain": "googleapis.com"}

# [[fail:CODE]]: HTTP status, status word, text and details. Reasons to finish without a picture are not errors.
_FAILURES: dict[str, tuple[int, str, str, Sequence[Mapping[str, object]]]] = {
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT", "Request contains an invalid argument.", ()),
    "FAILED_PRECONDITION": (400, "FAILED_PRECONDITION", "User location is not supported for the API use.", ()),
    "UNAUTHENTICATED": (401, "UNAUTHENTICATED", "Request had invalid authentication credentials.", ()),
    "PERMISSION_DENIED": (403, "PERMISSION_DENIED", "The caller does not have permission", ()),
    "NOT_FOUND": (404, "NOT_FOUND", "Requested entity was not found.", ()),
    "ABORTED": (409, "ABORTED", "The operation was aborted.", ()),
    "RESOURCE_EXHAUSTED": (429, "RESOURCE_EXHAUSTED", _QUOTA_TEXT, (_QUOTA,)),
    "CANCELLED": (499, "CANCELLED", "The operation was cancelled.", ()),
    "INTERNAL": (500, "INTERNAL", "An internal error has occurred. Please retry.", ()),
    "UNIMPLEMENTED": (501, "UNIMPLEMENTED", "Operation is not implemented.", ()),
    "UNAVAILABLE": (503, "UNAVAILABLE", "The model is overloaded. Please try again later.", ()),
    "DEADLINE_EXCEEDED": (504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", ()),
    "API_KEY_INVALID": (
        400,
        "INVALID_ARGUMENT",
        "API key not valid. Please pass a valid API key.",
        (_WRONG_KEY,),
    ),
    "BILLING_DISABLED": (403, "PERMISSION_DENIED", "This API method requires billing to be enabled.", (_NO_BILLING,)),
    "BILLING_NOT_ENABLED": (
        400,
        "FAILED_PRECONDITION",
        "Gemini API free tier is not available in your country. Please enable billing on your project.",
        (),
    ),
    "CREDITS_DEPLETED": (429, "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", ()),
    "SPENDING_CAP": (429, "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending cap.", ()),
}
_BY_STATUS = {status: word for word, (status, own, *_) in _FAILURES.items() if word == own and status != 400}


class Refusal(Exception):
    """An answer that is an error of Google's shape."""

    def __init__(self, status: int, word: str, message: str, details: Sequence[Mapping[str, object]] = ()) -> None:
        super().__init__(message)
        self.status = status
        more = {"details": list(details)} if details else {}
        self.body = {"error": {"code": status, "message": message, "status": word, **more}}


def bad(message: str) -> Refusal:
    """A request that makes no sense."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def wrong_key() -> Refusal:
    return Refusal(*_FAILURES["API_KEY_INVALID"])


def fault(wrong: Faults) -> Refusal:
    """The error that the faults ask for, by status or by word. Google says in the body how long to wait."""
    default = "INTERNAL" if wrong.http >= 500 else "INVALID_ARGUMENT"
    word = _BY_STATUS.get(wrong.http, default) if wrong.http else wrong.fail
    status, word, message, details = _FAILURES.get(word, _FAILURES["INVALID_ARGUMENT"])
    if wrong.retry_after is not None:
        details = (*details, {"@type": f"{_TYPE}.RetryInfo", "retryDelay": f"{wrong.retry_after:g}s"})
    return Refusal(wrong.http or status, word, message, details)
