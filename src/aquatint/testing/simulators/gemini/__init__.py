"""A fake of Gemini's generateContent for image models: blocks as HTTP 200, drafts among thoughts, its own errors.

`[[fail:CODE]]` takes a status word of an HTTP error (RESOURCE_EXHAUSTED), a reason to finish without a picture
(IMAGE_SAFETY, NO_IMAGE, STOP), `block:REASON` for a blocked prompt, or EMPTY for an answer without candidates.
`[[partial:1,3]]` counts the calls for the same prompt: those finish without a picture.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from aquatint.testing.simulators.desk import Desk, bearer, cut, drop
from aquatint.testing.simulators.faults import Faults
from aquatint.testing.simulators.gemini.models import TOKENS
from aquatint.testing.simulators.gemini.orders import Order, order_of
from aquatint.testing.simulators.gemini.refusals import Refusal, bad, fault, wrong_key
from aquatint.testing.simulators.painter import media_type

_FINISHES = frozenset(
    (
        "STOP",
        "MAX_TOKENS",
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_OTHER",
        "IMAGE_RECITATION",
        "NO_IMAGE",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
        "ESCALATION",
        "PUP_LIMITED_DISABLED",
        "CONTINUATION",
        "MODEL_ARMOR",
    )
)
_NOT_FOUND = "<!DOCTYPE html><html><title>Error 404 (Not Found)!!1</title><p>That's an error.</html>"
_VARIANTS = 16  # so many pictures of one prompt differ when no seed is given


def build(desk: Desk) -> web.Application:
    async def generate(request: web.Request) -> web.StreamResponse:
        try:
            body = json.loads(await request.read())
        except ValueError as error:
            raise bad("Invalid JSON payload received. Unexpected token.") from error
        order = await asyncio.to_thread(order_of, request.match_info["model"], request.match_info["version"], body)
        return await _serve(desk, request, order, body)

    async def unknown(request: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text=_NOT_FOUND, content_type="text/html")

    @web.middleware
    async def doorkeeper(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            _check_key(desk, request)
            return await handler(request)
        except Refusal as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        except web.HTTPRequestEntityTooLarge:
            return web.json_response(bad("Request payload size exceeds the limit.").body, status=400)

    app = web.Application(middlewares=[doorkeeper])
    app.router.add_post("/{version:v1|v1beta}/models/{model:[^:/]+}:generateContent", generate)
    app.router.add_route("*", "/{path:.*}", unknown)
    return app


def _check_key(desk: Desk, request: web.Request) -> None:
    key = request.headers.get("x-goog-api-key") or request.query.get("key", "")
    if not key and bearer(request):
        raise Refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2.")
    if not key:
        raise Refusal(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers. Please use API Key.")
    if key != desk.key:
        raise wrong_key()


async def _serve(desk: Desk, request: web.Request, order: Order, body: object) -> web.StreamResponse:
    call = desk.arrived("gemini", order.prompt, 1, {"model": order.name, "path": request.path, "request": body})
    try:
        wrong = desk.faults("gemini", order.prompt)
    except ValueError as error:
        raise bad(str(error)) from error
    if wrong.refuse:
        return drop(request)
    await asyncio.sleep(wrong.sleep)
    reason = wrong.fail.removeprefix("block:")
    if wrong.http or (wrong.fail and wrong.fail == reason and reason not in _FINISHES and reason != "EMPTY"):
        raise fault(wrong)
    if wrong.partial:
        asked = sum(seen.provider == "gemini" and seen.prompt == order.prompt for seen in desk.calls)
        reason = "NO_IMAGE" if asked in wrong.partial else reason
    if not reason and not order.wants_picture:
        reason = "STOP"
    if not reason:
        desk.charge(call, 1)
    if wrong.drop:
        return drop(request)
    if reason:
        answer = _pictureless(order, reason, blocked=wrong.fail.startswith("block:"))
    else:
        answer = await _pictured(desk, order, call.number % _VARIANTS if order.seed is None else order.seed, wrong)
    data = json.dumps(answer).encode()
    return await cut(request, data) if wrong.cut else web.Response(body=data, content_type="application/json")


async def _pictured(desk: Desk, order: Order, seed: int, wrong: Faults) -> dict[str, Any]:
    parts: list[dict[str, object]] = []
    if order.model.drafts:
        width, height = order.width // 2, order.height // 2
        parts.append({"text": "**Composing the scene**", "thought": True})
        parts.append({"inlineData": await _inline(desk, order, width, height, seed + 1, wrong), "thought": True})
    picture = await _inline(desk, order, order.width, order.height, seed, wrong)
    signature = base64.b64encode(secrets.token_bytes(12)).decode()
    parts.append({"inlineData": picture, "thoughtSignature": signature})
    content = {"role": "model", "parts": parts}
    return {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        **_end(order, TOKENS[order.size]),
    }


async def _inline(desk: Desk, order: Order, width: int, height: int, seed: int, wrong: Faults) -> dict[str, str]:
    form = order.model.form
    data = await desk.paint(order.prompt, order.pictures, width, height, seed, form, wrong)
    return {"mimeType": media_type(form), "data": base64.b64encode(data).decode("ascii")}


def _pictureless(order: Order, reason: str, *, blocked: bool) -> dict[str, Any]:
    if reason == "EMPTY":
        return _end(order, 0)
    if blocked:
        ratings = [{"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH"}]
        return {"promptFeedback": {"blockReason": reason, "safetyRatings": ratings}, **_end(order, 0)}
    candidate: dict[str, Any] = {"content": {"role": "model"}, "finishReason": reason, "index": 0}
    if reason == "STOP":
        candidate["content"]["parts"] = [{"text": "I can describe such a picture, but I made none."}]
    else:
        candidate["finishMessage"] = "Unable to show the generated image. You will not be charged for this request."
    return {"candidates": [candidate], **_end(order, 0)}


def _end(order: Order, tokens: int) -> dict[str, Any]:
    """What every answer ends with; `tokens` of the picture."""
    asked = len(order.prompt) // 4 + 1 + 258 * len(order.pictures)
    usage: dict[str, Any] = {"promptTokenCount": asked, "totalTokenCount": asked + tokens}
    if tokens:
        usage["candidatesTokenCount"] = tokens
        usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": tokens}]
    return {"usageMetadata": usage, "modelVersion": order.name, "responseId": secrets.token_urlsafe(16)}
