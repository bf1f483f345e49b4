"""Five tasks as a new user would try them, each by clicks from the overview: counted, and pictured for docs/walkthroughs.md.

Run: python -m tests.web.walkthroughs. It makes its own home with a tiny model that is really trained (minutes), and writes the
pictures to docs/screenshots/.
"""

import csv
import os
import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tests.running import ROOT, Server, server

PICTURES = ROOT / "docs" / "screenshots"
MOST_CLICKS = 5
MOST_BYTES = 150_000
"""Of one picture."""
ROWS, EMPTY, TWICE = 400, 21, 16
"""Rows that can be used; and rows without a text, and rows that came before: 37 that are rejected."""
SETTINGS = {"epochs": "12", "batch_size": "8", "learning_rate": "0.01"}
"""At which a model of two layers learns in seconds."""
MISLABELLED = 0.05
SECONDS = 1800.0
FILMS = ("Harbour Lights", "The Quiet Mile", "Paper Boats", "North of June", "A Slow Train", "Salt and Iron", "The Last Orchard")
PARTS = ("plot", "acting", "music", "ending", "camera work", "dialogue", "first hour")
WORDS = {"positive": ("lovely", "great", "good", "very good"), "negative": ("dull", "awful", "bad", "boring")}
VIEWERS = ("my sister", "our neighbour", "a friend", "the whole row", "my father", "nobody", "the man beside me", "half the room")


@dataclass
class Walker:
    """Somebody who begins at a project's overview and clicks.

    Attributes:
        clicks: Since the overview was opened.
    """

    page: Any
    overview: str
    pictures: Path
    clicks: int = 0

    def begin(self) -> None:
        """Open the overview."""
        self.clicks = 0
        self.page.goto(self.overview)
        self.see("stages done")

    def click(self, role: str, name: str) -> None:
        """Click the first thing that is called so."""
        found = self.page.get_by_role(role, name=name, exact=True).first
        found.click()
        self.clicks += 1

    def choose(self, label: str, file: Path) -> None:
        """Click a file field, and choose a file: a browser's own window, which nobody can be seen to click in here."""
        self.page.get_by_label(label).set_input_files(file)
        self.clicks += 1

    def see(self, text: str) -> None:
        """Wait for it."""
        self.page.get_by_text(text).first.wait_for()

    def picture(self, name: str, of: str = "") -> None:
        """What is seen now; with `of`, scrolled to what the selector finds."""
        if of:
            self.page.locator(of).first.evaluate("one => scrollTo(0, one.getBoundingClientRect().top + scrollY - 64)")
        path = self.pictures / f"{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        Image.open(path).convert("RGB").quantize(128).save(path, optimize=True)  # a page has few colours
        assert path.stat().st_size <= MOST_BYTES, f"{name}: {path.stat().st_size:,} bytes"


def import_a_csv(one: Walker, file: Path) -> None:
    """Task 1."""
    one.begin()
    one.click("link", "Import rows")
    one.choose("Upload a file", file)
    one.see("label_to_classification")
    one.picture("import-map")
    one.click("button", "Dry run")
    one.see(f"{ROWS} accepted")
    one.picture("import-preview", ".import-step:has-text('Preview')")
    one.click("button", f"Commit {ROWS} rows")
    one.see(f"{ROWS} rows were added to the project")


def find_why_rows_were_rejected(one: Walker) -> None:
    """Task 2."""
    one.begin()
    one.see(f"{EMPTY + TWICE} rejected")
    one.picture("rejected-overview")
    one.click("link", f"Dry run: {EMPTY + TWICE} rejected")
    one.see("duplicate_row")
    one.picture("rejected-rows")
    one.page.locator("details.reason summary").first.click()
    one.clicks += 1
    one.see("Next:")
    one.page.locator("a[href^='/ui/rows/']").first.click()
    one.clicks += 1
    one.see("rejected")


def see_why_a_gate_failed(one: Walker) -> None:
    """Task 3."""
    one.begin()
    one.click("link", "Evaluation")
    one.see("It may not be promoted")
    one.picture("gate-failed")
    one.click("link", "Read the rows that it got wrong")
    one.see("wrong")


