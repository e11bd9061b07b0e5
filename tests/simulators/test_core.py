"""What all simulators share: fault switches, the desk with its bill and its links, the admin page, the painters."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import fields
from pathlib import Path

import httpx
import pytest
from PIL import Image, ImageStat

from aquatint.testing.simulators import faults
from aquatint.testing.simulators.app import MOUNTS, Simulators
from aquatint.testing.simulators.desk import Desk, shorten
from aquatint.testing.simulators.faults import Faults, parse, without
from aquatint.testing.simulators.painter import PlainPainter, StudioPainter, media_type
from support.pictures import opened, picture
from support.simulators import ThreadedSimulators

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "simulate-providers.md"


@pytest.fixture
async def sim() -> AsyncIterator[Simulators]:
    async with Simulators(PlainPainter()) as simulators:
        yield simulators


@pytest.fixture
async def web(sim: Simulators) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {sim.desk.key}"}
    async with httpx.AsyncClient(base_url=sim.origin, headers=headers, trust_env=False) as client:
        yield client


def submit(prompt: str, **fields: object) -> dict[str, object]:
    """A paid request of the plainest of the simulators."""
    return {"model": "seedream-4.5", "input": {"prompt": prompt, "resolution": "1k", **fields}}


async def done(web: httpx.AsyncClient, prompt: str, **fields: object) -> dict[str, object]:
    """The task of a submit, once it has ended."""
    answer = (await web.post("/maxapi/api/v1/task/submit", json=submit(prompt, **fields))).json()
    async with asyncio.timeout(20):
        while True:
            task = (await web.get(f"/maxapi/api/v1/task/{answer['data']['taskId']}")).json()["data"]
            if task["status"] not in ("PENDING", "PROCESSING", "SUBMITTED"):
                return dict(task)
            await asyncio.sleep(0.01)


# --- fault switches -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a harbour", Faults()),
        ("a [harbour] [[at dawn]]", Faults()),
        ("x [[fail:Some.Code/with-signs]]", Faults(fail="Some.Code/with-signs")),
        ("x [[http:429]]", Faults(http=429)),
        ("x [[http:503:2]] [[retry-after:1.5]]", Faults(http=503, http_times=2, retry_after=1.5)),
        ("x [[sleep:2]]", Faults(sleep=2.0)),
        ("x [[drop]]", Faults(drop=True)),
        ("[[refuse]] x", Faults(refuse=True)),
        ("[[cut]]x", Faults(cut=True)),
        ("x [[partial:1,3]]", Faults(partial=frozenset({1, 3}))),
        ("x [[late:0.5]]", Faults(late=0.5)),
        ("[[silent]][[twice]][[forged]]", Faults(silent=True, twice=True, forged=True)),
        ("[[expired]] [[garbage]] [[small]]", Faults(expired=True, garbage=True, small=True)),
        ("海 [[drop]] 海", Faults(drop=True)),
    ],
)
def test_switches_in_a_prompt(prompt: str, expected: Faults) -> None:
    """Wherever they stand in it."""
    assert parse(prompt) == expected


@pytest.mark.parametrize(
    "switch",
    [
        *("nonsense", "Drop", "RETRY-AFTER:3", "drop:1", "expired:yes"),
        *("fail", "fail:", "http", "http:x", "http:429:x", "http:200", "http:429:-1"),
        *("sleep", "sleep:soon", "sleep:-1", "sleep:inf", "late:", "retry-after:nan"),
        *("partial", "partial:a", "partial:0", "partial:1,-2"),
    ],
)
def test_switches_that_are_wrong(switch: str) -> None:
    """A typing mistake is said, so that nobody takes a run without a fault for a passed test."""
    with pytest.raises(ValueError, match=re.escape(switch.partition(":")[0])):
        parse(f"x [[{switch}]]")


def test_prompts_without_their_switches() -> None:
    """As the painter reads them."""
    assert without("a harbour [[drop]] [[http:429:2]]") == "a harbour"
    assert without("[[nonsense]]") == ""
    assert without("a [[Drop]]") == "a"
    assert without("a [[harbour at dawn]]") == "a [[harbour at dawn]]"


@pytest.mark.parametrize("text", [faults.__doc__ or "", GUIDE.read_text("utf-8")], ids=["module", "guide"])
def test_the_tables_name_every_switch(text: str) -> None:
    """The module's own table and the guide's are complete, and every fault has a switch."""
    rows = re.findall(r"^\| `\[\[.*?\|", text, re.MULTILINE)
    table = {name for row in rows for name in re.findall(r"\[\[([a-z-]+)", row)}
    assert table == set(faults._READERS)
    assert {f.name for f in fields(Faults)} == {name.replace("-", "_") for name in table} | {"http_times"}


def test_switches_of_a_prompt_win_over_standing_ones() -> None:
    """One by one."""
    assert parse("[[sleep:1]]").over(parse("[[sleep:9]] [[drop]]")) == Faults(sleep=1.0, drop=True)
    assert parse("").over(parse("[[cut]]")) == Faults(cut=True)


# --- the desk -------------------------------------------------------------------------------------------------------


def test_the_bill() -> None:
    """Images by prompt, of one provider or of all; who is not charged is not in it."""
    desk = Desk(PlainPainter())
    first = desk.arrived("fal", "a", 2, {"prompt": "a"})
    second = desk.arrived("openai", "a", 1, {})
    desk.arrived("fal", "b", 1, {})
    desk.charge(first, 2)
    desk.charge(first, -1)
    desk.charge(second, 1)
    assert (first.number, second.number) == (1, 2)
    assert desk.charges() == {"a": 2}
    assert desk.charges("fal") == {"a": 1}
    assert desk.charges("gemini") == {}
    desk.forget()
    assert (desk.calls, desk.charges()) == ([], {})


def test_faults_that_come_so_often() -> None:
    """`[[http:503:2]]` counts for each provider and prompt; without a count it never ends."""
    desk = Desk(PlainPainter())
    assert [desk.faults("fal", "x [[http:503:2]]").http for _ in range(4)] == [503, 503, 0, 0]
    assert desk.faults("openai", "x [[http:503:2]]").http == 503
    assert desk.faults("fal", "y [[http:503:2]]").http == 503
    assert [desk.faults("fal", "z [[http:429]]").http for _ in range(5)] == [429] * 5
    desk.forget()
    assert desk.faults("fal", "x [[http:503:2]]").http == 503


def test_standing_faults() -> None:
    """For all providers, or for one, which then does not get those of all."""
    desk = Desk(PlainPainter(), standing={"*": parse("[[sleep:1]]"), "fal": parse("[[drop]]")})
    assert desk.faults("openai", "x") == Faults(sleep=1.0)
    assert desk.faults("fal", "x") == Faults(drop=True)
    assert desk.faults("fal", "x [[cut]]") == Faults(cut=True, drop=True)


def test_records_hold_no_pictures() -> None:
    """Long texts are cut, at any depth."""
    cut = shorten({"a": ["x" * 5000, {"b": "y" * 4000}], "n": 1, "z": None})
    assert cut == {"a": ["x" * 80 + "…(5000 characters)", {"b": "y" * 4000}], "n": 1, "z": None}


async def test_links(sim: Simulators, web: httpx.AsyncClient) -> None:
    """They need no key, have the right type, live for a while, and die."""
    desk = sim.desk
    bare = httpx.AsyncClient(trust_env=False)
    async with bare:
        link = desk.publish(b"picture", "jpeg", Faults())
        assert re.fullmatch(re.escape(sim.origin) + r"/results/[0-9a-f]{24}\.jpeg", link)
        for _ in range(2):
            answer = await bare.get(link)
            assert (answer.status_code, answer.content) == (200, b"picture")
            assert answer.headers["content-type"] == "image/jpeg"
        assert (await bare.get(desk.publish(b"x", "png", Faults(expired=True)))).status_code == 403
        late, soon = desk.publish(b"x", "png", Faults(late=0.2)), desk.publish(b"x", "webp", Faults(), lives_for=0.2)
        assert [(await bare.get(link)).status_code for link in (late, soon)] == [404, 200]
        await asyncio.sleep(0.25)
        assert [(await bare.get(link)).status_code for link in (late, soon)] == [200, 403]
        assert (await bare.get(f"{sim.origin}/results/nothing.png")).status_code == 404
        desk.link_seconds = 0.0
        desk.forget()
        assert (await bare.get(link)).status_code == 404


# --- the application ------------------------------------------------------------------------------------------------


def test_settings_that_turn_a_server_to_them() -> None:
    """Key and address for each engine, or for those that are named."""
    with ThreadedSimulators() as sim:
        everything = sim.environment()
        assert everything["AQUATINT_NET__ALLOW"] == "127.0.0.0/8"
        for engine in MOUNTS:
            assert everything[f"AQUATINT_{engine.upper()}__API_KEY"] == "sim-key"
            assert everything[f"AQUATINT_{engine.upper()}__BASE_URL"] == sim.base_url(engine)
        assert sim.base_url("modelark") == f"{sim.origin}/ark/api/v3"
        assert everything["AQUATINT_FAL__JWKS_URL"] == f"{sim.base_url('fal')}/.well-known/jwks.json"
        assert sim.environment("replicate") == {
            "AQUATINT_NET__ALLOW": "127.0.0.0/8",
            "AQUATINT_REPLICATE__API_KEY": "sim-key",
            "AQUATINT_REPLICATE__BASE_URL": sim.base_url("replicate"),
        }
        assert len(sim.environment("fal")) == 4
        port = int(sim.origin.rpartition(":")[2])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1.0)


@pytest.mark.parametrize("engine", MOUNTS)
async def test_each_is_mounted_and_wants_a_key(sim: Simulators, engine: str) -> None:
    """Without one, every simulator refuses; none of them breaks."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for path in ("", "/x", "/images/generations", "/api/v1/task/submit", "/v1/predictions"):
            answer = await client.post(f"{sim.base_url(engine)}{path}", json={"prompt": "x"})
            assert 400 <= answer.status_code < 500, path
    assert sim.desk.charges() == {}


