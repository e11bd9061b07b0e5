"""The tasks: their way through the statuses, their pictures, their bill and their callbacks."""

from __future__ import annotations

import asyncio
import base64
import io
import time
import uuid
import zlib
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass, field

import aiohttp
import msgspec
from PIL import Image, UnidentifiedImageError

from aquatint.catalog.models import ModelSpec
from aquatint.domain.errors import AquatintError, FailureReason, InvalidInput
from aquatint.domain.size import Size
from aquatint.testing.simulators.desk import Desk, SeenCall
from aquatint.testing.simulators.faults import Faults
from aquatint.testing.simulators.painter import media_type
from aquatint.webhooks.signature import Signer
from aquatint.wire import answers, requests, times

WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"the simulator's standing secret.").decode()
FIRST_CALLBACK = 0.5  # seconds after the submit: receivers know the taskId only when it has been answered
CALLBACK_TRIES = 3
CALLBACK_WAIT = 0.5  # seconds between two of them
CALLBACK_SECONDS = 10.0  # for one of them
# What `[[fail:CODE]]` ends a task with.
FAILS: dict[str, tuple[str, FailureReason | None]] = {
    "CONTENT_MODERATION": ("FAILURE", "CONTENT_MODERATION"),
    "INVALID_PARAMETERS": ("FAILURE", "INVALID_PARAMETERS"),
    "INSUFFICIENT_POINTS": ("FAILURE", "INSUFFICIENT_POINTS"),
    "null": ("FAILURE", None),
    "FAILED": ("FAILED", None),  # as some servers spell it
    "TIMEOUT": ("TIMEOUT", None),
    "CANCELLED": ("CANCELLED", None),
}

_KEPT = 10_000  # tasks
_RUNNING = ("PENDING", "PROCESSING", "SUBMITTED")
_FORGED_SECRET = "whsec_" + base64.b64encode(b"somebody else's standing secret.").decode()


