"""History: what has happened to tasks, in the order in which it is told to those who follow."""

from __future__ import annotations

import msgspec

from aquatint.domain.task import Micros, Status


class Happened(msgspec.Struct, frozen=True):
    """One event, and whose it is. Ids grow; they have gaps."""

    id: int
    at: Micros
    name: str
    detail: str
    task_no: int
    key_id: str


class Edge(msgspec.Struct, frozen=True):
    """How far the history goes right now.

    `open` names transactions that may still add events below `newest`. Once none of them is open any more, whoever
    reads up to `newest` has seen everything that will ever stand there.
    """

    newest: int
    open: frozenset[str] = frozenset()


class Pulse(msgspec.Struct, frozen=True):
    """What changes between two events of an unfinished task."""

    no: int
    id: str
    key_id: str
    status: Status
    progress: float
    lane: str
