"""The way out to paid providers: each paid request leaves once, and what became of it is said exactly.

The operator names a provider's address, so it may be private; nothing that a provider says can lead a key elsewhere.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httpx

from aquatint.domain.text import storable
from aquatint.net.errors import AnswerLost, BadUrl, NotSent, TooManyBytes

MAX_REPLY = 64 << 20  # bytes of an answer that holds no images in itself
_IDLE_SECONDS = 1.5  # shorter than what servers keep: a free request must not meet a closed connection
_POOLS, _EACH = 8, 8  # httpcore looks at all connections of a pool twice for each request, so pools are kept small
_SENT = frozenset(("http11.send_request_headers.started", "http2.send_request_headers.started"))

Files = Sequence[tuple[str, tuple[str, bytes, str]]]  # field, (file name, bytes, media type)


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The parsed body, its texts such as can be kept; None when it is not JSON, as proxies answer."""
        try:
            return _storable(json.loads(self.body))
        except (ValueError, RecursionError):
            return None


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): _storable(item) for name, item in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Stream:
    """The head of an answer and its body as it arrives. Reading raises AnswerLost and TooManyBytes."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]


@dataclass(slots=True, eq=False)
class _Pool:
    """A client with connections of its own, and how many requests it has under way."""

    client: httpx.AsyncClient
    busy: int = 0


class ProviderDoor:
    """Requests to one provider. Opened once inside the event loop, used concurrently, closed once.

    No proxy from the environment, no redirects, no cookies, no repeats.
    """

    def __init__(
        self, base_url: str, headers: Mapping[str, str], *, connect_seconds: float, user_agent: str = "Aquatint"
    ) -> None:
        """`headers` go with every request and hold the key, without the line break that keys from files end with."""
        self._base = base_url.rstrip("/")
        all_headers = {"User-Agent": user_agent, "Accept-Encoding": "identity", **headers}
        # As bytes: a key with letters that no header can have is for the provider to refuse, not for us to crash on.
        self._headers = {name.encode(): value.strip().encode() for name, value in all_headers.items()}
        self._connect = connect_seconds
        self._paid: tuple[_Pool, ...] = ()
        self._free: tuple[_Pool, ...] = ()

    async def open(self) -> None:
        """Make the clients; nothing is contacted."""
        authorities = httpx.create_ssl_context(trust_env=False)  # reading them takes longer than all the rest
        # A paid request never rides on a connection that may just be closing: that would look like a lost answer.
        alone = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        few = httpx.Limits(max_connections=_EACH, max_keepalive_connections=_EACH, keepalive_expiry=_IDLE_SECONDS)
        self._paid = tuple(_Pool(self._client(alone, authorities)) for _ in range(_POOLS))
        self._free = tuple(_Pool(self._client(few, authorities)) for _ in range(_POOLS))

    async def close(self) -> None:
        pools = (*self._paid, *self._free)
        self._paid = self._free = ()
        for pool in pools:
            await pool.client.aclose()

    async def pay(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float,
        max_bytes: int = MAX_REPLY,
    ) -> Reply:
        """Make a request that costs money, once. `body` is sent as JSON; `form` and `files` as multipart.

        Raises NotSent, AnswerLost, and TooManyBytes for an answer past `max_bytes`.
        """
        async with self.pay_stream(
            method, path, body=body, form=form, files=files, headers=headers, seconds=seconds, max_bytes=max_bytes
        ) as stream:
            return Reply(stream.status, stream.headers, b"".join([chunk async for chunk in stream.chunks]))

    @asynccontextmanager
    async def pay_stream(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        form: Mapping[str, str] | None = None,
        files: Files | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float,
        max_bytes: int = MAX_REPLY,
    ) -> AsyncIterator[Stream]:
        """`pay`, for answers that are worth reading before they are whole. `seconds` bound the whole exchange."""
        pool = _least_busy(self._paid)
        sent = False

        async def trace(name: str, info: object) -> None:
            nonlocal sent
            sent = sent or name in _SENT

        request = pool.client.build_request(
            method,
            self._paid_url(path),
            json=body,
            data=dict(form) if form is not None else None,
            files=list(files) if files is not None else None,
            headers=headers,
            extensions={"trace": trace},
            timeout=httpx.Timeout(None, connect=self._connect),
        )
        response: httpx.Response | None = None
        pool.busy += 1
        try:
            async with asyncio.timeout(seconds):
                response = await pool.client.send(request, stream=True)
                yield Stream(response.status_code, _lower(response), _chunks(response, max_bytes))
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            # A head that breaks the protocol on our side is refused before its first byte.
            if not sent or isinstance(error, httpx.LocalProtocolError):
                raise NotSent(_plain(error, connected=sent)) from error
            what = _plain(error)
            raise AnswerLost(what, status=response.status_code if response is not None else None) from error
        finally:
            pool.busy -= 1
            if response is not None:
                await response.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30.0,
        max_bytes: int = MAX_REPLY,
    ) -> Reply:
        """Make a request that costs nothing, such as asking after a job.

        Raises AnswerLost whatever went wrong, TooManyBytes, and BadUrl for a URL that is not the provider's.
        """
        pool = _least_busy(self._free)
        request = pool.client.build_request(
            method,
            self._url(path),
            json=body,
            headers=headers,
            timeout=httpx.Timeout(seconds, connect=self._connect),
        )
        response: httpx.Response | None = None
        pool.busy += 1
        try:
            async with asyncio.timeout(seconds):
                response = await pool.client.send(request, stream=True)
                data = b"".join([chunk async for chunk in _chunks(response, max_bytes)])
                return Reply(response.status_code, _lower(response), data)
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise AnswerLost(_plain(error)) from error
        finally:
            pool.busy -= 1
            if response is not None:
                await response.aclose()

    def _paid_url(self, path: str) -> httpx.URL:
        try:
            return self._url(path)
        except BadUrl as error:
            raise NotSent(error.message) from error

    def _url(self, path: str) -> httpx.URL:
        """A path below the base, or a whole URL that the provider gave and that leads to the provider itself.

        What is compared is what httpx will connect to, so that no second reading of a URL can lead elsewhere.
        """
        try:
            base = httpx.URL(self._base)
            url = httpx.URL(self._base + path if path.startswith("/") else path)
        except httpx.InvalidURL as error:
            raise BadUrl("the provider's address cannot be read") from error
        origin = origin_of(str(base))
        if not origin.startswith(("https://", "http://")):
            raise BadUrl("the provider's address is no http URL")
        if url.userinfo != base.userinfo or origin_of(str(url)) != origin:
            raise BadUrl("the provider named an address that is not its own")
        return url

    def _client(self, limits: httpx.Limits, authorities: ssl.SSLContext) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            headers=self._headers,
            limits=limits,
            verify=authorities,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
        )


def _least_busy(pools: tuple[_Pool, ...]) -> _Pool:
    if not pools:
        raise RuntimeError("the door is not open: call open() first")
    return min(pools, key=lambda pool: pool.busy)


def origin_of(url: str) -> str:
    """Scheme, host and port, such as `https://api.example.com:443`; empty when the URL cannot be read."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}" if parts.hostname and port else ""


async def _chunks(response: httpx.Response, max_bytes: int) -> AsyncIterator[bytes]:
    total = 0
    async for chunk in response.aiter_bytes():
        total += len(chunk)
        if total > max_bytes:
            raise TooManyBytes("the provider's answer is larger than it can be")
        yield chunk


def _lower(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _plain(error: Exception, *, connected: bool = True) -> str:
    """What happened, without hosts and without the library's words."""
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return "no connection could be made in time"
        case TimeoutError() if not connected:
            return "no connection could be made in time"
        case httpx.LocalProtocolError():
            return "the request's head is malformed; does the key hold what no header can?"
        case httpx.ConnectError():
            return "no connection could be made"
        case httpx.TimeoutException() | TimeoutError():
            return "no answer came in time"
        case httpx.RemoteProtocolError() | httpx.ReadError():
            return "the connection was cut before the answer was whole"
        case _:
            return f"the exchange failed ({type(error).__name__})"
