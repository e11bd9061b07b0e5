"""References: each source is fetched and cleaned once, whoever asks; real server, sandbox, store and disk."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from scripted_remote import FileServer, open_door, picture, until

from aquatint.assets.disk import DiskAssets
from aquatint.domain.errors import InputRefused
from aquatint.domain.task import StoredReference, UrlReference
from aquatint.engines.base import ReferenceImage
from aquatint.engines.remote import ReferenceLimits
from aquatint.net.http import HttpDoor
from aquatint.sandbox.images import IntakeLimits
from aquatint.sandbox.pool import Sandbox
from aquatint.services.references import FetchRules, ReferenceService, ReferenceUnavailable
from aquatint.services.tools import ESCROW, SECOND, Clock, PublicUrls
from aquatint.store.records import Link
from aquatint.store.sqlite.store import SqliteStore

pytestmark = pytest.mark.asyncio(loop_scope="session")

START = 10**12
OURS = PublicUrls("http://us.invalid")
Make = Callable[..., ReferenceService]


class SetClock(Clock):
    def __init__(self) -> None:
        self.at = START

    def now(self) -> int:
        return self.at

    def go_on(self, seconds: float) -> None:
        self.at += int(seconds * SECOND)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def make(door: HttpDoor, assets: DiskAssets, shared_store: SqliteStore, sandbox: Sandbox, clock: SetClock) -> Make:
    """`make(fresh=..)`: a service on the same store and disk, as another process would have it."""

    def made(**rules: Any) -> ReferenceService:
        limits = FetchRules(**{"max_bytes": 1 << 20, "deadline": 2.0, "attempts": 2, "wait": 0.01, **rules})
        return ReferenceService(door, assets, shared_store, sandbox, IntakeLimits(), OURS, clock, limits)

    return made


def urls(files: FileServer, *names: str) -> tuple[UrlReference, ...]:
    return tuple(UrlReference(files.url(name)) for name in names)


def photo(shade: int = 1, size: tuple[int, int] = (40, 30), kind: str = "PNG") -> bytes:
    return picture(shade, size, kind)


async def test_a_hundred_tasks_fetch_once(make: Make, files: FileServer) -> None:
    """One URL in a hundred tasks at once is one request; all get the same clean picture."""
    files.answers = {"a": [(200, photo())]}
    service = make()
    results = await asyncio.gather(*(service(urls(files, "a")) for _ in range(100)))
    assert files.hits["a"] == 1
    assert len({(found.data, found.width, found.height) for (found,) in results}) == 1


async def test_one_task_with_one_url_many_times(make: Make, files: FileServer) -> None:
    """Nor does a task fetch twice what it names twice; its references come in its order."""
    files.answers = {"a": [(200, photo(1))], "b": [(200, photo(200))]}
    found = await make()(urls(files, "a", "b", "a", "b", "a", "a"))
    assert (files.hits["a"], files.hits["b"]) == (1, 1)
    assert [f.data for f in found] == [found[i].data for i in (0, 1, 0, 1, 0, 0)]
    assert found[0].data != found[1].data


async def test_freshness(make: Make, files: FileServer, clock: SetClock) -> None:
    """Within the window what was fetched is taken, also by another process; after it the host is asked again."""
    files.answers = {"a": [(200, photo(1)), (200, photo(250))]}
    (first,) = await make(fresh=600.0)(urls(files, "a"))
    clock.go_on(599)
    assert await make(fresh=600.0)(urls(files, "a")) == (first,)
    assert files.hits["a"] == 1
    clock.go_on(2)
    (later,) = await make(fresh=600.0)(urls(files, "a"))
    assert (files.hits["a"], later.data != first.data) == (2, True)
    clock.go_on(599)
    assert await make(fresh=600.0)(urls(files, "a")) == (later,)


async def test_urls_differ_by_every_letter(make: Make, files: FileServer) -> None:
    """A query makes another source: signed links are not guessed to be equal."""
    files.answers = {"a": [(200, photo())]}
    await make()((UrlReference(files.url("a?x=1")), UrlReference(files.url("a?x=2"))))
    assert files.hits["a"] == 2


async def test_the_bytes_outlive_every_use(
    make: Make, files: FileServer, clock: SetClock, shared_store: SqliteStore
) -> None:
    """A private link keeps the cleaned bytes longer than anybody may take them, and no longer."""
    files.answers = {"a": [(200, photo())]}
    await make(fresh=60.0, keep=120.0)(urls(files, "a"))
    assert await shared_store.expire_links(clock.now() + 121 * SECOND, 100) == []
    assert len(await shared_store.expire_links(clock.now() + 121 * SECOND + 3600 * SECOND, 100)) == 1


async def test_a_row_without_bytes(make: Make, files: FileServer, assets: DiskAssets) -> None:
    """Bytes that are gone are fetched again, whatever the row says."""
    files.answers = {"a": [(200, photo())]}
    service = make()
    (first,) = await service(urls(files, "a"))
    digests = [digest async for some in assets.digests() for digest in some]
    for digest in digests:
        assert await assets.delete_if_old(digest, 0.0)
    assert await service(urls(files, "a")) == (first,)
    assert files.hits["a"] == 2


@pytest.mark.parametrize("status", [500, 503, 429])
async def test_a_host_that_fails(make: Make, files: FileServer, status: int) -> None:
    """A failure that passes is shared by all who wait, and named by each as its own item; it is not remembered."""
    files.answers = {"a": [(status, b""), (status, b""), (200, photo())], "ok": [(200, photo())]}
    service = make()
    places = [("a",), ("ok", "a"), ("ok", "ok", "a")]
    results = await asyncio.gather(*(service(urls(files, *names)) for names in places), return_exceptions=True)
    assert [type(result) for result in results] == [ReferenceUnavailable] * 3
    for place, result in enumerate(results):
        assert str(result).startswith(f"input.imageUrls[{place}]: ")
        assert "2 tries" in str(result)
    assert files.hits["a"] == 2
    assert len(await service(urls(files, "a"))) == 1


@pytest.mark.parametrize(
    ("status", "body"), [(404, b""), (410, b""), (200, b"<html>"), (200, photo(size=(5, 5))), (200, b"x" * 2_000_000)]
)
async def test_what_no_try_can_mend(make: Make, files: FileServer, status: int, body: bytes) -> None:
    """A file that is not there, or is no picture, is the caller's to mend; it is asked for once by all."""
    files.answers = {"a": [(status, body)], "ok": [(200, photo())]}
    service = make()
    results = await asyncio.gather(service(urls(files, "a")), service(urls(files, "ok", "a")), return_exceptions=True)
    assert [type(result) for result in results] == [InputRefused] * 2
    assert [str(result).partition(": ")[0] for result in results] == ["input.imageUrls[0]", "input.imageUrls[1]"]
    assert files.hits["a"] == 1


