"""Server-sent events out of bytes, cut anywhere, after the HTML standard (section 9.2.6)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_LINE_END = re.compile(rb"\r\n|\n|\r")


@dataclass(slots=True)
class Events:
    """Feed it chunks, take events: each a name (empty when none was sent) and its data."""

    _rest: bytes = b""
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, chunk: bytes) -> list[tuple[str, str]]:
        buffer = self._rest + chunk
        found: list[tuple[str, str]] = []
        start = 0
        for end in _LINE_END.finditer(buffer):
            if end.end() == len(buffer) and end.group() == b"\r":
                break  # the other half of this line end may come with the next chunk
            found += self._line(buffer[start : end.start()])
            start = end.end()
        self._rest = buffer[start:]
        return found

    def end(self) -> list[tuple[str, str]]:
        """What is left when the stream is over, complete or not: whoever reads it will see."""
        last, self._rest = self._rest.removesuffix(b"\r"), b""
        return [*self._line(last), *self._line(b"")] if last else self._line(b"")

    def _line(self, line: bytes) -> list[tuple[str, str]]:
        if not line:
            event = [(self._name, "\n".join(self._data))] if self._data else []
            self._name, self._data = "", []
            return event
        name, _, value = line.decode("utf-8", "replace").removeprefix("\ufeff").partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._name = value
        return []
