"""The pages, as a browser sees them: how soon they can be used, what browsing many rows and events costs, and 25 watchers.

Run: python -m bench.web (about 15 minutes; needs Debian's chromium), or with --quick on a smaller store, which is kept nowhere.
There is no peer: no other tool shows these pages.

A page can be used once its heading stands there and its connection to the server is open, so that a click is answered. Cold is a
browser that has never seen the product; warm is a later page of the same browser. Times are those of the page's own clock, from
the beginning of the navigation. Memory is what the server process holds (its resident set); browsing and watching each meet a
server that has just begun, so that what an earlier page left behind hides nothing. A page that is left is kept for ten seconds.

A journal of a million events can be used before the stream is read; `journal_told_seconds` is when it tells what it has to.
"""

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import psutil

from bench import report
from bench.web_home import BROWSED, store, training

EVENTS, ROWS = 1_000_000, 100_000
QUICK_EVENTS, QUICK_ROWS = 20_000, 5_000
ROUNDS, QUICK_ROUNDS = 7, 1
WATCHERS, QUICK_WATCHERS = 25, 3
WATCHED_SECONDS, QUICK_WATCHED_SECONDS = 60, 5
PATIENCE_SECONDS = 300
WALKED = 12
"""Pages of a long list."""
STEPS_PER_SECOND = 5
PAGES = {
    "projects": "",
    "overview": "/projects/1",
    "timeline": "/projects/1/events",
    "explorer": "/projects/1/explorer",
    "journal": "/projects/1/journal",
    "data": "/projects/2/data",
    "rows": "/projects/2/rows",
    "runs": "/projects/1/runs",
}
WAYS = {
    "rows": (PAGES["rows"], "Next"),
    "rows_of_a_label": (f"{PAGES['rows']}?label=positive", "Next"),
    "events": (PAGES["timeline"], "Older"),
    "events_of_errors": (f"{PAGES['timeline']}?severity=error", "Older"),
    "events_found": (f"{PAGES['explorer']}?of=events&text=training", "Older"),
}
"""Each long list: where it begins, and the link from page to page."""
USABLE = "() => window.did_handshake && document.querySelector('h1') && performance.now()"
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run")
GOAL: dict[str, dict[str, float]] = {
    "store.events": {"at_least": EVENTS},
    "store.rows": {"at_least": ROWS},
    "cold.slowest_page_p50_seconds": {"at_most": 1.2},
    "warm.slowest_page_p50_seconds": {"at_most": 0.4},
    "browsing.slowest_p50_seconds": {"at_most": 0.4},
    "browsing.most_more_mb": {"at_most": 50},
    "watchers.more_mb": {"at_most": 150},
    "outside_requests": {"at_most": 0},
}


def main() -> None:
    """Measure, and keep the result."""
    quick = "--quick" in sys.argv
    events, rows = (QUICK_EVENTS, QUICK_ROWS) if quick else (EVENTS, ROWS)
    with tempfile.TemporaryDirectory(prefix="brewslm-bench-") as folder:
        home = Path(folder) / "home"
        store(home, events, rows)
        measured: dict[str, Any] = {"store": {"events": events, "rows": rows}}
        outside: list[str] = []
        with browser() as chromium:
            with served(home) as (_, url):
                measured |= loads(Seen(chromium, url, outside), QUICK_ROUNDS if quick else ROUNDS)
            with served(home) as (server, url):
                seen = Seen(chromium, url, outside)
                measured["browsing"] = browsed({name: walked(seen, server, *way) for name, way in WAYS.items()})
            with served(home) as (server, url):
                many, seconds = (QUICK_WATCHERS, QUICK_WATCHED_SECONDS) if quick else (WATCHERS, WATCHED_SECONDS)
                measured["watchers"] = watchers(Seen(chromium, url, outside), server, home, many, seconds)
        measured["outside_requests"] = len(outside)
    if quick:
        print(orjson.dumps(measured, option=orjson.OPT_INDENT_2).decode())
        return
    report.write("web", measured, {}, GOAL, ("nicegui", "fastapi", "playwright"))


@contextmanager
def served(home: Path) -> Iterator[tuple[psutil.Process, str]]:
    """`brewslm serve`, its process and its address."""
    command = [sys.executable, "-m", "brewslm.cli.main", "serve", "--port", "0"]
    log = home / "serve.log"
    with (
        log.open("wb") as file,
        subprocess.Popen(command, env=os.environ | {"BREWSLM_HOME": str(home)}, stdout=file, stderr=file) as process,
    ):
        try:
            while not (said := re.search(rb"^http://\S+$", log.read_bytes(), re.MULTILINE)):
                assert process.poll() is None, log.read_text()
                time.sleep(0.05)
            yield psutil.Process(process.pid), said[0].decode()
        finally:
            process.terminate()


