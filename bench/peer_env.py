"""The environment of the peers: made once in .venv-bench from pinned versions, ignored by git."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements-peers.txt"
FOLDER = HERE.parent / ".venv-bench"
# Installed on their own, after everything else: one that the index no longer has costs only itself.
ALONE = {"pgqueuer": "PgQueuer", "comfy-api-proxy": "comfy-api-proxy"}
INSTALL = ("-m", "pip", "install", "-qq", "--disable-pip-version-check")


class PeersMissing(Exception):
    """The peers cannot be measured here; the text says why."""


@dataclass(frozen=True, slots=True)
class PeerTools:
    """`without` says why a peer cannot be measured, by its package."""

    python: str
    redis: str | None
    without: dict[str, str] = field(default_factory=dict)

    def reasons(self) -> str:
        return "; ".join(self.without.values())


def ready() -> PeerTools:
    """Make the environment if it is not there or its versions changed. Raises PeersMissing."""
    python = FOLDER / "bin" / "python"
    stamp = FOLDER / "installed.json"
    wanted = REQUIREMENTS.read_text()
    made = json.loads(stamp.read_text()) if stamp.exists() else {}
    if not python.exists() or made.get("wanted") != wanted:
        made = {"wanted": wanted, "without": _make(python, wanted)}
        stamp.write_text(json.dumps(made))
    without: dict[str, str] = dict(made["without"])
    redis = shutil.which("redis-server")
    if redis is None:
        without["celery"] = "no Celery, as redis-server is not installed (Debian: package redis-server)"
    return PeerTools(str(python), redis, without)


def _make(python: Path, wanted: str) -> dict[str, str]:
    """A new environment; which peers could not be installed, and what the page says of it."""
    lines = [line for line in wanted.splitlines() if line and not line.startswith("#")]
    alone = {line.partition("==")[0]: line for line in lines if line.partition("==")[0] in ALONE}
    rest = FOLDER / "rest.txt"
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(FOLDER)], check=True)
        (FOLDER / ".gitignore").write_text("*\n")
        rest.write_text("\n".join(line for line in lines if line not in alone.values()))
        subprocess.run([str(python), *INSTALL, "-r", str(rest)], check=True)
    except (OSError, subprocess.CalledProcessError):
        # What went wrong was printed by pip; the reason goes to the page, where no path of this machine belongs.
        raise PeersMissing("the environment of the peers could not be made") from None
    without = {}
    for name, line in alone.items():
        if subprocess.run([str(python), *INSTALL, "--no-deps", line], check=False).returncode:
            without[name] = f"no {ALONE[name]}, as {line} could not be installed"
    return without