@dataclass(slots=True)
class Task:
    """One task. `created_at` and `updated_at` in microseconds since 1970, `began` by the monotonic clock."""

    draft: requests.Draft
    model: ModelSpec
    call: SeenCall
    wrong: Faults
    seconds: float  # how long it takes
    key: str = ""  # its idempotency key
    digest: bytes = b""  # of its submit
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "PENDING"
    reason: FailureReason | None = None
    message: str | None = None
    urls: list[str] = field(default_factory=list)
    images: list[answers.ImageData] = field(default_factory=list)
    created_at: int = field(default_factory=lambda: time.time_ns() // 1000)
    updated_at: int = field(default_factory=lambda: time.time_ns() // 1000)
    began: float = field(default_factory=time.monotonic)
    work: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        return self.status not in _RUNNING

    @property
    def form(self) -> str:
        return str(self.draft.options.get("output_format") or "png")

    def seed(self, number: int) -> int:
        """Of an image, counted from 1."""
        first = self.draft.seed if self.draft.seed is not None else zlib.crc32(self.draft.prompt.encode())
        return first + number - 1

    def move(self, status: str) -> None:
        self.status = status
        self.updated_at = time.time_ns() // 1000

    def progress(self) -> float:
        """By the clock; 1 only when the pictures are there."""
        if self.status == "SUCCESS":
            return 1.0
        passed = time.monotonic() - self.began
        return round(min(0.95, passed / self.seconds), 3) if self.seconds and not self.ended else 0.0


class Workshop:
    """Holds the tasks and works on all of them at once. Opened and closed with the application."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tasks: OrderedDict[str, Task] = OrderedDict()
        self._keys: dict[str, Task] = {}
        self._chores: set[asyncio.Task[None]] = set()
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALLBACK_SECONDS))

    async def close(self) -> None:
        for chore in tuple(self._chores):
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def find(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def known(self, key: str) -> Task | None:
        """The task that was submitted with this idempotency key."""
        return self._keys.get(key)

    def begin(self, task: Task) -> Task:
        """From here on the task is billed, and works whether or not its answer arrives."""
        self._desk.charge(task.call, task.draft.n)
        self._tasks[task.id] = task
        if task.key:
            self._keys[task.key] = task
        while len(self._tasks) > _KEPT:
            _, oldest = self._tasks.popitem(last=False)
            self._keys.pop(oldest.key, None)
        task.work = self._chore(self._work(task))
        return task

    def cancel(self, task: Task) -> None:
        """End the task; one that has ended stays as it is."""
        if not task.ended:
            if task.work is not None:
                task.work.cancel()
            self._end(task, "CANCELLED", None, "the task was cancelled by its owner")

    def shown(self, task: Task) -> answers.FullTaskData:
        """The task object of queries and callbacks."""
        made = task.status == "SUCCESS"
        return answers.FullTaskData(
            taskId=task.id,
            status=task.status,
            input=msgspec.Raw(task.draft.echo),
            result=answers.ResultData("image", task.urls) if made else None,
            failure_reason=task.reason,
            created_at=times.render(task.created_at),
            updated_at=times.render(task.updated_at),
            engine="simulator" if task.status != "PENDING" else None,
            progress=task.progress(),
            failure_message=task.message,
            warnings=[],
            images=task.images,
            expires_at=times.render(task.updated_at + int(self._desk.link_seconds * 1e6)) if made else None,
            queue=None,
        )

    async def _work(self, task: Task) -> None:
        for status in ("PROCESSING", "SUBMITTED"):
            await asyncio.sleep(task.seconds * 0.1)
            task.move(status)
        try:
            pictures = [] if task.wrong.fail else await self._pictures(task)
            await asyncio.sleep(max(0.0, task.began + task.seconds - time.monotonic()))
            if task.wrong.fail:
                self._end(task, *FAILS[task.wrong.fail], "the simulator was told to fail")
            elif pictures:
                self._publish(task, pictures)
            else:
                self._end(task, "FAILURE", None, "none of the images was made")
        except InvalidInput as error:
            self._end(task, "FAILURE", "INVALID_PARAMETERS", error.message)
        except AquatintError as error:
            self._end(task, "FAILURE", None, f"the painter failed ({type(error).__name__})")

    async def _pictures(self, task: Task) -> list[tuple[int, bytes]]:
        """Number and bytes of each image that is made. What is behind URLs is not fetched, so it has no part."""
        draft = task.draft
        references = [item.data for item in draft.references if isinstance(item, requests.InlineImage)]
        sizes = [_size(data) for data in references]
        if None in sizes:
            raise InvalidInput("input.imageUrls", "holds something that is no image")
        size = task.model.size(
            draft.ratio, draft.resolution or task.model.default_resolution, sizes[0] if sizes else None
        )
        made = []
        for number in range(1, draft.n + 1):
            if number not in task.wrong.partial:
                seed = task.seed(number)
                data = await self._desk.paint(
                    draft.prompt, references, size.width, size.height, seed, task.form, task.wrong
                )
                made.append((number, data))
        return made

    def _publish(self, task: Task, pictures: list[tuple[int, bytes]]) -> None:
        for number, data in pictures:
            size = _size(data) or Size(0, 0)
            task.urls.append(self._desk.publish(data, task.form, task.wrong))
            task.images.append(
                answers.ImageData(size.width, size.height, media_type(task.form), len(data), task.seed(number))
            )
        self._end(task, "SUCCESS", None, None)

    def _end(self, task: Task, status: str, reason: FailureReason | None, message: str | None) -> None:
        """The last status: what was not made is given back, and whoever wants to know is told."""
        task.reason, task.message = reason, message
        task.move(status)
        self._desk.charge(task.call, len(task.urls) - task.draft.n)
        if task.draft.callback_url is not None and not task.wrong.silent:
            self._chore(self._call_back(task, task.draft.callback_url))

    async def _call_back(self, task: Task, url: str) -> None:
        await asyncio.sleep(max(0.0, task.began + FIRST_CALLBACK - time.monotonic()))
        body = answers.ok(self.shown(task))
        signer = Signer([_FORGED_SECRET if task.wrong.forged else WEBHOOK_SECRET])
        letter = str(uuid.uuid4())
        for _ in range(2 if task.wrong.twice else 1):
            for attempt in range(CALLBACK_TRIES):
                if attempt:
                    await asyncio.sleep(CALLBACK_WAIT)
                if await self._posted(url, body, signer.headers(letter, int(time.time()), body)):
                    break

    async def _posted(self, url: str, body: bytes, headers: dict[str, str]) -> bool:
        if self._session is None:
            return False
        try:
            async with self._session.post(
                url, data=body, headers={"Content-Type": "application/json", **headers}, allow_redirects=False
            ) as response:
                return 200 <= response.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    def _chore(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        chore = asyncio.create_task(work)
        self._chores.add(chore)
        chore.add_done_callback(self._chores.discard)
        return chore


def _size(data: bytes) -> Size | None:
    """Width and height of an encoded image; None when it is none."""
    try:
        return Size(*Image.open(io.BytesIO(data)).size)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
