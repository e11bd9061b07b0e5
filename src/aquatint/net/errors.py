"""What can go wrong on the way out; every `message` is a plain sentence that a caller may read.

NetError
├── BadUrl            the URL is malformed or uses what we do not speak
├── BlockedAddress    the address is private, reserved or otherwise not ours to reach
├── FetchFailed       the other side did not give us the bytes; `permanent` says whether to ask again
├── TooManyBytes      more bytes than allowed, declared, received or after decompression
├── FetchTimedOut     the other side was too slow
├── NotSent           a provider never got the request: it was surely not billed
└── AnswerLost        a provider got the request and its answer did not arrive: nobody knows
"""

from __future__ import annotations

from aquatint.domain.errors import AquatintError


class NetError(AquatintError):
    """Root of what `net` raises. `message` never quotes resolved addresses, so it cannot map a private
    net.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadUrl(NetError):
    """The text is not an http(s) URL that we accept."""


class BlockedAddress(NetError):
    """At least one address behind the host is not public and the operator has not allowed it."""


class FetchFailed(NetError):
    """No bytes. `status` is the HTTP status when there was an answer."""

    def __init__(self, message: str, *, permanent: bool, status: int | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.status = status


class TooManyBytes(NetError):
    """The body is larger than the caller of `fetch` allows."""


class FetchTimedOut(NetError):
    """The deadline, or the patience for one read, is over. Asking again later may work."""


class NotSent(NetError):
    """The request did not leave this machine, so nothing can have come of it."""


class AnswerLost(NetError):
    """The request left this machine, and no whole answer came back. `status` is set when its head did."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
