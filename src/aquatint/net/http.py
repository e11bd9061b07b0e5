"""The door: fetches reference images and posts callbacks, each request guarded, bounded and on time."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from aquatint.net.bodies import read_excerpt, read_whole
from aquatint.net.errors import BadUrl, FetchFailed, FetchTimedOut
from aquatint.net.guard import GuardedResolver, GuardPolicy, Lookup
from aquatint.net.troubles import describe
from aquatint.net.url import SplitUrl, check_url, resolve_redirect

MAX_FETCH_REDIRECTS = 3
EXCERPT_BYTES = 2048
EXCERPT_PATIENCE = 2.0

_MOVED = frozenset((301, 302, 303, 307, 308))
_MOVED_SAME_METHOD = frozenset((307, 308))
_WORTH_ASKING_AGAIN = frozenset((408, 425, 429))
_LOGGED_HEADERS = ("Retry-After", "Content-Type", "Location")
_KNOWN_TARGETS = 4096

# Shorter than the 2 to 5 s after which common servers drop idle connections, so that we rarely send into a
# closed one.
_KEEP_ALIVE_SECONDS = 1.8
_DNS_CACHE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """Connections in seconds and counts. Headers are capped at 100 lines of 8 KiB each."""

    connections: int = 2048
    connections_per_host: int = 64
    connect_seconds: float = 10.0
    silent_seconds: float = 15.0  # longest wait for the next byte of a fetch


@dataclass(frozen=True, slots=True)
class Fetched:
    """A whole body. `media_type` is what the server claims, lower-case, without parameters; may be empty."""

    data: bytes
    media_type: str
    final_url: str


@dataclass(frozen=True, slots=True)
class PostOutcome:
    """What came of one POST: a `status`, or an `error` in plain words and no status.

    `headers` holds, in lower case, only what is worth logging: retry-after, content-type, location.
    """

    status: int | None
    duration_ms: float
    headers: Mapping[str, str] = field(default_factory=dict)
    body_excerpt: bytes = b""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class _Target:
    split: SplitUrl
    url: URL

    @classmethod
    def of(cls, split: SplitUrl) -> _Target:
        return cls(split, URL(split.text, encoded=True))


class HttpDoor:
    """All outgoing requests of the server. Opened once inside the event loop, used concurrently, closed once.

    No proxy from the environment, no cookies, no referer, no credentials; http and https only; the address
    that the guard checked is the address connected to, on every hop.
    """

    def __init__(
        self,
        policy: GuardPolicy,
        *,
        limits: DoorLimits | None = None,
        user_agent: str = "Aquatint",
        lookup: Lookup | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        """`lookup(host, port)` replaces the system's name look-up; `ssl_context` adds the operator's
        authorities.
        """
        self._policy = policy
        self._limits = limits or DoorLimits()
        self._user_agent = user_agent
        self._lookup = lookup
        self._ssl_context = ssl_context
        self._session: aiohttp.ClientSession | None = None
        self._targets: dict[str, _Target] = {}

    async def open(self) -> None:
        """Make the connection pool; nothing is contacted."""
        limits = self._limits
        connector = aiohttp.TCPConnector(
            limit=limits.connections,
            limit_per_host=limits.connections_per_host,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            resolver=GuardedResolver(self._policy, self._lookup),
            ttl_dns_cache=_DNS_CACHE_SECONDS,
            socket_factory=self._policy.socket_for,
            ssl=self._ssl_context or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            connector_owner=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=limits.connect_seconds),
            headers={"User-Agent": self._user_agent, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            max_line_size=8190,
            max_field_size=8190,
            max_headers=100,
        )

    async def close(self) -> None:
        """Close every connection. Safe to call twice, or without `open`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def fetch(self, url: str, *, max_bytes: int, deadline: float) -> Fetched:
        """GET a body of at most `max_bytes` within `deadline` seconds from now, redirects included.

        At most three redirects are followed, each checked like the first URL. Raises BadUrl, BlockedAddress,
        TooManyBytes, FetchTimedOut and FetchFailed; every message may be shown to the caller.
        """
        target = self._target(url)
        try:
            async with asyncio.timeout(deadline):
                return await self._fetch_following(target, max_bytes)
        except TimeoutError as error:
            raise FetchTimedOut("the server did not send the file in time") from error

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float) -> PostOutcome:
        """POST `body` and say what happened, at most `timeout` seconds later.

        One 307 or 308 to the same origin is followed. The answer is judged by its status: of its body at most
        2 KiB are read, for at most 2 s. Trouble on the way is an outcome, not an exception; only a URL that
        must not be used raises: BadUrl, BlockedAddress.
        """
        target = self._target(url)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(timeout):
                response, excerpt = await self._post_following(target, body, headers)
        except TimeoutError:
            error = "the server gave no answer in time"
        except (aiohttp.ClientError, OSError) as failure:
            error = describe(failure).message
        else:
            logged = {name.lower(): response.headers[name] for name in _LOGGED_HEADERS if name in response.headers}
            return PostOutcome(response.status, _ms_since(started), logged, excerpt)
        return PostOutcome(None, _ms_since(started), error=error)

    async def _post_following(
        self, target: _Target, body: bytes, headers: Mapping[str, str]
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        response, excerpt = await self._post_once(target, body, headers)
        location = response.headers.get("Location")
        if response.status in _MOVED_SAME_METHOD and location is not None:
            try:
                moved = resolve_redirect(target.split, location)
            except BadUrl:
                return response, excerpt
            if moved.origin == target.split.origin:
                return await self._post_once(_Target.of(moved), body, headers)
        return response, excerpt

    async def _post_once(
        self, target: _Target, body: bytes, headers: Mapping[str, str]
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        self._policy.check_literal(target.split)
        async with self._opened().post(target.url, data=body, headers=headers, allow_redirects=False) as response:
            excerpt = await read_excerpt(response, EXCERPT_BYTES, EXCERPT_PATIENCE)
            if not response.content.at_eof():
                response.close()  # the rest is not ours to read, so the connection cannot be used again
            return response, excerpt

    async def _fetch_following(self, target: _Target, max_bytes: int) -> Fetched:
        for _ in range(MAX_FETCH_REDIRECTS + 1):
            answer = await self._fetch_once(target, max_bytes)
            if isinstance(answer, Fetched):
                return answer
            target = answer
        raise FetchFailed(f"the URL redirects more than {MAX_FETCH_REDIRECTS} times", permanent=True)

    async def _fetch_once(self, target: _Target, max_bytes: int) -> Fetched | _Target:
        self._policy.check_literal(target.split)
        limits = self._limits
        patience = aiohttp.ClientTimeout(sock_connect=limits.connect_seconds, sock_read=limits.silent_seconds)
        try:
            async with self._opened().get(target.url, allow_redirects=False, timeout=patience) as response:
                if response.status in _MOVED and "Location" in response.headers:
                    response.close()
                    return _Target.of(resolve_redirect(target.split, response.headers["Location"]))
                if response.status != 200:
                    response.close()
                    raise _refused(response.status)
                data = await read_whole(response, max_bytes)
        except TimeoutError:
            raise  # aiohttp's are also ClientErrors; `fetch` words them
        except (aiohttp.ClientError, OSError) as error:
            trouble = describe(error)
            raise FetchFailed(trouble.message, permanent=trouble.permanent) from error
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return Fetched(data, media_type, target.split.text)

    def _target(self, url: str) -> _Target:
        """Parse once per URL, not once per request: callbacks of one customer share theirs."""
        known = self._targets.get(url)
        if known is None:
            if len(self._targets) >= _KNOWN_TARGETS:
                self._targets.clear()
            known = self._targets[url] = _Target.of(check_url(url))
        return known

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the door is not open: call open() first")
        return self._session


def _refused(status: int) -> FetchFailed:
    worth_asking_again = status in _WORTH_ASKING_AGAIN or status >= 500
    return FetchFailed(f"the server answered with status {status}", permanent=not worth_asking_again, status=status)


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
