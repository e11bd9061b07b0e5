"""Ports that stay free until who asked for them listens there, or for as long as nobody should."""

from __future__ import annotations

import itertools
import os
import random
import socket

# Below the ports that Linux, macOS and Windows give to those who ask for any: a listener of another test must not
# come upon a port that was handed out here, nor answer requests that were meant for nobody.
_FIRST, _EACH, _PROCESSES = 10_240, 2_800, 8


def _numbers() -> itertools.cycle[int]:
    """The ports of this test process: those of one beside it are others."""
    place = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PROCESSES
    mine = range(_FIRST + place * _EACH, _FIRST + (place + 1) * _EACH)
    start = random.SystemRandom().randrange(_EACH)  # not where the run before began: its connections may linger
    return itertools.cycle([*mine[start:], *mine[:start]])


_NEXT = _numbers()


def free_port() -> int:
    """A port of the loopback that nobody listens on right now."""
    for port in itertools.islice(_NEXT, _EACH):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("every port for tests is taken")
