"""Metrics: for Prometheus, on every server and every worker."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aquatint.api.auth import Authenticator
from aquatint.api.problems import answering
from aquatint.services.survey import SurveyService
from aquatint.telemetry import Metrics

Access = Literal["local", "open"]
PATH = "/metrics"
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")  # a proxy speaks for somebody else


@dataclass(frozen=True, slots=True)
class MetricsRoutes:
    """`access` local: whoever is not on this machine needs an admin key."""

    metrics: Metrics
    survey: SurveyService
    auth: Authenticator
    access: Access

    async def read(self, request: Request) -> Response:
        if self.access != "open" and not local(request):
            await self.auth.admin(request)
        self.metrics.surveyed(await self.survey())
        body, media_type = self.metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type, "cache-control": "no-store"})

    def routes(self) -> list[Route]:
        return [Route(PATH, answering(self.read))]


def local(request: Request) -> bool:
    """Whether a program of this machine asks for itself.

    Not so a proxy on this machine, nor a browser whose page let a name of its own lead here.
    """
    if request.client is None or any(name in request.headers for name in FORWARDED):
        return False
    return _loopback(request.client.host) and _loopback(request.url.hostname or "")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
