"""MaxAPI, faked: a small server of the task API in memory, with Aquatint's cancel, replays and signed callbacks."""

from __future__ import annotations

from aquatint.testing.simulators.maxapi.routes import build
from aquatint.testing.simulators.maxapi.work import FAILS, WEBHOOK_SECRET

__all__ = ["FAILS", "WEBHOOK_SECRET", "build"]
