"""Keep: a provider's result into our storage; real downloads, a real sandbox, a real disk."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from scripted_remote import FileServer, keep_of, open_door, picture

from aquatint.assets.base import digest_of
from aquatint.assets.disk import DiskAssets
from aquatint.domain.errors import Broken, StoreUnavailable
from aquatint.engines.base import GeneratedImage
from aquatint.net.http import HttpDoor
from aquatint.net.provider import origin_of
from aquatint.sandbox.errors import SandboxCrashed
from aquatint.sandbox.pool import Sandbox
from aquatint.sandbox.results import ResultWish
from aquatint.services import keep as keeping
from aquatint.services.keep import KeepService, ResultWaits
from support.ports import free_port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("quick")]

AS_IT_IS = ResultWish()


@pytest.fixture
def keep(assets: DiskAssets, door: HttpDoor, sandbox: Sandbox) -> KeepService:
    return keep_of(assets, door, sandbox, attempts=3)


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


# downloads


async def test_a_download(keep: KeepService, files: FileServer) -> None:
    """The whole body, asked for once."""
    files.answers = {"a": [(200, b"bytes")]}
    assert await keep.fetch(files.url("a"), ()) == b"bytes"
    assert files.hits["a"] == 1


@pytest.mark.parametrize("status", [403, 404, 408, 425, 429, 500, 502, 503])
async def test_a_link_that_works_soon(keep: KeepService, files: FileServer, status: int) -> None:
    """Stores that do not have the file yet, and servers that stumble, are asked again."""
    files.answers = {"a": [(status, b""), (200, b"bytes")]}
    assert await keep.fetch(files.url("a"), ()) == b"bytes"
    assert files.hits["a"] == 2


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_a_link_that_does_not_work_now(keep: KeepService, files: FileServer, status: int) -> None:
    """After so many tries the result waits for another run: it is paid."""
    files.answers = {"a": [(status, b"")]}
    with pytest.raises(ResultWaits) as caught:
        await keep.fetch(files.url("a"), ())
    assert (caught.value.retryable, caught.value.charged, files.hits["a"]) == (True, False, 3)


@pytest.mark.parametrize(("status", "tries"), [(403, 3), (404, 3), (400, 1), (401, 1), (410, 1), (204, 1)])
async def test_a_link_that_has_expired(keep: KeepService, files: FileServer, status: int, tries: int) -> None:
    """A file that is gone for good is lost, and was billed."""
    files.answers = {"a": [(status, b"")]}
    with pytest.raises(Broken) as caught:
        await keep.fetch(files.url("a"), ())
    assert (caught.value.charged, files.hits["a"]) == (True, tries)


async def test_nobody_listens(keep: KeepService) -> None:
    """A server that is down may be up for the next run."""
    with pytest.raises(ResultWaits):
        await keep.fetch(f"http://127.0.0.1:{free_port()}/a.png", ())


async def test_a_silent_server(
    assets: DiskAssets, door: HttpDoor, sandbox: Sandbox, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that does not answer in time costs the deadline once for each try, and the result waits."""

    async def hang(name: str) -> None:
        await asyncio.sleep(30.0)

    files.before = hang
    keep = keep_of(assets, door, sandbox, attempts=2)
    monkeypatch.setattr(keep, "_rules", keeping.KeepRules(2, 0.2))
    with pytest.raises(ResultWaits):
        await keep.fetch(files.url("a"), ())
    assert files.hits["a"] == 2


