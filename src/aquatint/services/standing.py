"""Standing: what the journal of a task says is made, lost, under way, or still to be bought. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from aquatint.domain import errors
from aquatint.domain.call import CallOutcome, CallState, KeptImage, PaidCall
from aquatint.domain.errors import Broken, EngineError, OutcomeUnknown

_ERRORS = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, EngineError)
}
_FINAL = "this image was not made by an earlier run"


@dataclass(frozen=True, slots=True)
class Seat:
    """Who serves the task now."""

    engine: str
    account: str
    remote_model: str


@dataclass(slots=True)
class Standing:
    """Images are places in the task, from 0."""

    kept: dict[int, KeptImage] = field(default_factory=dict)
    closed: dict[int, EngineError] = field(default_factory=dict)  # not made, and not to be bought again
    open: list[PaidCall] = field(default_factory=list)  # to be gone on with
    doubtful: list[PaidCall] = field(default_factory=list)  # sent by an attempt that is gone; nobody knows
    stale: list[PaidCall] = field(default_factory=list)  # intents for somebody else; nothing of them was ever sent

    def missing(self, count: int) -> list[int]:
        """Images that no call has bought or is buying."""
        under_way = {image for call in self.open for image in call.images}
        return [i for i in range(count) if i not in self.kept and i not in self.closed and i not in under_way]


def read(calls: Sequence[PaidCall], attempt: int, seat: Seat, resend_ambiguous: bool) -> Standing:
    """Sort the journal for `attempt` of a task.

    `resend_ambiguous` is the operator's word that an unknown image may be bought again.
    """
    found = Standing()
    for call in calls:
        match call.state:
            case CallState.SETTLED:
                _settled(found, call, resend_ambiguous)
            case CallState.UNKNOWN:
                _doubt(found, call, resend_ambiguous)
            case CallState.SENT if call.attempt != attempt and not (call.resend_safe and _fits(call, seat)):
                found.doubtful.append(call)
                _doubt(found, call, resend_ambiguous)
            case CallState.ACKNOWLEDGED if call.engine != seat.engine and not call.pending:
                # Its engine does not serve the task any more, so nobody can ask after the job.
                found.doubtful.append(call)
                _doubt(found, call, resend_ambiguous)
            case CallState.INTENT if not _fits(call, seat):
                if call.sent_at is None:
                    found.stale.append(call)
                else:  # it was to be sent again under its key, which nobody else knows
                    found.doubtful.append(call)
                    _doubt(found, call, resend_ambiguous)
            case _:
                found.open.append(call)
    return found


def unknown_error() -> EngineError:
    """What a caller is told of an image whose call nobody knows the fate of."""
    return OutcomeUnknown(
        "the provider took the request and its answer was lost; it may have been billed, so it is not sent again",
        charged=True,
    )


def _fits(call: PaidCall, seat: Seat) -> bool:
    """Whether the call can be sent as it was meant: a key that was sent counts for one account and one body."""
    return (call.engine, call.account, call.remote_model) == (seat.engine, seat.account, seat.remote_model)


def _settled(found: Standing, call: PaidCall, resend_ambiguous: bool) -> None:
    found.kept.update({image.index: image for image in call.kept})
    if resend_ambiguous and call.failure == OutcomeUnknown.__name__:
        return  # an answer that was cut: the operator would rather pay again for what did not come
    # An image that a finished call did not give was refused for itself: the same would be refused again. One whose
    # call failed unbilled may be bought anew; one that was billed and is lost may not.
    final = call.outcome in (CallOutcome.MADE, CallOutcome.REFUSED) or call.charged
    if final:
        error = _error_of(call)
        found.closed.update({image: error for image in call.images if image not in found.kept})


def _doubt(found: Standing, call: PaidCall, resend_ambiguous: bool) -> None:
    if not resend_ambiguous:
        error = unknown_error()
        found.closed.update(dict.fromkeys(call.images, error))


def _error_of(call: PaidCall) -> EngineError:
    kind = _ERRORS.get(call.failure)
    if kind is None:
        return Broken(_FINAL, charged=call.charged, code=call.code)
    return kind(_WORDS.get(call.failure, _FINAL), charged=call.charged, code=call.code)


_WORDS = {
    "ContentRefused": "the provider does not make this picture: it refused the content",
    "InputRefused": "the provider cannot use a parameter or a reference of this task",
}
