"""Render and engine: one picture from prompt to file, and the port around it."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np
import pytest
from PIL import Image

from aquatint.domain.errors import Broken, InputRefused, TimedOut
from aquatint.engines.base import EngineContext, GenerationJob, ReferenceImage
from aquatint.engines.studio import build
from aquatint.engines.studio.kernels.noise import fbm
from aquatint.engines.studio.messages import Rendered, RenderRequest, image_seed, task_seed
from aquatint.engines.studio.render import render, run
from aquatint.sandbox.errors import Refused, SandboxCrashed, SandboxRefused, SandboxTimedOut

SIZE = (320, 180)


def _picture(width: int = 400, height: int = 300, mode: str = "RGB", kind: str = "PNG") -> bytes:
    rows = np.linspace(60, 220, height, dtype=np.float32)[:, None, None]
    texture = fbm(height, width, 20, 3, 1)[..., None] * 60
    pixels = np.clip(rows + texture + np.array([20, 0, -30], np.float32), 0, 255).astype(np.uint8)
    pixels[100:200, 150:260] = (190, 60, 50)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def _request(prompt: str, *references: bytes, **changes: object) -> RenderRequest:
    request = RenderRequest(
        prompt=prompt,
        references=references,
        width=SIZE[0],
        height=SIZE[1],
        seed=7,
        index=0,
        model="seedream-4.5",
        version="9.9.9",
        output_format="png",
        strict=False,
        threads=2,
    )
    return msgspec.structs.replace(request, **changes)


def _render(prompt: str, *references: bytes, **changes: object) -> Rendered:
    return render(_request(prompt, *references, **changes), lambda fraction, stage: None)


def _pixels(rendered: Rendered) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(rendered.data)).convert("RGB"))


def test_photo_to_watercolor() -> None:
    steps: list[float] = []
    made = render(
        _request("Transform to watercolor style", _picture()), lambda fraction, stage: steps.append(fraction)
    )
    opened = Image.open(io.BytesIO(made.data))
    assert (opened.size, made.width, made.height) == (SIZE, *SIZE)
    assert made.warnings == ()
    assert b"algorithmicallyEnhanced" in opened.info["xmp"]
    assert opened.info["Aquatint-Model"] == "seedream-4.5"
    assert steps == sorted(steps)
    assert 0 <= steps[0] < 0.1 < 0.9 < steps[-1] <= 1


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("RGB", "JPEG"), ("RGB", "WEBP")]
)
def test_references_of_every_kind(mode: str, kind: str) -> None:
    assert _pixels(_render("watercolor", _picture(mode=mode, kind=kind))).shape == (*SIZE[::-1], 3)


@pytest.mark.parametrize("size", [(321, 181), (64, 200), (200, 64)])
def test_exact_odd_sizes(size: tuple[int, int]) -> None:
    for prompt, references in (("watercolor", (_picture(),)), ("a dragon", ())):
        made = _render(prompt, *references, width=size[0], height=size[1])
        assert _pixels(made).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
def test_output_formats(output_format: str) -> None:
    made = _render("watercolor", _picture(), output_format=output_format)
    assert Image.open(io.BytesIO(made.data)).format == output_format.upper()
    assert made.media_type == f"image/{output_format}"


def test_same_request_same_bytes_on_any_threads() -> None:
    request = ("watercolor", _picture())
    assert _render(*request).data == _render(*request, threads=1).data
    assert _render(*request).data != _render(*request, seed=8).data


def test_further_pictures_are_framed_anew() -> None:
    first, second = (_pixels(_render("oil painting", _picture(), index=i, seed=image_seed(7, i))) for i in (0, 1))
    small = [np.asarray(Image.fromarray(p).convert("L").resize((32, 18)), np.float32) for p in (first, second)]
    assert np.abs(small[0] - small[1]).mean() > 4


def _dhash(rendered: Rendered) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    gray = Image.fromarray(_pixels(rendered)).convert("L").resize((17, 16), Image.Resampling.BOX)
    levels = np.asarray(gray, np.int16)
    return levels[:, 1:] > levels[:, :-1]


@pytest.mark.parametrize(
    ("prompt", "photos"),
    [
        ("watercolor", 1),
        ("pixel art", 1),
        ("golden hour", 1),
        ("use the colors of image 2", 2),
        ("collage", 4),
        ("mountain lake", 0),
        ("a dragon", 0),
    ],
)
def test_pictures_of_one_task_differ_in_composition(prompt: str, photos: int) -> None:
    sources = [_picture(400 + 60 * i, 300) for i in range(photos)]
    if photos > 1:
        sources = [_tinted(source, i) for i, source in enumerate(sources)]
    made = [_render(prompt, *sources, index=i, seed=image_seed(7, i)) for i in range(3)]
    hashes = [_dhash(picture) for picture in made]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert (hashes[first] != hashes[second]).mean() > 0.08


def _tinted(picture: bytes, turn: int) -> bytes:
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB"))
    turned = np.roll(pixels, turn, axis=2)[:, :: -1 if turn % 2 else 1]
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(turned)).save(buffer, "PNG")
    return buffer.getvalue()


def test_unknown_photo_prompt_gets_the_house_style_and_a_warning() -> None:
    made = _render("zxqv blorptastic", _picture())
    assert "house style" in made.warnings[0]
    source = np.asarray(Image.open(io.BytesIO(_picture())).convert("RGB").resize(SIZE), np.int16)
    assert np.abs(_pixels(made) - source).mean() > 10


def test_semantic_edit_is_a_marked_preview() -> None:
    made = _render("Replace the house with a castle", _picture())
    assert "preview" in made.warnings[0]
    foot = _pixels(made)[-12:]
    assert (foot.min(2) > 200).mean() > 0.5


def test_unknown_subject_is_a_poster_and_says_so() -> None:
    made = _render("a dragon")
    assert "dragon" in made.warnings[0]
    assert "poster" in made.warnings[0]
    assert b"algorithmicMedia" in Image.open(io.BytesIO(made.data)).info["xmp"]
    other = _render("a dragon", seed=8)
    assert np.abs(_pixels(made).astype(int) - _pixels(other)).mean() > 10


@pytest.mark.parametrize(("prompt", "photo"), [("a dragon", False), ("Replace the sky", True), ("zxqv", True)])
def test_strict_refuses_what_can_only_be_previewed(prompt: str, photo: bool) -> None:
    with pytest.raises(Refused, match="studio engine"):
        _render(prompt, *((_picture(),) if photo else ()), strict=True)


@pytest.mark.parametrize("data", [b"", b"not a picture", _picture()[:200], b"\xff\xd8\xff\xe0"])
def test_unreadable_reference_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="reference image 1"):
        _render("watercolor", data)


def test_quoted_text_is_set_on_the_picture() -> None:
    plain, titled = _render("watercolor", _picture()), _render('watercolor "HELLO"', _picture())
    changed = np.abs(_pixels(plain).astype(int) - _pixels(titled)).max(2) > 40
    assert 0.005 < changed.mean() < 0.2
    assert not changed[80:100].any()  # never across the middle


def test_seeds() -> None:
    seed = task_seed("A  Cat", (b"x",), "m")
    assert seed == task_seed("a cat", (b"x",), "m")
    assert 0 <= seed < 2**63
    others = [task_seed("a dog", (b"x",), "m"), task_seed("a cat", (b"y",), "m"), task_seed("a cat", (b"x",), "n")]
    assert len({seed, *others, task_seed("a cat", (), "m")}) == 5
    assert image_seed(seed, 0) == seed
    assert len({image_seed(seed, i) for i in range(50)}) == 50


@dataclass
class InlineSandbox:
    """Runs the target in a thread; `failure` is raised instead."""

    failure: Exception | None = None
    limits: list[float] = field(default_factory=list)
    running: int = 0
    most: int = 0
    cancelled: int = 0
    pause: float = 0.0

    async def run(
        self,
        target: str,
        request: bytes,
        *,
        wall_limit: float,
        on_progress: Callable[[float, str], None] | None = None,
    ) -> bytes:
        assert target == f"{run.__module__}:{run.__name__}"
        self.limits.append(wall_limit)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.pause)
            if self.failure:
                raise self.failure
            order = msgspec.msgpack.decode(request, type=RenderRequest)
            assert on_progress is not None
            return msgspec.msgpack.encode(render(order, on_progress))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1


def _job(prompt: str = "watercolor", count: int = 1, **changes: object) -> GenerationJob:
    fields: dict[str, object] = {
        "model": "seedream-4.5",
        "remote_model": "",
        "mode": "image_to_image",
        "prompt": prompt,
        "references": (ReferenceImage(_picture(), "image/png", 400, 300),),
        "width": 160,
        "height": 90,
        "ratio": "16:9",
        "resolution": "1k",
        "count": count,
        "seed": None,
        "time_left": 30.0,
    }
    return GenerationJob(**{**fields, **changes})  # type: ignore[arg-type]


def _engine(sandbox: InlineSandbox, concurrency: int = 2, **settings: object):  # type: ignore[no-untyped-def]
    return build(EngineContext(sandbox, settings, concurrency))  # type: ignore[arg-type]


async def test_engine_makes_every_picture_and_reports_seeds() -> None:
    sandbox, steps = InlineSandbox(pause=0.01), []
    engine = _engine(sandbox)
    made = await engine.generate(_job(count=3), lambda fraction, stage: steps.append(fraction))
    assert [image.seed for image in made.images] == [image_seed(made.images[0].seed or 0, i) for i in range(3)]
    assert len({image.data for image in made.images}) == 3
    assert {(image.width, image.height) for image in made.images} == {(160, 90)}
    assert steps == sorted(steps)
    assert steps[-1] == 1.0
    assert sandbox.most == 2
    assert set(sandbox.limits) == {30.0}
    again = await engine.generate(_job(), lambda fraction, stage: None)
    assert again.images[0].data == made.images[0].data


async def test_engine_takes_the_callers_seed() -> None:
    made = await _engine(InlineSandbox()).generate(_job(seed=42), lambda fraction, stage: None)
    assert made.images[0].seed == 42


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (SandboxRefused("no"), InputRefused),
        (SandboxTimedOut("late"), TimedOut),
        (SandboxCrashed("dead", detail="trace"), Broken),
    ],
)
async def test_engine_translates_what_goes_wrong(failure: Exception, expected: type[Exception]) -> None:
    sandbox = InlineSandbox(failure)
    with pytest.raises(expected) as caught:
        await _engine(sandbox).generate(_job(count=2), lambda fraction, stage: None)
    assert "trace" not in str(caught.value)
    assert sandbox.running == 0


async def test_cancelling_cancels_every_run() -> None:
    sandbox = InlineSandbox(pause=30)
    task = asyncio.create_task(_engine(sandbox).generate(_job(count=2), lambda fraction, stage: None))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (sandbox.cancelled, sandbox.running) == (2, 0)


@pytest.mark.parametrize("wanted", ["gif", 3, "exe"])
async def test_engine_refuses_unknown_formats(wanted: object) -> None:
    with pytest.raises(InputRefused, match="output_format"):
        await _engine(InlineSandbox()).generate(_job(options={"output_format": wanted}), lambda fraction, stage: None)


async def test_strict_setting_reaches_the_worker() -> None:
    with pytest.raises(Refused):
        await _engine(InlineSandbox(), strict=True).generate(_job("zxqv"), lambda fraction, stage: None)
