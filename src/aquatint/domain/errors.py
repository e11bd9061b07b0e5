"""The one tree of errors.

AquatintError
├── CallerError                 the caller can fix it; answered in the contract's envelope
│   ├── InvalidInput            400   carries the field's path
│   ├── UnknownModel            400
│   ├── Unauthenticated         401
│   ├── QuotaExceeded           402
│   ├── Forbidden               403
│   ├── NotFound                404
│   ├── Gone                    410
│   ├── Conflict                409
│   ├── TooLarge                413
│   └── RateLimited             429   carries retry_after
├── EngineError                 the engine says why there is no picture; settles or reschedules the task
│   ├── Unavailable             retryable
│   ├── EngineRateLimited       retryable, carries retry_after
│   ├── TimedOut                retryable
│   ├── InputRefused            INVALID_PARAMETERS
│   ├── ContentRefused          CONTENT_MODERATION
│   ├── BalanceExhausted        INSUFFICIENT_POINTS (the operator's account)
│   ├── Misconfigured           the operator must act
│   ├── Broken                  the engine failed; retried a few times
│   └── OutcomeUnknown          a paid call was sent and nobody can say what became of it; never sent again
├── StoreUnavailable            the database did not take the transaction; answered 503
├── LeaseLost                   another worker, a cancel or a deadline took this attempt: stop, write nothing
└── ConfigurationError          every mistake in the settings, listed together
"""

from __future__ import annotations

from typing import ClassVar, Literal

from aquatint.domain.text import storable

FailureReason = Literal["CONTENT_MODERATION", "INVALID_PARAMETERS", "INSUFFICIENT_POINTS"]
Advice = Literal["retry", "fix", "top up", "stop"]  # what a caller of a failed task can do


class AquatintError(Exception):
    """Root of every error that Aquatint raises on purpose."""


class CallerError(AquatintError):
    """The request cannot be served as it is; `message` is shown to the caller."""

    status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(CallerError):
    """A field is malformed or out of range; `path` names it, such as `input.ratio`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}" if path else problem)
        self.path = path


class UnknownModel(CallerError):
    """No such public model; the message lists close matches."""


class Unauthenticated(CallerError):
    """Missing, wrong or revoked key. The text is fixed by the contract."""

    status = 401

    def __init__(self) -> None:
        super().__init__("unauthorized")


class QuotaExceeded(CallerError):
    """The key's points do not cover the task."""

    status = 402


class Forbidden(CallerError):
    """The key is valid but may not do this."""

    status = 403


class NotFound(CallerError):
    """Nothing there for this key."""

    status = 404


class Conflict(CallerError):
    """The request contradicts what is already stored."""

    status = 409


class Gone(CallerError):
    """It was there and has expired."""

    status = 410


class TooLarge(CallerError):
    """The body or one of its parts is over its limit."""

    status = 413


class RateLimited(CallerError):
    """Too many requests, or the backlog is full; try again after `retry_after` seconds."""

    status = 429

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EngineError(AquatintError):
    """No picture; `message` is plain words for the caller, `detail` is for the operator's log only.

    `code` is the provider's own word for it, shown in the trace. `charged` says that a provider may have billed
    the call although there is no picture: then nothing sends it again, here or by another route. `about_account`
    False says that it tells nothing of the key behind it, so that no other model rests because of it.
    """

    retryable: ClassVar[bool] = False
    failure_reason: ClassVar[FailureReason | None] = None
    advice: ClassVar[Advice] = "stop"

    def __init__(
        self,
        message: str,
        *,
        detail: str = "",
        retry_after: float | None = None,
        code: str = "",
        charged: bool = False,
        about_account: bool = True,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.about_account = about_account
        self.detail = storable(detail)
        self.retry_after = retry_after
        self.code = storable(code)
        self.charged = charged

    @property
    def kind(self) -> str:
        """The name of its class in this tree, also for classes that other rooms have made of it."""
        return next(kind.__name__ for kind in type(self).__mro__ if kind.__module__ == __name__)


class Unavailable(EngineError):
    """The engine cannot be reached or is closing; another attempt may work."""

    retryable = True
    advice = "retry"


class EngineRateLimited(EngineError):
    """The provider asks us to slow down."""

    retryable = True
    advice = "retry"


class TimedOut(EngineError):
    """One attempt took longer than the engine allows."""

    retryable = True
    advice = "retry"


class InputRefused(EngineError):
    """The prompt, a parameter or a reference image cannot be used."""

    failure_reason = "INVALID_PARAMETERS"
    advice = "fix"


class ContentRefused(EngineError):
    """The provider refused the content."""

    failure_reason = "CONTENT_MODERATION"


class BalanceExhausted(EngineError):
    """The operator's account with the provider is empty."""

    failure_reason = "INSUFFICIENT_POINTS"
    advice = "top up"


class Misconfigured(EngineError):
    """Key, model id or installation is wrong; only the operator can mend it."""


class Broken(EngineError):
    """The engine failed without a reason that the caller could act on."""

    retryable = True
    advice = "retry"


class OutcomeUnknown(EngineError):
    """A paid call left this machine and no answer came back; it may have been billed, so it is not sent again."""


class StoreUnavailable(AquatintError):
    """The database did not take the transaction (disk full, file gone); nothing of it was written."""


class LeaseLost(AquatintError):
    """This attempt no longer owns the task; whatever it would write must not be written."""


class ConfigurationError(AquatintError):
    """The settings hold mistakes; `problems` lists all of them."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