def roll_a_deployment_back(one: Walker) -> None:
    """Task 4."""
    one.begin()
    one.click("link", "Deployments")
    one.click("button", "Roll back default v2")
    one.see("In default answers: default v2 → default v1.")
    one.picture("rollback", ".confirm:visible")
    one.click("button", "Roll back default v2 now")
    one.see("default v1 answers again")


def hand_over_a_support_bundle(one: Walker) -> None:
    """Task 5."""
    one.begin()
    one.click("link", "Observability")
    one.click("link", "Support bundle")
    one.click("button", "Make a support bundle")
    one.see("Nothing leaves this machine")
    one.click("button", "Make it now")
    one.see("A link to support-1")
    one.picture("support-link", ".confirm:visible")
    with one.page.expect_download() as sent:
        one.click("link", "Download")
    assert sent.value.suggested_filename == "support-1.zip"


TASKS = (find_why_rows_were_rejected, see_why_a_gate_failed, roll_a_deployment_back, hand_over_a_support_bundle)
"""After the first one, which brings the rows, and after a model that was made of them."""


def walk_through(serving: Server, page: Any, folder: Path, pictures: Path) -> dict[str, int]:
    """All five, on a project that is made for them; returns how many clicks each took.

    Args:
        folder: For the source.
        pictures: Where the pictures go.
    """
    serving.post("/api/projects", json={"name": "film-reviews"})
    one = Walker(page, f"{serving.url}/ui/projects/1", pictures)
    import_a_csv(one, film_reviews(folder / "film-reviews.csv"))
    clicks = {import_a_csv.__name__: one.clicks}
    models(serving)
    for task in TASKS:
        task(one)
        clicks[task.__name__] = one.clicks
    assert max(clicks.values()) <= MOST_CLICKS, clicks
    return clicks


def film_reviews(path: Path) -> Path:
    """The source: a few labels are wrong, as in every real one, some texts are missing, and some rows are there twice."""
    draw = random.Random(7)
    rows = []
    for number in range(ROWS):
        label = ("positive", "negative")[number % 2]
        said, more = draw.sample(WORDS[label], 2)
        first, second = draw.sample(PARTS, 2)
        text = f"{draw.choice(FILMS)}: {first} {said}, {second} {more}; {draw.choice(VIEWERS)} stayed for {number + 1} minutes"
        wrong = draw.random() < MISLABELLED
        rows.append({"text": text, "label": {"positive": "negative", "negative": "positive"}[label] if wrong else label})
    rows += [{"text": "", "label": "positive"}] * EMPTY + rows[:TWICE]
    with path.open("w", newline="") as file:
        lines = csv.DictWriter(file, ["text", "label"])
        lines.writeheader()
        lines.writerows(rows)
    return path


def models(serving: Server) -> None:
    """A model of these rows, measured by a pack that it does not pass, and two versions of it that were promoted."""

    def done(path: str, **fields: Any) -> None:
        task = serving.post(path, json=fields)["task_id"]
        ended = serving.ended(task, SECONDS)
        assert ended["state"] == "succeeded", ended["problem"]

    done("/api/projects/1/autopilot/run", settings=SETTINGS)
    for version, variant in enumerate(("gguf-f16", "gguf-q8_0"), 1):
        done("/api/deployments", export="export-1", variant=variant)
        done(f"/api/deployments/{version}/promote")
    done("/api/experiments/exp-1/evaluate", eval_pack="strict")


def main() -> None:
    """Take the pictures."""
    from playwright.sync_api import sync_playwright

    from tests.tiny import make_tiny_model

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="brewslm-walkthroughs-") as folder, sync_playwright() as playwright:
        home, base = Path(folder) / "home", make_tiny_model(Path(folder) / "tiny-model")
        os.environ |= {"BREWSLM_HOME": str(home), "BREWSLM_BASE_MODEL": f"path:{base}"}
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light").new_page()
        page.set_default_timeout(1000 * SECONDS)
        with server(home) as serving:
            for task, clicks in walk_through(serving, page, Path(folder), PICTURES).items():
                print(f"{task}: {clicks} clicks", file=sys.stderr)


if __name__ == "__main__":
    main()
