"""The main way through the pages: write, watch, see, look what happened, go on."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from support.browser import NewTab
from support.client import Client
from support.receiver import ThreadedReceiver

CASTLE = Path(__file__).parents[2] / "examples" / "photos" / "castle.jpg"


def shown(page: Page, selector: str) -> None:
    """The picture is there and has pixels."""
    page.wait_for_function(
        "selector => { const one = document.querySelector(selector); return one?.complete && one.naturalWidth > 0 }",
        arg=selector,
    )


def begun(page: Page, press: Callable[[], None]) -> str:
    """Selector of the run that begins when something is pressed."""
    first = page.locator("#wall > .run").first
    before = first.get_attribute("id") if first.count() else None
    press()
    page.wait_for_function(
        "before => { const one = document.querySelector('#wall > .run'); return one && one.id !== before }",
        arg=before,
    )
    return f"#{first.get_attribute('id')}"


def small(page: Page) -> None:
    """The smallest and quickest picture."""
    page.locator("label", has_text=re.compile("^1k$")).click()


def test_from_prompt_to_picture_to_webhook(tab: NewTab, receiver: ThreadedReceiver) -> None:
    """Submit, progress seen live, picture, callback with request and response, and once more."""
    page = tab().open("/")
    page.get_by_label("Prompt").fill("Rough sea with a lighthouse")
    page.get_by_role("radio", name="16:9").check(force=True)
    expect(page.locator("[data-size]")).to_have_text("2848 × 1600")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Callback URL").fill(receiver.url)
    page.evaluate(  # every state and share that is shown from now on
        """() => { window.seen = []; new MutationObserver(() => {
             for (const one of document.querySelectorAll('.live')) window.seen.push(
               [one.dataset.news, one.querySelector('progress')?.value ?? null]) })
           .observe(document.getElementById('wall'), {childList: true, attributes: true, subtree: true}) }"""
    )
    run = begun(page, lambda: page.get_by_label("Prompt").press("Control+Enter"))
    shown(page, f"{run} .mount img")
    seen = page.evaluate("window.seen")
    shares = [share for _, share in seen if share]
    assert any(0 < share < 100 for share in shares), f"no progress was shown live: {seen}"
    assert page.locator("#announcer").inner_text() == "Done."
    alts = [image.get_attribute("alt") for image in page.locator(f"{run} .mount img").all()]
    assert alts == ["Rough sea with a lighthouse"]

    page.locator(run).get_by_role("link", name="Inspect").click()
    letter = receiver.wait_for(1)[0]
    expect(page.locator("[data-delivery-state]")).to_have_text("delivered")
    page.get_by_text("Request", exact=True).click()
    request = page.get_by_label("Request")
    assert letter.headers["webhook-id"] in page.locator(".delivery").inner_text()
    expect(request).to_contain_text('"status": "SUCCESS"')
    page.get_by_text("Response", exact=True).first.click()
    expect(page.get_by_label("Response").first).to_have_text("ok")
    assert [line.inner_text() for line in page.locator(".timeline code").all()][::3] == [
        "task.submitted",
        "task.success",
    ]

    page.get_by_role("button", name="Send again").click()
    assert len(receiver.wait_for(2)) == 2
    expect(page.locator(".tries > li")).to_have_count(2)
    expect(page.locator("[data-delivery-state]")).to_have_text("delivered")
    expect(page.get_by_label("Request")).to_be_visible()  # what was open stays open


def test_references_are_dropped_compared_and_used_again(tab: NewTab, api: Client) -> None:
    """Upload, image-to-image, before and after by keyboard, the result as the next reference, the same seed again."""
    page = tab().open("/")
    page.locator("[data-upload]").set_input_files(CASTLE)
    expect(page.locator(".ref-list .ref")).to_have_attribute("aria-busy", "false")
    page.get_by_label("Prompt").fill("Transform to watercolor style")
    small(page)
    painted = begun(page, page.get_by_role("button", name="Paint").click)
    run = page.locator(painted)
    shown(page, f"{painted} .compare .after")
    slider = run.get_by_role("slider")
    slider.focus()
    before = run.locator(".before")
    box = before.bounding_box()
    slider.press("End")
    assert run.locator(".compare").evaluate("one => getComputedStyle(one).getPropertyValue('--cut')") == "100%"
    slider.press("ArrowLeft")
    assert slider.input_value() == "99"
    assert before.bounding_box() == box

    run.get_by_role("link", name="Use as reference").click()
    expect(page.locator(".ref-list .ref")).to_have_count(2)
    page.get_by_role("button", name="Remove this reference").first.click()
    expect(page.locator(".ref-list .ref")).to_have_count(1)

    first = api.tasks(limit=1)["tasks"][0]
    shown(page, f"{begun(page, run.get_by_role('button', name='Run again with the same seed').click)} .after")
    again = api.tasks(limit=1)["tasks"][0]
    assert again["input"]["seed"] == first["images"][0]["seed"]
    assert api.get(again["result"]["urls"][0]).content == api.get(first["result"]["urls"][0]).content


def test_a_picture_is_pasted(tab: NewTab) -> None:
    page = tab().open("/")
    page.evaluate(
        """async () => { const canvas = new OffscreenCanvas(64, 64); canvas.getContext('2d').fillRect(0, 0, 40, 40);
             const data = new DataTransfer(); data.items.add(new File([await canvas.convertToBlob()], 'a.png',
             {type: 'image/png'}));
             document.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true})) }"""
    )
    expect(page.locator(".ref-list .ref")).to_have_attribute("aria-busy", "false")
    assert "/files/" in page.locator(".ref-list input").input_value()


def test_the_form_is_the_models_own(tab: NewTab, api: Client) -> None:
    """Fields come from the model's JSON Schema; what two models share is kept; the code says the same."""
    page = tab().open("/")
    models = {model["name"]: model for model in api.get("/api/v1/models").json()["data"]["models"]}
    page.get_by_label("Prompt").fill('Say "hello" & <b>goodbye</b>')
    for name in ("seedream-5-pro", "seedream-4"):
        with page.expect_response("**/parameters"):
            page.get_by_label("Model").select_option(name)
        ratios = models[name]["parameters"]["properties"]["ratio"]["enum"]
        expect(page.locator('input[name="ratio"]')).to_have_count(len(ratios) + 1)
        tiers = models[name]["parameters"]["properties"]["resolution"]["enum"]
        expect(page.locator('input[name="resolution"]')).to_have_count(len(tiers))
        assert page.get_by_label("Prompt").input_value() == 'Say "hello" & <b>goodbye</b>'
    page.locator('input[name="ratio"][value=""]').focus()
    page.keyboard.press("ArrowRight")
    assert page.locator('input[name="ratio"]:checked').input_value() == ratios[0]

    page.get_by_text("The same as code").click()
    expect(page.get_by_role("tab", name="curl")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="curl").press("ArrowRight")
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("'ratio': '1:1'")
    panel.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    compile(copied, "copied", "exec")
    assert "'prompt': 'Say \"hello\" & <b>goodbye</b>'" in copied


