"""What is in deploy holds together: the image is built by its own steps and run, the charts are rendered and read."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from aquatint.settings import SECRET_FIELDS, load
from support.ports import free_port
from support.server import clean_environment

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SETTINGS = load({})
OWN_NAMES = {"AQUATINT_CONFIG", "AQUATINT_SECRETS", "AQUATINT_API_KEY"}
USER = 10001


def variables_of(fields: set[str]) -> set[str]:
    return {f"AQUATINT_{field.upper().replace('.', '__')}" for field in fields}


def known_variables() -> set[str]:
    fields = {
        f"{section}.{name}"
        for section in SETTINGS.__dataclass_fields__
        if section != "plugins"
        for name in getattr(SETTINGS, section).__dataclass_fields__
    }
    return variables_of(fields) | OWN_NAMES


# The image


@dataclass(frozen=True)
class Step:
    word: str
    text: str


def stages() -> list[list[Step]]:
    """The instructions of each stage of the Dockerfile."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = "\n".join(line for line in text.splitlines() if not line.startswith("#")).replace("\\\n", " ")
    steps = [Step(*line.split(None, 1)) for line in lines.splitlines() if line.strip()]
    found: list[list[Step]] = []
    for step in steps:
        if step.word == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def one(word: str) -> str:
    (text,) = [step.text for step in stages()[-1] if step.word == word]
    return text


def environment_of(stage: list[Step]) -> dict[str, str]:
    pairs = [part for step in stage if step.word == "ENV" for part in shlex.split(step.text)]
    return dict(pair.split("=", 1) for pair in pairs)


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """A folder in which the steps of the first stage were taken, as /opt of the image; anyone may enter it."""
    folder = Path(tempfile.mkdtemp(prefix="aquatint-image-", dir="/var/tmp"))
    folder.chmod(0o755)
    for name in ("src", "opt", "data", "hole"):
        (folder / name).mkdir()
    build, _ = stages()
    arguments = dict(step.text.split("=", 1) for step in build if step.word == "ARG")
    quick = {"PIP_NO_COMPILE": "1"}  # half of the time goes into .pyc files, which these tests do not look at
    variables = {**clean_environment(), **environment_of(build), **quick, "EXTRAS": arguments["EXTRAS"].strip('"')}
    try:
        for step in build:
            if step.word == "COPY":
                *sources, target = step.text.split()
                (folder / "src" / target).mkdir(exist_ok=True)
                for source in sources:
                    _copy(ROOT / source, folder / "src" / target)
            elif step.word == "RUN":
                script = step.text.replace("/opt/", f"{folder}/opt/")
                script = re.sub(r"(?<![/\w])python ", f"{sys.executable} ", script)
                done = subprocess.run(
                    ["bash", "-euc", script], cwd=folder / "src", env=variables, capture_output=True, text=True
                )
                assert done.returncode == 0, f"{step.text}\n{done.stdout[-2000:]}{done.stderr[-4000:]}"
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target / source.name)


@pytest.mark.timeout(400)
def test_the_image_holds_what_the_server_needs_and_no_more(image: Path) -> None:
    """The lock's runtime part is there at its versions, with the extras; nothing that only development needs is."""
    (site,) = (image / "opt" / "aquatint" / "lib").glob("python*/site-packages")
    names = {path.name.split("-")[0].lower() for path in site.glob("*.dist-info")}
    assert {"aquatint", "aquatint_client", "asyncpg", "boto3", "numpy", "opentelemetry_sdk", "starlette"} <= names
    assert not names & {"pip", "pytest", "mypy", "ruff", "hatchling", "fal_client", "hypothesis", "moto"}
    assert not (site / "tests").exists()


ROOM = """
set -eu
mount --make-rprivate /
{open_the_way}
mount -t tmpfs -o mode=1777 none /tmp
mount -t tmpfs -o mode=0700,uid={user},gid={user} none "{data}"
mount -o remount,bind,ro /
exec setpriv --reuid {user} --regid {user} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
"""
OPEN_THE_WAY = """
mount --bind "{prefix}" "{hole}"
mount -t tmpfs -o mode=755 none "{closed}"
mkdir -p "{prefix}"
mount --move "{hole}" "{prefix}"
"""


