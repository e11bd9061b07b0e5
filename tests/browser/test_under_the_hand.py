"""Pages under somebody's hand: what is pressed, focused or selected is not taken away, and one press is one task."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from support.browser import NewTab
from support.client import Client
from support.ports import free_port
from support.server import Server

CASTLE = Path(__file__).parents[2] / "examples" / "photos" / "castle.jpg"
SLOW = 1500  # milliseconds of a press, in which the page usually hears of progress several times


def painting(api: Client, page: Page, base: str) -> Locator:
    """The button that cancels a task which paints for a while, on the page of that task."""
    task = api.submit("seedream-4", prompt="mountain lake at dawn", resolution="4k", n=4)
    page.goto(f"{base}/tasks/{task}")
    expect(page.locator("progress")).to_be_visible()
    expect(page.locator(".attempt")).to_contain_text("studio")
    page.on("dialog", lambda dialog: dialog.accept())
    page.evaluate(
        """() => { window.swaps = 0; document.addEventListener('htmx:afterRequest', () => window.swaps++) }"""
    )
    return page.get_by_role("button", name="Cancel")


def test_a_slow_press_cancels(tab: NewTab, api: Client) -> None:
    """The button is released only once the page has heard of progress twice, however slowly this machine paints."""
    made = tab()
    painting(api, made.page, made.base).hover()
    made.page.mouse.down()
    before = made.page.evaluate("window.swaps")
    made.page.wait_for_function("before => window.swaps > before + 1", arg=before)
    made.page.mouse.up()
    expect(made.page.locator(".state .tag")).to_have_text("Cancelled")


@pytest.mark.parametrize("key", ["Enter", " "])
def test_the_keyboard_keeps_its_place(tab: NewTab, api: Client, key: str) -> None:
    made = tab()
    button = painting(api, made.page, made.base)
    button.focus()
    made.page.wait_for_function("() => window.swaps > 2")
    expect(button).to_be_focused()
    made.page.keyboard.press(key, delay=SLOW)
    expect(made.page.locator(".state .tag")).to_have_text("Cancelled")


def test_who_watched_to_the_end_asks_no_more(tab: NewTab, api: Client) -> None:
    """Each piece of news is one request, and nothing is asked once all is told."""
    task = api.submit("seedream-4", prompt="stormy sea", resolution="2k", n=2)
    page = tab().open(f"/tasks/{task}")
    page.evaluate(
        """task => { window.asked = []; window.told = 0
             document.addEventListener('htmx:beforeRequest', event =>
               window.asked.push(event.detail.pathInfo.requestPath.split('/').at(-1)))
             const source = new EventSource(`/web/api/v1/task/${task}/events`)
             for (const name of ['task.claimed', 'task.handed_over', 'task.requeued', 'progress', 'done'])
               source.addEventListener(name, () => window.told++)
             source.addEventListener('done', () => source.close()) }""",
        task,
    )
    expect(page.locator(".state .tag")).to_have_text("Done")
    expect(page.locator(".timeline")).to_contain_text("task.success")
    page.wait_for_timeout(2500)
    asked, told = page.evaluate("[window.asked, window.told]")
    polls = 1 + asked.count("details") // 2  # every 4 seconds, where details are asked for every 2
    assert 1 <= asked.count("card") <= told + polls, (asked, told)
    page.wait_for_timeout(5000)
    assert page.evaluate("window.asked") == asked


def test_what_is_selected_stays_selected(tab: NewTab, api: Client) -> None:
    """A callback that waits for its next try keeps the page looking: what stays the same does not move."""
    task = api.submit("seedream-4", prompt="x", resolution="1k", callback=f"http://127.0.0.1:{free_port()}/")
    api.wait(task)
    api.wait_delivery(task, "pending")
    page = tab().open(f"/tasks/{task}")
    page.wait_for_timeout(2500)
    select = """() => { getSelection().selectAllChildren(document.querySelector('pre[aria-label=Input]'));
                        return getSelection().toString() }"""
    selected = page.evaluate(select)
    assert "seedream" in selected
    page.wait_for_timeout(4500)
    assert page.evaluate("() => getSelection().toString()") == selected


def painted(api: Client, prompt: str) -> int:
    return len(api.tasks(q=prompt)["tasks"])


def on_the_wall(page: Page, prompt: str) -> Locator:
    return page.locator("#wall > .run").filter(has_text=prompt)


def test_a_double_click_paints_once(tab: NewTab, api: Client) -> None:
    page = tab().open("/")
    page.get_by_label("Prompt").fill("a double lake")
    page.locator("label", has_text=re.compile("^1k$")).click()
    page.get_by_role("button", name="Paint", exact=True).dblclick(delay=40)
    expect(on_the_wall(page, "a double lake")).to_have_count(1)
    page.wait_for_timeout(1000)
    assert painted(api, "a double lake") == 1
    page.get_by_role("button", name="Paint", exact=True).click()  # later it is meant
    expect(on_the_wall(page, "a double lake")).to_have_count(2)


def test_a_key_that_is_held_paints_once(tab: NewTab, api: Client) -> None:
    page = tab().open("/")
    page.locator("label", has_text=re.compile("^1k$")).click()
    page.get_by_label("Prompt").fill("a held lake")
    page.keyboard.down("Control")
    for _ in range(40):  # what a keyboard sends within two seconds
        page.keyboard.down("Enter")
        page.wait_for_timeout(50)
    page.keyboard.up("Enter")
    page.keyboard.up("Control")
    expect(on_the_wall(page, "a held lake")).to_have_count(1)
    assert painted(api, "a held lake") == 1
    page.get_by_role("spinbutton", name="Pictures").focus()
    for _ in range(40):
        page.keyboard.down("Enter")
        page.wait_for_timeout(50)
    page.keyboard.up("Enter")
    expect(on_the_wall(page, "a held lake")).to_have_count(2)
    assert painted(api, "a held lake") == 2


def test_references_are_waited_for(tab: NewTab, api: Client) -> None:
    """Paint is pressed, and another model chosen, before a reference has arrived: it is neither left out nor lost."""
    page = tab().open("/")
    held: list[Route] = []
    page.route("**/web/api/v1/files", lambda route: held.append(route))
    page.locator("[data-upload]").set_input_files(CASTLE)
    expect(page.locator(".ref-list .ref")).to_have_attribute("aria-busy", "true")
    page.get_by_label("Prompt").fill("a lake from a castle")
    page.get_by_role("button", name="Paint", exact=True).click()
    expect(page.locator("#problem")).to_contain_text("still being sent")
    page.get_by_label("Model").select_option("seedream-4")
    expect(page.locator(".ref-list .ref")).to_have_count(0)
    held[0].continue_()
    expect(page.locator(".ref-list .ref")).to_have_attribute("aria-busy", "false")
    page.locator("label", has_text=re.compile("^1k$")).click()
    page.get_by_role("button", name="Paint", exact=True).click()
    expect(on_the_wall(page, "a lake from a castle")).to_have_count(1)
    (task,) = api.tasks(q="a lake from a castle")["tasks"]
    assert len(task["input"]["imageUrls"]) == 1


def test_run_again_runs_once(tab: NewTab, api: Client) -> None:
    """A plain form, of which a second click would send a second request before the answer to the first is there."""
    task = api.submit("seedream-4", prompt="a lake again", resolution="1k")
    api.wait(task)
    page = tab().open(f"/tasks/{task}")
    slow: list[Route] = []
    page.route("**/rerun", lambda route: slow.append(route))
    page.get_by_role("button", name="Run again").evaluate(
        "button => { button.click(); setTimeout(() => button.click(), 900) }"  # out of patience
    )
    page.wait_for_timeout(1300)
    assert len(slow) == 1
    slow[0].continue_()
    page.wait_for_url(lambda url: "/tasks/" in url and task not in url)
    assert painted(api, "a lake again") == 2


def test_copies_without_a_clipboard(tab: NewTab) -> None:
    """Over plain http from another machine, browsers keep the clipboard away from pages."""
    made = tab()
    made.page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined })")
    page = made.open("/")
    prompt = page.get_by_label("Prompt")
    prompt.fill("a copied lake")
    page.get_by_text("The same as code").click()
    button = page.get_by_role("tabpanel").get_by_role("button", name="Copy")
    expect(page.get_by_role("tabpanel")).to_contain_text("a copied lake")
    button.click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    prompt.fill("")
    prompt.press("Control+v")
    assert prompt.input_value().startswith("curl ")


def test_a_server_that_was_away_is_back(tab: NewTab, painter: Server, api: Client) -> None:
    """It is said while it lasts, and what was painted meanwhile is seen without a reload."""
    task = api.submit("seedream-4", prompt="a lake meanwhile", resolution="2k")
    made = tab()
    page = made.open(f"/tasks/{task}")
    painter.kill()
    try:
        expect(page.get_by_text("The server cannot be reached.")).to_be_visible()
    finally:
        painter.start()  # others go on with it
    shown = page.locator(".prints img").first
    expect(shown).to_be_visible(timeout=60_000)
    expect(page.get_by_text("The server cannot be reached.")).to_have_count(0)
    lost = ("net::ERR", "[object Event]", "htmx:")
    made.complaints[:] = [one for one in made.complaints if not any(words in one for words in lost)]
