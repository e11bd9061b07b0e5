"""A fake of OpenAI's Images API: generations, edits as multipart and as JSON, streams, and its own errors."""

from __future__ import annotations

import asyncio
import base64
import json
import math
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from aquatint.testing.simulators.desk import Desk, bearer, cut, drop
from aquatint.testing.simulators.faults import Faults
from aquatint.testing.simulators.openai.forms import json_body, json_edit, multipart_edit
from aquatint.testing.simulators.openai.orders import Order, order_of
from aquatint.testing.simulators.openai.refusals import Refusal, fault

_TOKENS = {"low": 272, "medium": 1056, "high": 4160, "xhigh": 6240, "max": 8320}  # of a square of 1024 pixels


def build(desk: Desk) -> web.Application:
    async def generations(request: web.Request) -> web.StreamResponse:
        fields = await json_body(request)
        return await _serve(desk, request, order_of(fields, (), fields))

    async def edits(request: web.Request) -> web.StreamResponse:
        multipart = request.content_type == "multipart/form-data"
        edit = await (multipart_edit if multipart else json_edit)(request)
        return await _serve(desk, request, order_of(edit.fields, edit.pictures, edit.seen, edit.first))

    async def unknown(request: web.Request) -> web.StreamResponse:
        raise Refusal(404, f"Invalid URL ({request.method} {request.path.removeprefix('/openai')})")

    @web.middleware
    async def doorkeeper(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            _check_key(desk, request)
            return await handler(request)
        except Refusal as refusal:
            return web.json_response({"error": refusal.error}, status=refusal.status, headers=refusal.headers)
        except web.HTTPRequestEntityTooLarge:
            return web.json_response({"error": fault(Faults(fail="request_too_large")).error}, status=413)

    async def sign(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["x-request-id"] = f"req_{secrets.token_hex(16)}"
        response.headers["openai-version"] = "2020-10-01"

    app = web.Application(middlewares=[doorkeeper])
    app.on_response_prepare.append(sign)
    app.router.add_post("/v1/images/generations", generations)
    app.router.add_post("/v1/images/edits", edits)
    app.router.add_route("*", "/{path:.*}", unknown)
    return app


async def _serve(desk: Desk, request: web.Request, order: Order) -> web.StreamResponse:
    call = desk.arrived("openai", order.prompt, order.count, order.seen)
    try:
        wrong = desk.faults("openai", order.prompt)
    except ValueError as error:
        raise Refusal(400, str(error), "invalid_value", param="prompt") from error
    if wrong.refuse:
        return drop(request)
    await asyncio.sleep(wrong.sleep)
    if wrong.http or wrong.fail:
        raise fault(wrong)
    made = [number for number in range(order.count) if number + 1 not in wrong.partial]
    desk.charge(call, len(made))
    if wrong.drop:
        return drop(request)
    paint = (
        desk.paint(order.prompt, order.pictures, order.width, order.height, number, order.form, wrong)
        for number in made
    )
    pictures = [base64.b64encode(picture).decode("ascii") for picture in await asyncio.gather(*paint)]
    if order.partial_images is not None:
        body, media_type = _events(order, pictures), "text/event-stream"
    else:
        body, media_type = json.dumps(_answer(order, pictures)).encode(), "application/json"
    if wrong.cut:
        return await cut(request, body, media_type)
    return web.Response(body=body, content_type=media_type)


def _answer(order: Order, pictures: Sequence[str]) -> dict[str, object]:
    who = {"safety_identifier": order.identifier} if order.identifier else {}
    return {
        "created": int(time.time()),
        "background": order.background,
        "data": [{"b64_json": picture} for picture in pictures],
        "output_format": order.form,
        "quality": order.quality,
        "size": f"{order.width}x{order.height}",
        **who,
        "usage": _usage(order, len(pictures)),
    }


def _usage(order: Order, made: int) -> dict[str, object]:
    texts, images = len(order.prompt) // 4 + 1, 1024 * len(order.pictures)
    output = made * math.ceil(_TOKENS[order.quality] * order.width * order.height / (1 << 20))
    return {
        "input_tokens": texts + images,
        "input_tokens_details": {"image_tokens": images, "text_tokens": texts},
        "output_tokens": output,
        "output_tokens_details": {"image_tokens": output, "text_tokens": 0},
        "total_tokens": texts + images + output,
    }


def _events(order: Order, pictures: Sequence[str]) -> bytes:
    """The stream of one picture: what it looked like on the way, and what it became."""
    name = "image_edit" if order.edit else "image_generation"
    common = {
        "created_at": int(time.time()),
        "size": f"{order.width}x{order.height}",
        "quality": order.quality,
        "background": order.background,
        "output_format": order.form,
    }
    events: list[dict[str, object]] = []
    for picture in pictures:
        for number in range(order.partial_images or 0):
            shown = {"b64_json": picture, "partial_image_index": number}
            events.append({"type": f"{name}.partial_image", **shown, **common})
        events.append({"type": f"{name}.completed", "b64_json": picture, **common, "usage": _usage(order, 1)})
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def _check_key(desk: Desk, request: web.Request) -> None:
    key = bearer(request)
    if not key:
        raise Refusal(401, "You didn't provide an API key. Provide it in an Authorization header using Bearer auth.")
    if key != desk.key:
        shown = f"{key[:8]}{'*' * 8}{key[-4:]}"  # OpenAI quotes ends of the key, too
        raise Refusal(401, f"Incorrect API key provided: {shown}.", "invalid_api_key")
