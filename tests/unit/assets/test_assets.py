"""Both asset stores: the disk, and S3 over real HTTP."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from aquatint.assets.base import AssetStore, digest_of
from aquatint.assets.disk import DiskAssets
from aquatint.assets.s3 import S3Assets, S3Settings
from aquatint.domain.errors import ConfigurationError, NotFound, StoreUnavailable
from support.cluster import paused
from support.s3 import ACCESS, BUCKET, S3Server

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    server = S3Server(tmp_path_factory.mktemp("s3")).start()
    yield server
    server.stop()


def settings(s3: S3Server, url: str = f"s3://{BUCKET}/results", **more: object) -> S3Settings:
    wanted = {"endpoint": s3.url, "region": "us-east-1", "public_base": "", "presign": False, **ACCESS, **more}
    return S3Settings.of(url, **wanted)  # type: ignore[arg-type]


@pytest.fixture(params=["disk", "s3"])
async def assets(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Server) -> AsyncIterator[AssetStore]:
    made: AssetStore = DiskAssets(tmp_path) if request.param == "disk" else S3Assets(settings(s3))
    await made.open()
    yield made
    await made.close()


async def listed(assets: AssetStore) -> set[str]:
    return {digest async for page in assets.digests() for digest in page}


async def test_what_goes_in_comes_out(assets: AssetStore) -> None:
    """Under its digest, whole and in pieces, as often as one asks; storing it again is no second copy."""
    data = os.urandom(700_000)
    digest = await assets.put(data)
    assert digest == digest_of(data) == await assets.put(data)
    assert await assets.read(digest) == data
    pieces = [piece async for piece in await assets.stream(digest)]
    assert b"".join(pieces) == data
    assert digest in await listed(assets)


async def test_nothing_there(assets: AssetStore) -> None:
    """Bytes that were never stored, or that are deleted, are not found."""
    for digest in (digest_of(b"never"), await assets.put(b"for a moment")):
        await assets.delete_if_old(digest, -60.0)
        with pytest.raises(NotFound):
            await assets.read(digest)
        with pytest.raises(NotFound):
            await assets.stream(digest)
        assert not await assets.delete_if_old(digest, -60.0)
        assert digest not in await listed(assets)


async def test_what_is_young_stays(assets: AssetStore) -> None:
    """A sweeper does not take what a task has only just stored."""
    digest = await assets.put(os.urandom(100))
    assert not await assets.delete_if_old(digest, 3600.0)
    assert digest in await listed(assets)
    assert await assets.delete_if_old(digest, -60.0)


async def test_many_at_once(assets: AssetStore) -> None:
    """Side by side, the same and others."""
    files = [bytes([number % 20]) * 1000 for number in range(100)]
    digests = await asyncio.gather(*(assets.put(file) for file in files))
    assert await asyncio.gather(*(assets.read(digest) for digest in digests)) == files


async def test_large_files_go_up_in_parts(s3: S3Server) -> None:
    """More than one part's size arrives whole."""
    assets = S3Assets(settings(s3))
    await assets.open()
    data = os.urandom(1 << 20) * 37
    digest = await assets.put(data)
    etag = s3.client().head_object(Bucket=BUCKET, Key=f"results/{digest[:2]}/{digest}")["ETag"]
    assert "-3" in etag, "three parts"
    assert digest_of(await assets.read(digest)) == digest
    await assets.close()


async def test_more_than_a_page(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweeper sees everything, and nothing outside its prefix."""
    client = s3.client()
    monkeypatch.setattr("aquatint.assets.s3.PAGE", 10)
    for number in range(35):
        client.put_object(Bucket=BUCKET, Key=f"many/{number:02x}/{number:064x}", Body=b"x")
    client.put_object(Bucket=BUCKET, Key="other/ab/cd", Body=b"x")
    assets = S3Assets(settings(s3, f"s3://{BUCKET}/many/"))
    await assets.open()
    assert len(await listed(assets)) == 35
    await assets.close()


async def test_how_objects_are_kept(s3: S3Server) -> None:
    """With their media type, and for ever in caches: the name is the digest."""
    assets = S3Assets(settings(s3, f"s3://{BUCKET}"))
    await assets.open()
    digest = await assets.put(PNG)
    head = s3.client().head_object(Bucket=BUCKET, Key=f"{digest[:2]}/{digest}")
    assert (head["ContentType"], head["CacheControl"]) == ("image/png", "public, max-age=31536000, immutable")
    assert (await assets.link(digest), assets.path(digest)) == (None, None)
    await assets.close()


async def test_links(s3: S3Server) -> None:
    """A signed link works for whoever holds it; a public base is only put before the key."""
    signed = S3Assets(settings(s3, presign=True))
    await signed.open()
    digest = await signed.put(PNG)
    link = await signed.link(digest)
    assert link is not None
    assert "X-Amz-Signature" in link
    assert "X-Amz-Expires=3600" in link
    answer = httpx.get(link)
    assert (answer.content, answer.headers["content-type"]) == (PNG, "image/png")
    await signed.close()
    public = S3Assets(settings(s3, public_base="https://cdn.example/"))
    await public.open()
    assert await public.link(digest) == f"https://cdn.example/results/{digest[:2]}/{digest}"
    await public.close()


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"url": "http://bucket/x"}, "assets.url"),
        ({"url": "s3://"}, "assets.url"),
        ({"secret_key": ""}, "s3_secret_key"),
        ({"public_base": "https://x", "presign": True}, "s3_presign"),
    ],
)
def test_settings_that_cannot_be(s3: S3Server, change: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigurationError, match=word):
        settings(s3, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", ["nobody listens", "no such bucket"])
async def test_a_storage_that_refuses(s3: S3Server, broken: str) -> None:
    """Is StoreUnavailable, whatever it was: the caller tries again later."""
    change = {"endpoint": "http://127.0.0.1:9"} if broken == "nobody listens" else {"url": "s3://no-such-bucket"}
    assets = S3Assets(settings(s3, **change))  # type: ignore[arg-type]
    await assets.open()
    with pytest.raises(StoreUnavailable):
        await assets.put(b"x")
    with pytest.raises((StoreUnavailable, NotFound)):
        await assets.read(digest_of(b"x"))
    await assets.close()


async def test_a_storage_that_is_silent_for_a_while(s3: S3Server) -> None:
    """What is asked meanwhile is answered when it is back."""
    assets = S3Assets(settings(s3))
    await assets.open()
    with paused(s3.pid):
        writing = asyncio.create_task(assets.put(b"patience"))
        await asyncio.sleep(1.0)
        assert not writing.done()
    assert await assets.read(await writing) == b"patience"
    await assets.close()
