"""Server-sent events as a plain client reads them: lines from a socket, nothing clever."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from support.client import Client


@dataclass(frozen=True, slots=True)
class Sent:
    """One event; `id` is None when it had none."""

    name: str
    data: Any
    id: int | None = None


def read(response: httpx.Response) -> Iterator[Sent]:
    """The events of an open response, until it ends."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif "data" in fields:
            number = int(fields["id"]) if "id" in fields else None
            yield Sent(fields.get("event", "message"), json.loads(fields["data"]), number)
            fields = {}
        else:
            fields = {}


@contextlib.contextmanager
def following(client: Client, path: str, headers: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
    """An open stream, which must be one."""
    with client.http.stream("GET", path, headers=headers, timeout=httpx.Timeout(30.0)) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"] == "text/event-stream"
        yield response


def story(client: Client, task_id: str, after: int | None = None, **headers: str) -> list[Sent]:
    """All events of a task until the server ends the stream."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if after is not None:
        given["last-event-id"] = str(after)
    with following(client, f"/api/v1/task/{task_id}/events", given) as response:
        return list(read(response))


def history(events: list[Sent]) -> list[Sent]:
    """Those with an id."""
    return [event for event in events if event.id is not None]


class Follower:
    """Reads a stream in a thread until `stop`."""

    def __init__(self, client: Client, path: str = "/api/v1/events", after: int | None = None) -> None:
        self.events: list[Sent] = []
        self.ended = threading.Event()
        self._client = client
        self._path = path
        self._headers = {} if after is None else {"last-event-id": str(after)}
        self._open = threading.Event()
        self._response: httpx.Response | None = None
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        assert self._open.wait(10), "the stream did not open"

    def _read(self) -> None:
        try:
            with following(self._client, self._path, self._headers) as response:
                self._response = response
                self._open.set()
                for event in read(response):
                    self.events.append(event)
        except (httpx.HTTPError, httpx.StreamError):
            pass
        finally:
            self.ended.set()

    def until(self, holds: Callable[[list[Sent]], bool], timeout: float = 15.0) -> list[Sent]:
        """The events once `holds` says so of them."""
        end = time.monotonic() + timeout
        while not holds(list(self.events)):
            assert time.monotonic() < end, [(event.name, event.id) for event in self.events]
            time.sleep(0.01)
        return list(self.events)
