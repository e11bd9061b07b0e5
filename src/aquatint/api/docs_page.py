"""The readable page of the API: one HTML document made from the OpenAPI document, no scripts, no assets."""

from __future__ import annotations

from typing import Any

CONTENT_SECURITY_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def render(document: dict[str, Any]) -> str:
    return f"<!doctype html><title>{document['info']['title']}</title>"
