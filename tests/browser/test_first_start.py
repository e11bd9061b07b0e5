"""The first minutes on a laptop: the link that the server prints logs one in."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, expect

from support.server import FAST, NULL_ENGINE, Server


def test_the_printed_link_logs_in(browser: Browser, tmp_path: Path) -> None:
    """The key behind # is used, forgotten, and never sent as part of an address; the dashboard is open to it."""
    server = Server(tmp_path, {**FAST, **NULL_ENGINE})
    del server.env["AQUATINT_API_KEY"]
    with server:
        printed = re.search(r"(http://\S+/login)#key=(aq_\S+)", server.log())
        assert printed is not None
        context = browser.new_context()
        page = context.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{printed[1]}#key={printed[2]}")
        page.wait_for_url(f"{server.base_url}/")
        expect(page.get_by_label("Prompt")).to_be_visible()
        page.get_by_role("link", name="Dashboard").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Dashboard")
        assert not [url for url in asked if printed[2] in url]
        assert server.log().count(printed[2]) == 2, "once alone and once in the link, both printed at the start"
        for _ in range(3):
            page.go_back()
            assert printed[2] not in page.url
        page.goto(f"{server.base_url}/tasks")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("API key")).to_be_visible()
        page.get_by_label("API key").fill("aq_wrong")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert").last).to_contain_text("not known here")
        context.close()
    again = Server(tmp_path, server.env, port=server.port)
    del again.env["AQUATINT_API_KEY"]
    with again:
        assert "#key=" not in again.log().split("server.stopping")[-1]


def test_no_web_by_option(tmp_path: Path) -> None:
    server = Server(tmp_path, {**FAST, **NULL_ENGINE})
    server.arguments = ("--no-web",)
    with server, server.client() as client:
        assert client.get("/").headers["location"] == "/docs"
        assert client.get("/login").status_code == 404
        assert "Pages:" not in server.log()
