"""aquatint demo: the whole main job against a server of its own, with pictures at the end."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from aquatint.cli import demo_by_hand
from aquatint.cli.demo_desk import Desk
from aquatint.cli.demo_server import DemoFailed, DemoServer, Json

PHOTO = Path("examples/photos/castle.jpg")
RECEIVER = Path("examples/webhook_receiver.py")
POLL_SECONDS = 0.15
TASK_SECONDS = 120.0
CALLBACK_SECONDS = 20.0
ENDED = frozenset({"SUCCESS", "FAILURE", "TIMEOUT", "CANCELLED"})
WATERCOLOR: Json = {"prompt": "Transform to watercolor style", "ratio": "16:9", "resolution": "2k"}
CITY: Json = {"prompt": "Cyberpunk Tokyo street", "ratio": "16:9", "resolution": "2k"}


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("demo-output"),
    photo: Annotated[Path | None, typer.Option(help="Another photograph.", show_default=str(PHOTO))] = None,
) -> None:
    """Paint a photo and a street, from submit to callback, on a server that lives only for this demo."""
    chosen = photo or _shipped(PHOTO)
    if not chosen.is_file():
        raise DemoFailed(f"there is no photograph {chosen}; run this in the repository or give one with --photo")
    out.mkdir(parents=True, exist_ok=True)
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    asyncio.run(_interruptible(_Demo(console, chosen, out)))
    console.print(f"\nEverything worked, in [bold]{time.monotonic() - started:.0f} s[/]. To repeat it by hand:\n")
    console.print(_by_hand(chosen), markup=False)


async def _interruptible(show: _Demo) -> None:
    """Run the demo; SIGTERM ends it as Ctrl-C does, so that the server never stays behind."""
    running = asyncio.ensure_future(show.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        raise DemoFailed("the demo was stopped") from None


class _Demo:
    """One run: two tasks, told as they happen."""

    def __init__(self, console: Console, photo: Path, out: Path) -> None:
        self._console = console
        self._photo = photo
        self._out = out

    async def run(self) -> None:
        """Raises DemoFailed at the first thing that is not as it should be."""
        async with Desk(self._photo) as desk, DemoServer(desk.secret) as server:
            self._say(
                f"[bold]Aquatint[/] serves on {server.origin}, with a data folder that is thrown away at the end"
            )
            self._say(f"The photo {self._photo} is at {desk.photo_url}; callbacks go to {desk.callback_url}")
            try:
                await self._paint_photo(desk, server)
                await self._paint_city(server)
            except DemoFailed as error:
                raise DemoFailed(f"{error}\n\nThe server's last words:\n{server.log_tail()}") from None

    async def _paint_photo(self, desk: Desk, server: DemoServer) -> None:
        sent = {**WATERCOLOR, "imageUrls": [desk.photo_url]}
        task = await self._task(server, "1. A photo and a prompt", sent, desk.callback_url)
        try:
            letter = await desk.letter(CALLBACK_SECONDS)
        except TimeoutError:
            raise DemoFailed(f"no callback came within {CALLBACK_SECONDS:.0f} s") from None
        if not letter.signed:
            raise DemoFailed("the callback's signature is wrong")
        asked = await server.query(task["taskId"])
        if letter.envelope != {"code": 0, "msg": "ok", "data": asked}:
            raise DemoFailed(f"the callback is not what the query answers:\n{letter.envelope}\n{asked}")
        self._say("   callback  came, is signed, and equals the query's answer")
        shutil.copyfile(self._photo, self._out / "photo.jpg")
        await self._save(server, asked, "watercolor.png")

    async def _paint_city(self, server: DemoServer) -> None:
        task = await self._task(server, "2. Words alone", CITY, None)
        await self._save(server, task, "cyberpunk.png")

    async def _task(self, server: DemoServer, title: str, sent: Json, callback: str | None) -> Json:
        """Submit, follow to the end, and insist on success."""
        body = {"model": "seedream-4.5", "input": sent} | ({"callBackUrl": callback} if callback else {})
        self._say(f"\n[bold]{title}[/]: {sent['prompt']!r}, {sent['ratio']}, {sent['resolution']}")
        started = time.monotonic()
        task_id = await server.submit(body)
        self._say(f"   submitted in {(time.monotonic() - started) * 1000:.0f} ms: task {task_id}")
        with self._bar() as bar:
            task = await self._follow(server, task_id, started, bar)
        if task["status"] != "SUCCESS":
            raise DemoFailed(f"the task ended as {task['status']}: {task['failure_message']}")
        for warning in task["warnings"]:
            self._say(f"   note      {warning}")
        return task

    async def _follow(self, server: DemoServer, task_id: str, started: float, bar: _Bar) -> Json:
        seen = ""
        while True:
            task = await server.query(task_id)
            if task["status"] != seen:
                seen = task["status"]
                by = f"  [dim]by {task['engine']}[/]" if seen == "SUBMITTED" else ""
                self._say(f"   {time.monotonic() - started:5.1f} s   {seen}{by}")
            bar.show(task["progress"])
            if seen in ENDED:
                return task
            if time.monotonic() - started > TASK_SECONDS:
                raise DemoFailed(f"after {TASK_SECONDS:.0f} s the task is still {seen}")
            await asyncio.sleep(POLL_SECONDS)

    async def _save(self, server: DemoServer, task: Json, name: str) -> None:
        path = self._out / name
        await server.download(task["result"]["urls"][0], path)
        image = task["images"][0]
        if path.stat().st_size != image["bytes"]:
            raise DemoFailed(f"{path} has {path.stat().st_size} bytes instead of {image['bytes']}")
        self._say(f"   picture   [bold green]{path}[/]  {image['width']} x {image['height']}")

    @contextmanager
    def _bar(self) -> Iterator[_Bar]:
        if not self._console.is_terminal:
            yield _Bar(None)
            return
        columns = (TextColumn("  "), BarColumn(40), TextColumn("{task.percentage:3.0f} %"), TimeElapsedColumn())
        with Progress(*columns, console=self._console, transient=True) as progress:
            yield _Bar(progress)

    def _say(self, text: str) -> None:
        self._console.print(text)


class _Bar:
    """A progress bar, or nothing where there is no terminal."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=1.0) if progress is not None else None

    def show(self, fraction: float) -> None:
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, completed=fraction)


def _shipped(path: Path) -> Path:
    """A file of the repository, from wherever inside or outside of it the demo is run."""
    source = Path(__file__).resolve().parents[3] / path
    return path if path.is_file() or not source.is_file() else source


def _by_hand(photo: Path) -> str:
    beside = Path(sys.executable).with_name("aquatint")
    return demo_by_hand.commands(
        aquatint=_short(beside) if beside.is_file() else "aquatint",
        python=_short(Path(sys.executable)),
        photo=Path(_short(photo)),
        receiver=Path(_short(_shipped(RECEIVER))),
        watercolor=WATERCOLOR,
        city=CITY,
    )


def _short(path: Path) -> str:
    """The path as one would type it from here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)
