"""The call: one paid request of an attempt to a provider, and the journal that keeps it from being paid twice.

A call goes intent -> sent -> acknowledged -> settled. The intent is on the disk before anything leaves, `sent` is on
the disk before the first byte leaves, and `acknowledged` holds what is needed to go on after a crash: the provider's
job, or where its results lie. What was sent and never answered is `unknown`, and stays so until a person says more.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from aquatint.domain.task import Micros


class CallState(StrEnum):
    INTENT = "intent"  # decided, not yet sent
    SENT = "sent"  # it may have left; from here on a charge is possible
    ACKNOWLEDGED = "acknowledged"  # the provider has taken it, or has answered with results that we do not hold yet
    SETTLED = "settled"  # it is known how it ended; `outcome` says it
    UNKNOWN = "unknown"  # it may have been billed, and nobody knows what became of it


class CallOutcome(StrEnum):
    MADE = "made"  # images came; they are kept
    NOT_SENT = "not sent"  # nothing left this machine, or the provider was not reached
    REFUSED = "refused"  # the provider said no; not billed
    FAILED = "failed"  # the provider failed; `charged` says whether it may be billed
    LOST = "lost"  # billed, but the results could not be fetched any more
    ABANDONED = "abandoned"  # the task ended (cancel, deadline) while the provider worked


OPEN = frozenset({CallState.INTENT, CallState.SENT, CallState.ACKNOWLEDGED})


class PendingImage(msgspec.Struct, frozen=True):
    """An image that the provider made and that still lies with it. `index` is the image's place in the task."""

    index: int
    url: str
    seed: int | None = None


class KeptImage(msgspec.Struct, frozen=True):
    """An image in our own storage, checked, that no result names yet."""

    index: int
    digest: str
    media_type: str
    width: int
    height: int
    bytes: int
    seed: int | None = None


class NewCall(msgspec.Struct, frozen=True):
    """A paid call to be journaled as an intent. `images` are places in the task, from 0."""

    key: str  # unique; what the provider gets as idempotency key where it knows such a thing
    engine: str
    remote_model: str
    account: str
    images: tuple[int, ...]
    resend_safe: bool


class PaidCall(msgspec.Struct, frozen=True):
    """One row of the journal."""

    no: int
    task_no: int
    attempt: int
    key: str
    engine: str
    remote_model: str
    account: str
    images: tuple[int, ...]
    resend_safe: bool
    state: CallState
    created_at: Micros
    outcome: str = ""
    failure: str = ""  # name of our error's class
    code: str = ""  # the provider's word for what went wrong
    detail: str = ""  # for the operator only
    charged: bool = False  # a charge stands, or may stand
    remote_id: str = ""
    request_id: str = ""
    handle: dict[str, str] = {}
    pending: tuple[PendingImage, ...] = ()
    kept: tuple[KeptImage, ...] = ()
    sent_at: Micros | None = None
    acknowledged_at: Micros | None = None
    settled_at: Micros | None = None


class CallEnd(msgspec.Struct, frozen=True):
    """How a call ended, and what that says about the provider."""

    state: CallState  # SETTLED or UNKNOWN
    outcome: CallOutcome | None
    at: Micros
    failure: str = ""
    code: str = ""
    detail: str = ""
    charged: bool = False
    request_id: str = ""
    kept: tuple[KeptImage, ...] = ()
    keep_until: Micros = 0  # until then the bytes of `kept` stay, whatever becomes of the task
