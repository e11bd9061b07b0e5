"""What the engine and its worker processes say to each other, and the seeds that go with it. Light to import."""

from __future__ import annotations

import hashlib
import unicodedata

import msgspec

_SEED_BITS = 63


class RenderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One picture to make."""

    prompt: str
    references: tuple[bytes, ...]  # encoded pictures, checked and oriented; empty: from text alone
    width: int
    height: int
    seed: int
    index: int  # which of the task's pictures this is, from 0
    model: str
    version: str
    output_format: str
    strict: bool
    threads: int


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """One picture made."""

    data: bytes
    media_type: str
    width: int
    height: int
    warnings: tuple[str, ...]


def task_seed(prompt: str, references: tuple[bytes, ...], model: str) -> int:
    """Seed of a task that names none: the same request gives the same picture. BLAKE2b, 63 bits."""
    digest = hashlib.blake2b(digest_size=8)
    digest.update(" ".join(unicodedata.normalize("NFKC", prompt).casefold().split()).encode())
    for data in references:
        digest.update(b"\0" + hashlib.blake2b(data, digest_size=32).digest())
    digest.update(b"\0" + model.encode())
    return int.from_bytes(digest.digest(), "big") >> (64 - _SEED_BITS)


def image_seed(seed: int, index: int) -> int:
    """Seed of one picture of a task: the task's own for the first, unrelated ones after it."""
    if index == 0:
        return seed
    mixed = hashlib.blake2b(f"{seed}/{index}".encode(), digest_size=8).digest()
    return int.from_bytes(mixed, "big") >> (64 - _SEED_BITS)