async def test_a_file_that_is_too_large(
    keep: KeepService, files: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture has so many bytes: it is not asked for again."""
    monkeypatch.setattr(keeping, "MAX_BYTES", 1000)
    files.answers = {"a": [(200, b"x" * 1001)]}
    with pytest.raises(Broken) as caught:
        await keep.fetch(files.url("a"), ())
    assert (caught.value.charged, files.hits["a"]) == (True, 1)


@pytest.mark.parametrize(
    "url", ["", "ftp://a.invalid/x", "file:///etc/passwd", "//a.invalid", "http://u:p@a.invalid/"]
)
async def test_a_link_that_is_none(keep: KeepService, url: str) -> None:
    """What is no http link is lost at once."""
    with pytest.raises(Broken) as caught:
        await keep.fetch(url, ())
    assert caught.value.charged


async def test_a_private_address_is_blocked(assets: DiskAssets, sandbox: Sandbox, files: FileServer) -> None:
    """A provider cannot send us into our own network, unless the operator has named the origin himself."""
    files.answers = {"a": [(200, b"bytes")]}
    async with open_door() as closed:
        keep = keep_of(assets, closed, sandbox)
        with pytest.raises(Broken) as caught:
            await keep.fetch(files.url("a"), ("http://other.invalid:80",))
        assert (caught.value.charged, files.hits["a"]) == (True, 0)
        assert await keep.fetch(files.url("a"), (origin_of(files.origin),)) == b"bytes"


async def test_a_trusted_server_that_is_down(assets: DiskAssets, sandbox: Sandbox) -> None:
    """Also an origin that the operator named may come back."""
    origin = f"http://127.0.0.1:{free_port()}"
    async with open_door() as closed:
        with pytest.raises(ResultWaits):
            await keep_of(assets, closed, sandbox).fetch(f"{origin}/a", (origin,))


# bytes


@pytest.mark.parametrize(
    ("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
async def test_bytes_stay_as_they_are(keep: KeepService, assets: DiskAssets, kind: str, media_type: str) -> None:
    """A picture of an accepted format is stored byte for byte, with what it is."""
    data = picture(1, (40, 30), kind)
    kept = await keep.bought(2, data, 9, AS_IT_IS)
    assert (kept.index, kept.seed, kept.media_type, kept.width, kept.height, kept.bytes) == (
        *(2, 9, media_type, 40, 30),
        len(data),
    )
    assert kept.digest == digest_of(data)
    assert await assets.read(kept.digest) == data


async def test_a_larger_picture_is_shrunk(keep: KeepService, assets: DiskAssets) -> None:
    """More pixels than were promised become the promised ones, in the same format."""
    kept = await keep.bought(0, picture(1, (64, 48), "WEBP"), None, ResultWish((32, 24)))
    assert (kept.media_type, kept.width, kept.height) == ("image/webp", 32, 24)
    assert decoded(await assets.read(kept.digest)).size == (32, 24)


@pytest.mark.parametrize("size", [(32, 24), (30, 20), (31, 48), (64, 23)])
async def test_a_picture_that_is_not_larger_is_left_alone(
    keep: KeepService, assets: DiskAssets, size: tuple[int, int]
) -> None:
    """A picture that is smaller on a side is reported as it is, never blown up."""
    data = picture(1, size)
    kept = await keep.bought(0, data, None, ResultWish((32, 24)))
    assert (kept.width, kept.height) == size
    assert await assets.read(kept.digest) == data


@pytest.mark.parametrize(("wished", "kind"), [("image/jpeg", "JPEG"), ("image/webp", "WEBP"), ("image/png", "PNG")])
async def test_the_format_that_was_asked_for(keep: KeepService, assets: DiskAssets, wished: str, kind: str) -> None:
    """A picture in another format than the caller asked for is written anew in his."""
    source = picture(1, kind="PNG" if kind != "PNG" else "JPEG")
    kept = await keep.bought(0, source, None, ResultWish(None, wished))
    assert kept.media_type == wished
    assert decoded(await assets.read(kept.digest)).format == kind


@pytest.mark.parametrize("data", [b"", b"<html>", b"GIF89a" + bytes(50), picture(1)[:40]], ids=len)
async def test_what_is_no_picture(keep: KeepService, assets: DiskAssets, data: bytes) -> None:
    """It was billed, it is said so, and nothing of it is stored."""
    with pytest.raises(Broken) as caught:
        await keep.bought(0, data, None, AS_IT_IS)
    assert caught.value.charged
    assert [digests async for digests in assets.digests()] == []


async def test_a_worker_that_dies_by_accident(
    keep: KeepService, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that was killed by something else costs no paid picture."""
    real = keeping.check_result
    tries: list[int] = []

    async def die_once(*args: object) -> object:
        tries.append(1)
        if len(tries) == 1:
            raise SandboxCrashed("killed")
        return await real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(keeping, "check_result", die_once)
    assert (await keep.bought(0, picture(1), None, AS_IT_IS)).width == 16


async def test_a_picture_that_kills_workers(keep: KeepService, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that crashes its worker each time is given up, charged."""

    async def die(*args: object) -> object:
        raise SandboxCrashed("killed")

    monkeypatch.setattr(keeping, "check_result", die)
    with pytest.raises(Broken) as caught:
        await keep.bought(0, picture(1), None, AS_IT_IS)
    assert caught.value.charged


@pytest.mark.parametrize("refusal", [OSError(28, "no space left on device"), StoreUnavailable("out of reach")])
async def test_a_storage_that_refuses_for_a_moment(
    keep: KeepService, assets: DiskAssets, monkeypatch: pytest.MonkeyPatch, refusal: Exception
) -> None:
    """What is paid is put away again and again until there is room, and waits when there is none."""
    real, tries = assets.put, []

    async def full(data: bytes) -> str:
        tries.append(data)
        if len(tries) < room_at:
            raise refusal
        return await real(data)

    monkeypatch.setattr(assets, "put", full)
    room_at = 3
    assert (await keep.bought(0, picture(1), None, AS_IT_IS)).width == 16
    room_at = 1000
    with pytest.raises(ResultWaits):
        await keep.bought(0, picture(1), None, AS_IT_IS)


async def test_an_image_of_our_own(keep: KeepService, assets: DiskAssets) -> None:
    """An engine of this machine is believed about its picture, unless it is of no known kind."""
    kept = await keep.own(1, GeneratedImage(b"anything", "image/png", 5, 6, 7))
    assert (kept.index, kept.width, kept.height, kept.seed, kept.bytes) == (1, 5, 6, 7, 8)
    assert await assets.read(kept.digest) == b"anything"
    with pytest.raises(Broken):
        await keep.own(0, GeneratedImage(b"<html>", "text/html", 1, 1))
