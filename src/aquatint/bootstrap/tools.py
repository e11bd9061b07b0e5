"""What the front (the API) and the back (the loops) of a house share."""

from __future__ import annotations

from dataclasses import dataclass

from aquatint.assets.base import AssetStore
from aquatint.bootstrap.parts import (
    build_door,
    build_engines,
    build_telemetry,
    cores,
    fetch_rules,
    load_models,
    open_assets,
    open_store,
    public_urls,
    sandbox_of,
)
from aquatint.bootstrap.role import Role
from aquatint.catalog.load import Catalog
from aquatint.engines.registry import AnyEngine
from aquatint.net.http import HttpDoor
from aquatint.sandbox.images import IntakeLimits
from aquatint.sandbox.pool import Sandbox
from aquatint.services.accepted import Accepted
from aquatint.services.follow import FollowService
from aquatint.services.keys import KeyService
from aquatint.services.place import PlaceService
from aquatint.services.pulse import PulseService
from aquatint.services.query import QueryService
from aquatint.services.references import ReferenceService
from aquatint.services.route import RouteRules, RouteService
from aquatint.services.settle import SettleService
from aquatint.services.signals import Signals
from aquatint.services.tools import Clock, PublicUrls, new_id
from aquatint.services.track import Tracker
from aquatint.settings import Settings
from aquatint.store.base import Store
from aquatint.telemetry import Logger, Telemetry, logger


@dataclass(frozen=True, slots=True)
class HouseTools:
    """Built, not yet open."""

    settings: Settings
    clock: Clock
    owner: str  # names this process in leases
    log: Logger
    telemetry: Telemetry
    store: Store
    assets: AssetStore
    catalog: Catalog
    sandbox: Sandbox
    engines: dict[str, AnyEngine]
    door: HttpDoor
    urls: PublicUrls
    signals: Signals
    intake: IntakeLimits
    accepted: Accepted
    settle: SettleService
    query: QueryService
    place: PlaceService
    follow: FollowService
    keys: KeyService
    route: RouteService
    references: ReferenceService
    tracker: Tracker


def build_tools(settings: Settings, role: Role, clock: Clock) -> HouseTools:
    """Raises ConfigurationError."""
    log = logger()
    owner = new_id()
    store = open_store(settings)
    assets = open_assets(settings)
    catalog = load_models(settings)
    sandbox = sandbox_of(settings, settings.sandbox.workers or cores())
    engines = build_engines(settings, catalog, sandbox, role.concurrency)
    door = build_door(settings)
    urls = public_urls(settings)
    signals = Signals()
    intake = IntakeLimits(
        max_bytes=settings.limits.upload,
        max_pixels=settings.limits.pixels,
        extra_formats=settings.limits.extra_formats,
    )
    accepted = Accepted(clock, settings.webhooks.first_delay)
    telemetry = build_telemetry(settings, owner)
    place = PlaceService(store)
    follow = FollowService(store, PulseService(store, place), signals, settings.limits.streams_per_key, log)
    return HouseTools(
        settings=settings,
        clock=clock,
        owner=owner,
        log=log,
        telemetry=telemetry,
        store=store,
        assets=assets,
        catalog=catalog,
        sandbox=sandbox,
        engines=engines,
        door=door,
        urls=urls,
        signals=signals,
        intake=intake,
        accepted=accepted,
        settle=SettleService(store, urls, signals, clock, accepted, settings.webhooks.first_delay, telemetry),
        query=QueryService(store),
        place=place,
        follow=follow,
        keys=KeyService(store, clock, settings.server.api_key),
        route=RouteService(engines, RouteRules(settings.routing.fallback, settings.routing.fallback_to_studio)),
        references=ReferenceService(door, assets, store, sandbox, intake, urls, clock, fetch_rules(settings)),
        tracker=Tracker(log),
    )
