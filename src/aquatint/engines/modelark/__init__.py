"""BytePlus ModelArk and Volcengine Ark: the real Seedream, bought one call at a time."""

from aquatint.engines.modelark.engine import ModelArkEngine, build

__all__ = ["ModelArkEngine", "build"]
