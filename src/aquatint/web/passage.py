"""The passage: the browser's own calls of the API, with the session's key in the place of a bearer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from aquatint.web.session import CSRF_HEADER, SAFE, Seal, Session, cookie_name, same_site

PREFIX = "/web"
BEYOND = "/api/v1/"
DROPPED = (b"authorization", b"cookie", b"origin", b"x-csrf-token")


class Passage:
    """An ASGI application: what it lets through streams both ways as if nobody stood between."""

    def __init__(self, app: ASGIApp, seal: Seal) -> None:
        self._app = app
        self._seal = seal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        path = scope["path"].removeprefix(PREFIX)
        session = await self._seal.open(request.cookies.get(cookie_name(request), ""))
        refusal = _refusal(request, path, session)
        if refusal is not None or session is None:
            status, message = refusal or (401, "unauthorized")
            await JSONResponse({"code": status, "msg": message}, status)(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in DROPPED]
        headers.append((b"authorization", b"Bearer " + session.key.encode()))
        inner = {
            **{name: scope[name] for name in ("type", "asgi", "http_version", "method", "scheme", "query_string")},
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "headers": headers,
            "client": None,
            "server": scope.get("server"),
            "state": {},
        }
        await self._app(inner, receive, send)


def _refusal(request: Request, path: str, session: Session | None) -> tuple[int, str] | None:
    if not path.startswith(BEYOND):
        return 404, "there is nothing at this path"
    if session is None:
        return 401, "unauthorized"
    if request.method not in SAFE and not (same_site(request) and session.knows(request.headers.get(CSRF_HEADER))):
        return 403, "this request did not come from our own page"
    return None
