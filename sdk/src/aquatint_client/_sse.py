"""Server-sent events from bytes, as the HTML standard reads them (section 9.2, event stream interpretation)."""

from __future__ import annotations

from dataclasses import dataclass

MAX_PENDING = 8 << 20  # bytes of one event that is not complete; a task's input may be large


@dataclass(frozen=True, slots=True)
class Message:
    """`id` is the last one that the stream gave, also where this message had none of its own (`own_id` is empty)."""

    event: str
    data: str
    id: str
    own_id: str


class TooLong(ValueError):
    """An event that does not end."""


class SseParser:
    """Fed with pieces of any size; a piece may end anywhere, also within a character or between CR and LF."""

    def __init__(self) -> None:
        self.last_id = ""
        self.retry: float | None = None  # seconds, as the server asked for
        self._line = bytearray()
        self._after_cr = False
        self._first = True
        self._event = ""
        self._data: list[str] = []
        self._own_id = ""
        self._held = 0

    def feed(self, piece: bytes) -> list[Message]:
        """The messages that this piece completes. Raises TooLong."""
        found: list[Message] = []
        start = 0
        if self._after_cr and piece:
            start = 1 if piece.startswith(b"\n") else 0
            self._after_cr = False
        while True:
            end = _line_end(piece, start)
            if end < 0:
                break
            self._line += piece[start:end]
            start = end + 1
            if piece[end] == 13:  # CR: an LF that follows belongs to it
                if start == len(piece):
                    self._after_cr = True
                elif piece[start] == 10:
                    start += 1
            message = self._take()
            if message is not None:
                found.append(message)
        self._line += piece[start:]
        if len(self._line) + self._held > MAX_PENDING:
            raise TooLong(f"an event is longer than {MAX_PENDING} bytes")
        return found

    def _take(self) -> Message | None:
        """Interpret the line that is complete."""
        line = self._line.decode("utf-8", "replace")
        self._line.clear()
        if self._first:
            line = line.removeprefix("\ufeff")
            self._first = False
        if not line:
            return self._dispatch()
        field, colon, value = line.partition(":")
        value = value.removeprefix(" ") if colon else ""
        match field:
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
                self._held += len(value)
            case "id" if "\0" not in value:
                self.last_id = self._own_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry = min(int(value[:9]) / 1000, 3600.0)
        return None

    def _dispatch(self) -> Message | None:
        event, data, own_id = self._event, self._data, self._own_id
        self._event, self._data, self._own_id, self._held = "", [], "", 0
        if not data:
            return None
        return Message(event or "message", "\n".join(data), self.last_id, own_id)


def _line_end(piece: bytes, start: int) -> int:
    """The first CR or LF from `start` on, -1 where there is none."""
    lf = piece.find(b"\n", start)
    cr = piece.find(b"\r", start, lf if lf >= 0 else len(piece))
    return cr if cr >= 0 else lf
