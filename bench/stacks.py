"""The peers: how the stacks are started that people use for the same job."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.lanes import HOST
from bench.messages import COMFY_API, IMAGE_API, SECRET, Api
from bench.postgres import Cluster
from bench.procs import Proc, Tree, free_port, listening
from bench.subjects import ROOT, SLOTS, Subject, uvicorn

VISIBILITY = 10  # seconds after which Redis hands a dead Celery worker's tasks to another
CELERY_TUNED, CELERY_DURABLE, PGQUEUER, COMFY = "celery tuned", "celery durable", "pgqueuer", "comfy-api-proxy"
LITELLM = "litellm"


@dataclass(frozen=True)
class CeleryStack(Subject):
    """FastAPI + Celery + Redis: uvicorn, a prefork worker of the best size found on 2 cores, and redis-server."""

    python: str
    redis: str
    durable: bool
    delay_ms: int = 0

    @property
    def name(self) -> str:  # type: ignore[override]  # derived, so not set
        return CELERY_DURABLE if self.durable else CELERY_TUNED

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        redis_port = free_port()
        fsync = "always" if self.durable else "everysec"
        keep = ["--appendonly", "yes", "--appendfsync", fsync]
        address = ["--port", str(redis_port), "--bind", HOST, "--dir", str(folder), "--daemonize", "no"]
        procs = [Proc([self.redis, *address, *keep], {}, folder / "redis.log", ROOT)]
        try:
            await listening(redis_port)
            procs += self._programs(folder, ports[0], redis_port)
        except BaseException:
            for proc in procs:
                proc.kill()
            raise
        return procs

    def _programs(self, folder: Path, port: int, redis_port: int) -> list[Proc]:
        env = {
            "REDIS_URL": f"redis://{HOST}:{redis_port}/0",
            "DIY_KEY": SECRET,
            "DIY_DURABLE": "1" if self.durable else "0",
            "DIY_VISIBILITY": str(VISIBILITY),
            "STUB_MS": str(self.delay_ms),
        }
        slots = SLOTS if self.delay_ms else 4
        quiet = ("--loglevel", "warning", "--without-gossip", "--without-mingle", "--without-heartbeat")
        worker = ["-m", "celery", "-A", "bench.peers.celery_app:queue", "worker", "-P", "prefork", "-c", str(slots)]
        return [
            Proc([self.python, *worker, *quiet], env, folder / "worker.log", ROOT),
            Proc(uvicorn(self.python, "bench.peers.celery_app:app", port), env, folder / "server.log", ROOT),
        ]


@dataclass(frozen=True)
class PgQueuerStack(Subject):
    """FastAPI + PgQueuer: uvicorn, one worker process, and the PostgreSQL that Aquatint is measured on."""

    python: str
    cluster: Cluster
    name: str = PGQUEUER

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        note = folder / "database"
        module = [self.python, "-m", "bench.peers.pgqueuer_app"]
        if not note.exists():
            note.write_text(await self.cluster.database())
            env = self._env(note.read_text())
            done = await asyncio.to_thread(
                subprocess.run, [*module, "install"], env=env, cwd=ROOT, capture_output=True, text=True
            )
            if done.returncode:
                raise RuntimeError("PgQueuer's tables could not be made: " + done.stderr[-300:])
        env = self._env(note.read_text())
        return [
            Proc(module, env, folder / "worker.log", ROOT),
            Proc(uvicorn(self.python, "bench.peers.pgqueuer_app:app", ports[0]), env, folder / "server.log", ROOT),
        ]

    def _env(self, database: str) -> dict[str, str]:
        return {"PG_URL": self.cluster.url(database), "DIY_KEY": SECRET}

    async def clear(self, folder: Path) -> None:
        if (folder / "database").exists():
            await self.cluster.drop((folder / "database").read_text())

    def beside(self) -> list[Tree]:
        return [self.cluster]


@dataclass(frozen=True)
class ComfyProxy(Subject):
    """comfy-api-proxy with its SQLite state (synchronous=NORMAL) in front of a ComfyUI that does nothing."""

    python: str
    name: str = COMFY
    api: Api = COMFY_API

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        behind = free_port()
        procs = [Proc([self.python, "-m", "bench.peers.fake_comfyui", str(behind)], {}, folder / "comfyui.log", ROOT)]
        options = ["--comfyui", f"http://{HOST}:{behind}", "--host", HOST, "--port", str(ports[0])]
        options += ["--token", SECRET, "--state-dir", str(folder / "state")]
        command = [self.python, "-m", "comfy_api_proxy.cli", "run", *options]
        return [*procs, Proc(command, {}, folder / "server.log", ROOT)]


@dataclass(frozen=True)
class LiteLLM(Subject):
    """LiteLLM's proxy with one worker, as `litellm --config` starts it, without a database: nothing is kept."""

    program: str
    provider: int  # the port of the one that it sends everything to
    name: str = LITELLM
    api: Api = IMAGE_API

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        model = str(self.api.body["model"])
        behind = {"model": f"openai/{model}", "api_base": openai_of(self.provider), "api_key": SECRET}
        config = {
            "model_list": [{"model_name": model, "litellm_params": behind}],
            "general_settings": {"master_key": SECRET},
        }
        file = folder / "config.yaml"
        file.write_text(json.dumps(config))  # which is YAML, too
        options = ["--config", str(file), "--host", HOST, "--port", str(ports[0]), "--telemetry", "False"]
        # Else it asks the internet for its prices and logs every request.
        env = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
        return [Proc([self.program, *options], env, folder / "server.log", ROOT)]


def openai_of(port: int) -> str:
    """Where a simulator has its OpenAI."""
    return f"http://{HOST}:{port}/openai/v1"
