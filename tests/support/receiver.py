"""A webhook receiver that runs in a thread, so that tests without an event loop can use it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from aquatint.testing.receiver import Answer, Received, WebhookReceiver

T = TypeVar("T")


class ThreadedReceiver:
    """`aquatint.testing.receiver.WebhookReceiver` behind blocking methods. `Received.at` is `time.monotonic()`."""

    def __init__(self, answer: Callable[[Received], Answer] | None = None, *, host: str = "127.0.0.1") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhook-receiver")
        self._receiver = WebhookReceiver(answer, host=host)

    @property
    def url(self) -> str:
        return self._receiver.url

    @property
    def port(self) -> int:
        return int(self.origin.rpartition(":")[2])

    @property
    def origin(self) -> str:
        return self._receiver.origin

    @property
    def letters(self) -> list[Received]:
        return list(self._receiver.letters)

    def answer_with(self, answer: Callable[[Received], Answer]) -> None:
        """Decide every later answer by `answer`, which runs in the receiver's thread."""
        self._receiver.answer = answer

    def wait_for(self, count: int, timeout: float = 15.0) -> list[Received]:
        """Block until `count` letters have come in all. Raises TimeoutError."""
        return self._run(self._receiver.wait_for(count, timeout))

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._receiver.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._receiver.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
