"""The command line: aquatint serve, keys, config, doctor, engines, demo."""

from __future__ import annotations

from aquatint.cli.app import main

__all__ = ["main"]
