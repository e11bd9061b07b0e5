"""The gallery: every picture that is still kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from aquatint.web import zips
from aquatint.web.routes.playground import find
from aquatint.web.shown import Run, run_of
from aquatint.web.visit import Visit

PAGE = 24  # tasks
MOST = 1000  # tasks of one zip


@dataclass(frozen=True, slots=True)
class GalleryPages:
    async def show(self, visit: Visit) -> Response:
        """The page, or with a cursor the next part of its grid."""
        page = await visit.desk.get(
            "/api/v1/tasks", {**_wanted(visit), "limit": PAGE, "cursor": visit.asked("cursor")}
        )
        runs = [run_of(task, visit.addresses) for task in page["tasks"]]
        wanted = {name: value for name, value in _wanted(visit).items() if value and name != "status"}
        more = f"/gallery?{urlencode({**wanted, 'cursor': page['next_cursor']})}" if page["next_cursor"] else ""
        part = visit.by_htmx and visit.request.headers.get("hx-target") in ("more", "grid")
        models = [] if part else (await visit.desk.get("/api/v1/models"))["models"]
        return visit.page(
            ("_tiles.html" if visit.asked("cursor") else "_grid.html") if part else "gallery.html",
            runs=runs,
            more=more,
            first=not visit.asked("cursor"),
            zip=f"/gallery/zip?{urlencode(wanted)}",
            q=visit.asked("q"),
            model=visit.asked("model"),
            models=models,
        )

    async def zip(self, visit: Visit) -> Response:
        """All pictures of the search, or those of one task."""
        if task_id := visit.request.path_params.get("taskId"):
            return _download(visit, _one(await find(visit, task_id)), f"aquatint-{task_id[-12:]}")
        return _download(visit, _all(visit), "aquatint-gallery")

    async def delete(self, visit: Visit) -> Response:
        run = await find(visit, visit.request.path_params["taskId"])
        await visit.desk.delete(f"/api/v1/task/{run.id}")
        if visit.by_htmx and visit.asked("stay"):
            return visit.page("_gone.html", run=run)
        return visit.go("/gallery")


def _wanted(visit: Visit) -> dict[str, str]:
    return {"status": "SUCCESS", "q": visit.asked("q").strip(), "model": visit.asked("model")}


def _download(visit: Visit, runs: AsyncIterator[Run], name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.zip"'}
    response = StreamingResponse(zips.stream(visit.desk, runs), headers=headers, media_type="application/zip")
    return visit.views.sealed(response)


async def _one(run: Run) -> AsyncIterator[Run]:
    yield run


async def _all(visit: Visit) -> AsyncIterator[Run]:
    cursor, seen = "", 0
    while seen < MOST:
        page = await visit.desk.get("/api/v1/tasks", {**_wanted(visit), "limit": 100, "cursor": cursor})
        for task in page["tasks"]:
            seen += 1
            yield run_of(task, visit.addresses)
        cursor = page["next_cursor"] or ""
        if not cursor:
            return
