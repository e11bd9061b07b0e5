"""The OpenAPI document, made from the operations and the wire types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from aquatint.api.operations import EVENT_STREAM, Operation
from aquatint.domain.delivery import REPLAYABLE
from aquatint.domain.task import Status

Json = dict[str, Any]

WORDS = {
    400: "The request is malformed; `msg` names the field.",
    401: "The key is missing, wrong or revoked.",
    402: "The key's points do not cover the task.",
    403: "The key may not use this model.",
    404: "Not found, or somebody else's.",
    409: "The request contradicts what is stored.",
    410: "Expired.",
    413: "The body or file is too large.",
    429: "Too many requests or streams, or the queue is full; see Retry-After.",
    500: "Nothing was painted, or nobody foresaw it; the message says which.",
    503: "The server cannot store this now; see Retry-After.",
    504: "The task was not done in time; the same request waits on for it where it still runs.",
}

SUBMIT_REQUEST: Json = {
    "type": "object",
    "required": ["model", "input"],
    "properties": {
        "model": {"type": "string", "description": "A name from GET /api/v1/models.", "examples": ["seedream-4.5"]},
        "input": {
            "type": "object",
            "required": ["prompt"],
            "description": "The model's parameters; GET /api/v1/models has each model's JSON Schema.",
            "properties": {
                "prompt": {"type": "string", "minLength": 1, "maxLength": 8000},
                "imageUrls": {
                    "type": ["array", "null"],
                    "maxItems": 16,
                    "description": "URLs, data URLs or objects with a url. Their presence makes it image-to-image.",
                    "items": {
                        "anyOf": [
                            {"type": "string"},
                            {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}},
                        ]
                    },
                },
                "ratio": {"type": ["string", "null"], "description": "One of the model's.", "examples": ["16:9"]},
                "resolution": {"type": ["string", "null"], "description": "One of the model's.", "examples": ["2k"]},
                "n": {"type": "integer", "minimum": 1, "maximum": 15, "default": 1},
                "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
                "output_format": {"type": "string", "enum": ["png", "jpeg", "webp"]},
                "fallback": {"type": "boolean"},
            },
            "additionalProperties": True,
        },
        "callBackUrl": {"type": ["string", "null"], "description": "Called once the task has ended."},
        "user_id": {"type": ["string", "null"], "maxLength": 2048, "description": "Your own user; kept for listing."},
        "priority": {
            "type": ["integer", "null"],
            "minimum": -10,
            "maximum": 10,
            "description": "Extension: higher goes first; above 0 only where the key may.",
        },
        "class": {
            "type": ["string", "null"],
            "enum": ["standard", "batch", None],
            "description": "Extension: batch runs when nothing else waits, and may take a day.",
        },
        "startBy": {
            "type": ["string", "number", "null"],
            "description": "Extension: not started by this time, or within so many seconds, it ends as TIMEOUT.",
            "examples": [60],
        },
        "finishBy": {
            "type": ["string", "number", "null"],
            "description": "Extension: not finished by this time, or within so many seconds, it ends as TIMEOUT.",
            "examples": ["2026-02-10T22:00:00Z"],
        },
    },
    "additionalProperties": True,
}


REPLAY_REQUEST: Json = {
    "type": "object",
    "required": ["endedFrom", "endedTo"],
    "properties": {
        "endedFrom": {
            "type": "string",
            "format": "date-time",
            "description": "Of tasks that ended then or later.",
        },
        "endedTo": {"type": "string", "format": "date-time", "description": "And before this time."},
        "states": {
            "type": "array",
            "items": {"type": "string", "enum": [state.value for state in REPLAYABLE]},
            "default": ["failed", "blocked"],
            "minItems": 1,
        },
        "allKeys": {"type": "boolean", "default": False, "description": "Of every key; needs an admin key."},
    },
}


def document(operations: Sequence[Operation], version: str) -> Json:
    """The whole document (OpenAPI 3.1), deterministic."""
    types = [op.answer for op in operations if isinstance(op.answer, type)]
    types += [part for op in operations if isinstance(op.answer, dict) for part in op.answer.values()]
    types += [kind for op in operations for kind in (op.accepted, op.error) if kind is not None]
    _, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path.replace(":path}", "}"), {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Aquatint",
            "version": version,
            "description": "The MaxAPI asynchronous media-generation API, self-hosted. Operations marked as extension"
            " are Aquatint's own.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": {
                **_described(components),
                "SubmitRequest": SUBMIT_REQUEST,
                "ReplayRequest": REPLAY_REQUEST,
                "Error": _error(),
            },
        },
    }


def _described(components: Json) -> Json:
    """The wire types' schemas; raw JSON is an object, and status is one of seven words."""
    for schema in components.values():
        properties = schema.get("properties", {})
        if "taskId" in properties and "status" in properties:
            properties["status"] = {"type": "string", "enum": [*Status, "FAILED"]}
            properties["input"] = {"type": "object", "description": "What was submitted, with `model` first."}
    return dict(sorted(components.items()))


def _error() -> Json:
    return {
        "type": "object",
        "required": ["code", "msg"],
        "properties": {"code": {"type": "integer"}, "msg": {"type": "string"}},
    }


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": {"200": _answer(operation), **_accepted(operation), **_failures(operation)},
        "x-aquatint-extension": operation.extension,
    }
    if operation.description:
        described["description"] = operation.description
    if operation.parameters:
        described["parameters"] = [
            {
                "name": parameter.name,
                "in": parameter.where,
                "required": parameter.required,
                "description": parameter.description,
                "schema": parameter.schema,
            }
            for parameter in operation.parameters
        ]
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": operation.body}
    if not operation.authenticated:
        described["security"] = []
    return described


def _answer(operation: Operation) -> Json:
    if operation.media_type == EVENT_STREAM:
        parts = {name: _reference(part) for name, part in operation.answer.items()}
        return {"description": "ok", "content": {EVENT_STREAM: {"schema": {"type": "string", "x-events": parts}}}}
    if operation.answer is None:
        schema: Json = {"type": "string", "format": "binary"}
        return {"description": "The file.", "content": {"image/*": {"schema": schema}}}
    if operation.error is not None:
        return {"description": "ok", "content": {operation.media_type: {"schema": _reference(operation.answer)}}}
    envelope = {
        "type": "object",
        "required": ["code", "msg", "data"],
        "properties": {"code": {"const": 0}, "msg": {"const": "ok"}, "data": _data(operation.answer)},
    }
    return {"description": "ok", "content": {operation.media_type: {"schema": envelope}}}


def _data(answer: Any) -> Json:
    if isinstance(answer, dict):
        properties = {name: _reference(part) for name, part in answer.items()}
        return {"type": "object", "required": list(properties), "properties": properties}
    return _reference(answer)


def _reference(part: Any) -> Json:
    (schema,), _ = msgspec.json.schema_components([part], ref_template="#/components/schemas/{name}")
    return dict(schema)


def _accepted(operation: Operation) -> Json:
    if operation.accepted is None:
        return {}
    content = {operation.media_type: {"schema": _reference(operation.accepted)}}
    return {"202": {"description": "The task is made and goes on.", "content": content}}


def _failures(operation: Operation) -> Json:
    return {str(code): _failure(code, operation.error) for code in operation.errors}


def _failure(code: int, kind: Any) -> Json:
    schema = {"$ref": "#/components/schemas/Error"} if kind is None else _reference(kind)
    return {"description": WORDS[code], "content": {"application/json": {"schema": schema}}}
