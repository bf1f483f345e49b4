"""Every page as a picture, in both themes and at three widths, to look at: `make screenshots`.

Run: python -m tests.web.screenshots [HOME [PAGE…]]. HOME holds a project that went through every stage; without one, the
quickstart makes it first (minutes). The pictures go to .screenshots/, those named in DOCS also to docs/screenshots/. With names
of pages, such as "overview runs", only these are taken anew.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from tests.running import PATIENCE_SECONDS, ROOT, Server, server

OUT, KEPT = ROOT / ".screenshots", ROOT / "docs" / "screenshots"
WIDTHS = (1440, 1024, 420)
THEMES = ("light", "dark")
DOCS = {"overview": "light", "runs-run_id": "dark", "events": "light", "journal": "light"}
"""Pages that documents show, in this theme."""
MOST_BYTES = 150_000
"""Of a picture in docs/."""


def main() -> None:
    """Take them."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    wanted = sys.argv[1:]
    if len(wanted) < 2:
        shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(exist_ok=True)
    KEPT.mkdir(exist_ok=True)
    with home() as folder, _served(folder) as serving, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(viewport={"width": WIDTHS[0], "height": 900}).new_page()
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        for name, address in addresses(values(serving, folder)).items():
            if len(wanted) > 1 and name not in wanted[1:]:
                continue
            page.goto(f"{serving.url}/ui{address}")
            page.wait_for_function("window.did_handshake && document.querySelector('h1')")
            page.wait_for_load_state("networkidle")
            page.wait_for_function("!document.querySelector('[aria-busy=true]')")
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                for theme in THEMES:
                    page.emulate_media(color_scheme=theme)
                    page.screenshot(path=OUT / f"{name}-{width}-{theme}.png", full_page=True, animations="disabled")
            if name in DOCS:
                page.set_viewport_size({"width": 1200, "height": 720})
                page.emulate_media(color_scheme=DOCS[name])
                page.screenshot(path=(kept := KEPT / f"{name}.png"), animations="disabled")
                Image.open(kept).convert("RGB").quantize(128).save(kept, optimize=True)  # a page has few colours
                assert kept.stat().st_size <= MOST_BYTES, f"{name}: {kept.stat().st_size:,} bytes"
            print(name, file=sys.stderr)


@contextmanager
def _served(folder: Path) -> Iterator[Server]:
    os.environ["BREWSLM_HOME"] = str(folder)
    with server(folder) as serving:
        yield serving


@contextmanager
def home() -> Iterator[Path]:
    """The one that is named, or a new one that the quickstart fills."""
    if len(sys.argv) > 1:
        yield Path(sys.argv[1])
        return
    with tempfile.TemporaryDirectory(prefix="brewslm-screenshots-") as folder:
        made = Path(folder) / "home"
        quickstart = [str(Path(sys.executable).parent / "brewslm"), "quickstart"]
        subprocess.run(quickstart, env=os.environ | {"BREWSLM_HOME": str(made)}, check=True)
        documents = sorted(map(str, (ROOT / "docs").glob("c*.md")))
        for words in (["clean"], ["documents", "add", *documents], ["clean"]):  # without documents the first fails: to look at
            command = [quickstart[0], *words, "--project", "1"]
            subprocess.run(command, env=os.environ | {"BREWSLM_HOME": str(made)}, check=False)
        yield made


def addresses(found: dict[str, Any]) -> dict[str, str]:
    """Name of a page to one address of it: every page that there is. `found` fills what stands in braces; a page that is about
    what it does not name is left out."""
    from brewslm.web.pages import PAGES

    named = {path: path.removeprefix("/projects/{project}").strip("/").replace("/", "-") for path in PAGES}
    named = {path: name.translate({ord("{"): None, ord("}"): None}) for path, name in named.items()}
    named |= {"/": "projects", "/projects/{project}": "overview"}
    return {named[path]: path.format_map(found) for path in PAGES if set(re.findall(r"{(\w+)}", path)) <= found.keys()}


def values(serving: Server, folder: Path) -> dict[str, Any]:
    """What the pages of project 1 are about: its first experiment, its last event, one of its rows, a failure if there is any."""
    from brewslm.academy.course import course

    prepared = next((folder / "projects" / "1").glob("prepared/eval.jsonl"))
    row = orjson.loads(prepared.read_bytes().splitlines()[0])["row_id"]
    events = serving.get("/api/projects/1/events")
    failed = serving.get("/api/projects/1/failures")
    return {
        "project": 1, "run_id": "exp-1", "row_id": row, "lesson_name": course()[0].name, "event_id": events[-1]["id"],
        "subject": "exp-1", **({"cluster_id": failed[0]["id"]} if failed else {}),
    }  # fmt: skip


if __name__ == "__main__":
    main()
