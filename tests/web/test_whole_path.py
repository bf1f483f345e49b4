"""The whole way through the pages, as a person goes it: from a file on the disk to a model that answers, and is watched."""

import csv

import pytest

from tests.running import hold, server
from tests.synthetic import own_words, reviews
from tests.web.browsing import POINTS, chromium, watch  # noqa: F401 - fixtures among them

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROWS, WITHOUT_TEXT = 240, 3
HELD_AT = 6
"""The step at which the training waits until the page has shown it."""
SETTINGS = {"epochs": "4", "batch_size": "8", "learning_rate": "0.01"}
"""At which a model of two layers learns in seconds."""


@pytest.fixture
def film_reviews(tmp_path):
    """A CSV of a person's own; in a few of its rows the text is missing."""
    path = tmp_path / "reviews.csv"
    with path.open("w", newline="") as file:
        lines = csv.DictWriter(file, ["text", "label"])
        lines.writeheader()
        lines.writerows([*reviews(ROWS), *[{"text": "", "label": "positive"}] * WITHOUT_TEXT])
    return path


@pytest.fixture
def held(monkeypatch, tmp_path, tiny_model):
    """New projects train the tiny model, and its first training waits in the middle."""
    monkeypatch.setenv("BREWSLM_BASE_MODEL", f"path:{tiny_model}")
    return hold(monkeypatch, tmp_path, "step", HELD_AT)


def test_from_a_file_to_a_model_that_answers_and_is_watched(home, film_reviews, held, watch):
    with server(home) as serving:
        page = (person := watch(1440)).page
        person.open(f"{serving.url}/ui")
        new_project(page)
        import_rows(page, film_reviews)
        prepare(page)
        autopilot(page)
        watch_it_learn(page, held)
        see_the_scorecard(page)
        promote_the_export(page)
        ask_it(page)
        check_for_drift(page)
        see_what_was_earned(page)


def go(page, name):
    """By the rail on the left."""
    page.locator(".rail").get_by_role("link", name=name, exact=True).click()
    page.locator(f"h1:text-is('{name}')").wait_for()


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def see(page, text):
    page.get_by_text(text).first.wait_for()


def new_project(page):
    page.get_by_label("Sort texts by label").check()
    page.get_by_role("textbox", name="Name").fill("reviews")
    press(page, "Create project")
    page.wait_for_url("**/ui/projects/1/data?new=1")


def import_rows(page, file):
    press(page, "Close")
    press(page, "Import dataset (auto-mapping)")
    page.get_by_label("Upload a file").set_input_files(file)
    at_step(page, "Map")
    press(page, "Dry run")
    at_step(page, "Commit")
    see(page, f"{ROWS} accepted")
    see(page, f"{WITHOUT_TEXT} rejected")
    press(page, f"Commit {ROWS} rows")
    see(page, f"{ROWS} rows were added to the project")
    page.get_by_role("link", name="freeze them in a data manifest").click()


def at_step(page, name):
    page.locator(f"[aria-current=step]:has-text('{name}')").wait_for()


def prepare(page):
    press(page, "Prepare the rows")
    see(page, "Version 1 is frozen and in use")


def autopilot(page):
    go(page, "Training Config")
    for name, value in SETTINGS.items():
        page.locator(f"#setting-{name}").fill(value)
        page.keyboard.press("Tab")
    see(page, "preset: 0.0005")
    press(page, "Run autopilot")
    see(page, "epochs 4, batch size 8, learning rate 0.01")
    press(page, "Start autopilot")
    page.get_by_role("link", name="autopilot-1").first.wait_for()


def watch_it_learn(page, held):
    """Its loss is drawn while it is trained, and goes on when it does."""
    go(page, "Runs")
    page.get_by_role("link", name="exp-1", exact=True).click()
    page.wait_for_function(f"({POINTS})()?.[0] >= {HELD_AT - 1}")
    before = page.evaluate(POINTS)[0]
    held.let_go()
    page.wait_for_function(f"({POINTS})()?.[0] > {before}")
    see(page, "What came of it")


def see_the_scorecard(page):
    page.get_by_role("link", name="eval-1", exact=True).click()
    see(page, "It may be promoted: every required gate is met.")


def promote_the_export(page):
    go(page, "Export")
    page.get_by_role("link", name="Deploy export-1:gguf-q8_0").click()
    press(page, "Make the version")
    press(page, "Promote default v1")
    press(page, "Promote default v1 now")
    see(page, "default v1 answers now")


def ask_it(page):
    page.get_by_role("link", name="Ask it in the playground").click()
    page.get_by_label("Right").select_option(label="no second model")
    page.get_by_role("button", name="Ask it").wait_for()
    page.locator("#ask-text").fill(f"a lovely film, {own_words(ROWS)}")
    page.keyboard.press("Control+Enter")
    page.locator(".said-text:text-is('positive')").wait_for()


def check_for_drift(page):
    go(page, "Deployments")
    press(page, "Check now")
    press(page, "Check default v1 now")
    page.get_by_role("table").get_by_text("steady").wait_for()


def see_what_was_earned(page):
    go(page, "Lab Journal")
    see(page, "Earned for:")
    earned = page.locator(".stat:has(dt:text-is('Experience')) dd").first.inner_text()
    assert int(earned.replace(",", "")) > 0
    page.locator(".diary").get_by_text("promoted").first.wait_for()
