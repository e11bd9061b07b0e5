"""What a listener is told of a task on its way: the last word only, never back, never twice."""

from __future__ import annotations

import asyncio

from aquatint.domain.history import Edge
from aquatint.domain.task import Status
from aquatint.services.edge import Settled
from aquatint.services.listener import Listener, Moved
from aquatint.services.place import Place


def moved(status: Status = Status.SUBMITTED, progress: float = 0.0, place: Place | None = None, no: int = 1) -> Moved:
    return Moved(no, f"id-{no}", status, progress, place)


def test_only_the_last_is_kept() -> None:
    """A slow listener is told where the task is, not where it was."""
    listener = Listener("k", 1)
    for progress in (0.1, 0.2, 0.3):
        listener.note(moved(progress=progress))
    assert listener.take() == [moved(progress=0.3)]
    assert listener.take() == []


def test_what_was_told_is_not_told_again() -> None:
    """Neither as progress nor after an event that said the same."""
    listener = Listener("k", 1)
    listener.note(moved(progress=0.1))
    listener.take()
    listener.note(moved(progress=0.1))
    listener.told(moved(progress=0.5))
    listener.note(moved(progress=0.5))
    assert listener.take() == []


def test_it_never_goes_back() -> None:
    """A look that was under way while an event was told is late, and not told."""
    listener = Listener("k", 1)
    listener.note(moved(progress=0.2))
    listener.told(moved(progress=0.5))
    assert listener.take() == []
    listener.note(moved(progress=0.4))
    listener.note(moved(Status.PROCESSING, 0.9))
    assert listener.take() == []
    listener.note(moved(progress=0.6))
    assert listener.take() == [moved(progress=0.6)]


def test_a_place_in_line_may_go_back() -> None:
    """Others with a higher priority come; that is told."""
    listener = Listener("k", 1)
    listener.note(moved(Status.PENDING, place=Place(1, None, None)))
    listener.take()
    listener.note(moved(Status.PENDING, place=Place(4, None, None)))
    assert listener.take() == [moved(Status.PENDING, place=Place(4, None, None))]


def test_a_new_status_means_that_there_are_events() -> None:
    """Wherever the tail is, the listener looks at the task's own history."""
    listener = Listener("k", 1)
    listener.told(moved(Status.PROCESSING))
    listener.changed = False
    listener.note(moved(Status.PROCESSING, 0.1))
    assert not listener.changed
    listener.note(moved(Status.SUBMITTED, 0.1))
    assert listener.changed


def test_what_has_ended_is_forgotten() -> None:
    """A key's listener does not grow with the tasks that it has seen."""
    listener = Listener("k", None)
    for no in range(1000):
        listener.note(moved(no=no))
        listener.take()
        listener.told(moved(Status.SUCCESS, 1.0, no=no))
    listener.told(moved(Status.PENDING, place=None))
    assert not listener._told
    assert not listener._fresh
    for no in range(25_000):
        listener.told(moved(no=no))
    assert len(listener._told) < 11_000


async def test_waiting() -> None:
    """It ends by a wake-up, also by one that came before, or when nothing happens."""
    listener = Listener("k", 1)
    assert not await listener.wait(0.01)
    listener.wake()
    assert await listener.wait(5)
    assert not await listener.wait(0.01)
    asyncio.get_running_loop().call_later(0.01, listener.close)
    assert await listener.wait(5)
    assert listener.closed


def test_an_edge_without_writers_is_complete() -> None:
    settled = Settled()
    assert settled.step(Edge(7)) == 7
    assert not settled.waits
    assert settled.step(Edge(9)) == 9


def test_an_edge_is_complete_when_its_writers_have_ended() -> None:
    """Others may write by then; they can only add above it."""
    settled = Settled()
    assert settled.step(Edge(7, frozenset("ab"))) is None
    assert settled.waits
    assert settled.step(Edge(9, frozenset("bc"))) is None
    assert settled.step(Edge(12, frozenset("cd"))) == 7
    assert settled.step(Edge(15, frozenset("ef"))) == 12
    assert settled.step(Edge(20)) == 20
