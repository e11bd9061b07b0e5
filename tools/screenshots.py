"""Photographs the web pages for the README and the docs: `python tools/screenshots.py` (needs Chromium).

It starts a server of its own with the studio engine, gives it things to paint, and writes docs/images/web-*.jpg.
"""

from __future__ import annotations

import contextlib
import io
import random
import re
import sqlite3
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from aquatint.testing.receiver import Answer  # noqa: E402
from support.client import Client  # noqa: E402
from support.keys import make_key  # noqa: E402
from support.receiver import ThreadedReceiver  # noqa: E402
from support.server import FAST, KEY, NULL_ENGINE, Server, free_port  # noqa: E402

IMAGES = ROOT / "docs" / "images"
PHOTOS = ROOT / "examples" / "photos"
LARGEST = 290_000  # bytes of one picture
QUALITIES = (88, 82, 75, 65, 55)
PROMPTS = (
    ("seedream-4", "Autumn forest with a river, pastel", {"ratio": "3:4"}),
    ("seedream-4.5", "Stormy sea with a lighthouse", {"ratio": "4:3"}),
    ("seedream-5-pro", "Desert dunes under stars", {"ratio": "21:9"}),
    ("seedream-4", "Misty mountain lake at sunrise", {"ratio": "3:2"}),
    ("seedream-4.5", "Bouquet of poppies and cornflowers, oil painting", {"ratio": "3:4"}),
    ("seedream-4.5", "Cyberpunk Tokyo street in the rain", {"ratio": "16:9"}),
)


def past(folder: Path) -> None:
    """An hour of other keys' tasks for the dashboard: run now by the null engine, then dated back."""
    chance = random.Random(6)  # noqa: S311  # the same picture each time
    with Server(folder, {**FAST, **NULL_ENGINE, "AQUATINT_ENGINES__NULL_DELAY": "50ms"}) as server:
        for name, count in (("shop", 220), ("newsletter", 90)):
            with server.client(make_key(server, name, points=5000)[1]) as client:
                for one in [client.submit("seedream-4") for _ in range(count)]:
                    client.wait(one)
    with contextlib.closing(sqlite3.connect(server.data_dir / "aquatint.db")) as database, database:
        for (no,) in database.execute("SELECT no FROM task").fetchall():
            ago = int(chance.triangular(0.2, 59.5, 25) * 60e6)
            took = int(chance.lognormvariate(1.2, 0.5) * 1e6)
            database.execute("UPDATE task SET updated_at = updated_at - ?1, created_at = updated_at - ?1 - ?2"
                             " WHERE no = ?3", (ago, took, no))  # fmt: skip
            database.execute(
                "UPDATE attempt SET started_at = started_at - ?1 - ?2 / 2 WHERE task_no = ?3", (ago, took, no)
            )


def prepare(client: Client, receiver: ThreadedReceiver) -> str:
    """Tasks for the gallery, the numbers and the inspector; the id of the one to inspect."""
    ids = [
        client.submit(prompt="From a picture that is gone", imageUrls=[f"http://127.0.0.1:{free_port()}/none.png"])
    ]
    ids += [client.submit(model, prompt=prompt, resolution="1k", **more) for model, prompt, more in PROMPTS]
    for name, prompt in (("raccoon", "Make it a pencil sketch"), ("castle", "Transform to watercolor style")):
        url = client.upload((PHOTOS / f"{name}.jpg").read_bytes()).json()["data"]["url"]
        ids.append(client.submit(prompt=prompt, imageUrls=[url], resolution="1k", callback=receiver.url))
    for one in ids:
        client.wait(one, 120)
    client.wait_delivery(ids[-1], "delivered", 30)
    return ids[-1]


def shoot(page: Page, name: str) -> None:
    """Keep what the page shows, as small as its limit wants it."""
    page.wait_for_function("() => [...document.images].every(one => one.complete || one.loading === 'lazy')")
    page.wait_for_timeout(900)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in QUALITIES:
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if out.tell() <= LARGEST:
            break
    (IMAGES / f"web-{name}.jpg").write_bytes(out.getvalue())
    print(f"web-{name}.jpg: {out.tell() // 1000} kB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        past(Path(folder))
        photograph(Path(folder))


def photograph(folder: Path) -> None:
    with (
        ThreadedReceiver() as receiver,
        Server(folder, {**FAST, "AQUATINT_WEBHOOKS__SCHEDULE": "1s"}, port=8000) as server,
        server.client() as client,
        sync_playwright() as playwright,
    ):
        count = iter(range(1000))
        receiver.answer_with(lambda letter: Answer(503, body=b"down") if next(count) == 0 else Answer(body=b"thanks"))
        task_id = prepare(client, receiver)
        opened = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        sizes = {"desk": {"width": 1360, "height": 940}, "phone": {"width": 390, "height": 844}}
        for name, path, size, scheme in (
            ("playground", "/", "desk", "light"),
            ("gallery", "/gallery", "desk", "light"),
            ("inspector", f"/tasks/{task_id}", "desk", "light"),
            ("dashboard", "/dashboard", "desk", "light"),
            ("dark", "/", "desk", "dark"),
            ("phone", "/", "phone", "light"),
            ("phone-dark", "/gallery", "phone", "dark"),
        ):
            context = opened.new_context(
                viewport=sizes[size],  # type: ignore[arg-type]
                color_scheme=scheme,  # type: ignore[arg-type]
                device_scale_factor=2 if size == "phone" else 1,
            )
            page = context.new_page()
            page.goto(f"{server.base_url}/login#key={KEY}")
            page.wait_for_url(f"{server.base_url}/")
            page.goto(f"{server.base_url}{path}")
            if path == "/" and size == "desk":
                page.locator("#prompt").fill(
                    "Make it a pencil sketch" if scheme == "light" else "Stormy sea at night"
                )
                page.locator("label.shape", has_text=re.compile("^16:9$")).click()
                page.get_by_role("slider").first.evaluate(
                    "one => { one.value = 38; one.dispatchEvent(new Event('input', {bubbles: true})) }"
                )
                page.evaluate("document.activeElement.blur()")
            if name == "inspector":
                page.get_by_text("Request", exact=True).scroll_into_view_if_needed()
                page.evaluate("scrollTo(0, 0)")
            shoot(page, name)
            context.close()
        opened.close()


if __name__ == "__main__":
    main()
