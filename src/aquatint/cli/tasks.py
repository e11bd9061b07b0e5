"""aquatint tasks: look at them, stop them, run them again, watch them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aquatint.cli import complete
from aquatint.cli.outcome import Inline, NoInline, NoWait, Out, Timeout, Wanted, outcome
from aquatint.cli.remote import FAILED, AsJson, Key, KeyFile, Url, connected, exit_code, stop
from aquatint.cli.watch import line_of, watch
from aquatint.cli.words import age, clean, clock, cut, print_json, when
from aquatint_client import Aquatint, AquatintError, Conflict, Delivery, JsonValue, NotFound, Task

app = typer.Typer(no_args_is_help=True, help="Tasks of a server.")
app.command()(watch)
TaskId = Annotated[str, typer.Argument(help="The task's id.", autocompletion=complete.tasks)]
WIDE = 100  # columns of a terminal that has room for the model
_STYLES = {"SUCCESS": "green", "FAILURE": "red", "TIMEOUT": "red", "CANCELLED": "yellow"}


def _status(status: str) -> Text:
    return Text(clean(status), style=_STYLES.get(status, "cyan"))


@app.command("list")
def list_tasks(
    status: Annotated[
        str | None, typer.Option(help="Only in this status.", autocompletion=complete.statuses, show_default=False)
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Only of this model.", autocompletion=complete.models, show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1)] = 20,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
) -> None:
    """List tasks, newest first. With --json one task a line."""
    with connected(url, key, key_file) as client:
        found = client.list(status=status, model=model, page_size=min(limit, 100))
        rows = (task for task, _ in zip(found, range(limit), strict=False))
        if as_json:
            for task in rows:
                print_json(task.raw)
            return
        console = Console(highlight=False)
        wide = console.width >= WIDE or not console.is_terminal
        table = Table(box=None, pad_edge=False, header_style="dim", expand=console.is_terminal)
        for name in ("task", "status", "age", *(["model"] if wide else [])):
            table.add_column(name, no_wrap=True, overflow="fold")
        table.add_column("prompt", no_wrap=True, overflow="ellipsis", ratio=1)
        for task in rows:
            whose = [cut(task.model or "", 30)] if wide else []
            prompt = Text(cut(task.prompt or "", 200))
            table.add_row(clean(task.id), _status(task.status), age(task.created_at), *whose, prompt)
        if not table.row_count:
            typer.echo("There are no such tasks.", err=True)
        elif console.is_terminal:
            console.print(table)
        else:
            Console(highlight=False, width=400).print(table)


@app.command()
def show(
    task_id: TaskId,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Save the pictures in this folder or file, too.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
) -> None:
    """Show a task: what it was made from, how it stands, what happened, and its callbacks."""
    with connected(url, key, key_file) as client:
        task = client.get(task_id)
        deliveries = _deliveries(client, task)
        files = [str(path) for path in client.result(task).save(out)] if out is not None else []
        if as_json:
            shown: list[JsonValue] = [one.raw for one in deliveries]
            print_json({"task": task.raw, "deliveries": shown, "files": files}, indent=True)
            return
        console = Console(highlight=False, soft_wrap=True)
        for name, value in _fields(task):
            console.print(Text(f"{name:<12}", style="dim"), value, sep="")
        _timeline(client, task, console)
        for delivery in deliveries:
            _delivery(console, delivery)
        for path in files:
            typer.echo(path)


def _deliveries(client: Aquatint, task: Task) -> list[Delivery]:
    try:
        return list(client.deliveries(task))
    except NotFound:
        return []  # a server without that part


def _fields(task: Task) -> list[tuple[str, Text]]:
    rows = [("task", Text(clean(task.id))), ("status", _status(task.status))]
    if task.queue is not None:
        rows.append(("place", Text(f"{task.queue.position} in line")))
    if task.progress is not None and not task.done:
        rows.append(("progress", Text(f"{task.progress * 100:.0f} %")))
    for name, value in task.input.items():
        several = value if isinstance(value, list) else [value]
        rows += [(cut(name, 11), Text(cut(str(one), 500))) for one in several]
    for label, text in (("engine", task.engine), ("reason", task.failure_reason), ("why", task.failure_message)):
        if text:
            rows.append((label, Text(clean(text))))
    rows += [("note", Text(clean(warning))) for warning in task.warnings]
    for image in task.images:
        size = f"  {image.width} x {image.height}" if image.width and image.height else ""
        seed = f"  seed {image.seed}" if image.seed is not None else ""
        rows.append(("picture", Text(f"{clean(image.url)}{size}{seed}")))
    if task.expires_at is not None:
        rows.append(("until", Text(when(task.expires_at))))
    return rows


def _timeline(client: Aquatint, task: Task, console: Console) -> None:
    """The events of a task that has ended; one that goes on has `watch`."""
    if not task.done:
        return
    try:
        found = [event for event in client.events(task) if event.id]
    except AquatintError:
        return  # a server that tells none
    console.print()
    for event in found:
        console.print(line_of(event, whose=False))


def _delivery(console: Console, delivery: Delivery) -> None:
    console.print(Text(f"\ncallback  {clean(delivery.url)}  {clean(delivery.state)}"))
    for one in delivery.attempts:
        answer = str(one.status) if one.status is not None else "no answer"
        console.print(
            Text(f"{clock(one.at)}  {answer}  {one.duration_ms} ms  {cut(one.detail or '', 200)}", style="dim")
        )


@app.command()
def cancel(
    task_ids: Annotated[list[str], typer.Argument(help="Ids of the tasks.", autocompletion=complete.tasks)],
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
) -> None:
    """End tasks at once. Exit code 1 when one of them had ended already."""
    code = 0
    with connected(url, key, key_file) as client:
        for task_id in task_ids:
            try:
                task = client.cancel(task_id)
            except (Conflict, NotFound) as error:
                typer.echo(f"aquatint: {clean(task_id)}: {clean(error.msg)}", err=True)
                code = exit_code(error)
            else:
                print_json(task.raw) if as_json else typer.echo(f"cancelled {clean(task.id)}")
    raise typer.Exit(code)


@app.command()
def rerun(
    task_id: TaskId,
    seed: Annotated[int | None, typer.Option(help="Another seed.", min=0, show_default="as it was submitted")] = None,
    same_seed: Annotated[
        bool, typer.Option("--same-seed", help="The seed that its first picture was painted with.")
    ] = False,
    out: Out = Path(),
    timeout: Timeout = 600.0,
    no_wait: NoWait = False,
    inline: Inline = "auto",
    no_inline: NoInline = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
) -> None:
    """Submit the same input again as a new task, and save its pictures."""
    wanted = Wanted(out, timeout, no_wait, "none" if no_inline else inline, False, as_json)
    with connected(url, key, key_file) as client:
        task = client.get(task_id)
        if same_seed:
            seed = task.images[0].seed if task.images else None
            if seed is None:
                stop("no seed of this task is known", FAILED)
        outcome(client, lambda: client.rerun(task, seed=seed), wanted)