def as_in_the_container(image: Path, *command: str) -> list[str]:
    """The command as the image's user, on a file system of which only /tmp and the data folder can be written.

    Where the test is not root it cannot lay out such a room: then it is at least not root.
    """
    if os.geteuid() != 0:
        return list(command)
    prefix = Path(sys.base_prefix)  # another user may be kept from where Python is
    closed = [path for path in reversed(prefix.parents) if not path.stat().st_mode & stat.S_IXOTH]
    way = OPEN_THE_WAY.format(prefix=prefix, hole=image / "hole", closed=closed[0]) if closed else ""
    script = ROOM.format(open_the_way=way, user=USER, data=image / "data")
    return ["unshare", "--mount", "bash", "-c", script, "room", *command]


@pytest.fixture
def container(image: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The image's own command in that room, with its variables; and its port."""
    port = free_port()
    program, arguments = json.loads(one("ENTRYPOINT")), json.loads(one("CMD"))
    variables = {name: value for name, value in environment_of(stages()[-1]).items() if name != "PATH"}
    variables |= {
        "PATH": f"{image}/opt/aquatint/bin:{os.environ['PATH']}",
        "AQUATINT_SERVER__DATA_DIR": str(image / "data"),
        "AQUATINT_SERVER__PORT": str(port),
        "AQUATINT_SERVER__HOST": "127.0.0.1",  # this machine has other users of its network
    }
    with (image / "log").open("w") as log:
        process = subprocess.Popen(
            as_in_the_container(image, *program, *arguments),
            cwd=image / "data",
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        yield process, port
    finally:
        process.kill()
        process.wait(10)


@pytest.mark.timeout(400)
def test_the_image_serves_as_a_plain_user_on_a_read_only_file_system(
    image: Path, container: tuple[subprocess.Popen[str], int]
) -> None:
    """Its entry point starts, its health check agrees, a picture is painted, and SIGTERM ends it with 0."""
    process, port = container
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")
    key = next((line.strip() for line in lines if line.strip().startswith("aq_")), None)
    assert key is not None, (image / "log").read_text()
    check = json.loads(one("HEALTHCHECK").split("CMD", 1)[1])
    assert check[0] == "python"
    check = [f"{image}/opt/aquatint/bin/python", *(part.replace("8000", str(port)) for part in check[1:])]
    end = time.monotonic() + 30
    while (checked := subprocess.run(check, capture_output=True, text=True)).returncode:
        assert time.monotonic() < end, checked.stderr + (image / "log").read_text()
    status = Path(f"/proc/{process.pid}/status").read_text()
    (user,) = re.findall(r"^Uid:\s+(\d+)", status, re.MULTILINE)
    assert int(user) != 0
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"authorization": f"Bearer {key}"}) as client:
        big = {"file": ("big.bin", b"x" * 3_000_000)}  # passes through /tmp
        assert client.post("/api/v1/files", files=big).status_code == 400
        wanted = {"model": "seedream-4.5", "input": {"prompt": "mountain lake", "resolution": "1k"}}
        task = client.post("/api/v1/task/submit", json=wanted).json()["data"]["taskId"]
        end = time.monotonic() + 90
        while (found := client.get(f"/api/v1/task/{task}").json()["data"])["status"] != "SUCCESS":
            assert found["status"] not in ("FAILURE", "TIMEOUT"), found
            assert time.monotonic() < end, (image / "log").read_text()
            time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    failing = subprocess.run(check, capture_output=True)
    assert failing.returncode != 0, "the health check agrees with a server that is gone"


def test_the_image_is_not_root_and_says_how_it_is_watched() -> None:
    """A number for the user, SIGTERM, a health check without another program, one folder of its own, two stages."""
    build, final = stages()
    assert one("USER") == f"{USER}:{USER}"
    assert one("STOPSIGNAL") == "SIGTERM"
    assert one("VOLUME") == "/data"
    assert one("EXPOSE") == "8000"
    assert "/healthz" in one("HEALTHCHECK")
    assert not re.search(r"curl|wget|apt-get", "".join(step.text for step in final))
    assert any("--require-hashes" in step.text for step in build if step.word == "RUN")
    variables = environment_of(final)
    assert {name for name in variables if name.startswith("AQUATINT_")} <= known_variables()
    assert variables["AQUATINT_SERVER__PORT"] == one("EXPOSE")
    assert variables["AQUATINT_SERVER__DATA_DIR"] == one("VOLUME")
    (version,) = [step.text.split("=")[1] for step in final if step.word == "ARG" and step.text.startswith("VERSION")]
    assert version == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def test_only_what_is_copied_reaches_the_builder() -> None:
    """The ignore file lets through exactly what the steps copy."""
    text = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    let_through = {line[1:] for line in text.splitlines() if line.startswith("!")}
    build, _ = stages()
    copied = {source for step in build if step.word == "COPY" for source in step.text.split()[:-1]}
    assert let_through == copied
    assert "*" in text.splitlines()
    assert all((ROOT / name).exists() for name in copied)


