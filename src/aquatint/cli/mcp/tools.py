"""The tools: each a question to the server, answered in words, pictures and plain data."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.types import CallToolResult, ContentBlock
from pydantic import Field

from aquatint.cli.mcp import shown
from aquatint.cli.mcp.sources import SourceRefused, Sources
from aquatint_client import (
    AquatintError,
    AsyncAquatint,
    Progress,
    Task,
    TaskError,
    WaitTimedOut,
)

MODEL = "seedream-4.5"
LIST_MOST = 50
STEP = 1e-4  # by which a notification without progress still goes up, as the protocol wants it

Prompt = Annotated[str, Field(description="What to paint, or what to change in the pictures.", max_length=8000)]
ModelName = Annotated[str, Field(description="A name from list_models.")]
Ratio = Annotated[str | None, Field(description="Shape such as 16:9; list_models has each model's.")]
Resolution = Annotated[str | None, Field(description="Size such as 1k, 2k or 4k; list_models has each model's.")]
Count = Annotated[int, Field(description="How many pictures.", ge=1, le=15)]
Seed = Annotated[
    str | None,
    Field(
        description="A whole number, as text: the same input and seed give the same picture.", pattern="^[0-9]{1,19}$"
    ),
]
Images = Annotated[
    list[str],
    Field(description="Reference pictures: URLs, data URLs, or file paths where they are allowed.", max_length=16),
]
TaskId = Annotated[str, Field(description="The id that generate_image, edit_image or list_tasks told.")]
Status = Annotated[
    str | None,
    Field(description="PENDING, PROCESSING, SUBMITTED, SUCCESS, FAILURE, TIMEOUT or CANCELLED."),
]
TaskResult = Annotated[CallToolResult, shown.TaskAnswer]
TaskListResult = Annotated[CallToolResult, shown.TaskList]
ModelListResult = Annotated[CallToolResult, shown.ModelAnswers]


class Tools:
    """`wait` is how long a tool waits for its pictures, in seconds; `save_dir` where copies are kept, None: nowhere.

    `client` is set before anything is served.
    """

    client: AsyncAquatint

    def __init__(self, sources: Sources, wait: float, save_dir: Path | None) -> None:
        self._sources = sources
        self._wait = wait
        self._save_dir = save_dir

    async def generate_image(
        self,
        prompt: Prompt,
        ctx: Context[Any, Any],
        model: ModelName = MODEL,
        ratio: Ratio = None,
        resolution: Resolution = None,
        n: Count = 1,
        seed: Seed = None,
        images: Images | None = None,
    ) -> TaskResult:
        """Paint pictures from words, and from reference pictures where they are given. Waits for them; when they take
        longer than that, the answer holds a task id for get_task."""
        fields = {"ratio": ratio, "resolution": resolution, "n": n, "seed": int(seed) if seed else None}
        return await self._made(ctx, prompt, model, images or [], fields)

    async def edit_image(
        self,
        prompt: Prompt,
        images: Images,
        ctx: Context[Any, Any],
        model: ModelName = MODEL,
        ratio: Ratio = None,
        resolution: Resolution = None,
        n: Count = 1,
        seed: Seed = None,
    ) -> TaskResult:
        """Change one or more pictures as the words say. Waits as generate_image does."""
        if not images:
            return _wrong("images: name at least one picture to edit")
        fields = {"ratio": ratio, "resolution": resolution, "n": n, "seed": int(seed) if seed else None}
        return await self._made(ctx, prompt, model, images, fields)

    async def get_task(self, task_id: TaskId, with_pictures: bool = True) -> TaskResult:
        """How a task stands, with its pictures once it has succeeded."""
        try:
            task = await self.client.get(task_id)
            return await self._answer(task, with_pictures=with_pictures)
        except AquatintError as error:
            return _wrong(str(error))

    async def list_tasks(
        self,
        status: Status = None,
        model: Annotated[str | None, Field(description="Only tasks of this model.")] = None,
        limit: Annotated[int, Field(description="How many at most.", ge=1, le=LIST_MOST)] = 10,
    ) -> TaskListResult:
        """The newest tasks."""
        found: list[shown.TaskAnswer] = []
        try:
            async for task in self.client.list(status=status, model=model, page_size=limit):
                found.append(shown.task_answer(task))
                if len(found) == limit:
                    break
        except AquatintError as error:
            return _wrong(str(error))
        lines = "\n".join(f"{task.task_id} {task.status} {task.model}: {(task.prompt or '')[:80]}" for task in found)
        return _result([shown.text(lines or "There are no such tasks.")], shown.TaskList(tasks=found))

    async def list_models(self) -> ModelListResult:
        """The models, with the shapes, sizes and numbers of pictures that each takes, and who paints for it here."""
        try:
            found = [shown.model_answer(model) for model in await self.client.models()]
        except AquatintError as error:
            return _wrong(str(error))
        lines = "\n".join(f"{model.name}: {model.title} (by {model.engine})" for model in found)
        return _result([shown.text(lines)], shown.ModelAnswers(models=found))

    async def cancel_task(self, task_id: TaskId) -> TaskResult:
        """End a task that waits or runs."""
        try:
            return await self._answer(await self.client.cancel(task_id), with_pictures=False)
        except AquatintError as error:
            return _wrong(str(error))

    async def _made(
        self, ctx: Context[Any, Any], prompt: str, model: str, images: list[str], fields: dict[str, Any]
    ) -> CallToolResult:
        try:
            taken = await asyncio.to_thread(self._sources, images)
            submitted = await self.client.submit(prompt, taken, model=model, **fields)
            async with _told(ctx) as listen:
                try:
                    result = await self.client.wait(submitted, timeout=self._wait, on_progress=listen)
                    task = result.task
                except WaitTimedOut:
                    task = await self.client.get(submitted)
                except TaskError as error:
                    task = error.task
            return await self._answer(task, with_pictures=True)
        except (AquatintError, SourceRefused) as error:
            return _wrong(str(error))

    async def _answer(self, task: Task, *, with_pictures: bool) -> CallToolResult:
        saved: list[str] = []
        blocks: list[ContentBlock] = []
        if task.succeeded and with_pictures:
            result = self.client.result(task)
            data = [await image.bytes() for image in result.images]
            if self._save_dir is not None:
                saved = await asyncio.to_thread(_save, self._save_dir, task, data)
            blocks = await asyncio.to_thread(shown.pictures, task, data)
        failed = task.done and not task.succeeded and task.status != "CANCELLED"
        return _result([shown.summary(task), *blocks], shown.task_answer(task, saved), failed=failed)


def _save(folder: Path, task: Task, data: list[bytes]) -> list[str]:
    """Under names of the task, so that the same picture is kept once."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, (image, body) in enumerate(zip(task.images, data, strict=True), 1):
        suffix = {"image/jpeg": "jpg", "image/webp": "webp"}.get(image.media_type or "", "png")
        path = folder / f"{task.id}-{number}.{suffix}"
        path.write_bytes(body)
        paths.append(str(path.resolve()))
    return paths


@contextlib.asynccontextmanager
async def _told(ctx: Context[Any, Any]) -> AsyncIterator[Callable[[Progress], None]]:
    """What is given each step of a task; it tells the client, one step after the other, only the latest."""
    latest: Progress | None = None
    news = asyncio.Event()

    def listen(step: Progress) -> None:
        nonlocal latest
        latest = step
        news.set()

    async def tell() -> None:
        shown_until = 0.0
        while True:
            await news.wait()
            news.clear()
            if latest is None:
                continue
            shown_until = max(latest.fraction or 0.0, shown_until + STEP)
            place = f", place {latest.queue.position} in line" if latest.queue else ""
            await ctx.report_progress(shown_until, 1.0, f"{latest.status}{place}")

    telling = asyncio.create_task(tell())
    try:
        yield listen
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


def _result(content: list[ContentBlock], data: Any, *, failed: bool = False) -> CallToolResult:
    return CallToolResult(content=content, structured_content=data.model_dump(mode="json"), is_error=failed)


def _wrong(text: str) -> CallToolResult:
    return CallToolResult(content=[shown.text(text)], is_error=True)
