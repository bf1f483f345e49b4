"""Wrong input in a real browser: said at the field, kept as it was typed, and mended there."""

import pytest

from tests.drift import promoted_version
from tests.running import server
from tests.web.browsing import TOO_WIDE, chromium, grave, watch  # noqa: F401 - fixtures among them

pytestmark = pytest.mark.browser
MENDED = b"contract_version: slm.project/v1\nproject: {name: mended}\n"


def is_well(page, where: str) -> None:
    """No grave fault of accessibility, and nothing too wide, on a wide and on a narrow screen."""
    for width in (1280, 420):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(TOO_WIDE) <= 0, (where, width)
        assert grave(page) == [], (where, width)
    page.set_viewport_size({"width": 1280, "height": 900})


def test_wrong_input_is_said_at_its_field_and_mended_there(home, walk, tiny_base, tmp_path, watch):
    walk.imported()
    promoted_version(walk.project, tiny_base, tmp_path)
    with server(home) as serving:
        watched = watch()
        page, ui = watched.page, f"{serving.url}/ui/projects/{walk.project}"

        watched.open(f"{ui}/events?since=yesterdayish&stage=nonsense&before=x")
        since = page.get_by_label("From (UTC)")
        assert since.input_value() == "yesterdayish" and since.get_attribute("aria-invalid") == "true"
        assert page.locator("#filter-since-fault").inner_text() == "It is a day and a time, such as 2026-11-30T09:00."
        assert page.get_by_role("alert").filter(has_text="Left out").is_visible() and page.get_by_text("map.commit").is_visible()
        is_well(page, "events")
        since.fill("2026-01-01T00:00")
        page.get_by_label("Stage").select_option("")
        page.get_by_role("button", name="Filter", exact=True).click()
        page.wait_for_selector("text=Keep this filter")
        assert page.get_by_text("Left out, for it can't be used").count() == 0 and page.get_by_text("map.commit").is_visible()
        page.get_by_text("Keep this filter").click()
        name = page.get_by_label("Its name")
        name.fill("since new year!")
        name.press("Enter")
        page.wait_for_selector("text=first a letter or a digit")
        assert name.input_value() == "since new year!"
        name.fill("since new year")
        name.press("Enter")
        page.wait_for_selector("text=Forget the filter since new year")

        watched.open(f"{ui}/rows?import=import-99&field=label")
        assert page.get_by_label("Import", exact=False).last.input_value() == "import-99"
        page.wait_for_selector("text=This project has no import import-99")
        page.wait_for_selector("text=1–50 of 60")
        is_well(page, "rows")
        page.get_by_role("link", name="Show it without").click()
        page.wait_for_selector("text=It narrows nothing by itself")

        watched.open(f"{serving.url}/ui/?new=file")
        chosen = page.locator("input[type=file]")
        chosen.set_input_files([{"name": "brewslm.yaml", "mimeType": "text/yaml", "buffer": b"project: ["}])
        page.wait_for_selector("text=it is no YAML")
        is_well(page, "brewslm.yaml")
        chosen.set_input_files([{"name": "brewslm.yaml", "mimeType": "text/yaml", "buffer": MENDED}])
        page.wait_for_selector("text=mended is not there yet")

        watched.open(f"{ui}/playground?left=export-9:hf")
        page.wait_for_selector("text=This project has no such model to ask")
        page.get_by_role("button", name="Ask both").click()
        page.wait_for_selector("text=Write something to ask first.")
        assert page.locator("#ask-text").get_attribute("aria-invalid") == "true"
        is_well(page, "playground")

        watched.open(f"{serving.url}/ui/settings?project={walk.project}")
        page.get_by_role("button", name="Change the base model").click()
        page.wait_for_selector("text=This is its base model already: choose another.")
        assert page.locator("#base-model").get_attribute("aria-invalid") == "true"
        is_well(page, "settings")
