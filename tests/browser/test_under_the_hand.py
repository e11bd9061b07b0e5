"""Pages that renew themselves, under somebody's hand: what is pressed, focused or selected is not taken away."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from support.browser import NewTab
from support.client import Client
from support.ports import free_port

SLOW = 1500  # milliseconds of a press, in which the page hears of progress several times


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
    made = tab()
    painting(api, made.page, made.base).click(delay=SLOW)
    expect(made.page.locator(".state .tag")).to_have_text("Cancelled")
    assert made.page.evaluate("window.swaps") > 1, "the page heard of nothing while the button was pressed"


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
