"""What is measured: how each server is started, on which port, with which folder."""

from __future__ import annotations

import base64
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.lanes import HOST
from bench.messages import SECRET
from bench.procs import Proc, free_port, listening

ROOT = Path(__file__).resolve().parent.parent
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"aquatint benchmark signing key..").decode()
VISIBILITY = 10  # seconds after which Redis hands a dead Celery worker's tasks to another
SLOTS = 16  # tasks at once where the engine takes time
ENGINE_MS = 50


class Subject(Protocol):
    @property
    def name(self) -> str: ...

    async def start(self, folder: Path, port: int) -> list[Proc]:
        """Start every process of the server; what an earlier start left in `folder` is found again."""
        ...


@dataclass(slots=True)
class Site:
    """A subject that runs."""

    subject: Subject
    folder: Path
    port: int
    procs: list[Proc]

    def kill(self) -> None:
        for proc in self.procs:
            proc.kill()

    async def restart(self) -> None:
        """Start again on the same folder and port after a kill."""
        self.procs = await self.subject.start(self.folder, self.port)
        await listening(self.port)

    def log_tail(self) -> str:
        """The end of what the processes wrote."""
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-600:]}" for log in logs)


@asynccontextmanager
async def running(subject: Subject, folder: Path) -> AsyncIterator[Site]:
    """The subject on a folder of its own until the block ends, then killed: its data is of no further use."""
    folder.mkdir(parents=True)
    site = Site(subject, folder, free_port(), [])
    try:
        await site.restart()
        yield site
    finally:
        site.kill()


@dataclass(frozen=True, slots=True)
class Aquatint:
    """`aquatint serve` with the null engine, which takes `delay_ms` a task."""

    delay_ms: int = 0
    slots: int = 64
    profile: bool = False
    name: str = "aquatint"

    async def start(self, folder: Path, port: int) -> list[Proc]:
        profiler = ["-m", "cProfile", "-o", str(folder / "profile")] if self.profile else []
        program = folder / "serve.py"
        program.write_text("from aquatint.cli import main\nmain()\n")
        command = [sys.executable, *profiler, str(program), "serve", "--port", str(port)]
        env = {
            "AQUATINT_API_KEY": SECRET,
            "AQUATINT_ENGINES__ALLOW_TESTING": "true",
            "AQUATINT_ENGINES__ROUTE_ALL_TO": "null",
            "AQUATINT_ENGINES__NULL_DELAY": f"{self.delay_ms}ms",
            "AQUATINT_WORKER__CONCURRENCY": str(self.slots),
            "AQUATINT_NET__ALLOW": "127.0.0.0/8",
            "AQUATINT_WEBHOOKS__FIRST_DELAY": "0s",
            "AQUATINT_WEBHOOKS__SECRET": WEBHOOK_SECRET,
            "AQUATINT_LOG__LEVEL": "warning",
        }
        return [Proc([*command, "--data-dir", str(folder / "data")], env, folder / "server.log", ROOT)]


@dataclass(frozen=True, slots=True)
class Floor:
    """One of the applications of bench.floor on the same uvicorn, with or without its store."""

    name: str
    app: str
    durable: bool

    async def start(self, folder: Path, port: int) -> list[Proc]:
        env = {"FLOOR_DB": str(folder / "floor.db") if self.durable else ""}
        command = [*_uvicorn(sys.executable, f"bench.floor.app:{self.app}", port), "--factory", "--lifespan", "off"]
        return [Proc(command, env, folder / "server.log", ROOT)]


@dataclass(frozen=True, slots=True)
class CeleryStack:
    """FastAPI + Celery + Redis: uvicorn, a prefork worker of the best size found on 2 cores, and redis-server."""

    python: str
    redis: str
    durable: bool
    delay_ms: int = 0

    @property
    def name(self) -> str:
        return "celery durable" if self.durable else "celery tuned"

    async def start(self, folder: Path, port: int) -> list[Proc]:
        redis_port = free_port()
        fsync = "always" if self.durable else "everysec"
        keep = ["--appendonly", "yes", "--appendfsync", fsync]
        address = ["--port", str(redis_port), "--bind", HOST, "--dir", str(folder), "--daemonize", "no"]
        procs = [Proc([self.redis, *address, *keep], {}, folder / "redis.log", ROOT)]
        try:
            await listening(redis_port)
            procs += self._programs(folder, port, redis_port)
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
            Proc(_uvicorn(self.python, "bench.peers.celery_app:app", port), env, folder / "server.log", ROOT),
        ]


def _uvicorn(python: str, app: str, port: int) -> list[str]:
    loop = ["--loop", "uvloop", "--http", "httptools"]
    return [python, "-m", "uvicorn", app, "--port", str(port), *loop, "--no-access-log", "--log-level", "warning"]
