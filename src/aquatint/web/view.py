"""Views: templates to pages, with the headers that keep a page to itself."""

from __future__ import annotations

import hashlib
import json
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from aquatint.web import charts, shown
from aquatint.web.session import Session
from aquatint.web.shown import Addresses

HTMX = json.dumps(
    {
        "includeIndicatorStyles": False,  # it would write a style element, which the policy forbids
        "allowEval": False,
        "allowScriptTags": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,  # it would keep pages in the browser's storage
        "refreshOnHistoryMiss": True,
        "scrollBehavior": "auto",
    }
)
THEME = "aquatint_theme"


def policy(picture_origins: tuple[str, ...]) -> str:
    """The Content-Security-Policy; `picture_origins` are where results may be shown from besides here."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self' blob: data:", *picture_origins)),
            "connect-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
        )
    )


class Views:
    """Renders. Everything that is put into a page is escaped."""

    def __init__(self, version: str, addresses: Addresses, picture_origins: tuple[str, ...] = ()) -> None:
        self._headers = {
            "content-security-policy": policy(picture_origins),
            "x-content-type-options": "nosniff",
            "referrer-policy": "same-origin",  # with no-referrer browsers hide the Origin of forms, too
            "x-frame-options": "DENY",
            "cross-origin-opener-policy": "same-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
            "cache-control": "no-store",
        }
        self._templates = Environment(
            loader=PackageLoader("aquatint.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(shown.FILTERS, near=addresses.near, web=shown.web)
        self._templates.globals.update(version=version, htmx_config=HTMX, stamp=_stamp(), charts=charts)

    def page(
        self,
        request: Request,
        template: str,
        values: dict[str, Any],
        *,
        session: Session | None = None,
        account: dict[str, Any] | None = None,
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        """A whole page, or a part of one: the template decides."""
        theme = request.cookies.get(THEME, "")
        body = self._templates.get_template(template).render(
            path=request.url.path,
            csrf=session.token if session is not None else "",
            account=account,
            theme=theme if theme in ("light", "dark") else "",
            **values,
        )
        return HTMLResponse(body, status, {**self._headers, **(headers or {})})

    def sealed(self, response: Response) -> Response:
        """The same headers for an answer that is no page."""
        for name, value in self._headers.items():
            response.headers.setdefault(name, value)
        return response


def _stamp() -> str:
    """Changes with every change of the static files, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    for file in sorted(resources.files("aquatint.web").joinpath("static").iterdir(), key=lambda file: file.name):
        if file.is_file():
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
