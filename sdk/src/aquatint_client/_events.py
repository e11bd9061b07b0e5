"""Events as they happen, for as long as somebody listens."""

from __future__ import annotations

from aquatint_client._actions import Answer, Flow, Trouble, close, pause, tell
from aquatint_client._answers import refusal, retry_after
from aquatint_client._core import Core
from aquatint_client._listen import Ear, event_of
from aquatint_client.errors import ConnectionFailed, NotInStrictMode


def events(core: Core, task_id: str | None, last_event_id: str) -> Flow[None]:
    """Tells every event: of one task until it is done, of all tasks of the key for ever. Breaks are mended.

    Raises ApiError, ConnectionFailed, NotInStrictMode.
    """
    core.extension("tell events", "wait for the task with wait()")
    ear = Ear(core, core.task_path(task_id, "/events") if task_id else "/api/v1/events", last_event_id)
    failures = 0
    while True:
        opened = yield from ear.open()
        if opened is None:
            if (yield from _through(ear)):
                return
            failures = 0 if ear.heard else failures + 1
            why = "the stream brings nothing"
        else:
            failures += 1
            why = _passing(core, opened)
        if failures > core.patience.retries:
            raise ConnectionFailed(f"cannot listen to {core.url}: {why}")
        asked = retry_after(opened) if isinstance(opened, Answer) else None
        yield from pause(max(asked or 0.0, ear.retry if failures < 2 else core.patience.delay(failures)))


def _through(ear: Ear) -> Flow[bool]:
    """Tell what the open stream brings; whether it came to its proper end."""
    while True:
        message = yield from ear.next()
        if message is None:
            continue
        if isinstance(message, Trouble):
            yield from close()
            return False
        event = event_of(message)
        yield from tell(event)
        if event.name == "done":
            yield from close()
            return True


def _passing(core: Core, reply: Answer | Trouble) -> str:
    """Why there is no stream now. Raises what will not pass."""
    if isinstance(reply, Trouble):
        return reply.why
    if reply.status in (429, 500, 502, 503, 504):
        return f"status {reply.status}"
    if reply.status in (405, 406) or 200 <= reply.status < 300:
        raise NotInStrictMode(f"{core.url} tells no events; wait for the task with wait()")
    raise refusal(reply)
