"""The command line. Commands that only talk to a server start without loading one."""

from __future__ import annotations

import os
import sys

LIGHT = ("generate", "tasks", "webhooks")


def main() -> None:
    """The `aquatint` command."""
    words = os.environ.get("COMP_WORDS", "").split() if "_AQUATINT_COMPLETE" in os.environ else sys.argv
    if len(words) > 1 and words[1] in LIGHT:
        from aquatint.cli.light import app, run

        run(app)
    else:
        from aquatint.cli.app import main as everything

        everything()


__all__ = ["main"]
