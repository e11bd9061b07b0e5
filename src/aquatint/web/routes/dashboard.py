"""The dashboard: the operator's look at everything."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from aquatint.web import forms
from aquatint.web.desk import Refused
from aquatint.web.visit import Visit

WINDOWS = {"1h": "Last hour", "24h": "Last day"}


@dataclass(frozen=True, slots=True)
class DashboardPages:
    async def show(self, visit: Visit) -> Response:
        window = visit.asked("window") if visit.asked("window") in WINDOWS else "1h"
        overview = await visit.desk.get("/api/v1/admin/overview", {"window": window})
        # The overview is some seconds old; who has just paused a line wants to see it.
        overview = {**overview, **await visit.desk.get("/api/v1/admin/lanes")}
        part = visit.by_htmx and visit.request.headers.get("hx-target") == "overview"
        template = "_overview.html" if part else "dashboard.html"
        return visit.page(template, overview=overview, window=window, windows=WINDOWS)

    async def lane(self, visit: Visit) -> Response:
        """Pause or resume one line."""
        action = visit.request.path_params["action"]
        lane = visit.request.path_params["lane"]
        if action not in ("pause", "resume") or not lane.replace("-", "").replace("_", "").isalnum():
            raise Refused(404, "there is no such lane")
        await visit.desk.post(f"/api/v1/admin/lanes/{lane}/{action}")
        return visit.go(f"/dashboard?window={forms.one(visit.filled, 'window') or '1h'}")
