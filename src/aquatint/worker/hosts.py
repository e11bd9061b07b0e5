"""Receivers' hosts: how many callbacks each is sent at once, and the rest that a dead one is given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

MANY = 10_000  # hosts remembered before those that are idle are forgotten
TRIAL = 4  # callbacks in flight to a host that has not taken one yet
SOON = 0.05  # seconds until what such a host was not sent may be looked at again


@dataclass(slots=True)
class _Host:
    sending: int = 0
    proven: bool = False  # its last answer was a good one
    failing: set[int] = field(default_factory=set)  # deliveries that failed since one succeeded
    resting_until: float = 0.0


class Hosts:
    """Per-host concurrency and circuit breakers of one dispatcher.

    A host has `per_host` places once it has taken a callback, and few before: it may well be one that never answers.
    A host rests for `rest` seconds once `failures` different deliveries to it have failed and none has succeeded:
    one that fails alone is the delivery's trouble, not the host's. Then one delivery tries it, and the others wait
    for what comes of that. Nothing of this is counted as a try. 0 failures: no host ever rests.
    """

    def __init__(
        self, per_host: int, failures: int, rest: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_host = per_host
        self._failures = failures
        self._rest = rest
        self._clock = clock
        self._hosts: dict[str, _Host] = {}

    def room(self) -> int:
        """How many deliveries may be claimed at once so that no host gets more than its share."""
        return min(
            (self._share(host) - host.sending for host in self._hosts.values() if host.sending < self._share(host)),
            default=self._per_host,
        )

    def busy(self) -> list[str]:
        """Hosts that nothing may be claimed for now."""
        now = self._clock()
        return [name for name, host in self._hosts.items() if not self._open(host, now)]

    def admits(self, name: str) -> float:
        """0 when one more may be sent; else the seconds after which it may be asked again."""
        host, now = self._hosts.get(name), self._clock()
        if host is None or self._open(host, now):
            return 0.0
        if self._suspect(host):
            return max(host.resting_until - now, self._rest)
        return 1.0 if host.proven else SOON

    def sent(self, name: str) -> None:
        self._hosts.setdefault(name, _Host()).sending += 1

    def ended(self, name: str, delivery: int, good: bool) -> bool:
        """A try has ended; True when the host rests from now on."""
        host = self._hosts[name]
        host.sending -= 1
        host.proven = good
        if good:
            host.failing.clear()
        elif self._failures:
            if not self._suspect(host):
                host.failing.add(delivery)
            if self._suspect(host):
                host.resting_until = self._clock() + self._rest
                return True
        self._forget(name)
        return False

    def cut(self, name: str) -> None:
        """A try was given up by us: it says nothing of the host."""
        self._hosts[name].sending -= 1
        self._forget(name)

    def next_open(self) -> float | None:
        """Seconds until the first resting host may be tried; None when none rests."""
        now = self._clock()
        waits = [host.resting_until - now for host in self._hosts.values() if host.resting_until > now]
        return min(waits, default=None)

    def full(self, name: str) -> bool:
        host = self._hosts[name]
        return host.sending >= self._share(host)

    def _forget(self, name: str) -> None:
        host = self._hosts[name]
        if not host.sending and not host.failing and not host.proven:
            del self._hosts[name]
        if len(self._hosts) > MANY:
            now = self._clock()
            idle = [name for name, host in self._hosts.items() if not host.sending and host.resting_until <= now]
            for name in idle:
                del self._hosts[name]

    def _share(self, host: _Host) -> int:
        return self._per_host if host.proven else min(TRIAL, self._per_host)

    def _suspect(self, host: _Host) -> bool:
        return bool(self._failures) and len(host.failing) >= self._failures

    def _open(self, host: _Host, now: float) -> bool:
        if self._suspect(host):
            return now >= host.resting_until and not host.sending
        return host.sending < self._share(host)