async def test_the_admin_page_tells_what_was_charged(sim: Simulators, web: httpx.AsyncClient) -> None:
    """Calls as they came, by provider; a new start forgets them."""
    await done(web, "a", n=2)
    found = (await web.get("/admin/calls")).json()
    assert found["charges"] == {"a": 2}
    (call,) = found["calls"]
    assert (call["number"], call["provider"], call["prompt"], call["images"], call["charged"]) == (
        1,
        "maxapi",
        "a",
        2,
        2,
    )
    assert call["body"] == submit("a", n=2)
    assert abs(call["at"] - time.time()) < 60
    assert (await web.get("/admin/calls?provider=maxapi")).json() == found
    assert (await web.get("/admin/calls?provider=fal")).json() == {"calls": [], "charges": {}}
    assert (await web.post("/admin/reset")).json() == {"ok": True}
    assert (await web.get("/admin/calls")).json() == {"calls": [], "charges": {}}


async def test_the_admin_page_scripts_faults(sim: Simulators, web: httpx.AsyncClient) -> None:
    """For all calls of one provider, or of all, until they are taken back."""
    path = "/maxapi/api/v1/task/submit"
    set_to = {"provider": "maxapi", "faults": "[[http:503]] [[retry-after:2]]"}
    assert (await web.post("/admin/faults", json=set_to)).json() == {"ok": True}
    answer = await web.post(path, json=submit("x"))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    await web.post("/admin/faults", json={"provider": "maxapi"})
    assert (await done(web, "x"))["status"] == "SUCCESS"
    await web.post("/admin/reset")
    await web.post("/admin/faults", json={"faults": "[[fail:TIMEOUT]]"})
    assert (await done(web, "x"))["status"] == "TIMEOUT"
    await web.post("/admin/faults", json={})
    assert (await done(web, "x"))["status"] == "SUCCESS"
    wrong = await web.post("/admin/faults", json={"faults": "[[nonsense]]"})
    assert wrong.status_code == 400
    assert "nonsense" in wrong.json()["error"]


