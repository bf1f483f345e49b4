"""The pages in a real browser, against the real server: what only a browser can tell."""

import os
from pathlib import Path

import orjson
import pytest

from brewslm.pipeline import runs
from brewslm.store.database import transaction
from brewslm.store.files import run_folder
from brewslm.store.locks import lock
from brewslm.store.tables import Evaluation
from brewslm.web.pages import PAGES
from tests.running import PATIENCE_SECONDS, server
from tests.synthetic import reviews
from tests.web.browsing import MOVING, POINTS, TOO_WIDE, UNNAMED, chromium, grave, watch  # noqa: F401 - fixtures among them

pytestmark = pytest.mark.browser


def test_every_page_loads_without_a_fault_in_both_themes_and_at_every_width(home, walk, card, watch):
    imported = walk.imported()
    walk.prepared()
    evaluation = walk.evaluated(walk.trained([["a"], ["b"]]), {})
    with transaction() as session:
        session.get_one(Evaluation, evaluation).scorecard = card.model_dump(mode="json")
    known = {"project": 1, "row_id": walk.ids["eval"][0], "run_id": imported, "event_id": 1, "lesson_name": "lora"}
    paths = [path for path in PAGES if path not in ("/models/{subject}", "/projects/{project}/failures/{cluster_id}")]
    addresses = [path.format_map(known) for path in paths] + ["/?new=goal", "/projects/1/events?severity=info"]
    with server(home) as serving:
        page = (watched := watch(1280, "light")).page
        for address in addresses:
            watched.open(f"{serving.url}/ui{address}")
            assert page.locator("html").get_attribute("lang").startswith("en")
            grounds = set()
            for width, theme in ((1280, "light"), (420, "dark")):
                page.set_viewport_size({"width": width, "height": 900})
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                assert page.evaluate(UNNAMED) == []
                assert page.evaluate(TOO_WIDE) <= 0, (address, width)
                assert grave(page) == [], (address, width, theme)
                grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert len(grounds) == 2
            assert page.evaluate(MOVING) == 0


def test_after_a_kill_of_the_server_the_page_comes_back_and_shows_what_is_true_by_then(home, walk, chromium):
    page = chromium.new_page()
    page.set_default_timeout(1000 * PATIENCE_SECONDS)
    with server(home) as serving:
        page.goto(f"{serving.url}/ui/projects/1")
        page.wait_for_selector("text=0 of 11 stages done")
        page.wait_for_function("window.did_handshake")  # what was not yet connected can't lose its connection
        serving.kill()
    page.wait_for_selector("text=Connection lost")
    walk.imported()
    with server(home, port=serving.url.rpartition(":")[2]):
        page.wait_for_selector("text=4 of 11 stages done")
        page.get_by_role("link", name="Data", exact=True).first.click()
        page.wait_for_selector("text=import-1")
    page.close()


def test_keyboard_theme_drawer_and_a_new_project(home, watch):
    with server(home) as serving:
        page = (wide := watch()).page
        wide.open(f"{serving.url}/ui")
        page.keyboard.press("Tab")
        page.wait_for_function("document.activeElement.textContent === 'Skip to main content'")
        page.locator("#project-name").fill("reviews")
        page.keyboard.press("Enter")
        page.wait_for_url("**/ui/projects/1/data?new=1")
        page.get_by_role("radio", name="Dark").click()
        page.wait_for_selector("[role=radio][aria-checked=true]:text('Dark')")
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.reload()
        page.wait_for_selector("[role=radio][aria-checked=true]:text('Dark')")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark

        page = (narrow := watch(420)).page
        narrow.open(f"{serving.url}/ui/projects/1")
        events = page.get_by_role("link", name="Observability", exact=True)
        assert not events.is_visible()
        page.get_by_role("button", name="Menu").press("Enter")
        events.wait_for()
        page.wait_for_function("document.querySelector('.rail').contains(document.activeElement)")
        page.keyboard.press("Escape")
        events.wait_for(state="hidden")
        page.wait_for_function("document.activeElement.textContent === 'Menu'")


