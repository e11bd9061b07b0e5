"""A fake of Replicate: predictions that start, run and end, and signed webhooks."""

from __future__ import annotations

from aquatint.testing.simulators.replicate.predictions import build

__all__ = ["build"]
