"""The blocking client."""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import httpx

from aquatint_client import _download, _events, _http, _submit, _tasks, _wait
from aquatint_client._core import Core, LocalImages, make_core
from aquatint_client._images import ImageSource, loaded_and_uploaded
from aquatint_client._json import JsonObject, JsonValue
from aquatint_client._order import MODEL, order
from aquatint_client._sync_driver import SyncDriver
from aquatint_client.records import Account, Delivery, Model
from aquatint_client.values import Event, ImageInfo, Progress, Submitted, Task, TaskLike, UploadedFile, id_of

OnProgress = Callable[[Progress], object]


class ResultImage:
    """One picture of a result, not fetched until it is asked for."""

    def __init__(self, client: Aquatint, task: Task, index: int) -> None:
        self._client, self._task, self._index = client, task, index
        self.info: ImageInfo = task.images[index]

    @property
    def url(self) -> str:
        return self.info.url

    @property
    def width(self) -> int | None:
        return self.info.width

    @property
    def height(self) -> int | None:
        return self.info.height

    def save(self, target: str | os.PathLike[str] = ".", *, overwrite: bool = False) -> Path:
        """Into a folder under a free name, or to a file; its path. Raises DownloadFailed, OSError."""
        one = _download.plans(self._task, target, overwrite)[self._index]
        return self._client._driver.run(_download.save(self._client._core, self.url, one))

    def bytes(self) -> builtins.bytes:
        """The encoded picture. Raises DownloadFailed."""
        return self._client._driver.run(_download.in_memory(self._client._core, self.url))

    def __repr__(self) -> str:
        return f"ResultImage({self.url!r}, {self.width} x {self.height})"


class Result:
    """A task that succeeded, and its pictures."""

    def __init__(self, client: Aquatint, task: Task) -> None:
        self.task = task
        self.images = tuple(ResultImage(client, task, index) for index in range(len(task.urls)))

    def save(self, target: str | os.PathLike[str] = ".", *, overwrite: bool = False) -> list[Path]:
        """Save every picture: into a folder, or to a file (several are numbered); the paths in order."""
        return [image.save(target, overwrite=overwrite) for image in self.images]

    def __repr__(self) -> str:
        return f"Result({self.task.id}, {len(self.images)} images)"