async def test_a_private_address(
    assets: DiskAssets, shared_store: SqliteStore, sandbox: Sandbox, files: FileServer, clock: SetClock
) -> None:
    """The guard holds for references; nothing is fetched."""
    async with open_door() as closed:
        service = ReferenceService(
            closed, assets, shared_store, sandbox, IntakeLimits(), OURS, clock, FetchRules(1000, 1.0, 1)
        )
        with pytest.raises(InputRefused):
            await service(urls(files, "a"))
    assert files.hits["a"] == 0


async def test_one_waiter_goes(make: Make, files: FileServer) -> None:
    """Who is cancelled while he waits cuts nobody else's download, not even when he asked first."""
    gate = asyncio.Event()

    async def hold(name: str) -> None:
        await gate.wait()

    files.before = hold
    files.answers = {"a": [(200, photo())]}
    service = make()
    first = asyncio.create_task(service(urls(files, "a")))
    await until(lambda: files.hits["a"] == 1)
    others = [asyncio.create_task(service(urls(files, "a"))) for _ in range(3)]
    await asyncio.sleep(0.02)
    first.cancel()
    await asyncio.wait([first])
    assert first.cancelled()
    gate.set()
    assert [len(found) for found in await asyncio.gather(*others)] == [1, 1, 1]
    assert files.hits["a"] == 1


async def test_all_waiters_go(make: Make, files: FileServer, caplog: pytest.LogCaptureFixture) -> None:
    """A download that nobody waits for any more ends quietly, and the next who asks is served."""
    gate = asyncio.Event()

    async def hold(name: str) -> None:
        await gate.wait()

    files.before = hold
    files.answers = {"a": [(404, b""), (200, photo())]}
    service = make()
    only = asyncio.create_task(service(urls(files, "a")))
    await until(lambda: files.hits["a"] == 1)
    only.cancel()
    await asyncio.wait([only])
    gate.set()
    await until(lambda: not service._underway)
    assert "never retrieved" not in caplog.text
    assert len(await service(urls(files, "a"))) == 1


async def test_a_bad_reference_does_not_wait_for_a_slow_one(make: Make, files: FileServer) -> None:
    """The first item that cannot be had ends the task's wait."""

    async def hold(name: str) -> None:
        if name == "slow":
            await asyncio.sleep(30.0)

    files.before = hold
    async with asyncio.timeout(1.5):
        with pytest.raises(InputRefused, match=r"imageUrls\[1\]"):
            await make()(urls(files, "slow", "gone"))


async def test_stored_references(make: Make, assets: DiskAssets, clock: SetClock, sandbox: Sandbox) -> None:
    """Bytes that came inside the request are cleaned once, and need no host."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30)).save(out, "JPEG", comment=b"dropped")
    digest = await assets.put(out.getvalue())
    service = make(fresh=1.0, keep=1000.0)
    (found,) = await service((StoredReference(digest),))
    assert (found.media_type, found.width, found.height) == ("image/jpeg", 40, 30)
    assert await assets.delete_if_old(digest, 0.0)
    clock.go_on(999)  # far past the freshness of a URL
    assert await service((StoredReference(digest),)) == (found,)


async def test_a_stored_reference_that_is_gone(make: Make) -> None:
    """Bytes that are no longer kept are the caller's to send again."""
    with pytest.raises(InputRefused, match=r"imageUrls\[0\]: this file is no longer kept here"):
        await make()((StoredReference("0" * 64),))


