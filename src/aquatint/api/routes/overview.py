"""The operator's overview. Needs an admin key."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from aquatint.api.auth import Authenticator
from aquatint.api.operations import Operation, Parameter
from aquatint.api.problems import answering, envelope
from aquatint.api.routes.operator import lane_data
from aquatint.domain.errors import InvalidInput
from aquatint.domain.provider import ProviderState
from aquatint.domain.task import Micros
from aquatint.services.overview import Overview, OverviewService, Usage
from aquatint.wire import answers, overviews, times

WINDOWS = {"1h": 3600, "24h": 86400}


@dataclass(frozen=True, slots=True)
class OverviewRoutes:
    overview: OverviewService
    auth: Authenticator

    async def show(self, request: Request) -> Response:
        await self.auth.admin(request)
        window = WINDOWS.get(request.query_params.get("window", "1h"))
        if window is None:
            raise InvalidInput("window", f"must be one of {', '.join(WINDOWS)}")
        return envelope(answers.ok(_data(await self.overview(window))))


def _data(found: Overview) -> overviews.OverviewData:
    return overviews.OverviewData(
        at=times.render(found.at),
        since=times.render(found.since),
        window_seconds=found.window,
        step_seconds=found.step,
        lanes=[lane_data(lane) for lane in found.lanes],
        providers=[_provider(state, found.at) for state in found.providers],
        unknown_calls=found.unknown_calls,
        steps=[
            overviews.StepData(times.render(s.at), s.succeeded, s.failed, s.cancelled, s.p50, s.p90)
            for s in found.steps
        ],
        total=overviews.SharesData(*found.total) if found.total is not None else None,
        wait=overviews.SharesData(*found.wait) if found.wait is not None else None,
        causes=[overviews.CauseData(cause, count) for cause, count in found.causes],
        keys=[_usage(usage) for usage in found.usages],
    )


def _provider(state: ProviderState, now: Micros) -> overviews.ProviderData:
    until: Micros | None = None
    if state.resting_until > now:
        word, until = "resting", state.resting_until
    elif state.resting_until:
        word = "trying"
    elif state.paused_until > now:
        word, until = "slowed", state.paused_until
    else:
        word = "open"
    shown = times.render(until) if until is not None else None
    return overviews.ProviderData(state.account, word, state.ailment, state.failures, shown)


def _usage(usage: Usage) -> overviews.UsageData:
    key = usage.key
    return overviews.UsageData(
        key_id=key.id if key is not None else None,
        name=key.name if key is not None else "deleted",
        prefix=key.prefix if key is not None else "",
        admin=key is not None and key.admin,
        revoked=key is not None and key.revoked_at is not None,
        points=key.points if key is not None else None,
        tasks=usage.tasks,
        succeeded=usage.succeeded,
        images=usage.images,
        waiting=usage.waiting,
        running=usage.running,
    )


def operations(routes: OverviewRoutes) -> list[Operation]:
    """The one operation."""
    return [
        Operation(
            "GET",
            "/api/v1/admin/overview",
            "getOverview",
            "See everything at one glance",
            answering(routes.show),
            overviews.OverviewData,
            "Lines, throughput, latencies, failures by cause, provider accounts with their circuits, keys and what"
            " they did: of the last hour or day, some seconds old at most.",
            parameters=(
                Parameter("window", "query", "How far to look back.", {"type": "string", "enum": list(WINDOWS)}),
            ),
            errors=(400, 401, 403, 503),
            tag="operator",
        )
    ]
