"""The site: all routes of the pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from aquatint.web.passage import Passage
from aquatint.web.routes.dashboard import DashboardPages
from aquatint.web.routes.gallery import GalleryPages
from aquatint.web.routes.login import LoginPages
from aquatint.web.routes.playground import PlaygroundPages
from aquatint.web.routes.tasks import TaskPages
from aquatint.web.session import Seal
from aquatint.web.shown import Addresses
from aquatint.web.static import StaticFiles
from aquatint.web.turnstile import Turnstile
from aquatint.web.view import Views
from aquatint.web.visit import Door


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the pages are told of the house: the base of result URLs, and where pictures may lie besides."""

    version: str
    base: str
    picture_origins: tuple[str, ...]


def routes(app: ASGIApp, secret: Callable[[], Awaitable[bytes]], around: Surroundings) -> Sequence[BaseRoute]:
    """`app` answers the public API; `secret` seals the sessions."""
    seal = Seal(secret)
    addresses = Addresses(around.base)
    views = Views(around.version, addresses, around.picture_origins)
    door = Door(app, seal, views, addresses)
    login = LoginPages(app, seal, views, Turnstile())
    playground, gallery = PlaygroundPages(around.base), GalleryPages()
    tasks, dashboard = TaskPages(around.base), DashboardPages()
    get, post = ["GET"], ["POST"]
    return [
        Route("/", door(playground.show), methods=get),
        Route("/parameters", door(playground.parameters), methods=post),
        Route("/code", door(playground.code), methods=post),
        Route("/run", door(playground.submit), methods=post),
        Route("/gallery", door(gallery.show), methods=get),
        Route("/gallery/zip", door(gallery.zip), methods=get),
        Route("/tasks", door(tasks.listing), methods=get),
        Route("/tasks/{taskId}", door(tasks.show), methods=get),
        Route("/tasks/{taskId}/card", door(playground.card), methods=get),
        Route("/tasks/{taskId}/details", door(tasks.details), methods=get),
        Route("/tasks/{taskId}/zip", door(gallery.zip), methods=get),
        Route("/tasks/{taskId}/cancel", door(tasks.cancel), methods=post),
        Route("/tasks/{taskId}/rerun", door(tasks.rerun), methods=post),
        Route("/tasks/{taskId}/redeliver", door(tasks.redeliver), methods=post),
        Route("/tasks/{taskId}/delete", door(gallery.delete), methods=post),
        Route("/dashboard", door(dashboard.show, admin=True), methods=get),
        Route("/dashboard/lanes/{lane}/{action}", door(dashboard.lane, admin=True), methods=post),
        Route("/login", login.show, methods=get),
        Route("/login", login.enter, methods=post),
        Route("/logout", door(login.leave), methods=post),
        Route("/static/{name:path}", StaticFiles().serve, methods=get),
        Route("/web/api/{path:path}", Passage(app, seal)),
    ]
