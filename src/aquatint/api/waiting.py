"""`Prefer: wait=N`: an answer that comes once the task has ended, or after N seconds."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request

from aquatint.api.observed import WAITED
from aquatint.api.stream import gone
from aquatint.domain.errors import RateLimited
from aquatint.domain.task import Task
from aquatint.services.wait import WaitService
from aquatint.wire import preferences


def preferred(request: Request) -> int | None:
    """Seconds that the caller would like to wait; None when it said nothing that can be read."""
    values = request.headers.getlist("prefer")
    return preferences.wait(values) if values else None


async def ended(request: Request, wait: WaitService, task_id: str, key_id: str, seconds: int) -> Task | None:
    """The task when it has ended or the time is over; None when the client has gone or too many wait for its key.

    The body of the request must have been read. Raises NotFound.
    """
    began = time.perf_counter()
    waiting = asyncio.create_task(wait(task_id, key_id, seconds))
    going = asyncio.create_task(gone(request.receive))
    try:
        await asyncio.wait((waiting, going), return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            return None
        return waiting.result()
    except RateLimited:
        return None  # a preference, so it may be left unmet
    finally:
        waiting.cancel()
        going.cancel()
        await asyncio.gather(waiting, going, return_exceptions=True)
        request.scope[WAITED] = time.perf_counter() - began  # not ours: it must not look like slowness


def applied(seconds: int) -> dict[str, str]:
    return {"preference-applied": f"wait={seconds}"}
