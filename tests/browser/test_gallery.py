"""Gallery and tasks: find, take along, throw away."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.browser import NewTab
from support.client import Client, Json
from support.server import Server

PROMPTS = ("Foggy fjord at sunrise", "Stormy SEA at night", "Ölgemälde: Mohn und Straße")


@pytest.fixture(scope="module")
def painted(painter: Server) -> list[Json]:
    with painter.client() as api:
        ids = [
            api.submit("seedream-4", prompt=prompt, resolution="1k", n=1 + (i == 1))
            for i, prompt in enumerate(PROMPTS)
        ]
        return [api.wait(one, 60) for one in ids]


def test_search_zip_and_delete(tab: NewTab, painted: list[Json], api: Client) -> None:
    page = tab().open("/gallery")
    expect(page.locator(f'[data-task="{painted[1]["taskId"]}"]')).to_have_count(2)
    assert page.locator(".tile img").first.get_attribute("loading") == "lazy"

    page.get_by_label("Prompt").press_sequentially("stormy sea")
    expect(page.locator(".tile")).to_have_count(2)
    assert page.url.endswith("q=stormy+sea&model=") or "stormy" in page.url
    with page.expect_download() as waited:
        page.get_by_role("link", name="Download all as zip").click()
    archive = zipfile.ZipFile(io.BytesIO(Path(waited.value.path()).read_bytes()))
    assert archive.testzip() is None
    assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
    wanted = [api.get(url).content for url in painted[1]["result"]["urls"]]
    assert [archive.read(one) for one in archive.infolist()] == wanted

    with page.expect_download() as single:
        page.get_by_role("link", name="Download: Stormy SEA").first.click()
    assert Path(single.value.path()).read_bytes() == wanted[0]

    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete: Stormy SEA").first.click()
    expect(page.locator(".tile")).to_have_count(0)
    assert api.get(f"/api/v1/task/{painted[1]['taskId']}").status_code == 404
    assert api.get(painted[1]["result"]["urls"][0]).status_code == 410

    page.get_by_label("Prompt").fill("ÖLGEMÄLDE")
    expect(page.locator(".tile")).to_have_count(1)
    page.get_by_label("Prompt").fill("nothing has this")
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_tasks_are_filtered(tab: NewTab, painted: list[Json], api: Client) -> None:
    """By status, model and words; each row leads to its inspector."""
    page = tab().open("/tasks")
    page.get_by_label("Prompt").fill("foggy fjord")
    expect(page.locator(".rows li")).to_have_count(1)
    page.get_by_label("Status").select_option("FAILURE")
    expect(page.get_by_text("No tasks here.")).to_be_visible()
    page.get_by_label("Status").select_option("SUCCESS")
    page.locator(".rowlink").click()
    page.wait_for_url(f"**/tasks/{painted[0]['taskId']}")
    expect(page.get_by_role("heading", level=1)).to_have_text(PROMPTS[0])
    expect(page.locator("pre[aria-label=Input]")).to_contain_text('"resolution": "1k"')


def test_a_row_is_clicked_slowly_after_typing(tab: NewTab, painted: list[Json]) -> None:
    """The press takes the focus from the field: the rows must not change under the finger because of that."""
    page = tab().open("/tasks")
    page.get_by_label("Prompt").press_sequentially("foggy fjord")
    expect(page.locator(".rows li")).to_have_count(1)
    page.locator(".rowlink").click(delay=700)
    page.wait_for_url(f"**/tasks/{painted[0]['taskId']}")


def test_the_gallery_goes_on(tab: NewTab, painted: list[Json]) -> None:
    """What follows comes when one scrolls to the end: the part that the page asks for holds the next tiles."""
    page = tab().open("/gallery")
    cursor = page.evaluate(
        "async () => (await (await fetch('/web/api/v1/tasks?status=SUCCESS&limit=1')).json()).data.next_cursor"
    )
    page.evaluate(
        """cursor => { const more = document.createElement('li'); more.id = 'more';
             more.setAttribute('hx-get', `/gallery?cursor=${cursor}`); more.setAttribute('hx-trigger', 'revealed');
             more.setAttribute('hx-swap', 'outerHTML'); more.setAttribute('hx-target', 'this');
             window.count = document.querySelectorAll('.tile').length;
             document.querySelector('.grid').append(more); htmx.process(more) }""",
        cursor,
    )
    page.evaluate("() => window.scrollTo(0, document.body.scrollHeight)")
    page.wait_for_function("() => document.querySelectorAll('.tile').length > window.count")
    assert page.locator("#more").count() == 0
