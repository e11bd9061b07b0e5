"""Events: follow one task, or all of a key, as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from aquatint.api.auth import Authenticator
from aquatint.api.observed import request_id
from aquatint.api.operations import EVENT_STREAM, STRICT, TASK_ID, Operation, Parameter
from aquatint.api.problems import answering
from aquatint.api.shown import Shown, is_strict, queue_data
from aquatint.api.stream import EventStream
from aquatint.domain.errors import CallerError, StoreUnavailable
from aquatint.services.listener import Moved
from aquatint.services.query import QueryService
from aquatint.services.story import Ended, Part, StoryService, Told
from aquatint.telemetry import logger
from aquatint.wire import answers, events, times

RECHECK = 15.0  # seconds after which the key of an open stream is looked at again


@dataclass(frozen=True, slots=True)
class EventRoutes:
    query_task: QueryService
    story: StoryService
    auth: Authenticator
    shown: Shown

    async def of_task(self, request: Request) -> Response:
        key = await self.auth(request)
        after = _last_event(request) or 0
        task = await self.query_task(request.path_params["taskId"], key.id)
        listener, leave = self.story.listen(key.id, task)
        return EventStream(self._pieces(request, self.story.of_task(task, listener, after)), leave)

    async def of_key(self, request: Request) -> Response:
        key = await self.auth(request)
        start = await self.story.start(_last_event(request))
        listener, leave = self.story.listen(key.id)
        return EventStream(self._pieces(request, self.story.of_key(listener, start)), leave)

    async def _pieces(self, request: Request, story: AsyncGenerator[Part, None]) -> AsyncGenerator[bytes, None]:
        """The story as server-sent events. It just ends when it cannot go on: the client comes back, and is told."""
        clock = asyncio.get_running_loop().time
        checked = clock()
        strict = is_strict(request)
        yield events.RETRY
        try:
            async with contextlib.aclosing(story):
                async for part in story:
                    if clock() - checked > RECHECK:
                        await self.auth(request)
                        checked = clock()
                    yield self._piece(part, strict)
        except CallerError:  # the key was revoked, the task deleted
            return
        except StoreUnavailable as error:
            logger().error("store.refused", request_id=request_id(request.scope), why=str(error))

    def _piece(self, part: Part, strict: bool) -> bytes:
        match part:
            case Told():
                task = cast(answers.FullTaskData, self.shown(part.task, strict=strict, place=part.place))
                data = events.EventData(part.task.id, times.render(part.at), part.name, part.detail, task)
                return events.event(part.name, data, part.id)
            case Moved():
                status = events.status_word(part.status, self.shown.failure_word)
                queue = queue_data(part.place)
                return events.event(
                    "progress", events.ProgressData(part.task_id, status, round(part.progress, 3), queue)
                )
            case Ended():
                return events.event("done", self.shown(part.task, strict=strict))
            case None:
                return events.SILENT


def _last_event(request: Request) -> int | None:
    return events.last_event(request.headers.get("last-event-id"), request.query_params.get("lastEventId"))


_ID = {"type": "string", "pattern": "^[0-9]{1,18}$"}
_RESUME = (
    Parameter("Last-Event-ID", "header", "Only events after this one.", _ID),
    Parameter("lastEventId", "query", "The same for clients that cannot set a header; the header wins.", _ID),
)
_HISTORY = {"task.* and delivery.*": events.EventData, "progress": events.ProgressData}


def operations(routes: EventRoutes) -> list[Operation]:
    """Both streams."""
    return [
        Operation(
            "GET",
            "/api/v1/task/{taskId}/events",
            "followTask",
            "Follow a task",
            answering(routes.of_task),
            {**_HISTORY, "done": answers.FullTaskData},
            "Server-sent events: each event of the task's history with its `id`, `progress` between them, and `done`"
            " with the task at its end, after which the stream closes. With `Last-Event-ID` it goes on where it was"
            " cut, from storage.",
            parameters=(TASK_ID, *_RESUME, STRICT),
            errors=(400, 401, 404, 429),
            media_type=EVENT_STREAM,
        ),
        Operation(
            "GET",
            "/api/v1/events",
            "followKey",
            "Follow all tasks of the key",
            answering(routes.of_key),
            _HISTORY,
            "Server-sent events of all tasks of the key, until the client leaves. It begins now, or after"
            " `Last-Event-ID`.",
            parameters=(*_RESUME, STRICT),
            errors=(400, 401, 429, 503),
            media_type=EVENT_STREAM,
        ),
    ]
