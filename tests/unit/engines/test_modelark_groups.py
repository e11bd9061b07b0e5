"""The modelark engine and groups of images, which come as a stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from ark_support import (
    COMPLETED,
    DONE,
    KEY,
    TOP_ERROR,
    Progress,
    Scripted,
    answering,
    buy,
    completed,
    engine_for,
    event,
    failed,
    group_job,
    image,
    job,
    refusal,
    stream,
)

from aquatint.domain.errors import (
    Broken,
    ContentRefused,
    EngineError,
    EngineRateLimited,
    InputRefused,
    OutcomeUnknown,
    Unavailable,
)
from aquatint.engines.modelark import ModelArkEngine
from aquatint.engines.modelark.sse import Events
from aquatint.engines.remote import Call
from aquatint.net.provider import ProviderDoor
from aquatint.testing.simulators.app import Simulators
from aquatint.testing.simulators.painter import PlainPainter


@pytest.fixture
async def sim() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter(), key=KEY) as running:
        yield running


@pytest.fixture
async def engine(sim: Simulators) -> AsyncIterator[ModelArkEngine]:
    made = engine_for(base_url=sim.base_url("modelark"))
    await made.open()
    yield made
    await made.close()


# Groups


async def test_a_group_is_one_stream(sim: Simulators, engine: ModelArkEngine) -> None:
    """Four images of one call, in another order than their indices, with progress for each."""
    progress = Progress()
    (done,) = await buy(engine, group_job(), progress)
    body = sim.desk.calls[0].body
    assert body["sequential_image_generation"] == "auto"
    assert body["sequential_image_generation_options"] == {"max_images": 4}
    assert body["stream"] is True
    assert [made.index for made in done.images] == [0, 1, 2, 3]
    assert len({made.url for made in done.images}) == 4
    assert done.refusals == ()
    assert done.request_id.startswith("02")
    fractions = [fraction for fraction, _ in progress.seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert sim.desk.charges() == {"four seasons": 4}


async def test_a_group_of_what_is_missing_keeps_the_indices(engine: ModelArkEngine) -> None:
    """The second run buys images 1 and 3 only."""
    done = await engine.send(group_job(), Call((1, 3)), Progress())
    assert [made.index for made in done.images] == [1, 3]


async def test_progress_comes_while_the_group_is_made(engine: ModelArkEngine) -> None:
    """The first image is told before the last is there."""
    times: list[tuple[float, float]] = []
    clock = asyncio.get_running_loop().time
    await engine.send(group_job("x [[sleep:0.4]]"), Call((0, 1, 2, 3)), lambda f, _: times.append((clock(), f)))
    first = next(at for at, fraction in times if fraction > 0)
    last = next(at for at, fraction in times if fraction == 1.0)
    assert last - first > 0.15


async def test_a_refused_image_of_a_group_leaves_the_others(sim: Simulators, engine: ModelArkEngine) -> None:
    """`partial_failed` in the middle, no [DONE] at the end; what was made is delivered and billed, no more."""
    (done,) = await buy(engine, group_job("x [[partial:2]]"))
    assert [made.index for made in done.images] == [0, 2, 3]
    assert [type(error) for error in done.refusals] == [ContentRefused]
    assert done.refusals[0].charged is False
    assert sim.desk.charges() == {"x [[partial:2]]": 3}


async def test_a_fault_stops_a_group(sim: Simulators, engine: ModelArkEngine) -> None:
    """An InternalServiceError of one image means that those after it were not made; they may be bought again."""
    prompt = "x [[partial:3]][[fail:InternalServiceError]]"
    (done,) = await buy(engine, group_job(prompt))
    assert [made.index for made in done.images] == [0, 1]
    assert [type(error) for error in done.refusals] == [Unavailable, Unavailable]
    assert not any(error.charged for error in done.refusals)
    assert sim.desk.charges() == {prompt: 2}


async def test_a_group_of_which_nothing_was_made(engine: ModelArkEngine) -> None:
    """The content refusal is the reason that a caller reads."""
    error = await refusal(engine, group_job("x [[partial:1,2,3,4]]"))
    assert type(error) is ContentRefused


async def test_the_model_makes_fewer_than_it_may(sim: Simulators, engine: ModelArkEngine) -> None:
    """It decides by the prompt; the rest costs nothing, and asking again would bring no more."""
    (done,) = await buy(engine, group_job("x, 3 images", count=4))
    assert len(done.images) == 3
    assert [type(error) for error in done.refusals] == [InputRefused]
    assert done.refusals[0].charged is False
    assert sim.desk.charges() == {"x, 3 images": 3}


async def test_a_cut_stream_gives_what_came(sim: Simulators, engine: ModelArkEngine) -> None:
    """Two of four arrived: they count; the others may have been billed, and here they were."""
    (done,) = await buy(engine, group_job("x [[cut]]"))
    assert [made.index for made in done.images] == [0, 1]
    assert [type(error) for error in done.refusals] == [OutcomeUnknown, OutcomeUnknown]
    assert all(error.charged for error in done.refusals)
    assert sim.desk.charges() == {"x [[cut]]": 4}


async def test_a_stream_that_brings_nothing_is_unknown(sim: Simulators, engine: ModelArkEngine) -> None:
    """Dropped before the first image."""
    error = await refusal(engine, group_job("x [[drop]]"))
    assert type(error) is OutcomeUnknown
    assert sim.desk.charges() == {"x [[drop]]": 4}


async def test_a_group_gets_twice_the_time(engine: ModelArkEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a single image no more than the setting says."""
    seconds: list[float] = []
    real = ProviderDoor.pay_stream

    def noted(door: ProviderDoor, *args: Any, **more: Any) -> Any:
        seconds.append(more["seconds"])
        return real(door, *args, **more)

    monkeypatch.setattr(ProviderDoor, "pay_stream", noted)
    await buy(engine, job())
    await buy(engine, group_job(count=2))
    assert seconds == [20.0, 40.0]


