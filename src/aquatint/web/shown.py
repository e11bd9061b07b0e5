"""Tasks as the pages show them: words for statuses, plates for pictures to come, prints for those that are there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aquatint.web.desk import Json

LONG_SIDE = 720  # units of a plate's drawing
UNKNOWN = "1:1"  # the shape of a plate whose ratio is only known to the engine
WORDS = {
    "PENDING": ("In line", "waiting"),
    "PROCESSING": ("Being prepared", "running"),
    "SUBMITTED": ("Being painted", "running"),
    "SUCCESS": ("Done", "good"),
    "FAILURE": ("Failed", "bad"),
    "FAILED": ("Failed", "bad"),  # compat.failure_word
    "TIMEOUT": ("Too late", "bad"),
    "CANCELLED": ("Cancelled", "quiet"),
}
OPEN = ("PENDING", "PROCESSING", "SUBMITTED")
IMAGE_FIELDS = ("imageUrls", "image_urls", "images", "image")
SHAPES = {
    "r043": 0.43,
    "r056": 0.56,
    "r067": 0.67,
    "r075": 0.75,
    "r100": 1.0,
    "r133": 1.33,
    "r150": 1.5,
    "r178": 1.78,
    "r233": 2.33,
}
SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Addresses:
    """`base` is how the server calls itself in result URLs; its pages reach the same files by their paths."""

    base: str

    def local(self, url: str) -> str:
        return url.removeprefix(self.base) if self.ours(url) else url

    def ours(self, url: str) -> bool:
        return url.startswith(f"{self.base}/files/")

    def near(self, url: str) -> str:
        """A small copy that our pages may show; empty for pictures elsewhere, which our policy keeps out."""
        return self.small(url, 640) if self.ours(url) else ""

    def small(self, url: str, width: int) -> str:
        return f"{self.local(url)}?w={width}" if self.ours(url) else url


@dataclass(frozen=True, slots=True)
class Plate:
    """A picture that is still being made. `percent` of it is done."""

    number: int
    width: int
    height: int
    percent: int


@dataclass(frozen=True, slots=True)
class Print:
    """A picture that is there. `url` is its public address, the others are paths of this server."""

    number: int
    url: str
    path: str
    small: str
    large: str
    width: int
    height: int
    seed: int | None
    bytes: int
    media_type: str

    @property
    def shape(self) -> str:
        """The style sheet's class for pictures of about this shape."""
        ratio = self.width / max(1, self.height)
        return min(SHAPES, key=lambda name: abs(SHAPES[name] - ratio))


@dataclass(frozen=True, slots=True)
class Run:
    """One task."""

    id: str
    model: str
    prompt: str
    status: str
    word: str
    tone: str
    over: bool
    percent: int
    place: str
    plates: tuple[Plate, ...]
    prints: tuple[Print, ...]
    references: tuple[str, ...]
    before: str | None
    seed: int | None
    engine: str | None
    message: str | None
    reason: str | None
    warnings: tuple[str, ...]
    created_at: str
    updated_at: str
    expires_at: str | None
    input: Json

    @property
    def alt(self) -> str:
        return self.prompt if len(self.prompt) <= 240 else f"{self.prompt[:239]}…"

    @property
    def news(self) -> str:
        """What a screen reader is told when it changes."""
        return f"{self.word}. {self.place}" if self.place else f"{self.word}."

    @property
    def took(self) -> str:
        return span((_time(self.updated_at) - _time(self.created_at)).total_seconds()) if self.over else ""


