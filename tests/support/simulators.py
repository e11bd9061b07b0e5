"""The simulators in a thread, for tests and SDKs that have no event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.desk import Desk
from aquatint.testing.simulators.painter import Painter, PlainPainter

T = TypeVar("T")


class ThreadedSimulators:
    """All simulators with plain pictures, unless another painter is given."""

    def __init__(self, painter: Painter | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulators")
        self._simulators = Simulators(painter or PlainPainter())

    @property
    def desk(self) -> Desk:
        return self._simulators.desk

    @property
    def origin(self) -> str:
        return self._simulators.origin

    def base_url(self, engine: str) -> str:
        return self._simulators.base_url(engine)

    def environment(self, *engines: str) -> dict[str, str]:
        return self._simulators.environment(*engines)

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._simulators.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run(self._simulators.__aexit__(kind, error, trace))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60.0)
