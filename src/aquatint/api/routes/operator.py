"""The operator's part: lines in front of the engines. Needs an admin key."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from aquatint.api.auth import Authenticator
from aquatint.api.operations import Operation, Parameter
from aquatint.api.problems import answering, envelope
from aquatint.domain.errors import InvalidInput
from aquatint.domain.lane import LaneState
from aquatint.services.lanes import LaneService
from aquatint.wire import answers, times

LONGEST_WAIT = 60


@dataclass(frozen=True, slots=True)
class OperatorRoutes:
    lanes: LaneService
    auth: Authenticator

    async def listing(self, request: Request) -> Response:
        await self.auth.admin(request)
        return envelope(answers.ok({"lanes": [lane_data(lane) for lane in await self.lanes.listing()]}))

    async def pause(self, request: Request) -> Response:
        await self.auth.admin(request)
        return envelope(answers.ok(lane_data(await self.lanes.pause(request.path_params["lane"], _wait(request)))))

    async def resume(self, request: Request) -> Response:
        await self.auth.admin(request)
        return envelope(answers.ok(lane_data(await self.lanes.resume(request.path_params["lane"]))))


def _wait(request: Request) -> float:
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= LONGEST_WAIT):
        raise InvalidInput("wait", f"must be between 0 and {LONGEST_WAIT} seconds")
    return float(text)


def lane_data(state: LaneState) -> answers.LaneData:
    oldest = times.render(state.oldest_at) if state.oldest_at is not None else None
    return answers.LaneData(state.name, state.paused, state.waiting, state.running, oldest, state.workers)


WAIT = Parameter(
    "wait", "query", "Seconds to wait until nothing runs.", {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT}
)
LANE = Parameter("lane", "path", "The engine's name.", {"type": "string"}, required=True)


def operations(routes: OperatorRoutes) -> list[Operation]:
    """Every operation for operators."""
    return [
        Operation(
            "GET",
            "/api/v1/admin/lanes",
            "listLanes",
            "Look at the line in front of each engine",
            answering(routes.listing),
            {"lanes": list[answers.LaneData]},
            "Needs an admin key, as everything here.",
            errors=(401, 403),
            tag="operator",
        ),
        Operation(
            "POST",
            "/api/v1/admin/lanes/{lane}/pause",
            "pauseLane",
            "Pause an engine's line, or drain it",
            answering(routes.pause),
            answers.LaneData,
            "Nothing more is taken from the line; submits go on, what runs goes on, nothing is lost. With `wait` the"
            " answer comes when nothing runs any more, or after so many seconds.",
            parameters=(LANE, WAIT),
            errors=(400, 401, 403, 404, 503),
            tag="operator",
        ),
        Operation(
            "POST",
            "/api/v1/admin/lanes/{lane}/resume",
            "resumeLane",
            "Take an engine's line up again",
            answering(routes.resume),
            answers.LaneData,
            parameters=(LANE,),
            errors=(401, 403, 404, 503),
            tag="operator",
        ),
    ]
