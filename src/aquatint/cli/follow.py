"""A task that is followed on stderr: a live bar on a terminal, a line for each status anywhere else."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from aquatint.cli.words import clean, duration
from aquatint_client import Progress

WORDS = {
    "PENDING": "waiting",
    "PROCESSING": "preparing",
    "SUBMITTED": "painting",
    "SUCCESS": "done",
    "FAILURE": "failed",
    "TIMEOUT": "out of time",
    "CANCELLED": "cancelled",
}
SURE = 0.05  # of the progress: before it an estimate from it is worth nothing


class Follow:
    """Shows steps while its `with` block lasts."""

    def __init__(self, *, lines: bool = True) -> None:
        """`lines`: say each status where there is no terminal."""
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._lines = lines
        self._status = ""
        self._painting_since = 0.0
        self._bar = _bar(self.console) if self.console.is_terminal else None
        self._row = self._bar.add_task("", total=1.0, state="submitted", rest="") if self._bar is not None else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    @property
    def live(self) -> bool:
        """Whether there is a bar, so that lines must go above it."""
        return self._bar is not None

    def step(self, step: Progress) -> None:
        """Show how the task stands now."""
        if step.status != self._status:
            self._status = step.status
            self._painting_since = time.monotonic()
            if self._bar is None and self._lines:
                self.console.print(Text(f"{clean(step.status)}{self._place(step)}"))
        if self._bar is None or self._row is None:
            return
        state = WORDS.get(step.status, clean(step.status).lower()) + self._place(step)
        self._bar.update(self._row, completed=step.fraction or 0.0, state=state, rest=self._rest(step))

    def say(self, text: Text) -> None:
        """A line above the bar."""
        self.console.print(text)

    def _place(self, step: Progress) -> str:
        if step.queue is None:
            return ""
        return ", next in line" if step.queue.position <= 1 else f", {step.queue.position} in line"

    def _rest(self, step: Progress) -> str:
        """How long it may take: by the queue's history while it waits, by its own progress once it is painted."""
        seconds = step.queue.eta_seconds_p50 if step.queue is not None else None
        if seconds is None and step.status == "SUBMITTED" and step.fraction and SURE < step.fraction < 1:
            seconds = (time.monotonic() - self._painting_since) / step.fraction * (1 - step.fraction)
        return f"about {duration(seconds)}" if seconds is not None else ""


def _bar(console: Console) -> Bar:
    return Bar(
        SpinnerColumn(),
        TextColumn("{task.fields[state]}", markup=False),
        BarColumn(30),
        TextColumn("{task.percentage:3.0f} %", markup=False),
        TimeElapsedColumn(),
        TextColumn("{task.fields[rest]}", style="dim", markup=False),
        console=console,
        transient=True,
    )
