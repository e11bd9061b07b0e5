"""Shows saved pictures in the terminal, small."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import typer

from aquatint.cli.terminal.detect import Protocol, detect

COLUMNS = 60  # at most
PIXELS = {"kitty": 600, "iterm": 600, "sixel": 400}  # on the longer side; sixels are large
FORMATS = ("PNG", "JPEG", "WEBP")
Show = Callable[[Path], None]


def check(wanted: str) -> None:
    """Raises typer.BadParameter for a way that does not exist."""
    if wanted not in ("auto", "none", *get_args(Protocol)):
        raise typer.BadParameter("must be auto, kitty, iterm, sixel or none", param_hint="--inline")


def shower(wanted: str) -> Show | None:
    """What shows a picture in this terminal; None where nothing should."""
    protocol: Protocol | None
    match wanted:
        case "kitty" | "iterm" | "sixel":
            protocol = wanted
        case "auto":
            protocol = detect(os.environ)
        case _:
            protocol = None
    if protocol is None:
        return None
    chosen = protocol
    return lambda path: _show(chosen, path)


def _show(protocol: Protocol, path: Path) -> None:
    """What cannot be shown is left out: the picture is on the disk."""
    from PIL import Image  # only here: most commands show none

    from aquatint.cli.terminal.encode import encode

    size = (PIXELS[protocol], PIXELS[protocol])
    try:
        with Image.open(path, formats=FORMATS) as opened:
            opened.draft("RGB", size)
            small = opened.convert("RGBA" if "A" in opened.getbands() else "RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return
    small.thumbnail(size)
    columns = min(COLUMNS, shutil.get_terminal_size().columns)
    sys.stdout.write(encode(protocol, small, columns) + "\n")
    sys.stdout.flush()
