"""Downloads of providers' results: guarded like every download, except from origins that the operator named."""

from __future__ import annotations

from collections.abc import Sequence

from aquatint.net.errors import AnswerLost, FetchFailed, FetchTimedOut
from aquatint.net.http import HttpDoor
from aquatint.net.provider import ProviderDoor, origin_of

_WORTH_ASKING_AGAIN = frozenset((408, 425, 429))


class ResultDoor:
    """Opened once, used concurrently, closed once. It knows no key, so it can give none away."""

    def __init__(self, door: HttpDoor, *, connect_seconds: float) -> None:
        self._door = door
        self._connect = connect_seconds
        self._trusted: dict[str, ProviderDoor] = {}

    async def close(self) -> None:
        for door in self._trusted.values():
            await door.close()
        self._trusted.clear()

    async def fetch(self, url: str, trusted: Sequence[str], *, max_bytes: int, deadline: float) -> bytes:
        """GET the whole body within `deadline` seconds.

        Raises BadUrl, BlockedAddress, TooManyBytes, FetchTimedOut and FetchFailed.
        """
        origin = origin_of(url)
        if origin not in trusted:
            return (await self._door.fetch(url, max_bytes=max_bytes, deadline=deadline)).data
        door = await self._opened(origin)
        try:
            reply = await door.ask("GET", url, seconds=deadline, max_bytes=max_bytes)
        except AnswerLost as error:
            raise FetchTimedOut(error.message) from error
        if reply.status != 200:
            again = reply.status in _WORTH_ASKING_AGAIN or reply.status >= 500
            message = f"the server answered with status {reply.status}"
            raise FetchFailed(message, permanent=not again, status=reply.status)
        return reply.body

    async def _opened(self, origin: str) -> ProviderDoor:
        door = self._trusted.get(origin)
        if door is None:
            door = self._trusted[origin] = ProviderDoor(origin, {}, connect_seconds=self._connect)
            await door.open()
        return door
