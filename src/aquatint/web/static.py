"""The static files, read once at the start."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

KINDS = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    kind: str
    tag: str


class StaticFiles:
    def __init__(self) -> None:
        self._files = dict(_read(resources.files("aquatint.web").joinpath("static"), ""))

    async def serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            return Response("there is nothing at this path", 404, media_type="text/plain")
        headers = {
            "etag": file.tag,
            "x-content-type-options": "nosniff",
            "cross-origin-resource-policy": "same-origin",
            # With the stamp of all files in its address a copy is good for ever; otherwise it is asked for again.
            "cache-control": "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache",
        }
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        return Response(file.body, headers={**headers, "content-type": file.kind})


def _read(folder: Traversable, prefix: str) -> list[tuple[str, File]]:
    found = []
    for item in folder.iterdir():
        if item.is_dir():
            found += _read(item, f"{prefix}{item.name}/")
        elif (kind := KINDS.get(item.name.rpartition(".")[2])) is not None:
            body = item.read_bytes()
            found.append((f"{prefix}{item.name}", File(body, kind, f'"{hashlib.sha256(body).hexdigest()[:20]}"')))
    return found
