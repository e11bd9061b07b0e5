"""The asset port: bytes under their own SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Protocol


def digest_of(data: bytes) -> str:
    """Lower-case hex SHA-256, 64 characters: the name of these bytes everywhere."""
    return hashlib.sha256(data).hexdigest()


class AssetStore(Protocol):
    """Keeps bytes by digest. Writes are durable when they return. Raises StoreUnavailable when it is out of reach."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def put(self, data: bytes) -> str:
        """Store `data` and return its digest; storing the same bytes again costs almost nothing."""
        ...

    async def read(self, digest: str) -> bytes:
        """The bytes. Raises NotFound."""
        ...

    def path(self, digest: str) -> str | None:
        """A local file that holds the bytes, when there is one."""
        ...

    async def link(self, digest: str) -> str | None:
        """Where a caller can fetch the bytes without this server, for a while; None when he cannot."""
        ...

    async def stream(self, digest: str) -> AsyncIterator[bytes]:
        """The bytes in pieces. Raises NotFound before the first."""
        ...

    async def delete_if_old(self, digest: str, older_than: float) -> bool:
        """Delete unless it was stored or stored again within the last `older_than` seconds."""
        ...

    def digests(self) -> AsyncIterator[list[str]]:
        """All digests, some hundred at a time."""
        ...
