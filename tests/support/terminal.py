"""A command on a terminal of its own, and pictures out of what it wrote there."""

from __future__ import annotations

import base64
import contextlib
import io
import os
import pty
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from support.server import COMMAND, clean_environment


@dataclass(frozen=True, slots=True)
class Shown:
    code: int
    output: bytes


def on_terminal(
    arguments: Sequence[str],
    env: Mapping[str, str],
    *,
    interrupt: Callable[[bytes], bool] = lambda output: False,
    timeout: float = 40.0,
) -> Shown:
    """Run `aquatint` with a terminal as stdin, stdout and stderr; Ctrl-C is typed once `interrupt` says so.

    `interrupt` is given what was written until then.
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        env=clean_environment({"TERM": "xterm-256color", **env}),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_own_terminal,
    )
    os.close(slave)
    output, typed, end = bytearray(), False, time.monotonic() + timeout
    try:
        while time.monotonic() < end:
            if not typed and interrupt(bytes(output)):
                os.write(master, b"\x03")
                typed = True
            if select.select([master], [], [], 0.05)[0]:
                try:
                    piece = os.read(master, 65536)
                except OSError:  # the other end is closed
                    break
                if not piece:
                    break
                output += piece
        try:
            return Shown(process.wait(5), bytes(output))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"Ctrl-C typed: {typed}; it goes on after {bytes(output[-2000:])!r}") from None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(master)


def _own_terminal() -> None:
    """Make the terminal that of the new session, so that Ctrl-C reaches it."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # ignored where the tests themselves run in the background


def kitty(output: bytes) -> Image.Image:
    """The picture that kitty would show."""
    parts = re.findall(rb"\x1b_G([^;]*);([^\x1b]*)\x1b\\", output)
    assert b"a=T" in parts[0][0]
    assert [head[-3:] for head, _ in parts] == [b"m=1"] * (len(parts) - 1) + [b"m=0"]
    return Image.open(io.BytesIO(base64.b64decode(b"".join(text for _, text in parts), validate=True)))


def iterm(output: bytes) -> Image.Image:
    """The picture that iTerm2 would show."""
    (text,) = re.findall(rb"\x1b\]1337;File=inline=1[^:]*:([^\x07]*)\x07", output)
    return Image.open(io.BytesIO(base64.b64decode(text, validate=True)))


def sixel(output: bytes) -> Image.Image:
    """The picture that a VT340 would show."""
    match = re.search(rb'\x1bP[0-9;]*q"1;1;(\d+);(\d+)(.*?)\x1b\\', output, re.DOTALL)
    assert match is not None
    width, height = int(match[1]), int(match[2])
    pixels = np.zeros((height + 6, width, 3), np.uint8)
    palette: dict[int, tuple[int, ...]] = {}
    x = y = color = 0
    for token in re.finditer(rb"#(\d+)(?:;2;(\d+);(\d+);(\d+))?|(?:!(\d+))?([?-~])|(\$)|(-)", match[3]):
        if token[1] is not None:
            color = int(token[1])
            if token[2] is not None:
                palette[color] = tuple(round(int(part) * 255 / 100) for part in token.groups()[1:4])
        elif token[6] is not None:
            count = int(token[5] or 1)
            for bit in range(6):
                if (token[6][0] - 63) >> bit & 1:
                    pixels[y + bit, x : x + count] = palette[color]
            x += count
        else:
            x, y = 0, y + (6 if token[8] else 0)
    return Image.fromarray(pixels[:height])
