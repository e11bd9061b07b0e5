"""What the operations of this dialect are, and the words that describe them."""

from __future__ import annotations

from typing import Any

from aquatint.api.dialects.openai.problems import answering
from aquatint.api.dialects.openai.routes import OpenAIRoutes
from aquatint.api.operations import Operation, Parameter
from aquatint.wire.openai import answers

Json = dict[str, Any]

MODEL_PATH = "/v1/models/{model:path}"  # names hold slashes

_TEXT: Json = {"type": "string"}
_HEADERS = (
    Parameter(
        "Idempotency-Key",
        "header",
        "The same key with the same request within 24 h answers the same pictures and buys nothing twice. Repeats of"
        " OpenAI's own libraries need none.",
        {"type": "string", "minLength": 1, "maxLength": 255},
    ),
    Parameter(
        "Prefer",
        "header",
        "`respond-async`: answer 202 at once with the task's id; with `wait=N`, after N seconds.",
        _TEXT,
    ),
)
_FIELDS: Json = {
    "model": {**_TEXT, "description": "A name of `GET /v1/models`."},
    "prompt": {"type": "string", "minLength": 1, "maxLength": 8000, "description": "What to paint, or to change."},
    "n": {"type": "integer", "minimum": 1, "maximum": 15, "description": "How many pictures; 1 when left out."},
    "size": {**_TEXT, "description": "`auto`, or a size such as `1024x1024`: the nearest that the model makes."},
    "quality": {
        "type": "string",
        "enum": ["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"],
        "description": "Where the engine knows qualities.",
    },
    "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"], "description": "`png` when left out."},
    "response_format": {
        "type": "string",
        "enum": ["url", "b64_json"],
        "description": "Left out: URLs, and the bytes too for models named `gpt-image-…`.",
    },
    "background": {"type": "string", "enum": ["auto", "opaque"], "description": "Pictures here are opaque."},
    "safety_identifier": {"type": "string", "maxLength": 2048, "description": "Your own user's id, for listings."},
    "user": {"type": "string", "maxLength": 2048, "description": "The same, as it was spelt before."},
    "seed": {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**63 - 1,
        "description": "Aquatint's own: the same request with the same seed gives the same bytes.",
    },
    "ratio": {**_TEXT, "description": "Aquatint's own, in place of `size`: one of the model's ratios."},
    "resolution": {**_TEXT, "description": "Aquatint's own, in place of `size`: one of the model's resolutions."},
}
_IMAGES: Json = {
    "type": "array",
    "minItems": 1,
    "maxItems": 16,
    "description": "The pictures to edit: objects whose `image_url` is a URL or a data URL.",
    "items": {"type": "object", "required": ["image_url"], "properties": {"image_url": _TEXT}},
}
_FILE: Json = {"type": "string", "format": "binary", "description": "A picture to edit; repeat it for several."}
_ERRORS = (400, 401, 403, 404, 409, 413, 429, 500, 503, 504)
_WAITS = (
    " Makes a task as `POST /api/v1/task/submit` does and waits for its end; `x-aquatint-task-id` names it. A caller"
    " that leaves loses nothing: the task goes on."
)


def _body(required: list[str], more: Json) -> Json:
    return {"type": "object", "required": required, "properties": {**_FIELDS, **more}}


def operations(routes: OpenAIRoutes) -> list[Operation]:
    """Every operation in OpenAI's spelling."""
    return [
        Operation(
            "POST",
            "/v1/images/generations",
            "createImage",
            "Paint pictures",
            answering(routes.generate),
            answers.OpenAIImages,
            "OpenAI's `images.generate`." + _WAITS,
            parameters=_HEADERS,
            body={
                "application/json": {
                    "schema": _body(["model", "prompt"], {}),
                    "example": {"model": "seedream-4.5", "prompt": "A lighthouse at dusk", "size": "1024x1024"},
                }
            },
            errors=_ERRORS,
            tag="openai",
            accepted=answers.OpenAIWaiting,
            error=answers.OpenAIError,
        ),
        Operation(
            "POST",
            "/v1/images/edits",
            "editImage",
            "Edit pictures",
            answering(routes.edit),
            answers.OpenAIImages,
            "OpenAI's `images.edit`, as a form with files or as JSON." + _WAITS,
            parameters=_HEADERS,
            body={
                "multipart/form-data": {
                    "schema": _body(["model", "prompt", "image"], {"image": _FILE}),
                    "example": {"model": "seedream-4.5", "prompt": "Make it a watercolor", "image": "@photo.jpg"},
                },
                "application/json": {"schema": _body(["model", "prompt", "images"], {"images": _IMAGES})},
            },
            errors=_ERRORS,
            tag="openai",
            accepted=answers.OpenAIWaiting,
            error=answers.OpenAIError,
        ),
        Operation(
            "GET",
            "/v1/models",
            "listOpenAIModels",
            "List models, in OpenAI's spelling",
            answering(routes.models),
            answers.OpenAIModelList,
            "The names that image requests take; `owned_by` is the engine that serves each here.",
            errors=(401,),
            tag="openai",
            error=answers.OpenAIError,
        ),
        Operation(
            "GET",
            MODEL_PATH,
            "getOpenAIModel",
            "Look a model up, in OpenAI's spelling",
            answering(routes.model),
            answers.OpenAIModel,
            parameters=(Parameter("model", "path", "Its name; slashes may stay.", _TEXT, required=True),),
            errors=(401, 404),
            tag="openai",
            error=answers.OpenAIError,
        ),
    ]
