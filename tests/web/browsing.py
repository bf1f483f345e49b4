"""Debian's Chromium at the pages of a real server, and what a page must not do in it."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.running import PATIENCE_SECONDS

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
UNNAMED = """() => [...document.querySelectorAll('a, button, input, select, summary, progress, [role=img], nav, section')]
  .filter(one => one.checkVisibility())
  .filter(one => !(one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length
    || document.getElementById(one.getAttribute('aria-labelledby'))))
  .map(one => one.outerHTML.slice(0, 200))"""
POINTS = """() => {
  const chart = document.querySelector('.chart');
  return chart && window.getElement?.(+chart.id.slice(1))?.chart?.getOption().series.map(one => one.data.length);
}"""
MOVING = "() => [...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Watched:
    """A page, and what it did that it should not."""

    page: object
    faults: list[str] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.page.wait_for_selector("h1")
        self.page.wait_for_selector("text=/\\d (running|queued)/")


@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    path = shutil.which("chromium") or "/usr/bin/chromium"
    if not Path(path).exists():
        pytest.fail("the browser tests need Debian's chromium: apt-get install chromium", pytrace=False)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET), timeout=1000 * PATIENCE_SECONDS)
        yield browser
        browser.close()


@pytest.fixture
def watch(chromium):
    """Open a page of a width and theme; at the end of the test, nothing went wrong in any."""
    opened: list[Watched] = []

    def look(width: int = 1280, theme: str = "light", **more) -> Watched:
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme, **more)
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        page = context.new_page()
        watched = Watched(page)
        page.on("console", lambda said: said.type in ("error", "warning") and watched.faults.append(said.text))
        page.on("pageerror", lambda error: watched.faults.append(str(error)))
        page.on("websocket", lambda socket: ours(socket.url) or watched.faults.append(f"asked {socket.url}"))
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: watched.frames.append(str(frame))))
        page.on("request", lambda asked: ours(asked.url) or watched.faults.append(f"asked {asked.url}"))
        opened.append(watched)
        return watched

    yield look
    faults = [fault for watched in opened for fault in watched.faults]
    for watched in opened:
        watched.page.context.close()
    assert faults == []


def ours(url: str) -> bool:
    return bool(re.match(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:", url))


def grave(page) -> list[tuple[str, str]]:
    """What axe-core calls serious or critical: the rule, and the first element that breaks it."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")]