async def test_a_group_that_takes_too_long_gives_what_came(sim: Simulators) -> None:
    """The time is over between two images."""
    engine = engine_for(base_url=sim.base_url("modelark"), call_timeout=0.5)
    await engine.open()
    (done,) = await buy(engine, group_job("x [[sleep:2]]"))
    await engine.close()
    assert 1 <= len(done.images) < 4
    assert {type(error) for error in done.refusals} == {OutcomeUnknown}


# Streams of all sorts


SUMS: list[tuple[str, list[str], list[int], list[tuple[type[EngineError], bool]]]] = [
    ("in order", [image(0), image(1), image(2), completed(3), DONE], [0, 1, 2], []),
    ("out of order", [image(2), image(0), image(1), completed(3), DONE], [0, 1, 2], []),
    ("no [DONE]", [image(0), image(1), image(2), completed(3)], [0, 1, 2], []),
    ("no completed", [image(0), image(1), image(2), DONE], [0, 1, 2], []),
    ("just ends", [image(0), image(1)], [0, 1], [(OutcomeUnknown, True)]),
    ("[DONE] too early", [image(0), DONE], [0], [(OutcomeUnknown, True)] * 2),
    ("an index twice", [image(0), image(0, "http://x/other"), image(2), completed(3)], [0, 1, 2], []),
    ("an event twice", [image(0), image(0), image(1), completed(2)], [0, 1], [(InputRefused, False)]),
    ("no such index", [image(7), image(-1), image("a"), completed(3)], [0, 1, 2], []),
    ("no index", [image(None, f"http://x/{n}") for n in range(3)] + [completed(3)], [0, 1, 2], []),
    ("one too many", [image(0), image(1), image(2), image(3), completed(4)], [0, 1, 2], []),
    ("an event lost", [image(0), image(1), completed(3)], [0, 1], [(Broken, True)]),
    ("an event garbled", [image(0), "data: {nonsense\n\n", image(2), COMPLETED], [0, 2], [(Broken, True)]),
    ("garbled, but counted", [image(0), "data: 7\n\n", image(2), completed(2)], [0, 2], [(InputRefused, False)]),
    ("an image without a URL", [image(0), event("partial_succeeded", image_index=1), image(2), COMPLETED], [0, 2],
     [(Broken, True)]),
    ("a failure without a word", [image(0), event("partial_failed", image_index=1), image(2), COMPLETED], [0, 2],
     [(Broken, False)]),
    ("refused, then made", [failed(1, "Foo"), image(1), image(0), image(2), COMPLETED], [0, 1, 2], []),
    ("refused, then made somewhere", [failed(1, "Foo"), image(0), image(2), image(9), COMPLETED], [0, 1, 2], []),
    ("an error, then the end", [image(1), TOP_ERROR], [1], [(Unavailable, False)] * 2),
    ("an error event", [image(1), "event: error\n" + TOP_ERROR, DONE], [1], [(Unavailable, False)] * 2),
    ("an error in completed", [image(0), event("completed", error={"code": "ServerOverloaded", "message": ""})], [0],
     [(EngineRateLimited, False)] * 2),
    ("images after a fault", [failed(0, "InternalServiceError"), image(1), completed(1)], [1],
     [(Unavailable, False)] * 2),
    ("previews, comments, news", [": hello\n\n", event("partial_image", b64_json="x"), event("news"), image(0),
                                  image(1), image(2), completed(3)], [0, 1, 2], []),
    ("no event names", [image(0).partition("\n")[2], image(1), image(2), completed(3)], [0, 1, 2], []),
    ("old line ends", [image(0).replace("\n", "\r\n"), image(1).replace("\n", "\r"), image(2), completed(3)],
     [0, 1, 2], []),
    ("data over two lines", [image(0).replace('"created"', '\ndata: "created"'), image(1), image(2), completed(3)],
     [0, 1, 2], []),
    ("the last frame unfinished", [image(0), image(1), image(2).rstrip("\n")], [0, 1, 2], []),
]  # fmt: skip


