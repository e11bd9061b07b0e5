"""Where sections do their work: fresh servers one after the other, and samples handed on as they come."""

from __future__ import annotations

import gc
import math
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench import measures
from bench.measures import Generator
from bench.peer_env import PeerTools
from bench.plan import Plan, Sample, Values
from bench.postgres import Cluster
from bench.subjects import Site, Subject, log_tail, running

Work = Callable[[int, Site], Awaitable[None]]
Emit = Callable[[Sample], None]


@dataclass(slots=True)
class Stage:
    """What a run has: its plan, the load side, a folder on a real disk, and what could be installed."""

    plan: Plan
    generator: Generator
    scratch: Path
    emit: Emit
    cluster: Cluster | None = None  # None: there is no PostgreSQL here
    peers: PeerTools | None = None
    litellm: str | None = None  # its program
    _starts: int = field(default=0)

    def folder(self) -> Path:
        """A fresh place for data."""
        self._starts += 1
        return self.scratch / str(self._starts)

    async def on(
        self, index: int, subject: Subject, work: Work, *, whole: bool = True, folder: Path | None = None
    ) -> None:
        """Do the work on a warm server; one that does not run is a result too. A folder that is given is kept."""
        where = folder or self.folder()
        try:
            async with running(subject, where) as site:
                await measures.probe(self.generator, site, whole=whole)
                gc.collect()
                await work(index, site)
        except Exception as error:  # a subject that does not run is a result, too, and the others go on
            self.failed(index, subject.name, work.__name__.strip("_"), error, log_tail(where))
        finally:
            if folder is None:
                shutil.rmtree(where, ignore_errors=True)

    def say(self, index: int, subject: str, measure: str, values: Values) -> None:
        known = {name: value for name, value in values.items() if not math.isnan(value)}
        self.emit(Sample(index, subject, measure, known))

    def failed(self, index: int, subject: str, measure: str, error: Exception, log: str = "") -> None:
        self.emit(Sample(index, subject, measure, {}, f"{type(error).__name__}: {error}", log))