# The rest, as its own programs understand it


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What deploy/check.py rendered, after Helm, Kubernetes' schemas, Compose and linters found nothing wrong."""
    file = tmp_path_factory.mktemp("deploy") / "rendered.json"
    done = subprocess.run(
        [sys.executable, str(DEPLOY / "check.py"), "--rendered", str(file)], capture_output=True, text=True
    )
    if done.returncode == 3 and not os.environ.get("CI"):
        pytest.skip("the tools that look at deploy could not be installed here")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def compose(checked: dict[str, Any]) -> dict[str, Any]:
    services: dict[str, Any] = checked["compose"]["services"]
    return services


def seconds(text: str) -> int:
    return sum(int(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def test_the_services_of_ours_are_locked_up(compose: dict[str, Any]) -> None:
    """No root, nothing writable but /tmp, no capabilities, secrets from files, and time for paid calls at the end."""
    ours = {name: service for name, service in compose.items() if service["image"] == "aquatint"}
    assert set(ours) == {"server", "worker", "bucket"}
    for service in ours.values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
        assert service["user"] == f"{USER}:{USER}"
        assert service["build"]["dockerfile"] == "deploy/Dockerfile"
    for name in ("server", "worker"):
        variables = ours[name]["environment"]
        assert set(variables) <= known_variables()
        assert not set(variables) & variables_of(set(SECRET_FIELDS)), "a secret is not in its file"
        assert variables["AQUATINT_SECRETS"] in [secret["target"] for secret in ours[name]["secrets"]]
        assert seconds(ours[name]["stop_grace_period"]) >= SETTINGS.worker.drain_paid + 10
        assert ours[name]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("postgres", "s3"):
        assert compose[name]["healthcheck"]["test"]
        assert ":" in compose[name]["image"]
        assert not compose[name]["image"].endswith(":latest")
        assert compose[name]["volumes"]
    assert ours["worker"]["command"][:5] == ["worker", "--host", "0.0.0.0", "--port", "8000"]


def test_its_secrets_are_made_once_and_read(tmp_path: Path) -> None:
    """The script's file is taken by the settings, nobody else may read it, and a second run leaves it alone."""
    shutil.copy(DEPLOY / "secrets.sh", tmp_path)
    made = subprocess.run(["sh", str(tmp_path / "secrets.sh")], capture_output=True, text=True, check=True)
    file = tmp_path / "secrets" / "aquatint.toml"
    found = load({"AQUATINT_SECRETS": str(file)})
    assert found.server.api_key in made.stdout
    assert len(found.server.api_key) >= 40
    assert found.webhooks.secret[0].startswith("whsec_")
    password = (tmp_path / "secrets" / "postgres-password").read_text()
    assert found.database.url == f"postgresql://aquatint:{password}@postgres/aquatint"
    (identity,) = json.loads((tmp_path / "secrets" / "s3.json").read_text())["identities"]
    (credential,) = identity["credentials"]
    name = re.findall(r"S3_ACCESS_KEY: (\w+)", (DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    assert credential == {"accessKey": name[0], "secretKey": found.assets.s3_secret_key}
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    user = re.findall(r"AQUATINT_UID=(\d+)", (tmp_path / ".env").read_text())
    assert user == [str(file.stat().st_uid)]
    assert user != ["0"]
    before = file.read_bytes()
    again = subprocess.run(["sh", str(tmp_path / "secrets.sh")], capture_output=True, check=False)
    assert again.returncode == 1
    assert file.read_bytes() == before


CASES = ("default", "hpa", "keda")


def chart(checked: dict[str, Any], case: str, kind: str) -> dict[str, Any]:
    """The documents of a kind, by name."""
    return {d["metadata"]["name"]: d for d in checked["charts"][case] if d["kind"] == kind}


def settings_of(checked: dict[str, Any], case: str, folder: Path) -> tuple[dict[str, dict[str, object]], Path]:
    (document,) = chart(checked, case, "ConfigMap").values()
    file = folder / "aquatint.toml"
    file.write_text(document["data"]["aquatint.toml"], encoding="utf-8")
    return tomllib.loads(document["data"]["aquatint.toml"]), file


@pytest.mark.parametrize("case", CASES)
def test_the_pods_are_locked_up(checked: dict[str, Any], case: str) -> None:
    """No root, no capabilities, nothing writable but /tmp and /data, no token of the cluster."""
    deployments = chart(checked, case, "Deployment")
    assert len(deployments) >= 2
    for deployment in deployments.values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == USER
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }
        writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
        assert writable == {"/tmp", "/data"}


@pytest.mark.parametrize("case", CASES)
def test_the_settings_and_secrets_of_the_chart_exist(checked: dict[str, Any], case: str, tmp_path: Path) -> None:
    """The file is read by the settings without complaint; every variable is one of theirs, every secret a secret."""
    written, file = settings_of(checked, case, tmp_path)
    found = load({"AQUATINT_CONFIG": str(file)})
    assert found.assets.public_url.startswith("https://")
    assert written["worker"]["drain_paid"]
    if case == "hpa":
        assert found.limits.max_pending == 200_000
        assert found.catalog.aliases == {"seedream-4.6": "seedream-4.5"}
        assert found.webhooks.jitter == 0.2
    for deployment in chart(checked, case, "Deployment").values():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        variables = {entry["name"]: entry for entry in container["env"]}
        assert set(variables) <= known_variables()
        assert variables["AQUATINT_CONFIG"]["value"] == "/etc/aquatint/aquatint.toml"
        secret = {name for name, entry in variables.items() if "valueFrom" in entry}
        assert "AQUATINT_DATABASE__URL" in secret
        assert secret <= variables_of(set(SECRET_FIELDS) | {"assets.s3_access_key"}) | {"AQUATINT_API_KEY"}


@pytest.mark.parametrize("case", CASES)
def test_no_pod_is_killed_in_a_paid_call(checked: dict[str, Any], case: str, tmp_path: Path) -> None:
    """The grace of workers is longer than worker.drain and worker.drain_paid of the same chart."""
    _, file = settings_of(checked, case, tmp_path)
    worker = load({"AQUATINT_CONFIG": str(file)}).worker
    for name, deployment in chart(checked, case, "Deployment").items():
        grace = deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
        if "-worker-" in name:
            assert grace >= max(worker.drain, worker.drain_paid) + 10
        else:
            assert grace >= 20


@pytest.mark.parametrize("case", CASES)
def test_probes_and_ports_are_those_of_the_server(checked: dict[str, Any], case: str, null_server: Any) -> None:
    """A real server answers every probed path; the probed port is the container's, and the commands listen on it."""
    for name, deployment in chart(checked, case, "Deployment").items():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        (port,) = container["ports"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[probe]["httpGet"]
            assert asked["port"] == port["name"]
            assert httpx.get(f"{null_server.base_url}{asked['path']}").status_code == 200
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz", "a database that is away kills no server"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        if "-worker-" in name:
            at = container["args"].index("--port")
            assert container["args"][at + 1] == str(port["containerPort"])
        else:
            assert container["args"] == ["serve", "--no-worker"]
            assert str(port["containerPort"]) == environment_of(stages()[-1])["AQUATINT_SERVER__PORT"]


@pytest.mark.parametrize("case", CASES)
def test_selectors_find_the_pods_they_mean(checked: dict[str, Any], case: str) -> None:
    """Each Deployment, Service and disruption budget selects the pods of exactly one Deployment."""
    deployments = chart(checked, case, "Deployment")
    labels = {name: d["spec"]["template"]["metadata"]["labels"] for name, d in deployments.items()}
    selectors = {(name, "Deployment"): d["spec"]["selector"]["matchLabels"] for name, d in deployments.items()}
    selectors |= {(n, "Service"): d["spec"]["selector"] for n, d in chart(checked, case, "Service").items()}
    budgets = chart(checked, case, "PodDisruptionBudget")
    assert budgets
    selectors |= {(n, "Budget"): d["spec"]["selector"]["matchLabels"] for n, d in budgets.items()}
    for (name, kind), selector in selectors.items():
        found = [deployment for deployment, has in labels.items() if selector.items() <= has.items()]
        assert found == [f"{name}-server" if kind == "Service" else name]


def test_autoscalers_watch_the_lanes_of_their_pool(checked: dict[str, Any]) -> None:
    """Either way the number is aquatint_lane_waiting of the pool's engines, and the Deployment has no fixed size."""
    (hpa,) = [d for n, d in chart(checked, "hpa", "HorizontalPodAutoscaler").items() if "-worker-" in n]
    (metric,) = hpa["spec"]["metrics"]
    (lanes,) = metric["external"]["metric"]["selector"]["matchExpressions"]
    assert metric["external"]["metric"]["name"] == "aquatint_lane_waiting"
    assert lanes == {"key": "lane", "operator": "In", "values": ["studio"]}
    scaled = chart(checked, "keda", "ScaledObject")
    assert len(scaled) == 2
    for name, document in scaled.items():
        assert document["spec"]["scaleTargetRef"]["name"] == name
        assert name in chart(checked, "keda", "Deployment")
        (trigger,) = document["spec"]["triggers"]
        assert trigger["type"] == "prometheus"
        assert "max by (lane) (aquatint_lane_waiting{lane=~" in trigger["metadata"]["query"]
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
    for case, kind in (("hpa", "HorizontalPodAutoscaler"), ("keda", "ScaledObject")):
        for document in chart(checked, case, kind).values():
            target = document["spec"]["scaleTargetRef"]["name"]
            assert "replicas" not in chart(checked, case, "Deployment")[target]["spec"]
    adapter = yaml.safe_load((DEPLOY / "helm" / "prometheus-adapter.yaml").read_text(encoding="utf-8"))
    (rule,) = adapter["rules"]["external"]
    assert rule["name"]["as"] == "aquatint_lane_waiting"
    assert rule["metricsQuery"].startswith("max by (lane) (aquatint_lane_waiting{")


def test_the_metric_of_the_autoscalers_is_exported(null_server: Any) -> None:
    """/metrics tells the length of each lane under the name that they ask for."""
    text = httpx.get(f"{null_server.base_url}/metrics").text
    assert re.search(r'^aquatint_lane_waiting\{lane="null"\} \d', text, re.MULTILINE)


def test_the_ingress_leads_to_the_public_api_alone(checked: dict[str, Any]) -> None:
    """Every operation of openapi.json and the pages can be reached; health and metrics cannot."""
    (ingress,) = chart(checked, "hpa", "Ingress").values()
    (rule,) = ingress["spec"]["rules"]
    exact = {path["path"] for path in rule["http"]["paths"] if path["pathType"] == "Exact"}
    prefixes = [path["path"].rstrip("/") for path in rule["http"]["paths"] if path["pathType"] == "Prefix"]
    (service,) = chart(checked, "hpa", "Service")
    assert {path["backend"]["service"]["name"] for path in rule["http"]["paths"]} == {service}

    def open_(path: str) -> bool:
        return path in exact or any(path == prefix or path.startswith(f"{prefix}/") for prefix in prefixes)

    operations = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))["paths"]
    assert [path for path in operations if not open_(path) and not path.startswith(("/healthz", "/readyz"))] == []
    assert open_("/docs")
    pages = re.findall(r'Route\("(/[^"]*)"', (ROOT / "src/aquatint/web/site.py").read_text(encoding="utf-8"))
    assert len(pages) > 15
    assert [page for page in pages if not open_(page)] == []
    assert not open_("/metrics")
    assert not open_("/healthz")


def test_the_chart_and_the_project_agree() -> None:
    """The versions agree, and every value of the schema is one that the values file explains."""
    chart_file = yaml.safe_load((DEPLOY / "helm" / "aquatint" / "Chart.yaml").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert chart_file["appVersion"] == project["version"]
    values = yaml.safe_load((DEPLOY / "helm" / "aquatint" / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads((DEPLOY / "helm" / "aquatint" / "values.schema.json").read_text(encoding="utf-8"))
    assert set(schema["properties"]) - {"global"} == set(values)
    assert schema["additionalProperties"] is False


def test_the_checker_sees_mistakes(tmp_path: Path) -> None:
    """It complains of a misspelt field in a chart, an unknown one in the compose file, and a careless Dockerfile."""
    copy = tmp_path / "deploy"
    shutil.copytree(DEPLOY, copy, ignore=shutil.ignore_patterns("secrets", "__pycache__"))
    (tmp_path / ".venv-deploy").symlink_to(ROOT / ".venv-deploy")
    for name, old, new in (
        ("helm/aquatint/templates/server.yaml", "targetPort: http", "targetport: http"),
        ("compose.yaml", "read_only: true", "readonly: true"),
        ("Dockerfile", "USER 10001:10001", "USER root\nRUN cd /tmp && sudo ls"),
    ):
        file = copy / name
        file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    done = subprocess.run([sys.executable, str(copy / "check.py")], capture_output=True, text=True)
    if done.returncode == 3 and not os.environ.get("CI"):
        pytest.skip("the tools that look at deploy could not be installed here")
    assert done.returncode == 1
    for word in ("targetport", "readonly", "hadolint"):
        assert word in done.stderr