async def test_our_own_urls(
    make: Make, assets: DiskAssets, shared_store: SqliteStore, clock: SetClock, files: FileServer
) -> None:
    """A URL of ours is read from the next room while its link lives; no request is made."""
    digest = await assets.put(photo())
    link = Link("t" * 22, "1.png", digest, "image/png", 5, clock.now() + 60 * SECOND)
    await shared_store.add_link(link)
    reference = UrlReference(OURS.file("t" * 22, "1.png"))
    (found,) = await make()((reference,))
    assert (found.width, found.height) == (40, 30)
    clock.go_on(3600)
    with pytest.raises(InputRefused, match="no longer kept"):
        await make()((reference,))
    with pytest.raises(InputRefused, match="no longer kept"):
        await make()((UrlReference(OURS.file("unknown", "1.png")),))
    assert sum(files.hits.values()) == 0


async def test_metadata_do_not_reach_an_engine(make: Make, files: FileServer) -> None:
    """What is stored and given out is the clean picture."""
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "SECRETPLACE"
    Image.new("RGB", (40, 30)).save(out, "JPEG", exif=exif)
    files.answers = {"a": [(200, out.getvalue())]}
    (found,) = await make()(urls(files, "a"))
    assert b"SECRETPLACE" in out.getvalue()
    assert b"SECRETPLACE" not in found.data


async def test_an_escrow_link_is_private(make: Make, files: FileServer, tmp_path: Path) -> None:
    """The links of cleaned references bear a name that the file routes do not serve."""
    files.answers = {"a": [(200, photo())]}
    await make()(urls(files, "a"))
    with sqlite3.connect(tmp_path / "aquatint.db") as db:
        assert db.execute("SELECT DISTINCT name FROM link").fetchall() == [(ESCROW,)]
    db.close()


# fitted


def reference(size: tuple[int, int] = (200, 100), kind: str = "PNG", noise: bool = False) -> ReferenceImage:
    out = io.BytesIO()
    image = Image.effect_noise(size, 90.0).convert("RGB") if noise else Image.new("RGB", size, "teal")
    image.save(out, kind)
    return ReferenceImage(out.getvalue(), f"image/{kind.lower()}", *size)


async def test_what_fits_is_left_alone(make: Make) -> None:
    """References within the provider's limits go to it byte for byte, at the very limits too."""
    given = (reference(), reference(kind="JPEG"), reference(kind="WEBP"))
    exact = ReferenceLimits(
        max_bytes=max(len(each.data) for each in given),
        max_pixels=200 * 100,
        min_side=100,
        max_side=200,
        max_aspect=2.0,
    )
    fitted = await make().fitted(given, exact)
    assert all(a is b for a, b in zip(fitted, given, strict=True))


@pytest.mark.parametrize(
    "limits",
    [
        ReferenceLimits(max_pixels=5000),
        ReferenceLimits(max_side=100),
        ReferenceLimits(max_bytes=8000),
        ReferenceLimits(media_types=("image/jpeg",)),
        ReferenceLimits(media_types=("image/png",), max_bytes=20_000),
        ReferenceLimits(max_bytes=3000, max_side=90, media_types=("image/jpeg", "image/webp")),
    ],
    ids=["pixels", "side", "bytes", "format", "png bytes", "all"],
)
async def test_what_exceeds_is_made_to_fit(make: Make, limits: ReferenceLimits) -> None:
    """A reference over a limit comes out within all of them, of the same shape, and says what it is."""
    small, large = reference((60, 30), "WEBP" if "image/webp" in limits.media_types else "PNG"), reference(noise=True)
    _, fitted = await make().fitted((small, large), limits)
    image = Image.open(io.BytesIO(fitted.data))
    assert (fitted.width, fitted.height) == image.size
    assert fitted.media_type == f"image/{(image.format or '').lower()}"
    assert fitted.media_type in limits.media_types
    assert len(fitted.data) <= limits.max_bytes
    assert fitted.width * fitted.height <= limits.max_pixels
    assert max(image.size) <= limits.max_side
    assert fitted.width / fitted.height == pytest.approx(2.0, rel=0.05)


@pytest.mark.parametrize(
    "limits",
    [
        ReferenceLimits(max_aspect=1.5),
        ReferenceLimits(min_side=150),
        ReferenceLimits(max_side=160, min_side=100),
        ReferenceLimits(max_bytes=10),
    ],
    ids=["long", "small", "both", "bytes"],
)
async def test_what_cannot_be_made_to_fit(make: Make, limits: ReferenceLimits) -> None:
    """What no re-encoding brings within the limits is refused by its place."""
    fine = ReferenceImage(b"", "image/png", 160, 160)
    with pytest.raises(InputRefused, match=r"^input\.imageUrls\[1\]: the image "):
        await make().fitted((fine, reference(noise=True)), limits)
