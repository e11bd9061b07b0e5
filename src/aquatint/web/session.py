"""The session: the caller's key and a token against forged requests, sealed into a cookie that only we can open."""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken
from starlette.requests import Request
from starlette.responses import Response

LIFE = 7 * 24 * 3600  # seconds
LONGEST_KEY = 512  # characters of a key that anybody may try
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Session:
    """Who is logged in. `token` comes back in the header or the form of every request that changes something."""

    key: str
    token: str

    @classmethod
    def begin(cls, key: str) -> Session:
        return cls(key, secrets.token_urlsafe(24))

    def knows(self, token: str | None) -> bool:
        return token is not None and hmac.compare_digest(token.encode(), self.token.encode())


class Seal:
    """Encrypts and authenticates sessions. `secret` gives 32 bytes, the same ones in every process of a database."""

    def __init__(self, secret: Callable[[], Awaitable[bytes]]) -> None:
        self._secret = secret
        self._fernet: Fernet | None = None

    async def close(self, session: Session) -> str:
        plain = json.dumps([session.key, session.token]).encode()
        return (await self._box()).encrypt_at_time(plain, int(time.time())).decode()

    async def open(self, text: str) -> Session | None:
        """None for whatever we did not seal, or too long ago."""
        try:
            plain = (await self._box()).decrypt_at_time(text.encode("ascii"), LIFE, int(time.time()))
            key, token = json.loads(plain)
        except (InvalidToken, UnicodeEncodeError, ValueError):
            return None
        return Session(key, token)

    async def _box(self) -> Fernet:
        if self._fernet is None:
            self._fernet = Fernet(base64.urlsafe_b64encode(await self._secret()))
        return self._fernet


def cookie_name(request: Request) -> str:
    """One for each port, because cookies know none; `__Host-` where the browser then guards it more."""
    port = urlsplit(f"//{request.headers.get('host', '')}").netloc.rpartition(":")[2]
    name = f"aquatint_{port}" if re.fullmatch(r"\d{1,5}", port) else "aquatint"
    return f"__Host-{name}" if is_secure(request) else name


def is_secure(request: Request) -> bool:
    """Whether the browser came by https. A proxy's word is enough: who lies about it only hurts himself."""
    return request.url.scheme == "https" or request.headers.get("x-forwarded-proto", "").lower() == "https"


def set_cookie(request: Request, response: Response, value: str) -> None:
    response.set_cookie(
        cookie_name(request),
        value,
        max_age=LIFE,
        path="/",
        secure=is_secure(request),
        httponly=True,
        samesite="strict",
    )


def drop_cookie(request: Request, response: Response) -> None:
    name, secure = cookie_name(request), is_secure(request)
    response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="strict")


def same_site(request: Request) -> bool:
    """Whether one of our own pages made this request. Browsers say so where they know it to be a safe place, and name
    the origin everywhere; who says neither is no browser with a form of ours.

    The scheme of the origin is not compared: behind a proxy we do not know our own.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site == "same-origin"
    return origin is not None and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
