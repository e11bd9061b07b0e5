"""Assets on the local disk: one file each, written aside, synced, then renamed into place."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from aquatint.assets.base import digest_of
from aquatint.domain.errors import NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")
SMALL = 64 * 1024  # bytes hashed on the event loop; more goes to a thread


class DiskAssets:
    """Implements assets.base.AssetStore in a folder of two-letter shards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._prefix = f"{folder}{os.sep}"

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def put(self, data: bytes) -> str:
        digest = digest_of(data) if len(data) <= SMALL else await asyncio.to_thread(digest_of, data)
        target = self._path(digest)
        try:
            os.utime(target)  # already there: renew its age, so that no clean-up takes it away now
        except FileNotFoundError:
            await asyncio.to_thread(self._write, Path(target), data)
        return digest

    async def read(self, digest: str) -> bytes:
        try:
            return await asyncio.to_thread(Path(self._path(digest)).read_bytes)
        except FileNotFoundError:
            raise NotFound("this file is no longer kept") from None

    def path(self, digest: str) -> str | None:
        target = self._path(digest)
        return target if os.path.isfile(target) else None  # noqa: PTH113  # see _path

    async def link(self, digest: str) -> str | None:
        return None

    async def stream(self, digest: str) -> AsyncIterator[bytes]:
        data = await self.read(digest)

        async def whole() -> AsyncIterator[bytes]:
            yield data

        return whole()

    async def delete_if_old(self, digest: str, older_than: float) -> bool:
        target = Path(self._path(digest))

        def delete() -> bool:
            with contextlib.suppress(FileNotFoundError):
                if time.time() - target.stat().st_mtime >= older_than:
                    target.unlink()
                    return True
            return False

        return await asyncio.to_thread(delete)

    async def digests(self) -> AsyncIterator[list[str]]:
        shards = await asyncio.to_thread(lambda: sorted(self._folder.glob("??")))
        for shard in shards:
            names = await asyncio.to_thread(os.listdir, shard)
            yield [name for name in names if _DIGEST.fullmatch(name)]

    def _path(self, digest: str) -> str:
        """A text, because pathlib takes longer than the look-up it is for."""
        if _DIGEST.fullmatch(digest) is None:
            raise NotFound("this file is no longer kept")
        return f"{self._prefix}{digest[:2]}{os.sep}{digest}"

    def _write(self, target: Path, data: bytes) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=target.parent, prefix="writing-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(aside).rename(target)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
