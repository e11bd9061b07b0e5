"""From a submit to pictures on the disk: what `generate` and `tasks rerun` have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from aquatint.cli import complete
from aquatint.cli.follow import Follow
from aquatint.cli.remote import INTERRUPTED, exit_code, on_terminal, stop
from aquatint.cli.terminal import pictures
from aquatint.cli.words import clean, print_json
from aquatint_client import Aquatint, AquatintError, Conflict, Result, Submitted, Task, TaskError
from aquatint_client import WaitTimedOut as StillGoing

Out = Annotated[
    Path, typer.Option("--out", "-o", help="A folder, or a file such as cat.png.", show_default="this folder")
]
Timeout = Annotated[float, typer.Option(help="Seconds to wait; the task goes on after them.", min=0.0)]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Print the task's id, and do not wait.")]
Inline = Annotated[
    str,
    typer.Option(
        help="How to show pictures in the terminal: auto, kitty, iterm, sixel.", autocompletion=complete.protocols
    ),
]
NoInline = Annotated[bool, typer.Option("--no-inline", help="Do not show pictures in the terminal.")]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to happen with the task and its pictures."""

    out: Path
    timeout: float
    no_wait: bool
    inline: str
    open: bool
    as_json: bool


def outcome(client: Aquatint, submit: Callable[[], Submitted], wanted: Wanted) -> None:
    """Submit, follow, save, show. Raises AquatintError, and typer.Exit for an end without pictures."""
    pictures.check(wanted.inline)
    submitted = _submitted(submit)
    if wanted.no_wait:
        print_json({"taskId": submitted.task_id}) if wanted.as_json else typer.echo(submitted.task_id)
        return
    save(_waited(client, submitted.task_id, wanted), wanted)


def _submitted(submit: Callable[[], Submitted]) -> Submitted:
    try:
        return submit()
    except KeyboardInterrupt:
        stop("stopped while it was being submitted; `aquatint tasks list` shows whether it was taken", INTERRUPTED)


def _waited(client: Aquatint, task_id: str, wanted: Wanted) -> Result:
    try:
        with Follow() as view:
            return client.wait(task_id, timeout=wanted.timeout, on_progress=view.step)
    except KeyboardInterrupt:
        pass
    except StillGoing as error:
        hint = f"\n\n    aquatint tasks show {task_id} -o {wanted.out}"
        stop(f"{clean(str(error))}. Its pictures, once they are there:{hint}", exit_code(error))
    except TaskError as error:
        if wanted.as_json:
            print_json({"task": error.task.raw, "files": []}, indent=True)
        stop(_why(error), exit_code(error))
    typer.echo(f"aquatint: {_cancelled(client, task_id)}", err=True)
    raise typer.Exit(INTERRUPTED)


def _why(error: TaskError) -> str:
    reason = f" ({clean(error.reason)})" if error.reason and error.reason not in error.message else ""
    return clean(error.message) + reason


def _cancelled(client: Aquatint, task_id: str) -> str:
    """Ask the server to end it, and say what came of it. A second Ctrl-C leaves at once."""
    typer.echo(f"aquatint: cancelling task {task_id}", err=True)
    try:
        client.cancel(task_id)
    except Conflict:
        return f"it had ended already: aquatint tasks show {task_id}"
    except AquatintError as error:
        return f"it could not be cancelled, and goes on: {clean(str(error))}"
    except KeyboardInterrupt:
        return "left; the task may go on"
    return "cancelled; nothing is charged"


def save(result: Result, wanted: Wanted) -> None:
    """Save every picture, print its path, and show it where that can be done."""
    notes(result.task)
    paths: list[Path] = []
    show = pictures.shower(wanted.inline) if on_terminal() and not wanted.as_json else None
    for image in result.images:
        path = image.save(wanted.out)
        paths.append(path)
        if not wanted.as_json:
            size = f"  {image.width} x {image.height}" if image.width and image.height else ""
            typer.echo(f"{clean(str(path))}{size}" if on_terminal() else str(path))
            if show is not None:
                show(path)
        if wanted.open:
            typer.launch(str(path))
    if wanted.as_json:
        print_json({"task": result.task.raw, "files": [str(path) for path in paths]}, indent=True)


def notes(task: Task) -> None:
    """What the engine had to say."""
    for warning in task.warnings:
        typer.echo(f"note: {clean(warning)}", err=True)
