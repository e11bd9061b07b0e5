"""Which way of showing pictures a terminal has, by what it says of itself. In doubt: none, since a terminal that does
not know a way prints its bytes as rubbish.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Protocol = Literal["kitty", "iterm", "sixel"]
_KITTY_TERMS = ("xterm-kitty", "xterm-ghostty")
_SIXEL_TERMS = ("foot", "mlterm", "contour", "yaft")


def detect(env: Mapping[str, str]) -> Protocol | None:
    """The best that the terminal is known to have. Within tmux and screen none: they hold such bytes back."""
    term = env.get("TERM", "")
    if not term or term == "dumb" or "TMUX" in env or "STY" in env or term.startswith(("tmux", "screen")):
        return None
    if env.get("ZELLIJ"):
        return None
    program = env.get("TERM_PROGRAM", "")
    if term in _KITTY_TERMS or "KITTY_WINDOW_ID" in env or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm", "mintty") or env.get("LC_TERMINAL") == "iTerm2":
        return "iterm"
    if term.partition("-")[0] in _SIXEL_TERMS:
        return "sixel"
    return None
