"""What the loops share: sleeping until something happens."""

from __future__ import annotations

import asyncio
from typing import Protocol

IDLE = 5.0  # seconds between two looks at the store when nobody called
REFUSED = 1.0  # seconds before the next try when the store refused


class Loop(Protocol):
    """One of the three loops. `run` ends after `stop`."""

    async def run(self) -> None: ...

    async def stop(self) -> None: ...


async def wait(event: asyncio.Event, seconds: float) -> None:
    """Until `event` is set, `seconds` at most; the event is cleared."""
    if seconds > 0 and not event.is_set():
        timer = asyncio.get_running_loop().call_later(seconds, event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()
    event.clear()
