"""The settings that every remote engine has, read from its own section."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from aquatint.domain.provider import ProviderLimits


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """One provider as the operator set it up. Times in seconds."""

    api_key: str
    base_url: str  # without a slash at the end
    connect_timeout: float
    call_timeout: float  # one paid call, from the connection to the whole answer
    limits: ProviderLimits

    @classmethod
    def of(cls, section: Mapping[str, object]) -> RemoteSettings:
        """Raises KeyError for a section that lacks one of the common settings."""

        def number(name: str) -> float:
            return float(str(section[name]))

        return cls(
            api_key=str(section["api_key"]),
            base_url=str(section["base_url"]).rstrip("/"),
            connect_timeout=number("connect_timeout"),
            call_timeout=number("call_timeout"),
            limits=ProviderLimits(
                in_flight=int(number("in_flight")),
                requests_per_minute=number("requests_per_minute"),
                images_per_minute=number("images_per_minute"),
                polls_per_second=number("polls_per_second"),
            ),
        )

    def account(self, engine: str) -> str:
        """A name for this provider and key that does not show the key."""
        return f"{engine}:{hashlib.sha256(self.api_key.encode()).hexdigest()[:8]}"
