"""What is measured: how each server is started, on which ports, with which folder."""

from __future__ import annotations

import base64
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.messages import SECRET, TASK_API, Api
from bench.postgres import Cluster
from bench.procs import Proc, Tree, free_port, listening

ROOT = Path(__file__).resolve().parent.parent
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"aquatint benchmark signing key..").decode()
SLOTS = 16  # tasks at once where the engine takes time
ENGINE_MS = 50
SQLITE, POSTGRES = "aquatint", "aquatint postgres"
SCRIPT = "program.py"  # not named as the package, which it would hide
PROGRAM = "from aquatint.cli import main\nmain()\n"


class Subject:
    """Something that can be measured. `doors` is how many servers share the load."""

    name: str
    doors = 1
    api: Api = TASK_API

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        """Start every process of the server; what an earlier start left in `folder` is found again."""
        raise NotImplementedError

    async def clear(self, folder: Path) -> None:
        """Forget what lies outside of the folder."""

    def beside(self) -> list[Tree]:
        """Processes that do its work and were there before it."""
        return []


@dataclass(slots=True)
class Site:
    """A subject that runs."""

    subject: Subject
    folder: Path
    ports: tuple[int, ...]
    procs: list[Proc]

    @property
    def port(self) -> int:
        return self.ports[0]

    def weighed(self) -> list[Tree]:
        """Everything whose CPU and memory is the subject's."""
        return [*self.procs, *self.subject.beside()]

    def kill(self) -> None:
        for proc in self.procs:
            proc.kill()

    async def restart(self) -> None:
        """Start again on the same folder and ports after a kill."""
        self.procs = await self.subject.start(self.folder, self.ports)
        for port in self.ports:
            await listening(port)


def log_tail(folder: Path) -> str:
    """The end of what the processes of a server in this folder wrote."""
    logs = sorted(folder.glob("*.log"))
    return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-600:]}" for log in logs)


@asynccontextmanager
async def running(subject: Subject, folder: Path) -> AsyncIterator[Site]:
    """The subject on a folder of its own until the block ends, then killed: its data is of no further use."""
    folder.mkdir(parents=True, exist_ok=True)
    site = Site(subject, folder, tuple(free_port() for _ in range(subject.doors)), [])
    try:
        await site.restart()
        yield site
    finally:
        site.kill()
        await subject.clear(folder)


@dataclass(frozen=True)
class Aquatint(Subject):
    """Aquatint with the null engine, which takes `delay_ms` a task.

    Without a cluster one `aquatint serve` on SQLite; with one on PostgreSQL, and with `workers` as so many servers
    that only answer and so many workers.
    """

    delay_ms: int = 0
    slots: int = 64
    profile: bool = False
    name: str = SQLITE
    cluster: Cluster | None = None
    database: str = ""  # one that is there already and stays; empty: a new one
    doors: int = 1
    workers: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    api: Api = TASK_API

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        (folder / SCRIPT).write_text(PROGRAM)
        profiler = ["-m", "cProfile", "-o", str(folder / "profile")] if self.profile else []
        program = [sys.executable, *profiler, str(folder / SCRIPT)]
        data = ["--data-dir", str(folder / "data")]
        env = {**self._env(), **await self._database(folder)}
        apart = ["--no-worker"] if self.workers else []
        servers = [
            Proc([*program, "serve", "--port", str(port), *apart, *data], env, folder / "server.log", ROOT)
            for port in ports
        ]
        workers = [Proc([*program, "worker", *data], env, folder / "worker.log", ROOT) for _ in range(self.workers)]
        return [*servers, *workers]

    def _env(self) -> dict[str, str]:
        return {
            "AQUATINT_API_KEY": SECRET,
            "AQUATINT_ENGINES__ALLOW_TESTING": "true",
            "AQUATINT_ENGINES__ROUTE_ALL_TO": "null",
            "AQUATINT_ENGINES__NULL_DELAY": f"{self.delay_ms}ms",
            "AQUATINT_WORKER__CONCURRENCY": str(self.slots),
            "AQUATINT_NET__ALLOW": "127.0.0.0/8",
            "AQUATINT_WEBHOOKS__FIRST_DELAY": "0s",
            "AQUATINT_WEBHOOKS__SECRET": WEBHOOK_SECRET,
            "AQUATINT_LOG__LEVEL": "warning",
            **self.settings,
        }

    async def _database(self, folder: Path) -> dict[str, str]:
        if self.cluster is None:
            return {}
        name, note = self.database, folder / "database"
        if not name:
            if not note.exists():
                note.write_text(await self.cluster.database())
            name = note.read_text()
        return {"AQUATINT_DATABASE__URL": self.cluster.url(name)}

    async def clear(self, folder: Path) -> None:
        note = folder / "database"
        if self.cluster is not None and note.exists():
            await self.cluster.drop(note.read_text())

    def beside(self) -> list[Tree]:
        return [] if self.cluster is None else [self.cluster]


@dataclass(frozen=True)
class Floor(Subject):
    """One of the applications of bench.floor on the same uvicorn, with or without its store."""

    name: str
    app: str
    durable: bool

    async def start(self, folder: Path, ports: Sequence[int]) -> list[Proc]:
        env = {"FLOOR_DB": str(folder / "floor.db") if self.durable else ""}
        command = [
            *uvicorn(sys.executable, f"bench.floor.app:{self.app}", ports[0]),
            "--factory",
            "--lifespan",
            "off",
        ]
        return [Proc(command, env, folder / "server.log", ROOT)]


def uvicorn(python: str, app: str, port: int) -> list[str]:
    loop = ["--loop", "uvloop", "--http", "httptools"]
    return [python, "-m", "uvicorn", app, "--port", str(port), *loop, "--no-access-log", "--log-level", "warning"]