def run_of(task: Json, addresses: Addresses) -> Run:
    """The view of what queries answer."""
    fields: Json = task["input"] if isinstance(task["input"], dict) else {}
    status = str(task["status"])
    word, tone = WORDS.get(status, (status.capitalize(), "quiet"))
    references = references_of(fields)
    prints = _prints(task, addresses)
    over = status not in OPEN
    first = next(iter(references), "")
    progress = float(task.get("progress") or 0.0)
    return Run(
        id=str(task["taskId"]),
        model=str(fields.get("model", "")),
        prompt=str(fields.get("prompt", "")),
        status=status,
        word=word,
        tone=tone,
        over=over,
        percent=round(100 * progress),
        place=_place(task.get("queue")),
        plates=() if over else _plates(fields, progress),
        prints=prints,
        references=references,
        before=addresses.small(first, 1280) if addresses.ours(first) else None,
        seed=next((one.seed for one in prints if one.seed is not None), fields.get("seed")),
        engine=task.get("engine"),
        message=task.get("failure_message"),
        reason=task.get("failure_reason"),
        warnings=tuple(task.get("warnings") or ()),
        created_at=str(task["created_at"]),
        updated_at=str(task["updated_at"]),
        expires_at=task.get("expires_at"),
        input=fields,
    )


def references_of(fields: Json) -> tuple[str, ...]:
    """The reference images of an input that have an address; those that came inside the request have none."""
    for name in IMAGE_FIELDS:
        value = fields.get(name)
        if value:
            items = value if isinstance(value, list) else [value]
            urls = [item.get("url") if isinstance(item, dict) else item for item in items]
            return tuple(url for url in urls if isinstance(url, str) and not url.startswith("data:"))
    return ()


def shape(ratio: str, long_side: int) -> tuple[int, int]:
    """Width and height of a ratio such as 16:9."""
    found = re.fullmatch(r"(\d{1,4}):(\d{1,4})", ratio)
    width, height = (int(found[1]), int(found[2])) if found else (1, 1)
    longest = max(width, height, 1)
    return max(1, round(long_side * width / longest)), max(1, round(long_side * height / longest))


def _plates(fields: Json, progress: float) -> tuple[Plate, ...]:
    count = fields.get("n")
    count = count if isinstance(count, int) and 0 < count <= 32 else 1
    width, height = shape(str(fields.get("ratio") or UNKNOWN), LONG_SIDE)
    # The engine tells how far the whole is; pictures are made one after the other, more or less.
    return tuple(
        Plate(number + 1, width, height, round(100 * min(1.0, max(0.0, progress * count - number))))
        for number in range(count)
    )


def _prints(task: Json, addresses: Addresses) -> tuple[Print, ...]:
    urls = (task.get("result") or {}).get("urls") or []
    return tuple(
        Print(
            number=number + 1,
            url=url,
            path=addresses.local(url),
            small=addresses.small(url, 640),
            large=addresses.small(url, 1280),
            width=image["width"],
            height=image["height"],
            seed=image["seed"],
            bytes=image["bytes"],
            media_type=image["media_type"],
        )
        for number, (url, image) in enumerate(zip(urls, task.get("images") or [], strict=False))
    )


def _place(queue: Json | None) -> str:
    if queue is None:
        return ""
    position = int(queue["position"])
    words = "Next in line" if position == 1 else f"Place {position} in line"
    soon, late = queue.get("eta_seconds_p50"), queue.get("eta_seconds_p90")
    if soon is None:
        return f"{words}."
    return f"{words}; done in about {span(soon)}" + (f", at most {span(late)}." if late and late > soon else ".")


def span(seconds: float | None) -> str:
    """A length of time in words, one unit."""
    if seconds is None:
        return "–"
    if seconds < SECOND:
        return f"{seconds * 1000:.0f} ms"
    for unit, size in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def clock(text: str) -> str:
    """A time as a person reads it, in UTC: pages are rendered where nobody knows the reader's zone."""
    return f"{_time(text):%d %b %Y, %H:%M:%S}"


def web(url: str) -> str:
    """An address that a link may lead to: a caller's own, but never a script."""
    return url if url.startswith(("http://", "https://")) else ""


def size(count: int) -> str:
    return f"{count / (1 << 20):.1f} MB" if count >= 1 << 20 else f"{max(1, count >> 10)} kB"


def number(value: float) -> str:
    """With thin spaces between the thousands."""
    return f"{value:,.0f}".replace(",", "\u202f")


FILTERS: dict[str, Callable[..., Any]] = {"span": span, "clock": clock, "size": size, "number": number}
