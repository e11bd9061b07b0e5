"""Content credentials (C2PA): a signed manifest inside the file that says which machine made the picture.

Optional: needs the extra `aquatint[c2pa]`, a certificate chain and its key.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from aquatint.domain.errors import Misconfigured
from aquatint.engines.studio.finish.metadata import SOURCE_TYPES, Provenance

_ALGORITHMS = ("es256", "es384", "es512", "ps256", "ps384", "ps512", "ed25519")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs: chain and key as PEM text, and the algorithm that fits the key."""

    chain: str
    key: str = field(repr=False)
    algorithm: str = "es256"


def credentials_from(settings: Mapping[str, object]) -> Credentials | None:
    """Read `c2pa_certificate`, `c2pa_key` (paths) and `c2pa_algorithm` (default es256); None when not set.

    Raises Misconfigured, in plain words, when only one path is given, a file cannot be read, or the extra is missing.
    """
    paths = [settings.get("c2pa_certificate"), settings.get("c2pa_key")]
    if not any(paths):
        return None
    if not all(paths):
        raise Misconfigured("content credentials need both c2pa_certificate and c2pa_key")
    algorithm = str(settings.get("c2pa_algorithm") or "es256").lower()
    if algorithm not in _ALGORITHMS:
        raise Misconfigured(f"c2pa_algorithm must be one of {', '.join(_ALGORITHMS)}")
    try:
        chain, key = (Path(str(path)).expanduser().read_text(encoding="ascii") for path in paths)
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured("c2pa_certificate or c2pa_key cannot be read", detail=str(error)) from error
    credentials = Credentials(chain, key, algorithm)
    _signer(credentials)  # a wrong key should stop the start, not the first picture
    return credentials


def sign(data: bytes, media_type: str, origin: Provenance, credentials: Credentials) -> bytes:
    """Give an encoded picture its manifest; the pixels stay as they are. Raises Misconfigured when signing fails."""
    c2pa = _library()
    result = io.BytesIO()
    try:
        with _signer(credentials) as signer, c2pa.Builder(json.dumps(manifest(origin, media_type))) as builder:
            builder.sign(signer, media_type, io.BytesIO(data), result)
    except c2pa.C2paError as error:
        raise Misconfigured("content credentials could not be signed", detail=str(error)) from error
    return result.getvalue()


def manifest(origin: Provenance, media_type: str) -> dict[str, object]:
    """The manifest definition: generator, and one action with the IPTC digital source type."""
    made = {
        "action": "c2pa.created",
        "digitalSourceType": SOURCE_TYPES + origin.source_type,
        "softwareAgent": {"name": f"Aquatint {origin.engine}", "version": origin.version},
        "parameters": {"aquatint.model": origin.model, "aquatint.seed": str(origin.seed)},
    }
    return {
        "claim_generator_info": [{"name": "Aquatint", "version": origin.version}],
        "format": media_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [made]}}],
    }


def _signer(credentials: Credentials) -> Any:
    c2pa = _library()
    info = c2pa.C2paSignerInfo(credentials.algorithm, credentials.chain.encode(), credentials.key.encode(), None)
    try:
        return c2pa.Signer.from_info(info)
    except c2pa.C2paError as error:
        raise Misconfigured("c2pa_certificate and c2pa_key do not make a signer", detail=str(error)) from error


def _library() -> Any:
    try:
        return import_module("c2pa")
    except ImportError as error:
        raise Misconfigured("content credentials need the extra: pip install 'aquatint[c2pa]'") from error
