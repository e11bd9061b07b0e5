"""The shapes of load: as fast as answers come, a fixed number in flight, a fixed rate, a fixed number."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bench.lanes import Lane, OnAnswer, Receiver, now
from bench.messages import SubmitMessages

IN_TIME = 0.25  # seconds after the last submit of an open loop in which a callback still is one in time
QUIET = 15.0  # seconds without any callback after which the missing ones are given up
Accepted = Callable[[int, bytes], bool]
Make = Callable[[int], bytes]


@dataclass(slots=True)
class Tally:
    """What one load saw. Times in seconds."""

    seconds: float = 0.0
    answers: list[float] = field(default_factory=list)  # request -> accepting answer
    hooks: list[float] = field(default_factory=list)  # request -> callback received
    refused: int = 0  # answers that were not an acceptance, broken connections included
    missing: int = 0  # accepted tasks whose callback never came
    rate: float = 0.0  # of an open loop: callbacks a second that came before, or soon after, the last submit
    bodies: list[bytes] = field(default_factory=list)  # some accepting answers, for their task ids


@asynccontextmanager
async def opened(lanes: Sequence[Lane]) -> AsyncIterator[None]:
    await asyncio.gather(*(lane.open() for lane in lanes))
    try:
        yield
    finally:
        for lane in lanes:
            lane.close()


def spread(ports: Sequence[int], connections: int, answered: OnAnswer) -> list[Lane]:
    """Connections that take turns over the servers."""
    return [Lane(port, answered) for port in itertools.islice(itertools.cycle(ports), connections)]


async def hammer(
    ports: Sequence[int], connections: int, seconds: float, make: Make, accepted: Accepted, first: int
) -> Tally:
    """Every connection sends its next request the moment its answer came. The first fifth of the time is warm-up."""
    tally = Tally(seconds=seconds)
    numbers = iter(range(first, first + 100_000_000))
    begin = now() + seconds / 5
    end = begin + seconds

    def answered(lane: Lane, status: int, body: bytes) -> None:
        moment = now()
        if begin <= moment < end:
            if accepted(status, body):
                tally.answers.append(moment - lane.sent_at)
            else:
                tally.refused += 1
        if moment < end:
            n = next(numbers)
            lane.send(make(n), n)

    lanes = spread(ports, connections, answered)
    async with opened(lanes):
        for lane in lanes:
            n = next(numbers)
            lane.send(make(n), n)
        await asyncio.sleep(end - now())
    return tally


class _Slot:
    """One task in flight: the next is submitted when this one was both answered and called back."""

    __slots__ = ("answered", "called", "n", "sent_at")

    def __init__(self) -> None:
        self.n = -1
        self.sent_at = 0.0
        self.answered = self.called = False


class Flight:
    """A closed loop of tasks: submit, callback received, next submit; throughput with a bounded queue."""

    def __init__(self, ports: Sequence[int], messages: SubmitMessages, receiver: Receiver, first: int) -> None:
        self._ports = ports
        self._messages = messages
        self._receiver = receiver
        self._n = first
        self._slots: dict[Lane, _Slot] = {}
        self._by_number: dict[int, Lane] = {}
        self._tally = Tally()
        self._begin = self._end = 0.0

    async def run(self, in_flight: int, seconds: float) -> Tally:
        """The first fifth of the time is warm-up; what had not ended when the time was over is waited for."""
        self._tally.seconds = seconds
        self._begin = now() + seconds / 5
        self._end = self._begin + seconds
        self._receiver.forget()
        self._receiver.listener = self._called
        lanes = spread(self._ports, in_flight, self._answered)
        async with opened(lanes):
            for lane in lanes:
                self._slots[lane] = _Slot()
                self._next(lane)
            await asyncio.sleep(self._end - now())
            await settled(lambda: len(self._by_number))
        self._tally.missing = len(self._by_number)
        self._receiver.listener = None
        return self._tally

    def _next(self, lane: Lane) -> None:
        if now() >= self._end:
            return
        slot = self._slots[lane]
        slot.n, slot.answered, slot.called = self._n, False, False
        self._n += 1
        self._by_number[slot.n] = lane
        lane.send(self._messages.raw(slot.n), slot.n)
        slot.sent_at = lane.sent_at

    def _answered(self, lane: Lane, status: int, body: bytes) -> None:
        slot, moment = self._slots[lane], now()
        if not self._messages.accepted(status, body):
            self._tally.refused += 1
            self._by_number.pop(slot.n, None)
            if moment < self._end:
                asyncio.get_running_loop().call_later(0.02, self._next, lane)
            return
        slot.answered = True
        if self._begin <= moment < self._end:
            self._tally.answers.append(moment - slot.sent_at)
        if len(self._tally.bodies) < 500:
            self._tally.bodies.append(body)
        if slot.called and moment < self._end:
            self._next(lane)

    def _called(self, n: int) -> None:
        lane, moment = self._by_number.pop(n, None), now()
        if lane is None:
            return
        slot = self._slots[lane]
        slot.called = True
        if self._begin <= moment < self._end:
            self._tally.hooks.append(moment - slot.sent_at)
        if slot.answered and moment < self._end:
            self._next(lane)


async def settled(missing: Callable[[], int], quiet: float = QUIET) -> int:
    """Wait until nothing is missing, or until nothing changed for `quiet` seconds; how many still are."""
    last, since = -1, now()
    while left := missing():
        if left != last:
            last, since = left, now()
        elif now() - since > quiet:
            break
        await asyncio.sleep(0.02)
    return left


class Submitter:
    """Submits whose numbers are kept, over a few connections that are free or busy."""

    def __init__(self, ports: Sequence[int], messages: SubmitMessages, first: int, connections: int) -> None:
        self._messages = messages
        self._n = first
        self.lanes = spread(ports, connections, self._answered)
        self._free = deque(self.lanes)
        self._late: deque[float] = deque()  # when submits were due that wait for a connection
        self.sent: dict[int, float] = {}  # accepted or not yet answered, and when each was due
        self.tally = Tally()
        self._asked = 0
        self._over = asyncio.Event()

    def one(self) -> None:
        """Submit one task; when every connection is busy it is counted as refused."""
        if not self._free:
            self.tally.refused += 1
            return
        self._send(self._free.popleft(), now())

    def due(self, at: float) -> None:
        """Submit one task that was due at `at`, as soon as a connection is free; its latency counts from then."""
        if self._free:
            self._send(self._free.popleft(), at)
        else:
            self._late.append(at)

    async def burst(self, count: int) -> None:
        """Submit `count` tasks as fast as they are accepted."""
        self._over.clear()
        self._asked = count
        while self._free and self._asked:
            self._asked -= 1
            self._send(self._free.popleft(), now())
        await self._over.wait()

    def waiting(self) -> int:
        """Submits that have no answer yet, or no connection."""
        return len(self._late) + len(self.lanes) - len(self._free)

    def _send(self, lane: Lane, at: float) -> None:
        n = self._n
        self._n += 1
        self.sent[n] = at
        lane.send(self._messages.raw(n), n)

    def _answered(self, lane: Lane, status: int, body: bytes) -> None:
        if self._messages.accepted(status, body):
            self.tally.answers.append(now() - self.sent[lane.n])
        else:
            self.tally.refused += 1
            self.sent.pop(lane.n)
        if self._late:
            self._send(lane, self._late.popleft())
            return
        if self._asked:
            self._asked -= 1
            self._send(lane, now())
            return
        self._free.append(lane)
        if len(self._free) == len(self.lanes):
            self._over.set()


async def paced(
    ports: Sequence[int],
    messages: SubmitMessages,
    receiver: Receiver,
    first: int,
    rate: float,
    seconds: float,
    connections: int = 32,
    quiet: float = QUIET,
) -> Tally:
    """An open loop: `rate` submits a second whatever the answers do. Latencies count from when a submit was due.

    With few submits a second all count; else the first fifth is warm-up as everywhere, on top of `seconds`.
    """
    receiver.forget()
    submitter = Submitter(ports, messages, first, connections)
    tally = submitter.tally
    async with opened(submitter.lanes):
        begin = now()
        cold = int(rate * seconds / 5) if rate >= 100 else 0
        total, index = cold + int(rate * seconds), 0
        while index < total:
            await asyncio.sleep(max(0.0, begin + index / rate - now()))
            moment = now()
            while index < total and begin + index / rate <= moment:
                submitter.due(begin + index / rate)
                index += 1
        await settled(submitter.waiting)
        tally.missing = await settled(lambda: len(submitter.sent.keys() - receiver.arrived.keys()), quiet)
    tally.seconds = max(seconds, 1e-9)
    counted = [(n, at) for n, at in submitter.sent.items() if n >= first + cold]
    tally.hooks = [receiver.arrived[n] - at for n, at in counted if n in receiver.arrived]
    tally.answers = tally.answers[cold:]  # they come in nearly the order of their submits
    in_time = begin + total / rate + IN_TIME
    tally.rate = sum(1 for n, _ in counted if receiver.arrived.get(n, in_time) < in_time) / tally.seconds
    return tally
