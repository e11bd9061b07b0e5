"""Buy: a task's images from a provider, each paid for once, whatever dies on the way.

The journal is written before everything that it tells of: an intent before anything leaves, `sent` before the first
byte, the provider's job or result links before anybody waits for them. After a crash the next attempt reads it and
goes on where the money is: it keeps what is made, follows what is under way, and never sends again what may be paid.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from aquatint.domain.call import CallEnd, CallOutcome, CallState, KeptImage, NewCall, PaidCall
from aquatint.domain.errors import EngineError, Misconfigured, OutcomeUnknown
from aquatint.domain.task import ClaimedTask
from aquatint.engines.registry import AnyEngine
from aquatint.engines.remote import RemoteEngine
from aquatint.services import standing
from aquatint.services.job import Made
from aquatint.services.purchase import Order, Purchase, Tools
from aquatint.services.tools import new_id

# Tasks of a process that look at once what was bought for them. Thousands may be claimed in one moment: were they all
# to do each step side by side, all would end late. So the first are with the provider before the last begin.
BEGINNING = 64


class BuyService:
    def __init__(self, tools: Tools, engines: Mapping[str, AnyEngine]) -> None:
        self._tools = tools
        self._store = tools.store
        self._engines = engines
        self._beginning = asyncio.Semaphore(BEGINNING)
        self._chores: set[asyncio.Task[None]] = set()

    async def kept(self, task_no: int) -> tuple[KeptImage, ...]:
        """What is paid and in our storage, in the order of the task."""
        images = {image.index: image for call in await self._store.calls(task_no) for image in call.kept}
        return tuple(images[index] for index in sorted(images))

    def delicate(self, task_no: int) -> bool:
        """Whether the task has a paid call under way that nobody could take up again after a restart."""
        return task_no in self._tools.delicate

    async def __call__(self, order: Order) -> Made:
        """Get every image that can be had; what could not is among the errors. Raises LeaseLost, StoreUnavailable."""
        claimed = order.run.claimed
        async with self._beginning:
            found = await self._found(order)
        errors = list(found.closed.values())
        todo = list(found.open)
        try:
            todo += await self._intend(order, found.missing(claimed.input.n))
        except EngineError as error:
            errors.append(error)
        purchase = Purchase(self._tools, order, todo)
        await purchase.run()
        kept = {**found.kept, **purchase.kept}
        images = tuple(kept[index] for index in sorted(kept))
        return Made(images, tuple(dict.fromkeys(purchase.warnings)), (*errors, *purchase.errors))

    async def _found(self, order: Order) -> standing.Standing:
        """What earlier runs have left, cleared up and taken over."""
        claimed = order.run.claimed
        found = await self._read(order)
        await self._clear(found)
        if not found.open:
            return found
        for call in found.open:
            await self._store.adopt(call.no, claimed.no, claimed.attempt)
        return await self._read(order)  # as they stand now: an earlier run may have ended one meanwhile

    async def _read(self, order: Order) -> standing.Standing:
        claimed, spec = order.run.claimed, order.engine.spec
        seat = standing.Seat(spec.name, spec.account, order.run.remote_model)
        return standing.read(await self._store.calls(claimed.no), claimed.attempt, seat, order.resend_ambiguous)

    async def _clear(self, found: standing.Standing) -> None:
        """Close what an attempt that is gone has left: what it had sent is unknown, what it only meant never left."""
        tools = self._tools
        now = tools.clock.now()
        for call in found.doubtful:
            end = CallEnd(
                CallState.UNKNOWN, None, now, failure=OutcomeUnknown.__name__, detail="its worker died", charged=True
            )
            await self._store.end_call(call.no, end, None, None, tools.rules)
            tools.log.warning("call.unknown", call=call.no, engine=call.engine, why="its worker died")
            tools.metrics.called(call.engine, "unknown")
        for call in found.stale:
            end = CallEnd(CallState.SETTLED, CallOutcome.NOT_SENT, now, detail="another route took the task")
            await self._store.end_call(call.no, end, None, None, tools.rules)
            tools.metrics.called(call.engine, CallOutcome.NOT_SENT.value)

    async def _intend(self, order: Order, missing: Sequence[int]) -> list[PaidCall]:
        """Plan the missing images and journal the calls that are to buy them."""
        if not missing:
            return []
        claimed, spec = order.run.claimed, order.engine.spec
        job = await order.prepare()
        plan = order.engine.plan(job, missing)
        planned = [image for images in plan for image in images]
        if len(set(planned)) < len(planned) or not set(planned) <= set(missing):
            raise Misconfigured("the engine behind this model does not work", detail=f"{missing} planned as {plan}")
        new = [
            NewCall(new_id(), spec.name, job.remote_model, spec.account, images, spec.resend_safe) for images in plan
        ]
        return await self._store.intend(claimed.no, claimed.attempt, new, self._tools.clock.now())

    async def abandon(self, claimed: ClaimedTask) -> None:
        """The task has ended while a provider worked for it: ask the provider to stop. Best effort."""
        for call in await self._store.calls(claimed.no):
            engine = self._engines.get(call.engine)
            if call.outcome == CallOutcome.ABANDONED:
                self._tools.metrics.called(call.engine, call.outcome)
            if call.outcome == CallOutcome.ABANDONED and call.handle and isinstance(engine, RemoteEngine):
                chore = asyncio.create_task(self._stop(engine, call), name=f"stop {call.remote_id}")
                self._chores.add(chore)
                chore.add_done_callback(self._chores.discard)

    async def _stop(self, engine: RemoteEngine, call: PaidCall) -> None:
        log = self._tools.log
        try:
            stopped = await engine.cancel(call.handle)
        except EngineError as error:
            log.info("call.not_stopped", call=call.no, engine=call.engine, detail=error.detail or error.message)
        else:
            log.info("call.stopped", call=call.no, engine=call.engine, by_provider=stopped)

    async def close(self) -> None:
        """Wait for nothing more."""
        for chore in list(self._chores):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
