"""Watch: who may read what a process counts."""

from __future__ import annotations

from aquatint.api.auth import Authenticator
from aquatint.api.routes.metrics import Access, MetricsRoutes
from aquatint.bootstrap.tools import HouseTools
from aquatint.services.lanes import LaneService
from aquatint.services.survey import SurveyService


def build_metrics(tools: HouseTools) -> MetricsRoutes | None:
    """What /metrics answers; None where it is off."""
    wanted = tools.settings.server.metrics
    if wanted == "off":
        return None
    access: Access = "open" if wanted == "open" else "local"
    lanes = LaneService(tools.store, tools.signals, tuple(tools.engines))
    return MetricsRoutes(
        metrics=tools.telemetry.metrics,
        survey=SurveyService(tools.store, lanes, tools.clock),
        auth=Authenticator(tools.keys, 0),
        access=access,
    )
