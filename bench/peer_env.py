"""The environments of the peers: made once from pinned versions, in folders that git ignores."""

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
# LiteLLM wants other versions of what the other peers need, and brings half a gigabyte.
LITELLM_REQUIREMENTS = HERE / "requirements-litellm.txt"
LITELLM_FOLDER = HERE.parent / ".venv-bench-litellm"
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
    without = _made(FOLDER, REQUIREMENTS)
    redis = shutil.which("redis-server")
    if redis is None:
        without["celery"] = "no Celery, as redis-server is not installed (Debian: package redis-server)"
    return PeerTools(str(_python(FOLDER)), redis, without)


def litellm() -> str:
    """The program of LiteLLM's proxy, installed if it is not there. Raises PeersMissing."""
    _made(LITELLM_FOLDER, LITELLM_REQUIREMENTS)
    return str(_python(LITELLM_FOLDER).with_name("litellm"))


def _python(folder: Path) -> Path:
    return folder / "bin" / "python"


def _made(folder: Path, requirements: Path) -> dict[str, str]:
    """An environment with what the file lists; which peers could not be installed, and what the page says of it."""
    stamp = folder / "installed.json"
    wanted = requirements.read_text()
    made = json.loads(stamp.read_text()) if stamp.exists() else {}
    if not _python(folder).exists() or made.get("wanted") != wanted:
        made = {"wanted": wanted, "without": _make(folder, wanted)}
        stamp.write_text(json.dumps(made))
    without: dict[str, str] = dict(made["without"])
    return without


def _make(folder: Path, wanted: str) -> dict[str, str]:
    lines = [line for line in wanted.splitlines() if line and not line.startswith("#")]
    alone = {line.partition("==")[0]: line for line in lines if line.partition("==")[0] in ALONE}
    rest = folder / "rest.txt"
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        (folder / ".gitignore").write_text("*\n")
        rest.write_text("\n".join(line for line in lines if line not in alone.values()))
        subprocess.run([str(_python(folder)), *INSTALL, "-r", str(rest)], check=True)
    except (OSError, subprocess.CalledProcessError):
        # What went wrong was printed by pip; the reason goes to the page, where no path of this machine belongs.
        raise PeersMissing(f"the environment {folder.name} could not be made") from None
    without = {}
    for name, line in alone.items():
        if subprocess.run([str(_python(folder)), *INSTALL, "--no-deps", line], check=False).returncode:
            without[name] = f"no {ALONE[name]}, as {line} could not be installed"
    return without