@contextmanager
def browser() -> Iterator[Any]:
    """Debian's Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(QUIET))
        yield made
        made.close()


class Seen:
    """The product through a browser; what the pages ask of any other machine is added to `outside`."""

    def __init__(self, chromium: Any, url: str, outside: list[str]) -> None:
        self._chromium, self._url, self._outside = chromium, url, outside

    def person(self) -> Any:
        """A browser that has never seen the product."""
        context = self._chromium.new_context(viewport={"width": 1440, "height": 900})
        context.set_default_timeout(1000 * PATIENCE_SECONDS)
        context.on("request", lambda asked: asked.url.startswith(("http", "ws")) and self._note(asked.url))
        return context.new_page()

    def _note(self, url: str) -> None:
        if not url.startswith(self._url):
            self._outside.append(url)

    def open(self, page: Any, address: str) -> float:
        """Seconds until the page can be used."""
        page.goto(f"{self._url}/ui{address}", wait_until="commit")
        return usable(page)


def usable(page: Any) -> float:
    """Seconds from the beginning of the navigation until the page can be used."""
    return float(page.wait_for_function(USABLE, polling=10).json_value()) / 1000


def loads(seen: Seen, rounds: int) -> dict[str, Any]:
    """Each page cold and warm. The first look of all, at a server that has just begun, is told apart."""
    first = seen.open(page := seen.person(), "")
    page.context.close()
    times: dict[str, dict[str, list[float]]] = {"cold": {}, "warm": {}}
    for _ in range(rounds):
        for name, address in PAGES.items():
            page = seen.person()
            for kind in ("cold", "warm"):
                times[kind].setdefault(name, []).append(seen.open(page, address))
            page.context.close()
    told = {"first_seconds": round(first, 3), "journal_told_seconds": round(journal_told(seen), 3)}
    return told | {kind: summary(found) for kind, found in times.items()}


def journal_told(seen: Seen) -> float:
    """Seconds until the journal tells of the whole stream."""
    page = seen.person()
    seen.open(page, PAGES["journal"])
    page.wait_for_selector("#achievements")
    seconds = float(page.evaluate("performance.now()")) / 1000
    page.context.close()
    return seconds


def summary(found: dict[str, list[float]]) -> dict[str, Any]:
    """Medians of each page, and of all; the slowest page tells the worst."""
    every = sorted(second for times in found.values() for second in times)
    return {
        "p50_seconds": round(statistics.median(every), 3),
        "p95_seconds": round(every[int(len(every) * 0.95)], 3),
        "slowest_page_p50_seconds": round(max(map(statistics.median, found.values())), 3),
        "pages": {name: round(statistics.median(times), 3) for name, times in found.items()},
    }


def walked(seen: Seen, server: psutil.Process, address: str, onward: str) -> dict[str, float]:
    """From page to page of a long list by its own link, and what the server holds more at the end than after the first page."""
    page = seen.person()
    seen.open(page, address)
    before_mb = resident(server)
    found = []
    for _ in range(WALKED):
        before = page.url
        page.get_by_role("link", name=onward, exact=True).first.click(no_wait_after=True)
        page.wait_for_url(lambda url, before=before: url != before, wait_until="commit")
        found.append(usable(page))
    page.context.close()
    figures = {"p50_seconds": round(statistics.median(found), 3), "most_seconds": round(max(found), 3)}
    return figures | {"more_mb": round(resident(server) - before_mb, 1)}


def browsed(ways: dict[str, dict[str, float]]) -> dict[str, Any]:
    """The slowest way, the one that cost most memory, and each of them."""
    return {
        "slowest_p50_seconds": max(one["p50_seconds"] for one in ways.values()),
        "most_more_mb": max(one["more_mb"] for one in ways.values()),
        "ways": ways,
    }


def resident(process: psutil.Process) -> float:
    """MB that the process holds."""
    return round(process.memory_info().rss / 2**20, 1)


def watchers(seen: Seen, server: psutil.Process, home: Path, many: int, seconds: int) -> dict[str, Any]:
    """What so many people who watch one run for so long cost the server, beyond the first of them."""
    with training(home) as (run, learn):
        address = f"/projects/{BROWSED}/runs/{run}"
        people = [seen.person()]
        seen.open(people[0], address)
        watched(learn, 10)
        before = resident(server)
        for _ in range(many):
            people.append(seen.person())
            seen.open(people[-1], address)
        watched(learn, seconds)
        after = resident(server)
        shown = [len(person.locator(".chart").first.text_content() or "") > 0 for person in people]
        for person in people:
            person.context.close()
    return {
        "watchers": many,
        "more_mb": round(after - before, 1),
        "before_mb": before,
        "after_mb": after,
        "drawn": sum(shown),
    }


def watched(learn: Callable[[], None], seconds: int) -> None:
    """The run goes on for so long."""
    for _ in range(seconds * STEPS_PER_SECOND):
        learn()
        time.sleep(1 / STEPS_PER_SECOND)


if __name__ == "__main__":
    main()
