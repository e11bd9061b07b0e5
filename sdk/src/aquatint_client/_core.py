"""What every flow knows: where the server is, with which key, how patient to be, what the server turned out to be."""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlencode, urlsplit

from aquatint_client._actions import Answer, Flow, Request, Trouble, call, pause
from aquatint_client._answers import data_of, retry_after
from aquatint_client._json import JsonObject
from aquatint_client.errors import ConnectionFailed, Misuse, NotInStrictMode

__version__ = "0.1.0"
MAX_ANSWER = 64 << 20  # bytes of one answer
LocalImages = Literal["auto", "upload", "inline"]
_TASK_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._:~-]{0,199}")
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long to try again. Seconds."""

    retries: int = 5
    first: float = 0.5
    longest: float = 8.0
    longest_asked: float = 120.0  # a Retry-After beyond it is the caller's to decide
    outage: float = 120.0  # of a server that is waited for while a task of it is

    def delay(self, attempt: int) -> float:
        """Before try number `attempt` + 1, spread so that many clients do not come at once."""
        return float(min(self.longest, self.first * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311  # no secret


@dataclass(slots=True)
class Core:
    """One for each client. `honours_keys` and `has_events` are learnt from the server; None: not known yet."""

    url: str
    key: str
    strict: bool
    local_images: LocalImages
    patience: Patience
    max_download: int
    clock: Callable[[], float] = time.monotonic
    honours_keys: bool | None = None
    has_events: bool | None = None
    events_flow: bool = False  # events have come through whatever stands between
    agent: str = field(default=f"aquatint-client/{__version__}")

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Request:
        """A request of the API, with the key."""
        target = f"{self.url}{path}" + (f"?{urlencode(query)}" if query else "")
        sent = {"authorization": f"Bearer {self.key}", "user-agent": self.agent, "accept": "application/json"}
        content = b""
        if isinstance(body, bytes):
            content = body
        elif body is not None:
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            sent["content-type"] = "application/json"
        return Request(method, target, sent | dict(headers or {}), content, patience)

    def task_path(self, task_id: str, rest: str = "") -> str:
        """Raises Misuse for what cannot be an id."""
        if not _TASK_ID.fullmatch(task_id):
            raise Misuse(f"{task_id[:80]!r} is not the id of a task")
        return f"/api/v1/task/{quote(task_id, safe='')}{rest}"

    def extension(self, what: str, instead: str = "") -> None:
        """Raises NotInStrictMode where only the documented API may be used."""
        if self.strict:
            hint = f": {instead}" if instead else ""
            raise NotInStrictMode(f"the documented MaxAPI cannot {what}{hint}")


def make_core(
    url: str | None,
    key: str | None,
    *,
    strict: bool,
    local_images: LocalImages,
    retries: int,
    max_download: int,
) -> Core:
    """From arguments, else from AQUATINT_URL and AQUATINT_API_KEY (or AQUATINT_KEY). Raises Misuse."""
    url = url or os.environ.get("AQUATINT_URL")
    key = key or os.environ.get("AQUATINT_API_KEY") or os.environ.get("AQUATINT_KEY")
    if not url:
        raise Misuse("no address: give base_url, or set AQUATINT_URL, such as http://127.0.0.1:8000")
    if not key:
        raise Misuse("no key: give api_key, or set AQUATINT_API_KEY")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Misuse("the key holds characters that no key has")
    if retries < 0 or max_download < 1:
        raise Misuse("retries must be 0 or more, and max_download 1 or more")
    return Core(
        url=_base(url),
        key=key,
        strict=strict,
        local_images=local_images,
        patience=Patience(retries=retries),
        max_download=max_download,
    )


def _base(url: str) -> str:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise Misuse("the address is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misuse(f"the address {url[:200]!r} must begin with http:// or https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Misuse("the address must be a plain one, without a name, a password or a query")
    path = parts.path.rstrip("/").removesuffix("/api/v1")
    return f"{parts.scheme}://{parts.netloc}{path}"


def ask(core: Core, request: Request) -> Flow[Answer]:
    """The answer to a request that may be repeated. Raises ConnectionFailed when there is none after all."""
    attempt = 0
    while True:
        reply = yield from call(request, MAX_ANSWER)
        wait = again(core, reply, attempt, repeatable=True)
        if wait is None:
            if isinstance(reply, Trouble):
                raise ConnectionFailed(f"cannot reach {core.url}: {reply.why}")
            return reply
        yield from pause(wait)
        attempt += 1


def fetch(core: Core, request: Request) -> Flow[JsonObject]:
    """`data` of a request that may be repeated. Raises ApiError, ConnectionFailed."""
    return data_of((yield from ask(core, request)))


def again(core: Core, reply: Answer | Trouble, attempt: int, *, repeatable: bool) -> float | None:
    """Seconds to wait before the same request is sent again, None when it should not be.

    Not `repeatable`: only where it is certain that the server did nothing with it.
    """
    patience = core.patience
    if attempt >= patience.retries:
        return None
    if isinstance(reply, Trouble):
        return patience.delay(attempt) if repeatable or not reply.sent else None
    if reply.status not in _PASSING:
        return None
    asked = retry_after(reply)
    if asked is not None and asked > patience.longest_asked:
        return None
    refused = reply.status == 429 or (reply.status == 503 and asked is not None)
    if not (repeatable or refused):
        return None
    return max(asked or 0.0, patience.delay(attempt))
