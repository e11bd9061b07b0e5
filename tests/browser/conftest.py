"""A real browser on a real server that paints: headless Chromium, driven by Playwright."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from support.browser import ARGUMENTS, DESKTOP, SECONDS, STAGE, NewTab, Tab, program
from support.client import Client
from support.server import FAST, KEY, Server


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool:
    """Run the test where the browser is."""
    wanted = {name: pyfuncitem.funcargs[name] for name in inspect.signature(pyfuncitem.obj).parameters}
    STAGE.submit(pyfuncitem.obj, **wanted).result()
    return True


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    where = program()
    if where is None:
        if os.environ.get("AQUATINT_REQUIRE_BROWSER") == "1":
            pytest.fail("no Chromium is installed, and AQUATINT_REQUIRE_BROWSER=1 wants one")
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    expect.set_options(timeout=SECONDS)
    playwright = STAGE.submit(sync_playwright().start).result()
    opened = STAGE.submit(playwright.chromium.launch, executable_path=where, args=list(ARGUMENTS)).result()
    yield opened
    STAGE.submit(opened.close).result()
    STAGE.submit(playwright.stop).result()


@pytest.fixture(scope="session")
def painter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server as it comes: the studio engine paints."""
    env = {**FAST, "AQUATINT_WEBHOOKS__SECRET": "whsec_" + "c2VjcmV0LW9mLXRoZS10ZXN0cy0wMTIz"}
    with Server(tmp_path_factory.mktemp("painter"), env) as server:
        yield server


@pytest.fixture
def api(painter: Server) -> Iterator[Client]:
    with painter.client() as made:
        yield made


@pytest.fixture(scope="session")
def state(browser: Browser, painter: Server) -> Any:
    """The cookies of somebody who logged in by the form."""
    return STAGE.submit(log_in, browser, painter).result()


def log_in(browser: Browser, painter: Server) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{painter.base_url}/gallery")
    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/gallery")
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def tab(browser: Browser, painter: Server, state: Any) -> Iterator[NewTab]:
    """`tab(dark=, size=)` opens a page of somebody who is logged in. At the end no page may have complained."""
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def make(*, dark: bool = False, size: tuple[int, int] = DESKTOP, reduced: bool = False) -> Tab:
        context = browser.new_context(
            storage_state=state,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced else "no-preference",
            accept_downloads=True,
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        made = Tab(context.new_page(), painter.base_url)
        made.page.set_default_timeout(SECONDS)
        made.page.on("console", lambda said: made.complaints.append(said.text) if said.type == "error" else None)
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        tabs.append(made)
        return made

    yield make
    for context in contexts:
        STAGE.submit(context.close).result()
    assert [one for made in tabs for one in made.complaints] == []  # refusals of the CSP are among them
