"""Reading what strangers send, never more of it than asked for."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from aiohttp import ClientError, ClientResponse

from aquatint.net.errors import FetchFailed, TooManyBytes

_READ_BYTES = 1 << 16
_INFLATE_STEP = 1 << 20
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


async def read_whole(response: ClientResponse, max_bytes: int) -> bytes:
    """The whole body, decompressed. Raises TooManyBytes past `max_bytes`, FetchFailed when it cannot be
    decoded.
    """
    if response.content_length is not None and response.content_length > max_bytes:
        raise _too_many(max_bytes)
    pieces: list[bytes] = []
    total = 0
    async for piece in _decoded(response, max_bytes):
        total += len(piece)
        if total > max_bytes:
            raise _too_many(max_bytes)
        pieces.append(piece)
    return b"".join(pieces)


async def read_excerpt(response: ClientResponse, max_bytes: int, patience: float) -> bytes:
    """The first bytes of the body: at most `max_bytes`, waiting at most `patience` seconds, whatever else it
    does.
    """
    content = response.content
    if content.is_eof() and content.exception() is None:
        return content.read_nowait(max_bytes)
    excerpt = bytearray()
    try:
        async with asyncio.timeout(patience):
            while len(excerpt) < max_bytes and not content.at_eof():
                excerpt += await content.read(max_bytes - len(excerpt))
    except (TimeoutError, ClientError):
        pass  # the status is known and decides; the excerpt is for the log
    return bytes(excerpt)


async def _decoded(response: ClientResponse, max_bytes: int) -> AsyncIterator[bytes]:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    chunks = response.content.iter_chunked(_READ_BYTES)
    if encoding in ("", "identity"):
        async for chunk in chunks:
            yield chunk
        return
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise FetchFailed("the server sent a compressed body that was not asked for", permanent=True)
    inflater = zlib.decompressobj(_GZIP_OR_ZLIB)
    received = 0
    try:
        async for chunk in chunks:
            received += len(chunk)
            if received > max_bytes:
                raise _too_many(max_bytes)
            while chunk:
                yield inflater.decompress(chunk, _INFLATE_STEP)
                chunk = inflater.unconsumed_tail
                await asyncio.sleep(0)  # a bomb inflates for long: let others run between the steps
    except zlib.error as error:
        raise FetchFailed("the server sent a damaged compressed body", permanent=True) from error
    yield inflater.flush(_INFLATE_STEP)
    if not inflater.eof:
        raise FetchFailed("the server sent only a part of the compressed body", permanent=False)


def _too_many(max_bytes: int) -> TooManyBytes:
    return TooManyBytes(f"the file is larger than {max_bytes / (1 << 20):g} MB")
