"""Login and logout."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp

from aquatint.web import forms
from aquatint.web.desk import Desk, Refused
from aquatint.web.session import LONGEST_KEY, Seal, Session, cookie_name, drop_cookie, same_site, set_cookie
from aquatint.web.turnstile import Turnstile
from aquatint.web.view import Views
from aquatint.web.visit import Visit, local_path

SLOW = "Too many tries. Wait a minute, then try again."
FOREIGN = "This form was not sent by this page. Load it again."
WRONG = "This key is not known here. Keys begin with “aq_”; check that it is whole."


@dataclass(frozen=True, slots=True)
class LoginPages:
    app: ASGIApp
    seal: Seal
    views: Views
    turnstile: Turnstile

    async def show(self, request: Request) -> Response:
        filled = forms.asked(request)
        going = local_path(forms.one(filled, "next"))
        if await self.seal.open(request.cookies.get(cookie_name(request), "")) is not None:
            return self.views.sealed(RedirectResponse(going, 303))
        return self._page(request, going, "", 200)

    async def enter(self, request: Request) -> Response:
        """Try a key by asking the API who it is."""
        try:
            filled = await forms.read(request)
        except Refused as refused:
            return self._page(request, "/", refused.message, refused.status)
        going = local_path(forms.one(filled, "next"))
        address = request.client.host if request.client is not None else ""
        if not same_site(request):
            return self._page(request, going, FOREIGN, 403)
        if not self.turnstile.open_for(address):
            return self._page(request, going, SLOW, 429)
        key = forms.one(filled, "key").strip()
        try:
            if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
                raise Refused(401, "unauthorized")
            await Desk(self.app, key).get("/api/v1/account")
        except Refused as refused:
            if refused.status != 401:
                return self._page(request, going, refused.message, refused.status)
            self.turnstile.failed(address)
            return self._page(request, going, WRONG, 401)
        response = self.views.sealed(RedirectResponse(going, 303))
        set_cookie(request, response, await self.seal.close(Session.begin(key)))
        return response

    async def leave(self, visit: Visit) -> Response:
        response = visit.go("/login")
        drop_cookie(visit.request, response)
        return response

    def _page(self, request: Request, going: str, problem: str, status: int) -> Response:
        return self.views.page(request, "login.html", {"going": going, "problem": problem}, status=status)