def test_the_palette_leads_somewhere_by_keyboard_alone_and_gives_the_focus_back(home, project, watch):
    with server(home) as serving:
        page = (wide := watch()).page
        wide.open(f"{serving.url}/ui/projects/1")
        page.get_by_role("link", name="Data", exact=True).focus()
        page.keyboard.press("Control+k")
        page.wait_for_selector("dialog.palette [role=option][aria-selected=true]")
        assert page.evaluate(UNNAMED) == []
        page.keyboard.press("Escape")
        page.wait_for_function("document.activeElement.textContent === 'Data' && !document.querySelector('dialog.palette').open")
        page.keyboard.press("Control+k")
        page.keyboard.type("a")
        # Its own list: that of the first opening still stands there, and the one to come would begin at its first line again.
        page.wait_for_selector("[role=option][aria-selected=true] >> text=Academy")
        page.keyboard.press("ArrowDown")
        second = page.locator("[role=option]").nth(1)
        assert second.get_attribute("aria-selected") == "true"
        assert page.locator(".palette-input").get_attribute("aria-activedescendant") == second.get_attribute("id")
        page.keyboard.type("utopilot")
        page.wait_for_selector("[role=option][aria-selected=true] >> text=Run autopilot")
        page.keyboard.press("Enter")
        page.wait_for_url("**/ui/projects/1?act=autopilot")
        page.wait_for_selector("text=Autopilot needs rows")


def test_a_file_is_chosen_looked_at_dry_run_committed_and_undone(home, tmp_path, project, watch):
    file = tmp_path / "reviews.jsonl"
    file.write_bytes(b"\n".join([orjson.dumps(row) for row in reviews(40)] + [b"{broken"]))
    with server(home) as serving:
        page = (narrow := watch(420, "dark")).page
        narrow.open(f"{serving.url}/ui/projects/1/data")
        page.get_by_label("Upload a file").set_input_files(file)
        page.get_by_role("button", name="Dry run").click()
        assert page.get_by_label("Mapper").input_value() == "label_to_classification"
        page.wait_for_selector("text=40 accepted")
        assert page.evaluate(UNNAMED) == [] and page.evaluate(TOO_WIDE) <= 0
        page.get_by_role("button", name="Commit 40 rows").click()
        page.wait_for_selector("text=40 rows were added to the project")
        assert serving.get("/api/projects/1/imports")[0]["accepted_count"] == 40
        with page.expect_download() as sent:
            page.get_by_role("link", name="Download the rejected rows of import-1").click()
        assert sent.value.suggested_filename == "import-1-rejected.jsonl" and b"{broken" in Path(sent.value.path()).read_bytes()
        page.get_by_role("button", name="Undo import-1").click()
        page.get_by_role("button", name="Undo import-1 now").click()
        page.wait_for_selector("text=its 40 rows count no more")
        assert page.evaluate(UNNAMED) == [] and page.evaluate(TOO_WIDE) <= 0
        page.get_by_text("See the first").click()
        page.locator("a[href^='/ui/rows/']").first.click()
        page.wait_for_selector("text=its import was undone")


def test_the_loss_of_a_run_grows_before_the_eyes_and_only_what_is_new_is_sent(home, walk, watch):
    run = walk.run("exp", "train.run", state="running")
    trace = run_folder(run) / "trace.jsonl"
    with lock(runs.run_lock_path(run), wait=False), trace.open("ab") as file, server(home) as serving:
        append(file, 1, 500)
        page = (watched := watch()).page
        watched.open(f"{serving.url}/ui/projects/1")
        page.wait_for_function(f"({POINTS})()?.[0] === 500")
        before = len(watched.frames)
        append(file, 501, 510)
        page.wait_for_function(f"({POINTS})()?.[0] === 510")
        sent = "".join(watched.frames[before:])
        assert "0.51" in sent and "[499" not in sent and "[500" not in sent
        page.wait_for_selector("text=/exp-1, running: loss 0.51 at step 510/")


def append(file, first: int, last: int) -> None:
    for step in range(first, last + 1):
        file.write(orjson.dumps({"kind": "step", "ts": 1.0, "step": step, "loss": step / 1000, "row_ids": ["r"]}) + b"\n")
    file.flush()
    os.fsync(file.fileno())
