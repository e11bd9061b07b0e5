"""One stream of events: opened, read message by message, and what stands in the way of it."""

from __future__ import annotations

from collections import deque

from aquatint_client import _json
from aquatint_client._actions import Answer, Flow, Trouble, call, close, open_stream, read
from aquatint_client._core import MAX_ANSWER, Core
from aquatint_client._json import JsonObject
from aquatint_client._sse import Message, SseParser, TooLong
from aquatint_client.values import Event, Task

QUIET = 45.0  # seconds of silence after which a stream is given up; the server says something every 15 s
FIRST_WORD = 6.0  # seconds for the first bytes: a proxy that keeps them back makes events useless
RETRY = 1.0  # seconds before a stream is opened again, where the server does not say


class Ear:
    """Opens a stream, again after each break, where it left off."""

    def __init__(self, core: Core, path: str, last_id: str = "") -> None:
        self._core = core
        self._path = path
        self._parser = SseParser()
        self._ready: deque[Message] = deque()
        self.last_id = last_id
        self.retry = RETRY
        self.patience = QUIET
        self.heard = False  # anything, since it was opened

    def open(self, longest: float = QUIET) -> Flow[Answer | Trouble | None]:
        """None: it is open. An Answer: the server says something else. `longest` bounds the wait for each piece."""
        self.patience = max(0.05, min(longest, QUIET if self._core.events_flow else FIRST_WORD))
        headers = {"accept": "text/event-stream", "accept-encoding": "identity", "cache-control": "no-store"}
        if self.last_id:
            headers["last-event-id"] = self.last_id
        request = self._core.request("GET", self._path, headers=headers, patience=self.patience)
        reply = yield from open_stream(request)
        if isinstance(reply, Trouble):
            return reply
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if reply.status == 200 and kind == "text/event-stream":
            self._parser, self._ready, self.heard = SseParser(), deque(), False
            return None
        return (yield from self._whole(reply))

    def _whole(self, head: Answer) -> Flow[Answer | Trouble]:
        body = bytearray()
        while len(body) < MAX_ANSWER:
            piece = yield from read()
            if isinstance(piece, Trouble):
                yield from close()
                return piece
            if piece is None:
                break
            body += piece
        yield from close()
        return Answer(head.status, head.headers, bytes(body))

    def next(self) -> Flow[Message | Trouble | None]:
        """The next message; None when something came that is no message yet; a Trouble at the end."""
        if not self._ready:
            piece = yield from read()
            if not isinstance(piece, bytes):
                return piece or Trouble("the stream ended")
            self.heard = self._core.events_flow = True
            try:
                self._ready.extend(self._parser.feed(piece))
            except TooLong as error:
                return Trouble(str(error))
            if self._parser.retry is not None:
                self.retry = self._parser.retry
        if not self._ready:
            return None
        message = self._ready.popleft()
        self.last_id = message.id or self.last_id
        return message


def fields_of(message: Message) -> JsonObject:
    """The JSON of a message; nothing where there is none."""
    try:
        return _json.as_object(_json.parse(message.data))
    except ValueError:
        return {}


def event_of(message: Message) -> Event:
    """The event that a message is."""
    fields = fields_of(message)
    whole = fields if message.event == "done" else _json.as_object(fields.get("task"))
    task = Task.of(whole) if whole.get("taskId") else None
    return Event(
        id=message.own_id,
        name=message.event,
        task_id=_json.text(fields, "taskId") or (task.id if task is not None else ""),
        at=_json.time(fields, "at"),
        detail=_detail(fields),
        task=task,
        raw=fields,
    )


def _detail(fields: JsonObject) -> str | None:
    """Words are kept as they are; other JSON is written as JSON."""
    detail = fields.get("detail")
    if detail is None or isinstance(detail, str):
        return detail
    return _json.write(detail)


def has_no_route(core: Core, task_path: str) -> Flow[bool]:
    """After a 404 of a task's events: whether the task is there, so that it is the route which is not."""
    reply = yield from call(core.request("GET", task_path), MAX_ANSWER)
    return isinstance(reply, Answer) and reply.status == 200