def test_a_refusal_is_told(tab: NewTab) -> None:
    """The API's own words, in the place for problems, and the form stays."""
    made = tab()
    page = made.open("/")
    page.get_by_label("Prompt").fill("A harbour")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Callback URL").fill("https://user:secret@example.com/")
    page.get_by_role("button", name="Paint").click()
    expect(page.get_by_role("alert")).to_contain_text("callBackUrl")
    assert page.get_by_label("Prompt").input_value() == "A harbour"
    made.complaints.clear()  # the browser logs a 400 as an error


def test_a_prompt_is_no_page(tab: NewTab, api: Client) -> None:
    """HTML in prompts stays text on every page that shows it."""
    prompt = '<img src=x onerror="window.hit=1"><script>window.hit=1</script> {{ 7*7 }} </textarea>"\'>'
    task = api.run(prompt=prompt, resolution="1k")
    made = tab()
    for path in ("/", "/gallery", "/tasks", f"/tasks/{task['taskId']}", f"/?task={task['taskId']}"):
        page = made.open(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.hit") is None
        words = page.get_by_label("Prompt").input_value() if "?task" in path else page.locator("main").inner_text()
        assert "<script>window.hit=1</script> {{ 7*7 }} </textarea>" in words
        assert page.locator("main img[src='x']").count() == 0
