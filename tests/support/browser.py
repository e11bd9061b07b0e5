"""A page in a headless Chromium, and everything that it complained about."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page

ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP, PHONE = (1280, 860), (360, 740)
AXE = Path(__file__).parents[1] / "browser" / "vendor" / "axe.min.js"
# Playwright keeps an event loop running in its thread: not in the one in which others run their async tests.
STAGE = ThreadPoolExecutor(1, thread_name_prefix="browser")
SECONDS = 20_000.0  # milliseconds that a page may take for anything


@dataclass
class Tab:
    """One page, and everything that it complained about."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        self.page.goto(f"{self.base}{path}")
        return self.page

    def violations(self) -> list[str]:
        """What axe-core finds, by rule and element."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
        return [f"{one['id']}: {node['target']}" for one in found["violations"] for node in one["nodes"]]


NewTab = Callable[..., Tab]


def program() -> str | None:
    """Where Chromium is, if it is installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)
