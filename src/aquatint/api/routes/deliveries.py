"""Callbacks: their log, and making them again."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from aquatint.api import bodies
from aquatint.api.auth import Authenticator
from aquatint.api.operations import TASK_ID, Operation
from aquatint.api.problems import answering, envelope
from aquatint.domain.delivery import REPLAYABLE, Delivery, DeliveryState, ReplayFilter
from aquatint.domain.errors import Forbidden, InvalidInput
from aquatint.services.deliver import RedeliverService
from aquatint.services.query import QueryService
from aquatint.services.replay import ReplayService
from aquatint.wire import answers, times

MAX_BODY = 16 * 1024


class ReplayRequest(msgspec.Struct):
    endedFrom: str  # noqa: N815  # the contract's way of writing
    endedTo: str  # noqa: N815
    states: tuple[str, ...] = ("failed", "blocked")
    allKeys: bool = False  # noqa: N815


_replay = msgspec.json.Decoder(ReplayRequest)


@dataclass(frozen=True, slots=True)
class DeliveryRoutes:
    query_task: QueryService
    redeliver: RedeliverService
    replay_deliveries: ReplayService
    auth: Authenticator

    async def deliveries(self, request: Request) -> Response:
        key = await self.auth(request)
        found = await self.query_task.deliveries(request.path_params["taskId"], key.id)
        return envelope(answers.ok({"deliveries": [_delivery(delivery) for delivery in found]}))

    async def deliver_again(self, request: Request) -> Response:
        key = await self.auth(request)
        await self.redeliver(request.path_params["taskId"], key.id)
        return envelope(answers.ok({}))

    async def replay(self, request: Request) -> Response:
        key = await self.auth(request)
        self.auth.spend(key)
        wanted = _wanted(await bodies.read(request, MAX_BODY))
        if wanted.allKeys and not key.admin:
            raise Forbidden("replaying the callbacks of all keys needs an admin key")
        states = tuple(_state(word) for word in wanted.states)
        if not states:
            raise InvalidInput("states", "must name one at least")
        count = await self.replay_deliveries(
            ReplayFilter(
                key_id=None if wanted.allKeys else key.id,
                ended_from=times.parse("endedFrom", wanted.endedFrom),
                ended_to=times.parse("endedTo", wanted.endedTo),
                states=states,
            )
        )
        return envelope(answers.ok(answers.ReplayData(count)))


def _wanted(body: bytes) -> ReplayRequest:
    try:
        return _replay.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("", f"the body is not a replay ({str(error).replace('`', '')[:200]})") from None


def _state(word: str) -> DeliveryState:
    for state in REPLAYABLE:
        if state.value == word:
            return state
    raise InvalidInput("states", f"may hold {', '.join(REPLAYABLE)}")


def _delivery(delivery: Delivery) -> answers.DeliveryData:
    return answers.DeliveryData(
        id=delivery.id,
        url=delivery.url,
        state=delivery.state,
        created_at=times.render(delivery.created_at),
        next_attempt_at=times.render(delivery.next_attempt_at) if delivery.next_attempt_at is not None else None,
        attempts=[
            answers.DeliveryAttemptData(
                number=attempt.number,
                at=times.render(attempt.at),
                duration_ms=attempt.duration_ms,
                status=attempt.status,
                outcome=attempt.outcome,
                detail=attempt.detail,
                response=attempt.response,
            )
            for attempt in delivery.attempts
        ],
        body=msgspec.Raw(delivery.body),
    )


def operations(routes: DeliveryRoutes) -> list[Operation]:
    """Every operation on callbacks."""
    return [
        Operation(
            "GET",
            "/api/v1/task/{taskId}/deliveries",
            "listDeliveries",
            "Read a task's callback log",
            answering(routes.deliveries),
            {"deliveries": list[answers.DeliveryData]},
            parameters=(TASK_ID,),
            errors=(401, 404),
            tag="callbacks",
        ),
        Operation(
            "POST",
            "/api/v1/task/{taskId}/redeliver",
            "redeliver",
            "Send a task's callback again",
            answering(routes.deliver_again),
            {},
            parameters=(TASK_ID,),
            errors=(401, 404, 409, 503),
            tag="callbacks",
        ),
        Operation(
            "POST",
            "/api/v1/deliveries/replay",
            "replayDeliveries",
            "Send the callbacks of a span of time again",
            answering(routes.replay),
            answers.ReplayData,
            "For a receiver that was down: each callback gets a fresh schedule. `GET /api/v1/tasks?updatedAfter=` is"
            " the other way to catch up.",
            body={
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/ReplayRequest"},
                    "example": {"endedFrom": "2026-02-10T00:00:00Z", "endedTo": "2026-02-11T00:00:00Z"},
                }
            },
            errors=(400, 401, 403, 413, 429, 503),
            tag="callbacks",
        ),
    ]
