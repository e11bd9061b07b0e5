"""aquatint tasks watch: events as they happen."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from aquatint.cli import complete
from aquatint.cli.follow import Follow
from aquatint.cli.remote import FAILED, TIMED_OUT, AsJson, Key, KeyFile, Url, connected, on_terminal
from aquatint.cli.words import clean, clock, cut, print_json
from aquatint_client import Aquatint, Event, Progress, Queue, Task

_ENDS = {"SUCCESS": 0, "TIMEOUT": TIMED_OUT}


def watch(
    task_id: Annotated[
        str | None,
        typer.Argument(help="One task, to its end; without it all, until Ctrl-C.", autocompletion=complete.tasks),
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
) -> None:
    """Watch tasks: each event on a line. With an id the exit code says how the task ended."""
    with connected(url, key, key_file) as client:
        last = _told(client, task_id) if as_json else _shown(client, task_id)
    if last is not None:
        raise typer.Exit(_ENDS.get(last.status, FAILED))


def _told(client: Aquatint, task_id: str | None) -> Task | None:
    last = None
    for event in client.events(task_id):
        print_json({"id": event.id, "event": event.name, "data": event.raw})
        last = event.task or last
    return last


def _shown(client: Aquatint, task_id: str | None) -> Task | None:
    """Events on stdout; the bar of a single task on stderr."""
    if task_id is None:
        for event in client.events():
            if event.name != "progress":
                typer.echo(line_of(event, whose=True).plain)
        return None
    last = None
    with Follow(lines=False) as view:
        for event in client.events(task_id):
            last = event.task or last
            if event.task is not None:
                view.step(Progress.of_task(event.task))
            elif event.name == "progress":
                view.step(progress_of(event))
            if event.id:
                line = line_of(event, whose=False)
                view.say(line) if view.live and on_terminal() else typer.echo(line.plain)
    return last


def progress_of(event: Event) -> Progress:
    """The step that a progress event is."""
    raw = event.raw
    fraction, place = raw.get("progress"), raw.get("queue")
    queue = None
    if isinstance(place, dict) and isinstance(position := place.get("position"), int):
        eta = place.get("eta_seconds_p50")
        queue = Queue(position, float(eta) if isinstance(eta, int | float) else None)
    return Progress(
        event.task_id,
        str(raw.get("status", "")),
        float(fraction) if isinstance(fraction, int | float) else None,
        queue,
    )


def line_of(event: Event, *, whose: bool) -> Text:
    line = Text(f"{clock(event.at)}  ", style="dim")
    if whose:
        line.append(f"{clean(event.task_id)}  ", style="none")
    line.append(clean(event.name), style="none")
    if event.detail:
        line.append(f"{'':{max(2, 24 - len(event.name))}}{cut(event.detail, 200)}", style="dim")
    return line
