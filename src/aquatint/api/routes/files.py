"""Files: uploads in, results out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from aquatint.api.auth import Authenticator
from aquatint.api.bodies import read
from aquatint.api.operations import Operation, Parameter
from aquatint.api.problems import answering, envelope
from aquatint.domain.errors import InvalidInput, TooLarge
from aquatint.services.files import FileService
from aquatint.services.thumbs import WIDTHS, ThumbService
from aquatint.services.upload import UploadService
from aquatint.wire import answers, times

SMALL = {str(width): width for width in WIDTHS}
FORM_OVERHEAD = 64 * 1024  # bytes of a multipart body around its file
FILE_HEADERS = {
    "cache-control": "public, max-age=86400, immutable",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
    "cross-origin-resource-policy": "cross-origin",
}


@dataclass(frozen=True, slots=True)
class FileRoutes:
    upload_file: UploadService
    find_file: FileService
    find_small: ThumbService
    auth: Authenticator
    max_upload: int

    async def upload(self, request: Request) -> Response:
        key = await self.auth(request)
        self.auth.spend(key)
        data = await self._form_file(request)
        stored = await self.upload_file(data)
        shown = answers.FileData(
            url=stored.url,
            media_type=stored.media_type,
            width=stored.width,
            height=stored.height,
            bytes=stored.bytes,
            expires_at=times.render(stored.expires_at),
        )
        return envelope(answers.ok(shown))

    async def _form_file(self, request: Request) -> bytes:
        if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
            raise InvalidInput("", "send the image as multipart/form-data in a field named file")
        body = await read(request, self.max_upload + FORM_OVERHEAD)

        async def whole() -> AsyncGenerator[bytes, None]:
            yield body  # the parser wants a stream; ours is already bounded

        try:
            form = await MultiPartParser(request.headers, whole(), max_files=1, max_fields=10).parse()
        except (MultiPartException, KeyError, ValueError) as error:
            raise InvalidInput("", f"the form cannot be read ({getattr(error, 'message', error)})") from None
        try:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidInput("file", "is required")
            data = await file.read()
        finally:
            await form.close()
        if len(data) > self.max_upload:
            raise TooLarge(f"the file is larger than {self.max_upload} bytes")
        if not data:
            raise InvalidInput("file", "is empty")
        return data

    async def serve(self, request: Request) -> Response:
        token, name = request.path_params["token"], request.path_params["name"]
        width = request.query_params.get("w", "")
        if width and width not in SMALL:
            raise InvalidInput("w", f"must be one of {', '.join(SMALL)}")
        file = await (self.find_small(token, name, SMALL[width]) if width else self.find_file(token, name))
        if file.path is not None:
            return FileResponse(file.path, media_type=file.media_type, headers=FILE_HEADERS)
        if file.elsewhere is not None and request.query_params.get("direct") != "1":
            return RedirectResponse(file.elsewhere, 307, headers={"cache-control": "no-store"})
        headers = {**FILE_HEADERS, "content-length": str(file.bytes)}
        return StreamingResponse(await self.find_file.pieces(file), media_type=file.media_type, headers=headers)


def operations(routes: FileRoutes) -> list[Operation]:
    """Every operation on files."""
    text = {"type": "string"}
    return [
        Operation(
            "POST",
            "/api/v1/files",
            "uploadFile",
            "Upload a reference image",
            answering(routes.upload),
            answers.FileData,
            "The answered URL works as an item of `imageUrls`. The image is checked; its metadata is removed.",
            body={
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["file"],
                        "properties": {"file": {"type": "string", "format": "binary"}},
                    }
                }
            },
            errors=(400, 401, 413, 429, 503),
            tag="files",
        ),
        Operation(
            "GET",
            "/files/{token}/{name}",
            "getFile",
            "Get a result or an uploaded file",
            answering(routes.serve),
            None,
            "Public: the token in the URL is the permission. Answers 410 once it has expired, and may redirect to the"
            " operator's storage.",
            parameters=(
                Parameter("token", "path", "The secret part of the URL.", text, required=True),
                Parameter("name", "path", "The file's name.", text, required=True),
                Parameter(
                    "w", "query", "A smaller copy of this width, as WebP.", {"type": "integer", "enum": [*WIDTHS]}
                ),
                Parameter("direct", "query", "`1`: no redirect; this server passes the bytes on.", text),
            ),
            errors=(400, 404, 410),
            authenticated=False,
            tag="files",
            media_type="image/png",
        ),
    ]
