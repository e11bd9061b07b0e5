"""Tasks: the list, and the inspector of one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from aquatint.web.desk import Json, Refused
from aquatint.web.routes.playground import find
from aquatint.web.shown import Run, run_of
from aquatint.web.snippets import snippets
from aquatint.web.visit import Visit

PAGE = 30
STATUSES = ("PENDING", "PROCESSING", "SUBMITTED", "SUCCESS", "FAILURE", "TIMEOUT", "CANCELLED")
FILTERS = ("status", "model", "userId", "q", "createdAfter", "createdBefore")


@dataclass(frozen=True, slots=True)
class TaskPages:
    base: str

    async def listing(self, visit: Visit) -> Response:
        """The page, or with a cursor the rows that follow."""
        wanted = {name: visit.asked(name).strip() for name in FILTERS}
        wanted = {name: _moment(value) if name.startswith("created") else value for name, value in wanted.items()}
        page = await visit.desk.get("/api/v1/tasks", {**wanted, "limit": PAGE, "cursor": visit.asked("cursor")})
        kept = {name: value for name, value in wanted.items() if value}
        part = visit.by_htmx and visit.request.headers.get("hx-target") in ("more", "rows")
        return visit.page(
            ("_lines.html" if visit.asked("cursor") else "_rows.html") if part else "tasks.html",
            runs=[run_of(task, visit.addresses) for task in page["tasks"]],
            more=f"/tasks?{urlencode({**kept, 'cursor': page['next_cursor']})}" if page["next_cursor"] else "",
            wanted={name: visit.asked(name) for name in FILTERS},
            statuses=STATUSES,
            models=[] if part else (await visit.desk.get("/api/v1/models"))["models"],
        )

    async def show(self, visit: Visit) -> Response:
        return await self._inspector(visit, "inspector.html")

    async def details(self, visit: Visit) -> Response:
        """The part of the inspector below the pictures, which grows as the task goes on."""
        return await self._inspector(visit, "_details.html")

    async def _inspector(self, visit: Visit, template: str) -> Response:
        run = await find(visit, visit.request.path_params["taskId"])
        path = f"/api/v1/task/{run.id}"
        trace = await visit.desk.get(f"{path}/trace")
        deliveries = (await visit.desk.get(f"{path}/deliveries"))["deliveries"]
        return visit.page(
            template,
            run=run,
            wall=False,
            trace=trace,
            deliveries=[_delivery(delivery) for delivery in deliveries],
            waiting=any(delivery["state"] == "pending" for delivery in deliveries),
            input=json.dumps(run.input, ensure_ascii=False, indent=2),
            snippets=snippets(self.base, _request(run)),
        )

    async def cancel(self, visit: Visit) -> Response:
        run = await find(visit, visit.request.path_params["taskId"])
        await visit.desk.post(f"/api/v1/task/{run.id}/cancel")
        if visit.by_htmx:
            return visit.page("_live.html", run=await find(visit, run.id), wall=visit.asked("at") == "wall")
        return visit.go(f"/tasks/{run.id}")

    async def redeliver(self, visit: Visit) -> Response:
        run = await find(visit, visit.request.path_params["taskId"])
        await visit.desk.post(f"/api/v1/task/{run.id}/redeliver")
        return await self.details(visit) if visit.by_htmx else visit.go(f"/tasks/{run.id}")

    async def rerun(self, visit: Visit) -> Response:
        """The same request with the same seed, so that the same picture comes where the engine promises it."""
        run = await find(visit, visit.request.path_params["taskId"])
        body = _request(run)
        if _inline(run.input):
            raise Refused(409, "its reference images came inside the request and cannot be sent again from here")
        if run.seed is not None:
            body["input"]["seed"] = run.seed
        answer = await visit.desk.post("/api/v1/task/submit", body)
        if visit.by_htmx and visit.asked("at") == "wall":
            return visit.page("_run.html", run=await find(visit, answer["taskId"]), fresh=True, wall=True)
        return visit.go(f"/tasks/{answer['taskId']}")


def _request(run: Run) -> Json:
    fields = {name: value for name, value in run.input.items() if name != "model" and value is not None}
    return {"model": run.model, "input": fields}


def _inline(value: object) -> bool:
    """Whether a data URL stood there, of which the echo keeps only the beginning."""
    if isinstance(value, dict):
        return any(_inline(item) for item in value.values())
    if isinstance(value, list):
        return any(_inline(item) for item in value)
    return isinstance(value, str) and value.startswith("data:")


def _delivery(delivery: Json) -> Json:
    body = delivery.get("body")
    shown = json.dumps(body, ensure_ascii=False, indent=2) if body is not None else ""
    return {**delivery, "shown": shown}


def _moment(text: str) -> str:
    """What a browser's date field holds, as the API reads it."""
    return f"{text}T00:00:00Z" if len(text) == 10 else text