async def test_lost_answers_arrive_as_that(sim: Simulators, web: httpx.AsyncClient) -> None:
    """`drop` and `cut` charge and cut the connection, `refuse` cuts it for nothing."""
    path = "/maxapi/api/v1/task/submit"
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await web.post(path, json=submit("a [[refuse]]"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        await web.post(path, json=submit("b [[drop]]"))
    async with web.stream("POST", path, json=submit("c [[cut]]")) as answer:
        assert answer.status_code == 200
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await answer.aread()
    assert sim.desk.charges() == {"b [[drop]]": 1, "c [[cut]]": 1}


async def test_results_that_are_wrong(sim: Simulators, web: httpx.AsyncClient) -> None:
    """Garbage is no image, and small ones have half of the sides."""

    async def result(prompt: str) -> httpx.Response:
        found = (await done(web, prompt, ratio="4:3"))["result"]
        assert isinstance(found, dict)
        return await web.get(found["urls"][0])

    assert opened((await result("x")).content).size == (1152, 864)
    assert opened((await result("x [[small]]")).content).size == (576, 432)
    assert (await result("x [[garbage]]")).content.startswith(b"<html>")
    assert (await result("x [[expired]]")).status_code == 403
    assert (await result("x [[late:5]]")).status_code == 404


# --- the painters ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_plain_pictures(form: str) -> None:
    """Of the asked size and format; the same for the same words and seed, others for others."""
    painter = PlainPainter()
    first = await painter.paint("a", (), 300, 200, 1, form)
    image = opened(first)
    assert (image.size, image.format) == ((300, 200), form.upper())
    assert media_type(form) == f"image/{form}"
    assert await painter.paint("a", (), 300, 200, 1, form) == first
    assert await painter.paint("a", (), 300, 200, 2, form) != first
    assert await painter.paint("b", (), 300, 200, 1, form) != first


def saturation(image: Image.Image) -> float:
    """Mean of all pixels, 0..255."""
    return float(ImageStat.Stat(image.convert("HSV")).mean[1])


async def test_pictures_by_studio() -> None:
    """Really painted, from words and from a photo; the switches of a prompt change nothing about the picture."""
    painter = StudioPainter(workers=1)
    await painter.open()
    try:
        first = await painter.paint("a red mountain lake [[sleep:1]]", (), 320, 240, 7, "jpeg")
        assert opened(first).size == (320, 240)
        assert opened(first).format == "JPEG"
        assert await painter.paint("a red mountain lake", (), 320, 240, 7, "jpeg") is first  # kept
        photo = picture(320, 200, "JPEG")
        edited = opened(await painter.paint("make it black and white", [photo], 240, 150, 7, "png"))
        assert edited.size == (240, 150)
        assert saturation(edited) < 20 < 60 < saturation(opened(photo))
    finally:
        await painter.close()
