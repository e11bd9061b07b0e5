"""Addresses as people and programs of this machine use them."""

from __future__ import annotations


def reachable(origin: str, host: str) -> str:
    """The origin as a client on this machine can use it."""
    port = origin.rpartition(":")[2]
    if host in ("0.0.0.0", "::"):  # noqa: S104  # compared, not bound
        return f"http://127.0.0.1:{port}"
    return f"http://[{host}]:{port}" if ":" in host else origin
