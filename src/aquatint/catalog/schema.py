"""A model's parameters as JSON Schema, made from the same data that checks them."""

from __future__ import annotations

from aquatint.catalog.models import ModelSpec

JsonObject = dict[str, object]


def parameters(model: ModelSpec) -> JsonObject:
    """JSON Schema (2020-12) of the model's `input`."""
    properties = _properties(model)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["prompt", "imageUrls"] if model.references_min else ["prompt"],
        "properties": {name: schema for name, schema in properties.items() if name not in model.ignores},
        "additionalProperties": True,
    }


def _properties(model: ModelSpec) -> dict[str, JsonObject]:
    found: dict[str, JsonObject] = {
        "prompt": {"type": "string", "minLength": 1, "maxLength": 8000, "description": "What to paint."},
        "imageUrls": {
            "type": "array",
            "minItems": model.references_min,
            "maxItems": model.references_max,
            "description": "Reference images: http(s) or data URLs. Their presence makes it image-to-image.",
            "items": {
                "anyOf": [
                    {"type": "string"},
                    {"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}},
                ]
            },
        },
        "ratio": {
            "type": "string",
            "enum": list(model.ratios),
            "description": f"Default {model.default_ratio}; with references, the nearest to the first one.",
        },
        "resolution": {"type": "string", "enum": list(model.resolutions), "default": model.default_resolution},
        "n": {"type": "integer", "minimum": 1, "maximum": model.n_max, "default": 1},
        "seed": {
            "type": "integer",
            "minimum": 0,
            "maximum": 2**63 - 1,
            "description": "Extension: the same input and seed give the same bytes on engines that promise it.",
        },
        "output_format": {
            "type": "string",
            "enum": ["png", "jpeg", "webp"],
            "default": "png",
            "description": "Extension: the file format of the result.",
        },
        "fallback": {
            "type": "boolean",
            "default": False,
            "description": "Let another route serve the task when one fails and nothing was billed.",
        },
    }
    if not model.references_max:
        del found["imageUrls"]
    return found