@pytest.mark.parametrize(("frames", "indices", "errors"), [row[1:] for row in SUMS], ids=[row[0] for row in SUMS])
async def test_the_sum_of_a_stream(
    frames: list[str], indices: list[int], errors: list[tuple[type[EngineError], bool]]
) -> None:
    """Whatever order, omissions and oddities, in chunks of any size: what came counts, and the rest is honest."""
    script = stream(*frames)
    async with answering(script) as fake:
        for script.chunk in (0, 1, 7):
            (done,) = await buy(fake.engine, group_job(count=3))
            assert [made.index for made in done.images] == indices
            assert len({made.url for made in done.images}) == len(indices)
            assert [(type(error), error.charged) for error in done.refusals] == errors


@pytest.mark.parametrize(
    ("frames", "kind", "charged"),
    [
        ([], OutcomeUnknown, True),
        (["<html>not a stream</html>"], OutcomeUnknown, True),
        ([DONE], OutcomeUnknown, True),
        ([TOP_ERROR], Unavailable, False),
        ([failed(0, "Foo"), failed(1, "InputTextRiskDetection"), failed(2, "Foo"), completed(0)],
         ContentRefused, False),
        ([failed(0, "InputTextRiskDetection"), failed(1, "Foo")], OutcomeUnknown, True),
        ([completed(0), DONE], Broken, False),
        ([completed(3), DONE], Broken, True),
        ([COMPLETED, DONE], Broken, True),
    ],
)  # fmt: skip
async def test_streams_without_an_image(frames: list[str], kind: type[EngineError], charged: bool) -> None:
    """The error that is raised is the one that costs, then the one that a caller can act on."""
    async with answering(stream(*frames)) as fake:
        error = await refusal(fake.engine, group_job(count=3))
        assert (type(error), error.charged) == (kind, charged)


async def test_a_group_that_is_answered_as_one_object() -> None:
    """JSON instead of a stream, whatever its Content-Type says: nothing that was paid is thrown away."""
    data = [
        {"url": "http://x/0"},
        {"error": {"code": "OutputImageRiskDetection", "message": ""}},
        {"url": "http://x/2"},
    ]
    body = json.dumps({"data": data, "usage": {"generated_images": 2}})
    for media_type in ("application/json", "text/event-stream"):
        async with answering(Scripted(200, f"\n {body}", media_type=media_type, chunk=5)) as fake:
            (done,) = await buy(fake.engine, group_job(count=3))
            assert [made.index for made in done.images] == [0, 2]
            assert [type(error) for error in done.refusals] == [ContentRefused]


async def test_a_hang_after_the_end_does_not_matter() -> None:
    """Who has read `completed` waits for nothing."""
    async with answering(stream(image(0), image(1), completed(2), hang=True)) as fake:
        (done,) = await asyncio.wait_for(buy(fake.engine, group_job(count=2)), 2.0)
        assert len(done.images) == 2


def test_events_are_the_same_however_the_bytes_are_cut() -> None:
    """Line ends, comments, names and characters of several bytes across chunks."""
    text = "\ufeffevent: a\r\ndata: é1\r\n\r\n: c\rdata:2\rdata: 3\r\rdata: 四\n\nevent: lonely\n\ndata: end"
    raw = text.encode()
    for size in range(1, len(raw) + 1):
        events = Events()
        found = [e for at in range(0, len(raw), size) for e in events.feed(raw[at : at + size])]
        assert [*found, *events.end()] == [("a", "é1"), ("", "2\n3"), ("", "四"), ("", "end")]
