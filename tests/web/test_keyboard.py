"""Without a mouse: the gold set's keys, and the wizard by Tab, Space and Enter."""

import orjson
import pytest

from brewslm.observe.gold import gold_rows, gold_set
from brewslm.pipeline.execute import call
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.prepare.gold import GoldDraftRequest, GoldImportRequest
from tests.running import server
from tests.synthetic import own_words, reviews
from tests.web.browsing import chromium, watch  # noqa: F401 - fixtures among them

pytestmark = pytest.mark.browser
LABELS = [f"kind {number}" for number in range(1, 10)]
STOP = """() => {
  const here = document.activeElement, field = here.closest('.q-field');
  const drawn = field ? getComputedStyle(field.querySelector('.q-field__control'), '::after').borderTopStyle
    : getComputedStyle(here).outlineStyle;
  return {
    name: here.getAttribute('aria-label') || here.labels?.[0]?.textContent || here.textContent || '',
    is_seen: here === document.body || (here.getBoundingClientRect().width > 0 && drawn !== 'none'),
  };
}"""
MOST_STOPS = 120


@pytest.fixture
def draft(project, tmp_path):
    """A draft of a gold set, of rows with nine labels: as many as there are keys."""
    path = tmp_path / "kinds.jsonl"
    rows = [{"text": f"a question, {own_words(n)}", "label": LABELS[n % len(LABELS)]} for n in range(90)]
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    import_rows("test", ImportRequest(project=project, locator=f"jsonl:{path}", auto=True, force=True, commit=True))
    call("test", PrepareRequest(project=project, eval_rows=27, dev_rows=9))
    call("test", GoldDraftRequest(project=project, name="kinds"))
    call("test", GoldImportRequest(project=project, name="kinds", rows=14))
    return "kinds"


def test_a_gold_set_is_reviewed_by_its_keys(home, project, draft, watch):
    with server(home) as serving:
        page = (person := watch()).page
        person.open(f"{serving.url}/ui/projects/{project}/gold?review={draft}&reviewer=ann")

        def type_and_see(key, said):
            page.keyboard.press(key)
            page.get_by_text(said).wait_for()

        page.get_by_text("1 of 14 that wait").wait_for()
        type_and_see("j", "2 of 14 that wait")
        type_and_see("s", "3 of 14 that wait")
        type_and_see("k", "2 of 14 that wait")
        type_and_see("k", "1 of 14 that wait")
        type_and_see("k", "14 of 14 that wait")  # round the end
        type_and_see("j", "1 of 14 that wait")
        type_and_see("a", "1 of 13 that wait")
        type_and_see("r", "1 of 12 that wait")
        for key in range(1, 10):
            type_and_see(str(key), f"1 of {12 - key} that wait")
        page.get_by_role("textbox", name="Name").press("a")  # a letter in a field, and no verdict
        page.keyboard.press("Control+k")
        page.wait_for_selector("dialog.palette [role=option]")  # the palette, and no row before
        page.keyboard.press("Escape")
        page.get_by_text("1 of 3 that wait").wait_for()
    assert gold_set(project, draft).reviewers == {"ann": 11}
    judged = [(review.verdict, (review.payload or row.payload)["label"])
              for row in gold_rows(project, draft) for review in row.reviews]  # fmt: skip
    assert [verdict for verdict, _ in judged].count("rejected") == 1
    assert {label for verdict, label in judged if verdict != "rejected"} == set(LABELS)


def test_the_wizard_is_walked_by_tab_and_enter(home, walk, tmp_path, watch):
    walk.imported()
    file = tmp_path / "more.jsonl"
    file.write_bytes(b"\n".join(map(orjson.dumps, reviews(100)[60:])))
    with server(home) as serving:
        page = (person := watch()).page
        # Listened for from the start: asked only now, Chromium may not have heard of it when the key comes, and cancels.
        page.on("filechooser", lambda chooser: chooser.set_files(file))
        person.open(f"{serving.url}/ui/projects/1/data")
        tab_to(page, "Import dataset (auto-mapping)")
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.type === 'file'")  # the keyboard is in the wizard
        page.keyboard.press("Enter")
        page.locator("[aria-current=step]:has-text('Map')").wait_for()
        tab_to(page, "Or name a source")
        tab_to(page, "label_to_classification")
        tab_to(page, "Mapper")
        tab_to(page, "Dry run")
        page.keyboard.press("Enter")
        page.locator("[aria-current=step]:has-text('Commit')").wait_for()
        tab_to(page, "Commit 40 rows")
        page.keyboard.press("Space")
        page.get_by_text("40 rows were added to the project").wait_for()


def tab_to(page, name):
    """By Tab alone; every place on the way can be seen to have the keyboard."""
    passed = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        passed.append(stop["name"].strip()[:60])
        assert stop["is_seen"], passed[-1]
        if name in stop["name"]:
            return
    raise AssertionError(f"Tab does not come to {name}: {passed}")
