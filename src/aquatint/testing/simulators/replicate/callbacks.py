"""The fake's webhooks, signed as Standard Webhooks."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

import aiohttp

from aquatint.testing.simulators.faults import Faults
from aquatint.webhooks.signature import Signer, new_secret

_TRIES = 3
_WAIT = 1.0  # seconds between them
_PATIENCE = aiohttp.ClientTimeout(total=15.0)


class Callbacks:
    """Opened and closed inside the event loop."""

    def __init__(self) -> None:
        self.secret = new_secret()
        self._signer = Signer([self.secret])
        self._stranger = Signer([new_secret()])
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=_PATIENCE)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def tell(self, url: str, prediction: Mapping[str, Any], wrong: Faults) -> None:
        """Post the prediction until it is answered with 2xx, as often as the faults want."""
        if self._session is None or wrong.silent:
            return
        body = json.dumps(prediction).encode()
        signer = self._stranger if wrong.forged else self._signer
        name = f"msg_{secrets.token_hex(12)}"
        for _ in range(2 if wrong.twice else 1):
            for _ in range(_TRIES):
                headers = {"Content-Type": "application/json", **signer.headers(name, int(time.time()), body)}
                try:
                    async with self._session.post(url, data=body, headers=headers) as answer:
                        if answer.ok:
                            break
                except (aiohttp.ClientError, TimeoutError):
                    pass
                await asyncio.sleep(_WAIT)
