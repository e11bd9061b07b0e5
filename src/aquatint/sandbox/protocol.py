"""What server and worker say to each other: a msgpack head and a raw body, both with their length in front.

The body stays outside msgpack because results are tens of megabytes and need not be copied to be framed.
"""

from __future__ import annotations

import struct

import msgspec

PREFIX = struct.Struct(">IQ")  # bytes of the head, bytes of the body
MAX_HEAD_BYTES = 1 << 20
MAX_BODY_BYTES = 1 << 30


class Job(msgspec.Struct, frozen=True, tag="job"):
    """Server to worker: call `target` with the body, within `cpu_seconds`."""

    number: int
    target: str
    cpu_seconds: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """Worker to server, once: limits are in force and the warm modules are imported."""


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """Worker to server: fraction done (0..1) and the stage."""

    number: int
    fraction: float
    stage: str


class Done(msgspec.Struct, frozen=True, tag="done"):
    """Worker to server: the body is the result."""

    number: int


class Declined(msgspec.Struct, frozen=True, tag="declined"):
    """Worker to server: the function raised Refused."""

    number: int
    message: str


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """Worker to server: the function raised something else. `usable`: the worker can take another job."""

    number: int
    detail: str
    usable: bool


Reply = Ready | Progress | Done | Declined | Failed


def frame_start(head: Job | Reply, body_bytes: int) -> bytes:
    """Everything of a frame but its body."""
    encoded = msgspec.msgpack.encode(head)
    return PREFIX.pack(len(encoded), body_bytes) + encoded


def read_lengths(prefix: bytes) -> tuple[int, int]:
    """Lengths of head and body. Raises ValueError when the other side speaks nonsense."""
    head_bytes, body_bytes = PREFIX.unpack(prefix)
    if head_bytes > MAX_HEAD_BYTES or body_bytes > MAX_BODY_BYTES:
        raise ValueError("a frame is larger than allowed")
    return head_bytes, body_bytes


def read_reply(head: bytes) -> Reply:
    """Raises ValueError (msgspec's errors are ValueErrors)."""
    return msgspec.msgpack.decode(head, type=Reply)  # type: ignore[no-any-return]


def read_job(head: bytes) -> Job:
    """Raises ValueError."""
    return msgspec.msgpack.decode(head, type=Job)
