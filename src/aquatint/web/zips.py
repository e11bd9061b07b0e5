"""Zips: many pictures in one stream, stored as they are, since they are compressed already."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterator

from aquatint.web.desk import Desk, Refused
from aquatint.web.shown import Run

_MODES = 0o644 << 16


class _Tray:
    """Takes what the zip writer writes until somebody fetches it. It cannot seek, so sizes follow each file."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def fetch(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


async def stream(desk: Desk, runs: AsyncIterator[Run]) -> AsyncIterator[bytes]:
    """The zip of these tasks' pictures in pieces. What has expired meanwhile is left out."""
    tray = _Tray()
    with zipfile.ZipFile(tray, "w", zipfile.ZIP_STORED) as archive:
        async for run in runs:
            day = run.created_at[:10]
            for one in run.prints:
                name = f"{day}-{run.id[-12:]}-{one.number}.{one.path.rpartition('.')[2][:5]}"
                entry = zipfile.ZipInfo(name, date_time=_moment(run.created_at))
                entry.external_attr = _MODES
                pieces = desk.pieces(one.path, {"direct": "1"})
                try:
                    first = await anext(pieces, b"")
                except Refused:
                    continue
                with archive.open(entry, "w", force_zip64=False) as file:
                    file.write(first)
                    yield tray.fetch()
                    async for piece in pieces:
                        file.write(piece)
                        yield tray.fetch()
    yield tray.fetch()


def _moment(text: str) -> tuple[int, int, int, int, int, int]:
    year, month, day, hour, minute, second = (int(text[a:b]) for a, b in _PARTS)
    return max(1980, year), month, day, hour, minute, second


_PARTS = ((0, 4), (5, 7), (8, 10), (11, 13), (14, 16), (17, 19))
