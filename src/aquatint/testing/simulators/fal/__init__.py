"""A fake of fal.ai's queue: submit, status, result, cancel, signed callbacks."""

from __future__ import annotations

from aquatint.testing.simulators.fal.queue import build

__all__ = ["build"]
