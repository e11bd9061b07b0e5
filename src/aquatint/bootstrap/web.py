"""The web pages, added to the application whose API they use."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from starlette.applications import Starlette

from aquatint import __version__
from aquatint.bootstrap.tools import HouseTools
from aquatint.settings import Settings
from aquatint.web.site import Surroundings, routes

SECRET = "web-session"  # noqa: S105  # its name
SECRET_BYTES = 32


def add_web(app: Starlette, tools: HouseTools) -> None:
    """Sessions are sealed with a secret of the database, so that every server of it opens what another sealed."""

    async def secret() -> bytes:
        return await tools.store.secret(SECRET, secrets.token_bytes(SECRET_BYTES))

    around = Surroundings(__version__, tools.urls.base, picture_origins(tools.settings))
    app.router.routes.extend(routes(app, secret, around))


def picture_origins(settings: Settings) -> tuple[str, ...]:
    """Where result URLs may redirect a browser to: the pages' policy must let it show pictures from there."""
    assets = settings.assets
    if assets.s3_public_base:
        return (_origin(assets.s3_public_base),)
    if not assets.s3_presign:
        return ()
    if assets.s3_endpoint:
        return (_origin(assets.s3_endpoint),)
    bucket = urlsplit(assets.url).netloc
    return (f"https://{bucket}.s3.{assets.s3_region}.amazonaws.com", f"https://{bucket}.s3.amazonaws.com")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
