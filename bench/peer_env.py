"""The environment of the peers: made once in .venv-bench from pinned versions, ignored by git."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-peers.txt"
FOLDER = HERE.parent / ".venv-bench"


class PeersMissing(Exception):
    """The peers cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class PeerTools:
    python: str
    redis: str


def ready() -> PeerTools:
    """Make the environment if it is not there or its versions changed. Raises PeersMissing."""
    redis = shutil.which("redis-server")
    if redis is None:
        raise PeersMissing("redis-server is not installed (Debian: package redis-server)")
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / "installed.txt"
    wanted = REQUIREMENTS.read_text()
    if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
        try:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
            (FOLDER / ".gitignore").write_text("*\n")
            install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check"]
            subprocess.run([str(python), *install, "-r", str(REQUIREMENTS)], check=True)
        except (OSError, subprocess.CalledProcessError):
            # What went wrong was printed by pip; the reason goes to the page, where no path of this machine belongs.
            raise PeersMissing("the environment of the peers could not be made") from None
        stamp.write_text(wanted)
    return PeerTools(str(python), redis)
