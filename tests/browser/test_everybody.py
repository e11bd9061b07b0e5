"""Every page for everybody: axe-core finds nothing, light and dark, at a desk and on a phone; and it looks right."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from support.browser import DESKTOP, PHONE, NewTab
from support.client import Client, Json
from support.receiver import ThreadedReceiver
from support.server import KEY, Server


@pytest.fixture(scope="module")
def task(painter: Server) -> Json:
    """One with everything: a reference, a callback, two pictures."""
    with ThreadedReceiver() as receiver, painter.client() as api:
        data = api.get(api.run(prompt="A misty lake", resolution="1k")["result"]["urls"][0]).content
        url = api.upload(data, "lake.png").json()["data"]["url"]
        made = api.run(prompt="Ink drawing", imageUrls=[url], resolution="1k", n=2, callback=receiver.url)
        api.wait_delivery(made["taskId"], "delivered")
        return made


def settle(page: Page) -> None:
    """Scripts have run, pictures are there, nothing moves."""
    page.wait_for_function("() => [...document.images].every(one => one.complete || one.loading === 'lazy')")
    page.evaluate("document.getAnimations().forEach(one => one.finish())")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing(tab: NewTab, task: Json, dark: bool, size: tuple[int, int]) -> None:
    made = tab(dark=dark, size=size)
    found = {}
    for path in ("/", "/gallery", "/tasks", f"/tasks/{task['taskId']}", "/dashboard", "/gallery?q=nothing"):
        page = made.open(path)
        settle(page)
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        if path == "/":
            expect(page.get_by_role("tab", name="curl")).to_be_visible()
        found[path] = made.violations()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= size[0], f"{path} is {wide} pixels wide"
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (sum(map(int, ground[4:-1].split(","))) < 200) == dark, ground
    made.page.context.clear_cookies()
    settle(made.open("/login"))
    found["/login"] = made.violations()
    assert {path: some for path, some in found.items() if some} == {}


def test_the_theme_is_chosen_and_kept(tab: NewTab) -> None:
    page = tab(dark=True).open("/tasks")
    page.get_by_role("button", name="Change between light and dark").click()
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground


def test_motion_is_reduced(tab: NewTab, task: Json) -> None:
    page = tab(reduced=True).open("/gallery")
    assert page.locator(".tile img").first.evaluate("one => getComputedStyle(one).animationName") == "none"


def test_nothing_comes_from_elsewhere(tab: NewTab, task: Json) -> None:
    """Not one request leaves the server, and none of the keys lies where scripts read."""
    made = tab()
    asked: list[str] = []
    made.page.on("request", lambda request: asked.append(request.url))
    for path in ("/", "/gallery", f"/tasks/{task['taskId']}", "/dashboard"):
        settle(made.open(path))
    assert [url for url in asked if not url.startswith((made.base, "blob:", "data:"))] == []
    kept = made.page.evaluate("[document.cookie, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]")
    assert kept[:2] == ["", "{}"]
    assert KEY not in kept[2]
    assert KEY not in made.page.content()


def test_the_dashboard_counts(tab: NewTab, task: Json, api: Client) -> None:
    """Numbers, charts with words, lines that can be paused, keys with what they did."""
    page = tab().open("/dashboard")
    expect(page.get_by_role("img", name="Throughput")).to_be_visible()
    expect(page.get_by_role("img", name="Seconds from submit to success: half within")).to_be_visible()
    overview = api.get("/api/v1/admin/overview").json()["data"]
    done = sum(step["succeeded"] for step in overview["steps"])
    assert done >= 2
    shown = page.locator(".figures div", has_text="Done").locator("dd").inner_text()
    assert 2 <= int(shown) <= done
    assert "AQUATINT_API_KEY" in page.locator("#scroll-keys").inner_text() or "environment" in page.content()
    try:
        page.get_by_role("button", name="Pause studio").click()
        expect(page.get_by_role("button", name="Resume studio")).to_be_visible()
        assert api.get("/api/v1/admin/lanes").json()["data"]["lanes"][0]["paused"]
        page.get_by_role("button", name="Resume studio").click()
        expect(page.get_by_role("button", name="Pause studio")).to_be_visible()
    finally:
        api.post("/api/v1/admin/lanes/studio/resume")
    page.get_by_role("link", name="Last day").click()
    expect(page.locator(".chart").first).to_contain_text("24 h ago")
