"""The measures: each takes a server that runs and answers plain numbers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from bench.lanes import Receiver, now
from bench.load import Flight, Submitter, Tally, hammer, opened, paced, settled
from bench.messages import SubmitMessages, query_message, submit_messages, task_id_of
from bench.procs import Meter, Reading
from bench.subjects import Site

Values = dict[str, float]
BLOCK = 10_000_000  # numbers set aside for one measure
IN_FLIGHT = 64
WARM_UP = 200  # tasks


@dataclass(slots=True)
class Generator:
    """The load side of one benchmark run: one receiver, and numbers that never come twice."""

    receiver: Receiver
    run_id: str
    _blocks: itertools.count[int] = field(default_factory=itertools.count)

    def block(self) -> int:
        """The first of a block of fresh task numbers."""
        return next(self._blocks) * BLOCK

    def messages(self, site: Site) -> SubmitMessages:
        return submit_messages(site.port, self.receiver.port, self.run_id)


def percentile(values: Sequence[float], share: float) -> float:
    """In milliseconds; nan when there is nothing."""
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def latency(prefix: str, values: Sequence[float]) -> Values:
    return {f"{prefix}_p50_ms": percentile(values, 0.5), f"{prefix}_p99_ms": percentile(values, 0.99)}


def cost(reading: Reading) -> Values:
    return {f"meter_{name}": value for name, value in asdict(reading).items()}


async def probe(generator: Generator, site: Site, *, whole: bool, timeout: float = 25.0) -> None:
    """Submit until one task is accepted and, when `whole`, called back; then warm every worker up."""
    generator.receiver.forget()
    end = now() + timeout
    submitter = Submitter(site.port, generator.messages(site), generator.block(), 1)
    async with opened(submitter.lanes):
        while not submitter.tally.answers:
            submitter.one()
            await asyncio.sleep(0.1)
            if now() > end:
                raise TimeoutError("no submit was accepted")
        while whole and not generator.receiver.arrived:
            await asyncio.sleep(0.01)
            if now() > end:
                raise TimeoutError("no callback came")
    if whole:
        await _warm_up(generator, site)


async def _warm_up(generator: Generator, site: Site) -> None:
    """Enough tasks that every worker process had some: the first of each opens connections and imports."""
    generator.receiver.forget()
    submitter = Submitter(site.port, generator.messages(site), generator.block(), IN_FLIGHT)
    async with opened(submitter.lanes):
        await submitter.burst(WARM_UP)
    await settled(lambda: len(submitter.sent.keys() - generator.receiver.arrived.keys()))


async def submits(generator: Generator, site: Site, connections: int, seconds: float) -> Values:
    """Submits accepted a second, every connection busy."""
    messages = generator.messages(site)
    meter = Meter(site.procs)
    first = generator.block()
    tally = await hammer(site.port, connections, seconds, messages.raw, messages.accepted, first)
    return {**_rate(tally), **cost(meter.read())}


async def queries(
    generator: Generator, site: Site, bodies: Sequence[bytes], connections: int, seconds: float
) -> Values:
    """Queries a second over the tasks whose submit answers these are."""
    messages = [query_message(site.port, task_id_of(body)) for body in bodies]
    meter = Meter(site.procs)

    def make(n: int) -> bytes:
        return messages[n % len(messages)]

    def accepted(status: int, body: bytes) -> bool:
        return status == 200 and b'"SUCCESS"' in body

    tally = await hammer(site.port, connections, seconds, make, accepted, generator.block())
    return {**_rate(tally), **cost(meter.read())}


def _rate(tally: Tally) -> Values:
    return {
        "per_s": len(tally.answers) / tally.seconds,
        **latency("answer", tally.answers),
        "refused": tally.refused,
    }


async def flight(generator: Generator, site: Site, seconds: float) -> tuple[Values, list[bytes]]:
    """Tasks a second end to end with a fixed number in flight; also some submit answers, for queries."""
    meter = Meter(site.procs)
    loop = Flight(site.port, generator.messages(site), generator.receiver, generator.block())
    tally = await loop.run(IN_FLIGHT, seconds)
    values = {
        "per_s": len(tally.hooks) / tally.seconds,
        **latency("answer", tally.answers),
        **latency("hook", tally.hooks),
        "refused": tally.refused,
        "missing": tally.missing,
        "unsigned": generator.receiver.unsigned,
    }
    return {**values, **cost(meter.read())}, tally.bodies


async def low(generator: Generator, site: Site, rate: float, seconds: float) -> Values:
    """Latency when nothing queues."""
    meter = Meter(site.procs)
    receiver = generator.receiver
    tally = await paced(site.port, generator.messages(site), receiver, generator.block(), rate, seconds)
    return {
        **latency("answer", tally.answers),
        **latency("hook", tally.hooks),
        "refused": tally.refused,
        "missing": tally.missing,
        "unsigned": receiver.unsigned,
        **cost(meter.read()),
    }


async def idle(site: Site, settle: float, seconds: float) -> Values:
    """CPU and memory of all processes of a server that has nothing to do."""
    await asyncio.sleep(settle)
    meter = Meter(site.procs)
    await asyncio.sleep(seconds)
    return cost(meter.read())


async def kill_all(generator: Generator, site: Site, tasks: int, quiet: float) -> Values:
    """SIGKILL every process when all tasks are accepted and a quarter was called back; start again; count."""
    receiver = generator.receiver
    receiver.forget()
    submitter = Submitter(site.port, generator.messages(site), generator.block(), 16)
    async with opened(submitter.lanes):
        await submitter.burst(tasks)
    accepted = set(submitter.sent)
    end = now() + 60
    while len(receiver.arrived) < len(accepted) / 4 and now() < end:
        await asyncio.sleep(0.002)
    site.kill()
    before, killed = len(receiver.arrived), now()
    await site.restart()
    up = now() - killed
    lost = await settled(lambda: len(accepted - receiver.arrived.keys()), quiet)
    return {
        "accepted": len(accepted),
        "open": len(accepted) - before,
        "lost": lost,
        "twice": receiver.twice,
        "restart_s": up,
        "whole_after_s": max(receiver.arrived.values(), default=killed) - killed,
    }
