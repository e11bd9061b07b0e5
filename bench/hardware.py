"""What the numbers were measured on: cores, versions, and what an fsync costs here."""

from __future__ import annotations

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

FSYNC_SECONDS = 0.5
IN_MEMORY = ("tmpfs", "ramfs")


@dataclass(frozen=True, slots=True)
class Hardware:
    cores: int
    cpu: str
    memory_gib: float
    kernel: str
    python: str
    sqlite: str
    filesystem: str  # of the data folders
    fsync_us: float  # median fdatasync of a 4 KiB append
    fsync_p99_us: float
    load: float  # of the machine, over the minute before

    @property
    def in_memory(self) -> bool:
        return self.filesystem in IN_MEMORY


def look(folder: Path) -> Hardware:
    """Describe this machine; `folder` is where the data folders will be."""
    median, p99 = fsync_cost(folder)
    return Hardware(
        cores=len(os.sched_getaffinity(0)),
        cpu=_cpu(),
        memory_gib=psutil.virtual_memory().total / 2**30,
        kernel=platform.release(),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        filesystem=_filesystem(folder),
        fsync_us=median,
        fsync_p99_us=p99,
        load=os.getloadavg()[0],
    )


def fsync_cost(folder: Path) -> tuple[float, float]:
    """Median and 99th percentile, in microseconds, of making a 4 KiB append durable."""
    block = b"z" * 4096
    costs: list[float] = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        end = time.perf_counter() + FSYNC_SECONDS
        while (begin := time.perf_counter()) < end:
            file.write(block)
            os.fdatasync(file.fileno())
            costs.append(1e6 * (time.perf_counter() - begin))
    return statistics.median(costs), sorted(costs)[int(len(costs) * 0.99)]


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.lower().startswith(("model name", "cpu model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def _filesystem(folder: Path) -> str:
    real = str(folder.resolve())
    mounts = [part for part in psutil.disk_partitions(all=True) if _under(real, part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else "unknown"


def _under(path: str, mountpoint: str) -> bool:
    return path == mountpoint or path.startswith(mountpoint.rstrip("/") + "/")
