"""Pictures for the simulators: painted by studio at the asked size, or plain ones where only the way matters."""

from __future__ import annotations

import asyncio
import io
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from PIL import Image

from aquatint.engines import registry
from aquatint.engines.base import Engine, EngineContext, GenerationJob, ReferenceImage
from aquatint.sandbox.images import clean_image
from aquatint.sandbox.limits import Limits
from aquatint.sandbox.pool import Sandbox
from aquatint.testing.simulators import faults

_KEPT = 64  # painted pictures
_FORMATS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


class Painter(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def paint(
        self, prompt: str, references: Sequence[bytes], width: int, height: int, seed: int, form: str
    ) -> bytes:
        """One encoded picture of exactly this size; `form` is png, jpeg or webp."""
        ...


class PlainPainter:
    """A gradient in the colour of the prompt, in no time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    async def open(self) -> None:
        pass

    async def close(self) -> None:
        pass

    async def paint(
        self, prompt: str, references: Sequence[bytes], width: int, height: int, seed: int, form: str
    ) -> bytes:
        shade = zlib.crc32(f"{faults.without(prompt)}/{seed}".encode()) % 4096
        key = (shade, width, height, form)
        if key not in self._kept:
            self._kept[key] = await asyncio.to_thread(_gradient, shade, width, height, form)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]


class StudioPainter:
    """The embedded engine in worker processes of its own."""

    def __init__(self, workers: int = 2) -> None:
        self._sandbox = Sandbox(workers, Limits())
        self._engine: Engine = registry.build_local("studio", EngineContext(self._sandbox, {}, workers))
        self._kept: OrderedDict[tuple[object, ...], bytes] = OrderedDict()

    async def open(self) -> None:
        await self._sandbox.open()
        await self._engine.open()

    async def close(self) -> None:
        await self._engine.close()
        await self._sandbox.close()

    async def paint(
        self, prompt: str, references: Sequence[bytes], width: int, height: int, seed: int, form: str
    ) -> bytes:
        words = faults.without(prompt) or "a quiet harbour at dawn"
        key = (words, tuple(zlib.crc32(data) for data in references), width, height, seed, form)
        if key not in self._kept:
            self._kept[key] = await self._painted(words, references, width, height, seed, form)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[key]

    async def _painted(
        self, prompt: str, references: Sequence[bytes], width: int, height: int, seed: int, form: str
    ) -> bytes:
        clean = [await clean_image(self._sandbox, data) for data in references]
        job = GenerationJob(
            model="simulator",
            remote_model="",
            mode="image_to_image" if clean else "text_to_image",
            prompt=prompt,
            references=tuple(ReferenceImage(c.data, c.media_type, c.width, c.height) for c in clean),
            width=width,
            height=height,
            ratio=None,
            resolution="",
            count=1,
            seed=seed,
            time_left=110.0,
            options={"output_format": form},
        )
        return (await self._engine.generate(job, lambda fraction, stage: None)).images[0].data


def media_type(form: str) -> str:
    return _FORMATS[form]


def _gradient(shade: int, width: int, height: int, form: str) -> bytes:
    ramp = Image.linear_gradient("L").resize((width, height))
    tint = (shade % 16 * 17, shade // 16 % 16 * 17, shade // 256 * 17)
    picture = Image.composite(Image.new("RGB", ramp.size, tint), Image.new("RGB", ramp.size, (245, 240, 230)), ramp)
    file = io.BytesIO()
    picture.save(file, form.upper(), **({"compress_level": 1} if form == "png" else {}))
    return file.getvalue()
