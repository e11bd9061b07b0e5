"""The measures: each takes a server that runs and answers plain numbers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from bench.lanes import Lane, Receiver, now
from bench.load import QUIET, Flight, Submitter, Tally, hammer, opened, paced, settled
from bench.messages import SubmitMessages, operator_message, query_message, submit_messages, task_id_of
from bench.plan import Values
from bench.procs import Meter, Reading
from bench.subjects import Site

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
        return submit_messages(site.port, self.receiver.port, self.run_id, site.subject.api)

    def messages_to(self, site: Site, host: str, port: int) -> SubmitMessages:
        """Submits that call back somebody else than the receiver."""
        return submit_messages(site.port, port, self.run_id, site.subject.api, host)


async def operate(site: Site, path: str) -> None:
    """Tell a server something as its operator. Raises RuntimeError when it refuses."""
    answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
    lane = await Lane(site.port, lambda lane, status, body: answer.set_result((status, body))).open()
    lane.send(operator_message(site.port, path), 0)
    status, body = await answer
    lane.close()
    if status != 200:
        raise RuntimeError(f"{path}: {status} {body[:100]!r}")


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
    submitter = Submitter(site.ports, generator.messages(site), generator.block(), len(site.ports))
    async with opened(submitter.lanes):
        while len(submitter.tally.answers) < len(site.ports):
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
    submitter = Submitter(site.ports, generator.messages(site), generator.block(), IN_FLIGHT)
    async with opened(submitter.lanes):
        await submitter.burst(WARM_UP)
    await settled(lambda: len(submitter.sent.keys() - generator.receiver.arrived.keys()))


async def submits(generator: Generator, site: Site, connections: int, seconds: float) -> Values:
    """Submits accepted a second, every connection busy."""
    return (await submits_kept(generator, site, connections, seconds))[0]


async def submits_kept(
    generator: Generator, site: Site, connections: int, seconds: float
) -> tuple[Values, list[bytes]]:
    """The same, and some of the answers."""
    messages = generator.messages(site)
    bodies: list[bytes] = []

    def accepted(status: int, body: bytes) -> bool:
        taken = messages.accepted(status, body)
        if taken and len(bodies) < 500:
            bodies.append(body)
        return taken

    meter = Meter(site.weighed())
    tally = await hammer(site.ports, connections, seconds, messages.raw, accepted, generator.block())
    return {**_rate(tally), **cost(meter.read())}, bodies


async def queries(
    generator: Generator, site: Site, bodies: Sequence[bytes], connections: int, seconds: float
) -> Values:
    """Queries a second over the tasks whose submit answers these are."""
    api = site.subject.api
    ids = [task_id_of(body, api) for body in bodies]
    return await queries_of(generator, site, ids, connections, seconds)


async def queries_of(
    generator: Generator, site: Site, ids: Sequence[str], connections: int, seconds: float
) -> Values:
    """Queries a second over these tasks, which have ended well."""
    api = site.subject.api
    messages = [query_message(site.port, task_id, api) for task_id in ids]
    meter = Meter(site.weighed())

    def make(n: int) -> bytes:
        return messages[n % len(messages)]

    def accepted(status: int, body: bytes) -> bool:
        return status == 200 and api.ended in body

    tally = await hammer(site.ports, connections, seconds, make, accepted, generator.block())
    return {**_rate(tally), **cost(meter.read())}


def _rate(tally: Tally) -> Values:
    return {
        "per_s": len(tally.answers) / tally.seconds,
        **latency("answer", tally.answers),
        "refused": tally.refused,
    }


async def flight(generator: Generator, site: Site, seconds: float) -> tuple[Values, list[bytes]]:
    """Tasks a second end to end with a fixed number in flight; also some submit answers, for queries."""
    meter = Meter(site.weighed())
    loop = Flight(site.ports, generator.messages(site), generator.receiver, generator.block())
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


async def pace(generator: Generator, site: Site, rate: float, seconds: float, quiet: float = QUIET) -> Values:
    """Latency of submits that come at their own pace; at a low one nothing queues."""
    meter = Meter(site.weighed())
    receiver = generator.receiver
    connections = 32 if rate < 100 else 256
    messages, first = generator.messages(site), generator.block()
    tally = await paced(site.ports, messages, receiver, first, rate, seconds, connections, quiet)
    return {
        "per_s": tally.rate,
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
    meter = Meter(site.weighed())
    await asyncio.sleep(seconds)
    return cost(meter.read())


async def kill_all(generator: Generator, site: Site, tasks: int, quiet: float) -> Values:
    """SIGKILL every process when all tasks are accepted and a quarter was called back; start again; count."""
    receiver = generator.receiver
    receiver.forget()
    submitter = Submitter(site.ports, generator.messages(site), generator.block(), 16)
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
