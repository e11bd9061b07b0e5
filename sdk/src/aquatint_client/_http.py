"""What both drivers share: actions as httpx understands them, and its errors as troubles."""

from __future__ import annotations

import httpx

from aquatint_client._actions import Answer, Request, Trouble

# Of these it is certain that no byte of the request has left: there was no connection to send it on.
_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)
FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError)


def timeouts(request_timeout: float) -> httpx.Timeout:
    """`request_timeout` is how many seconds an answer may be silent; a connection has to come sooner."""
    return httpx.Timeout(request_timeout, connect=min(10.0, request_timeout))


def options(client: httpx.Client | httpx.AsyncClient, request: Request) -> httpx.Request:
    """The request as httpx sends it, with its own patience. Raises httpx.InvalidURL."""
    timeout = client.timeout
    if request.patience is not None:
        timeout = httpx.Timeout(
            connect=timeout.connect, read=request.patience, write=timeout.write, pool=timeout.pool
        )
    content = request.body or (b"" if request.method in ("POST", "PUT", "PATCH") else None)
    return client.build_request(
        request.method, request.url, headers=dict(request.headers), content=content, timeout=timeout
    )


def head_of(response: httpx.Response) -> Answer:
    return Answer(
        response.status_code, {name.lower(): value for name, value in response.headers.items()}, streaming=True
    )


def trouble(error: Exception) -> Trouble:
    """What went wrong, in words that hold no secret."""
    unsent = isinstance(error, _UNSENT)
    silent = isinstance(error, httpx.ReadTimeout)
    words = str(error) or {True: "no answer in time"}.get(
        isinstance(error, httpx.TimeoutException), type(error).__name__
    )
    return Trouble(words[:300], sent=not unsent, silent=silent)
