"""Start server processes, wait for them, weigh them, and end exactly those, by pid. Linux only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from bench.lanes import HOST

TICK = os.sysconf("SC_CLK_TCK")
MIB = 2**20


def free_port() -> int:
    """A port of the loopback that nobody listens on right now, below those that a system gives to anybody."""
    while True:
        port = random.randrange(10_240, 32_768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind((HOST, port))
            return port


async def listening(port: int, timeout: float = 60.0) -> None:
    """Wait until something accepts connections on `port`. Raises TimeoutError."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        try:
            _, writer = await asyncio.open_connection(HOST, port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    raise TimeoutError(f"nothing listens on port {port}")


class Tree(Protocol):
    """A process and what it started."""

    def tree(self) -> list[psutil.Process]: ...


class Proc:
    """One process with whatever it starts, in a session of its own, its output in a file."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], log: Path, cwd: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AQUATINT_")}
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                env={**kept, **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._process.pid)
            return [root, *root.children(recursive=True)]
        return []

    def stop(self, timeout: float = 60.0) -> None:
        """Ask the process to end in order. Raises TimeoutExpired."""
        self._process.terminate()
        self._process.wait(timeout)

    def kill(self) -> None:
        """SIGKILL the process and all that it started, and wait for their end."""
        members = self.tree()
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(members, timeout=10)
        self._process.wait(10)


def cpu_seconds(proc: Tree) -> float:
    """What a tree has used so far; a member that has ended counts in its parent."""
    seconds = 0.0
    for member in proc.tree():
        with contextlib.suppress(psutil.Error):
            times = member.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


@dataclass(frozen=True, slots=True)
class Reading:
    """CPU in percent of one core, except `others`, in percent of the whole machine. Memory in MiB."""

    server_cpu: float
    generator_cpu: float
    others: float
    rss: float
    pss: float


class Meter:
    """CPU and memory of the servers, and how busy the rest of the machine was meanwhile."""

    def __init__(self, procs: Sequence[Tree]) -> None:
        self._procs = procs
        self._wall = time.monotonic()
        self._server, self._mine, self._busy = self._server_cpu(), self._my_cpu(), self._machine_cpu()

    def read(self) -> Reading:
        wall = time.monotonic() - self._wall
        server = self._server_cpu() - self._server
        mine = self._my_cpu() - self._mine
        others = self._machine_cpu() - self._busy - server - mine
        rss, pss = self._memory()
        return Reading(
            100 * server / wall,
            100 * mine / wall,
            max(0.0, 100 * others / wall / (os.cpu_count() or 1)),
            rss / MIB,
            pss / MIB,
        )

    def _server_cpu(self) -> float:
        return sum(cpu_seconds(proc) for proc in self._procs)

    @staticmethod
    def _my_cpu() -> float:
        times = os.times()
        return times.user + times.system

    @staticmethod
    def _machine_cpu() -> float:
        """Seconds that any core was busy, the hypervisor's stealing included."""
        fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
        return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]) / TICK

    def _memory(self) -> tuple[int, int]:
        rss = pss = 0
        for proc in self._procs:
            for member in proc.tree():
                with contextlib.suppress(psutil.Error):
                    info = member.memory_full_info()
                    rss += info.rss
                    pss += info.pss
        return rss, pss
