"""What the simulated Ark answers when it has worked: one JSON object, or the frames of a stream."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from aquatint.testing.simulators.ark_checks import Wanted
from aquatint.testing.simulators.ark_errors import Refused
from aquatint.testing.simulators.desk import Desk, SeenCall
from aquatint.testing.simulators.faults import Faults

_MARK = "AI generated"

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A call and what becomes of each of its images: an error, or None for an image."""

    call: SeenCall
    wanted: Wanted
    wrong: Faults
    fates: list[Refused | None]
    error: Refused | None = None  # of the call as a whole; then there are no fates


async def whole(desk: Desk, made: Made) -> dict[str, Any]:
    entries = [await _entry(desk, made, number) for number in range(len(made.fates))]
    answer = {
        "model": made.wanted.name,
        "created": int(time.time()),
        "data": entries,
        "usage": _usage(made.wanted, entries),
    }
    if not any(fate is None for fate in made.fates):
        nothing = made.error or made.fates[0]
        answer |= {"error": nothing.plain() if nothing is not None else {}}
    return answer


async def frames(desk: Desk, made: Made, pause: float) -> AsyncIterator[bytes]:
    """The events of a stream, with so many seconds between two images."""
    if made.error is not None:
        yield _frame({"error": made.error.plain()})
        return
    entries: list[Entry] = []
    for turn, number in enumerate(_order(len(made.fates))):
        if turn:
            await asyncio.sleep(pause)
        entry = await _entry(desk, made, number)
        entries.append(entry)
        kind = "partial_failed" if "error" in entry else "partial_succeeded"
        yield _event(kind, made.wanted, {"image_index": number, **entry})
    yield _event("completed", made.wanted, {"usage": _usage(made.wanted, entries)})
    if all(fate is None for fate in made.fates):
        yield b"data: [DONE]\n\n"


async def _entry(desk: Desk, made: Made, number: int) -> Entry:
    wanted, fate = made.wanted, made.fates[number]
    if fate is not None:
        return {"error": fate.plain()}
    seed = (wanted.seed if wanted.seed is not None else made.call.number * 100) + number
    data = await desk.paint(
        wanted.prompt, wanted.references, wanted.width, wanted.height, seed, wanted.form, made.wrong
    )
    data, width, height = await asyncio.to_thread(_finished, data, wanted)
    entry: Entry = (
        {"url": desk.publish(data, wanted.form, made.wrong)}
        if wanted.as_url
        else {"b64_json": base64.b64encode(data).decode("ascii")}
    )
    entry["size"] = f"{width}x{height}"
    if wanted.model.newer:
        entry["output_format"] = wanted.form
    return entry


def _order(count: int) -> list[int]:
    """Pairs change places: 1, 0, 3, 2, 4."""
    return [number ^ 1 if number ^ 1 < count else number for number in range(count)]


def _event(kind: str, wanted: Wanted, more: Mapping[str, Any]) -> bytes:
    kind = f"image_generation.{kind}"
    data = {"type": kind, "model": wanted.name, "created": int(time.time()), **more}
    return f"event: {kind}\n".encode() + _frame(data)


def _frame(data: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def _usage(wanted: Wanted, entries: list[Entry]) -> dict[str, int]:
    sizes = [entry["size"].split("x") for entry in entries if "size" in entry]
    tokens = round(sum(int(width) * int(height) for width, height in sizes) / 256)
    usage = {"generated_images": len(sizes), "output_tokens": tokens, "total_tokens": tokens}
    if wanted.model.counts_input:
        usage["input_images"] = len(wanted.references)
    return usage


def _finished(data: bytes, wanted: Wanted) -> tuple[bytes, int, int]:
    """The picture with its visible mark, unless that was switched off, and its real size."""
    try:
        picture = Image.open(io.BytesIO(data))
    except OSError:
        return data, wanted.width, wanted.height  # the garbage that was asked for
    if not wanted.watermark:
        return data, picture.width, picture.height
    marked = picture.convert("RGB")
    font = ImageFont.load_default(max(12, min(marked.size) // 24))
    corner = (marked.width - marked.width // 40, marked.height - marked.height // 40)
    ImageDraw.Draw(marked).text(corner, _MARK, (255, 255, 255), font, "rs", stroke_width=2, stroke_fill=(0, 0, 0))
    file = io.BytesIO()
    marked.save(file, wanted.form.upper())
    return file.getvalue(), marked.width, marked.height
