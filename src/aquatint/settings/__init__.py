"""Settings: one frozen object, read once from the default file, files of the operator and the environment."""

from __future__ import annotations

from aquatint.settings.load import default_text, describe, load, read
from aquatint.settings.parse import byte_size, duration
from aquatint.settings.shape import SECRET_FIELDS, Network, Settings

__all__ = [
    "SECRET_FIELDS",
    "Network",
    "Settings",
    "byte_size",
    "default_text",
    "describe",
    "duration",
    "load",
    "read",
]
