"""Small tools that every verb is given: the clock, new names, public URLs."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

import uuid_utils

from aquatint.domain.task import Micros, ResultImage

SECOND = 1_000_000  # microseconds
INLINE = "inline"  # name of links that only keep the bytes of a data URL
ESCROW = "escrow"  # name of links that only keep a cleaned reference
PRIVATE_LINKS = (INLINE, ESCROW)  # nothing public leads to them


class Clock:
    """Wall-clock time in microseconds; tests give their own."""

    def now(self) -> Micros:
        return time.time_ns() // 1000


def new_id() -> str:
    """A UUID of version 7: lower case, hyphenated, sortable by time (RFC 9562)."""
    return str(uuid_utils.uuid7())


def new_token() -> str:
    """128 random bits for the secret part of a URL."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True, slots=True)
class PublicUrls:
    """Result URLs as callers reach them; `base` has no trailing slash."""

    base: str

    def file(self, token: str, name: str) -> str:
        return f"{self.base}/files/{token}/{name}"

    def image(self, image: ResultImage) -> str:
        return self.file(image.token, image.name)

    def token_of(self, url: str) -> str | None:
        """The token when `url` is one of ours, so that nobody fetches over HTTP what lies in the next room."""
        prefix = f"{self.base}/files/"
        if not url.startswith(prefix):
            return None
        token, separator, name = url[len(prefix) :].partition("/")
        return token if separator and token and "/" not in name else None