class Aquatint:
    """A client of one server, with one key. Close it, or use it in a `with` block.

    `strict` uses nothing but the documented MaxAPI, for servers that are no Aquatint. `local_images` says how images
    of this machine travel: uploaded, or inside the submit. `request_timeout` in seconds, `max_download` in bytes.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        strict: bool = False,
        local_images: LocalImages = "auto",
        retries: int = 5,
        request_timeout: float = 60.0,
        max_download: int = 256 << 20,
        http_client: httpx.Client | None = None,
    ) -> None:
        self._core: Core = make_core(
            base_url, api_key, strict=strict, local_images=local_images, retries=retries, max_download=max_download
        )
        self._own = http_client is None
        self._http = http_client or httpx.Client(timeout=_http.timeouts(request_timeout))
        self._driver = SyncDriver(self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; a client of httpx that was given stays open."""
        if self._own:
            self._http.close()

    def __repr__(self) -> str:
        return f"Aquatint({self._core.url!r}{', strict=True' if self._core.strict else ''})"

    def generate(
        self,
        prompt: str,
        images: ImageSource | Iterable[ImageSource] = (),
        *,
        model: str = MODEL,
        ratio: str | None = None,
        resolution: str | None = None,
        n: int | None = None,
        seed: int | None = None,
        callback_url: str | None = None,
        user_id: str | None = None,
        timeout: float | None = 600.0,
        on_progress: OnProgress | None = None,
        idempotency_key: str | None = None,
        task_fields: Mapping[str, JsonValue] | None = None,
        **options: JsonValue,
    ) -> Result:
        """Submit, wait, and answer the pictures. `timeout` in seconds is for the wait, None waits for ever.

        `options` go into `input` (such as `output_format`), `task_fields` beside it (such as `priority`). Raises what
        `submit` and `wait` raise.
        """
        submitted = self.submit(
            prompt,
            images,
            model=model,
            ratio=ratio,
            resolution=resolution,
            n=n,
            seed=seed,
            callback_url=callback_url,
            user_id=user_id,
            idempotency_key=idempotency_key,
            task_fields=task_fields,
            **options,
        )
        return self._wait(submitted, timeout, on_progress, fresh=True)

    def submit(
        self,
        prompt: str,
        images: ImageSource | Iterable[ImageSource] = (),
        *,
        model: str = MODEL,
        ratio: str | None = None,
        resolution: str | None = None,
        n: int | None = None,
        seed: int | None = None,
        callback_url: str | None = None,
        user_id: str | None = None,
        idempotency_key: str | None = None,
        task_fields: Mapping[str, JsonValue] | None = None,
        **options: JsonValue,
    ) -> Submitted:
        """Submit a task; never twice. Raises Misuse, ApiError, ConnectionFailed, SubmitUnknown."""
        fields = {"ratio": ratio, "resolution": resolution, "n": n, "seed": seed, **options}
        wanted = order(prompt, images, model, callback_url, user_id, idempotency_key, task_fields, fields)
        return self._driver.run(_submit.submit(self._core, wanted))

    def rerun(self, task: TaskLike, *, seed: int | None = None, callback_url: str | None = None) -> Submitted:
        """Submit the same input again as a new task. Raises Misuse where the server kept only a part of the input."""
        return self._driver.run(_submit.rerun(self._core, task, {"seed": seed}, callback_url))

    def wait(self, task: TaskLike, *, timeout: float | None = 600.0, on_progress: OnProgress | None = None) -> Result:
        """Wait for the end of a task. Raises TaskError, WaitTimedOut, and what `get` raises."""
        return self._wait(task, timeout, on_progress, fresh=isinstance(task, Submitted))

    def _wait(self, task: TaskLike, timeout: float | None, on_progress: OnProgress | None, *, fresh: bool) -> Result:
        flow = _wait.wait(self._core, id_of(task), timeout, fresh=fresh)
        listen = cast("Callable[[object], object] | None", on_progress)
        return Result(self, self._driver.run(flow, listen))

    def get(self, task: TaskLike) -> Task:
        """The task now. Raises NotFound and other ApiErrors, ConnectionFailed."""
        return self._driver.run(_tasks.get(self._core, id_of(task)))

    def result(self, task: Task) -> Result:
        """The pictures of a task that has ended well. Raises TaskError for another end."""
        if not task.succeeded:
            raise _wait.ended_badly(task)
        return Result(self, task)

    def events(self, task: TaskLike | None = None, *, last_event_id: str = "") -> Iterator[Event]:
        """Events as they happen: of one task to its end, or of all tasks of the key for ever. Breaks are mended."""
        flow = _events.events(self._core, id_of(task) if task is not None else None, last_event_id)
        return cast("Iterator[Event]", self._driver.iterate(flow))

    def cancel(self, task: TaskLike) -> Task:
        """End a task at once. Raises Conflict when it had ended already."""
        return self._driver.run(_tasks.cancel(self._core, id_of(task)))

    def delete(self, task: TaskLike) -> None:
        """Remove an ended task and its pictures from the server."""
        self._driver.run(_tasks.delete(self._core, id_of(task)))

    def trace(self, task: TaskLike) -> JsonObject:
        """Every attempt and every paid call of a task, as the server tells it."""
        return self._driver.run(_tasks.trace(self._core, id_of(task)))

    def list(
        self,
        *,
        status: str | None = None,
        model: str | None = None,
        user_id: str | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        updated_after: datetime | str | None = None,
        page_size: int = 50,
    ) -> Iterator[Task]:
        """The key's tasks, newest first; pages are fetched as they are needed."""
        filters = {
            "status": status,
            "model": model,
            "userId": user_id,
            "createdAfter": created_after,
            "createdBefore": created_before,
            "updatedAfter": updated_after,
        }
        return cast("Iterator[Task]", self._driver.iterate(_tasks.pages(self._core, filters, page_size)))

    def upload(self, image: ImageSource) -> UploadedFile:
        """Give the server a reference image once, to use its URL in many tasks. Raises BadImage."""
        return self._driver.run(loaded_and_uploaded(self._core, image))

    def models(self) -> Sequence[Model]:
        """The models that the key may use."""
        return self._driver.run(_tasks.models(self._core))

    def account(self) -> Account:
        """The key's own account."""
        return self._driver.run(_tasks.account(self._core))

    def deliveries(self, task: TaskLike) -> Sequence[Delivery]:
        """The log of a task's callbacks."""
        return self._driver.run(_tasks.deliveries(self._core, id_of(task)))

    def redeliver(self, task: TaskLike) -> None:
        """Send a task's callback again."""
        self._driver.run(_tasks.redeliver(self._core, id_of(task)))
