"""How a job in the sandbox fails.

SandboxError              in the server
├── SandboxRefused        the job's function raised Refused: a plain sentence for the caller
├── SandboxCrashed        the worker died or the function failed; `detail` is for the log only
└── SandboxTimedOut       over the wall or CPU limit
Refused                   in the worker: what a function raises to say no
"""

from __future__ import annotations

from aquatint.domain.errors import AquatintError


class SandboxError(AquatintError):
    """Root of what `Sandbox.run` raises."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class SandboxRefused(SandboxError):
    """The function cannot serve this input; `message` may be shown to the caller."""


class SandboxCrashed(SandboxError):
    """The function failed; `detail` (traceback, last words on stderr) is for the operator's log only."""

    def __init__(self, message: str, *, detail: str = "", worker_usable: bool = False) -> None:
        super().__init__(message)
        self.detail = detail
        self.worker_usable = worker_usable


class SandboxTimedOut(SandboxError):
    """The job used up its wall or CPU seconds and its worker was killed."""


class Refused(AquatintError):
    """Raised inside a worker by a job's function; arrives in the server as SandboxRefused."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
