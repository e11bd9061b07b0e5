"""Pictures on the disk: whole or not at all, never over another, never with the key, never without an end."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from aquatint.engines.null import PIXEL
from aquatint_client import DownloadFailed, Task
from aquatint_client._download import plans
from aquatint_client._sync_client import Result
from support.scripted import Say, Seen, answer, scripted
from support.sdk import impatient

PNG = answer(200, PIXEL, kind="image/png")


def task(*urls: str, prompt: str = "A cat, in oil!") -> Task:
    return Task.of(
        {
            "taskId": "01a202de-8022-7713-a87e-ac3173bc173c",
            "status": "SUCCESS",
            "input": {"model": "m", "prompt": prompt},
            "result": {"type": "image", "urls": list(urls)},
        }
    )


def save(script: object, target: Path, *, overwrite: bool = False, count: int = 1, **options: object) -> list[Path]:
    """Save the pictures of a scripted server, and insist that the key never went there."""
    with scripted(script) as server, impatient("http://127.0.0.1:1", **options) as client:  # type: ignore[arg-type]
        try:
            urls = [f"{server.origin}/{n}.png" for n in range(count)]
            return Result(client, task(*urls)).save(target, overwrite=overwrite)
        finally:
            assert not any("authorization" in one.headers for one in server.seen)


def test_names_tell_what_it_is_and_never_collide(tmp_path: Path) -> None:
    first = save(lambda seen, _: PNG, tmp_path, count=2)
    second = save(lambda seen, _: PNG, tmp_path)
    assert [path.name for path in first + second] == [
        "a-cat-in-oil-bc173c-1.png",
        "a-cat-in-oil-bc173c-2.png",
        "a-cat-in-oil-bc173c-1-2.png",
    ]
    assert all(path.read_bytes() == PIXEL for path in first + second)
    umask = os.umask(0)
    os.umask(umask)
    assert first[0].stat().st_mode & 0o777 == 0o666 & ~umask


def test_a_file_is_not_replaced_unless_asked(tmp_path: Path) -> None:
    target = tmp_path / "cat.png"
    target.write_text("mine")
    with pytest.raises(FileExistsError):
        save(lambda seen, _: PNG, target)
    assert target.read_text() == "mine"
    assert save(lambda seen, _: PNG, target, overwrite=True) == [target]
    assert target.read_bytes() == PIXEL
    assert [path.name for path in tmp_path.iterdir()] == ["cat.png"]


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    """What the target's name leads to stays as it is."""
    victim, target = tmp_path / "victim", tmp_path / "cat.png"
    victim.write_text("precious")
    target.symlink_to(victim)
    with pytest.raises(FileExistsError):
        save(lambda seen, _: PNG, target)
    save(lambda seen, _: PNG, target, overwrite=True)
    assert victim.read_text() == "precious"
    assert not target.is_symlink()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Say((b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + PIXEL,)), "cannot be fetched"),
        (answer(200, b"<html>not found</html>", kind="image/png"), "no picture"),
        (answer(200, b"", kind="image/png"), "no picture"),
        (answer(410, b"", kind="text/plain"), "its time is over"),
        (answer(302, b"", Location="file:///etc/passwd"), "no address of the web"),
        (answer(302, b"", Location="/1.png"), "without an end"),
        (answer(200, gzip.compress(PIXEL + b"0" * 5_000_000), kind="image/png", Content_Encoding="gzip"), "larger"),
        (answer(200, PIXEL + b"0" * 2_000_000, kind="image/png"), "larger"),
    ],
    ids=["cut", "html", "empty", "gone", "file", "circle", "bomb", "large"],
)
def test_whatever_goes_wrong_leaves_nothing_behind(tmp_path: Path, said: Say, words: str) -> None:
    with pytest.raises(DownloadFailed, match=words):
        save(lambda seen, _: said, tmp_path / "out", max_download=1_000_000)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_download_that_breaks_is_begun_again(tmp_path: Path) -> None:
    cut = Say((b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + PIXEL + b"0" * 900,))
    (path,) = save(lambda seen, before: cut if before == 0 else PNG, tmp_path)
    assert path.read_bytes() == PIXEL


def test_redirects_of_a_storage_are_followed(tmp_path: Path) -> None:
    def script(seen: Seen, before: int) -> Say:
        return answer(307, b"", Location="/signed?x=1") if seen.path == "/0.png" else PNG

    assert save(script, tmp_path)[0].read_bytes() == PIXEL


def test_the_suffix_is_the_contents(tmp_path: Path) -> None:
    webp = answer(200, b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 20, kind="image/png")
    assert save(lambda seen, _: webp, tmp_path)[0].suffix == ".webp"


@pytest.mark.parametrize(
    ("prompt", "stem"),
    [
        ("../../etc/passwd", "etc-passwd-bc173c"),
        ("水墨画 的 猫", "水墨画-的-猫-bc173c"),
        ("\x1b[2J\n..", "2j-bc173c"),
        ("…", "picture-bc173c"),
        ("x" * 500, "x" * 48 + "-bc173c"),
    ],
)
def test_prompts_make_harmless_names(tmp_path: Path, prompt: str, stem: str) -> None:
    (plan,) = plans(task("http://x/1.png", prompt=prompt), tmp_path, False)
    assert (plan.folder, plan.stem) == (tmp_path, f"{stem}-1")


def test_several_pictures_of_one_file_name(tmp_path: Path) -> None:
    assert [p.name for p in save(lambda seen, _: PNG, tmp_path / "cat.png", count=2)] == ["cat-1.png", "cat-2.png"]
    assert [p.name for p in save(lambda seen, _: PNG, tmp_path / "one.png")] == ["one.png"]
