"""Pictures: fetched with a bound and without the key, and put into place whole or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO
from urllib.parse import urljoin, urlsplit

from aquatint_client._actions import Answer, Flow, Request, Trouble, close, open_stream, pause, read, work
from aquatint_client._answers import retry_after
from aquatint_client._core import Core
from aquatint_client._images import sniff
from aquatint_client.errors import DownloadFailed
from aquatint_client.values import Task

HOPS = 5
FLUSH = 1 << 20  # bytes that are gathered before they are written
STEM = 48  # characters of the prompt in a file's name
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tiff", ".avif", ".heic", ".mp4", ".webm"})


def in_memory(core: Core, url: str) -> Flow[bytes]:
    """The whole picture. Raises DownloadFailed."""
    buffer = io.BytesIO()
    yield from _into(core, url, buffer)
    return buffer.getvalue()


def save(core: Core, url: str, plan: Plan) -> Flow[Path]:
    """Fetch into a hidden file beside the target, then put it into place. Raises DownloadFailed, OSError."""
    part, file = yield from work(plan.begin)
    try:
        suffix = yield from _into(core, url, file)
        return (yield from work(lambda: plan.finish(part, file, suffix)))
    finally:
        file.close()
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where one picture goes: the very `file`, or a free name in `folder` that begins with `stem`."""

    folder: Path
    stem: str
    file: Path | None
    overwrite: bool

    def begin(self) -> tuple[Path, IO[bytes]]:
        """Raises OSError, FileExistsError before anything is fetched."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.file is not None and not self.overwrite and os.path.lexists(self.file):
            raise FileExistsError(f"{self.file} is there already; overwrite=True replaces it")
        part = self.folder / f".aquatint-{secrets.token_hex(8)}.part"
        return part, os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), "wb")

    def finish(self, part: Path, file: IO[bytes], suffix: str) -> Path:
        file.flush()
        os.fsync(file.fileno())
        file.close()
        if self.file is not None:
            _place(part, self.file, self.overwrite)
            return self.file
        for name in self._names(suffix):
            target = self.folder / name
            with contextlib.suppress(FileExistsError):
                _place(part, target, self.overwrite)
                return target
        raise FileExistsError(f"{self.folder} has too many files that are called {self.stem}")

    def _names(self, suffix: str) -> Iterator[str]:
        yield f"{self.stem}.{suffix}"
        yield from (f"{self.stem}-{number}.{suffix}" for number in range(2, 10_000))


def _place(part: Path, target: Path, overwrite: bool) -> None:
    """Move it there in one step. Raises FileExistsError where something is there that may not be replaced."""
    if overwrite:
        part.replace(target)
        return
    try:
        os.link(part, target)  # fails where there is a file; a rename would replace it
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        with target.open("xb"):
            pass
        part.replace(target)


def plans(task: Task, target: str | os.PathLike[str], overwrite: bool) -> list[Plan]:
    """Where each picture of the task goes: into a folder, or to a file; several are numbered."""
    given = os.fspath(target)
    path = Path(given)
    count = len(task.urls)
    if path.is_dir() or given.endswith(("/", os.sep)) or path.suffix.lower() not in _SUFFIXES:
        stem = _stem(task)
        return [Plan(path, f"{stem}-{number}", None, overwrite) for number in range(1, count + 1)]
    if count == 1:
        return [Plan(path.parent, path.stem, path, overwrite)]
    names = (path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, count + 1))
    return [Plan(path.parent, name.stem, name, overwrite) for name in names]


def _stem(task: Task) -> str:
    """A name that people recognise, of letters and digits only, and that another task does not have."""
    words = unicodedata.normalize("NFKC", task.prompt or "")
    slug = re.sub(r"[^\w]+", "-", words.lower()).strip("-_")[:STEM].strip("-_")
    end = re.sub(r"[^A-Za-z0-9]", "", task.id)[-6:].lower()
    return "-".join(part for part in (slug or "picture", end) if part)


def _into(core: Core, url: str, file: IO[bytes]) -> Flow[str]:
    """Fetch into the file, from the beginning each time; the suffix that its content has."""
    attempt = 0
    while True:
        why, wait = "", 0.0
        opened = yield from _open(core, url)
        if isinstance(opened, Answer) and opened.status == 200:
            result = yield from _copy(core, file)
            yield from close()
            if isinstance(result, bytes):
                return _suffix(url, result)
            why = result.why
        else:
            yield from close()
            if isinstance(opened, Answer):
                why, wait = f"status {opened.status}", retry_after(opened) or 0.0
                if opened.status not in (408, 425, 429, 500, 502, 503, 504):
                    gone = "; its time is over" if opened.status == 410 else ""
                    raise DownloadFailed(f"{_shown(url)} cannot be fetched: {why}{gone}")
            else:
                why = opened.why
        if attempt >= core.patience.retries or wait > core.patience.longest_asked:
            raise DownloadFailed(f"{_shown(url)} cannot be fetched: {why}")
        yield from pause(max(wait, core.patience.delay(attempt)))
        attempt += 1


def _open(core: Core, url: str) -> Flow[Answer | Trouble]:
    """Open a URL and follow where it leads. The key goes to none of them: the URL is the permission."""
    here = urljoin(f"{core.url}/", url)
    for _ in range(HOPS):
        if urlsplit(here).scheme not in ("http", "https"):
            raise DownloadFailed(f"{_shown(here)} is no address of the web")
        headers = {
            "user-agent": core.agent,
            "accept": "image/*,video/*;q=0.9,*/*;q=0.1",
            "accept-encoding": "identity",
        }
        reply = yield from open_stream(Request("GET", here, headers))
        if isinstance(reply, Trouble) or reply.status not in (301, 302, 303, 307, 308):
            return reply
        yield from close()
        here = urljoin(here, reply.headers.get("location", ""))
    raise DownloadFailed(f"{_shown(url)} leads from one address to the next without an end")


def _copy(core: Core, file: IO[bytes]) -> Flow[bytes | Trouble]:
    """The first bytes, or what went wrong. Raises DownloadFailed when it is too large."""
    yield from work(lambda: (file.seek(0), file.truncate()))
    gathered, head, size = bytearray(), b"", 0
    while True:
        piece = yield from read()
        if isinstance(piece, Trouble):
            return piece
        if piece is not None:
            size += len(piece)
            if size > core.max_download:
                yield from close()
                raise DownloadFailed(f"a picture is larger than {core.max_download} bytes (max_download)")
            gathered += piece
        if gathered and (piece is None or len(gathered) >= FLUSH):
            head = head or bytes(gathered[:32])
            yield from work(partial(file.write, bytes(gathered)))
            gathered.clear()
        if piece is None:
            return head


def _suffix(url: str, head: bytes) -> str:
    """By the content, whatever the URL or the server say. Raises DownloadFailed for what is no picture."""
    found = sniff(head)
    if found is None:
        raise DownloadFailed(f"{_shown(url)} is no picture")
    return found[0]


def _shown(url: str) -> str:
    """Without the query, which may be a signature."""
    return url.partition("?")[0][:200]
