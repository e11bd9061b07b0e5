"""The visit: one request of somebody who is logged in, and the door that finds out who."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from aquatint.web import forms
from aquatint.web.desk import Desk, Json, Refused
from aquatint.web.session import (
    CSRF_FIELD,
    CSRF_HEADER,
    SAFE,
    Seal,
    Session,
    cookie_name,
    drop_cookie,
    same_site,
)
from aquatint.web.shown import Addresses
from aquatint.web.view import Views

Handler = Callable[["Visit"], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Visit:
    """`filled` is the form that came, or the query of a request that changes nothing."""

    request: Request
    session: Session
    desk: Desk
    account: Json
    filled: forms.Filled
    views: Views
    addresses: Addresses

    def page(
        self, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
    ) -> Response:
        return self.views.page(
            self.request,
            template,
            values,
            session=self.session,
            account=self.account,
            status=status,
            headers=headers,
        )

    def go(self, path: str) -> Response:
        """To another page, whether htmx asked or a plain form."""
        return self.views.sealed(_go(self.request, path))

    @property
    def by_htmx(self) -> bool:
        return _by_htmx(self.request)

    def asked(self, name: str) -> str:
        return forms.one(self.filled, name)


@dataclass(frozen=True, slots=True)
class Door:
    """Lets requests in to the handlers."""

    app: ASGIApp
    seal: Seal
    views: Views
    addresses: Addresses

    def __call__(self, handler: Handler, *, admin: bool = False) -> Endpoint:
        """`handler` behind the door; every refusal of the API, too, becomes a page that says so."""

        async def answered(request: Request) -> Response:
            session = await self.seal.open(request.cookies.get(cookie_name(request), ""))
            if session is None:
                return self._to_login(request)
            account: Json | None = None
            try:
                desk = Desk(self.app, session.key)
                filled = await _filled(request, session)
                account = await desk.get("/api/v1/account")
                if admin and not account["admin"]:
                    raise Refused(403, "this page needs an admin key")
                return await handler(Visit(request, session, desk, account, filled, self.views, self.addresses))
            except Refused as refused:
                return self._refusal(request, session, account, refused)
            except ClientDisconnect:
                return Response(status_code=400)

        return answered

    def _refusal(self, request: Request, session: Session, account: Json | None, refused: Refused) -> Response:
        if refused.status == 401:  # the key was revoked meanwhile
            response = self._to_login(request)
            drop_cookie(request, response)
            return response
        if _by_htmx(request):
            headers = {"hx-retarget": "#problem", "hx-reswap": "innerHTML"}
            words = {"message": refused.message}
            return self.views.page(request, "_problem.html", words, status=refused.status, headers=headers)
        values: dict[str, Any] = {"status": refused.status, "message": refused.message}
        return self.views.page(
            request, "refused.html", values, session=session, account=account, status=refused.status
        )

    def _to_login(self, request: Request) -> Response:
        back = request.url.path if request.method == "GET" and not _by_htmx(request) else ""
        query = f"?{request.url.query}" if back and request.url.query else ""
        to = f"/login?{urlencode({'next': back + query})}" if back not in ("", "/") or query else "/login"
        return self.views.sealed(_go(request, to))


async def _filled(request: Request, session: Session) -> forms.Filled:
    """The form or the query. Raises Refused for a form that no page of ours has sent."""
    if request.method in SAFE:
        return forms.asked(request)
    if not same_site(request):
        raise Refused(403, "this request did not come from our own page")
    filled = await forms.read(request)
    if not session.knows(request.headers.get(CSRF_HEADER) or forms.one(filled, CSRF_FIELD)):
        raise Refused(403, "this form is out of date; load the page again")
    return filled


def local_path(text: str) -> str:
    """A path of ours to go on to; the playground for everything else, other hosts above all."""
    parts = urlsplit(text)
    good = text.startswith("/") and not text.startswith(("//", "/\\")) and not parts.netloc and text.isprintable()
    return text if good and "\\" not in text else "/"


def _by_htmx(request: Request) -> bool:
    return request.headers.get("hx-request") == "true"


def _go(request: Request, path: str) -> Response:
    if _by_htmx(request):
        return Response(status_code=204, headers={"hx-redirect": path})
    return RedirectResponse(path, 303)
