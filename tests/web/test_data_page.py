import anyio
import orjson
import pytest
from nicegui import ui
from nicegui.element import Element
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction

from brewslm.observe.imports import imports
from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.web.parts import Text
from brewslm.web.rejections import row_reasons
from tests.synthetic import reviews

pytestmark = pytest.mark.anyio
UNSURE = [{"body": f"The {word} came late, and nobody said why", "verdict": word} for word in ("parcel", "letter", "train")]
LINES = [orjson.dumps(row) for row in reviews(40)] + [b"{broken", orjson.dumps({"text": " ", "label": "positive"})]


def native(user: User, tag: str, **props: str) -> list[UserInteraction]:
    """The page's plain elements of this tag and these attributes, as far as they are shown."""
    found = [one for one in user.client.elements.values() if one.tag == tag and one.visible]
    return [UserInteraction(user, {one}, None) for one in found if props.items() <= dict(one.props).items()]


async def upload(user: User, lines: list[bytes], name: str = "reviews.jsonl", field: int = 0) -> None:
    """What brewslm.js does with a chosen file."""
    answer = await user.http_client.post("http://127.0.0.1/api/uploads", files={"file": (name, b"\n".join(lines) + b"\n")})
    native(user, "input", type="file")[field].trigger("kept", answer.json())


async def look(user: User, locator: str) -> None:
    user.find(kind=ui.input, content="Or name a source").clear().type(locator)
    press(user, "Look at it")


def press(user: User, said: str) -> None:
    user.find(kind=Text, content=said).click()


async def perform(run: str) -> None:
    """What a worker does."""
    await anyio.to_thread.run_sync(execute.perform, run)


def links(user: User) -> dict[str, str]:
    with user:
        return {one.text: one.props["href"] for one in user.find(kind=ui.link).elements}


async def test_an_upload_is_looked_at_dry_run_and_committed_and_then_its_rows_are_in_the_project(user, project):
    await user.open(f"/projects/{project}/data")
    await user.should_see("Nothing was imported yet: upload a file above, or name a source.")
    await upload(user, LINES)
    for seen in ("reviews.jsonl is here", "label_to_classification", "confidence 0.95", "About 42 rows", "categorical"):
        await user.should_see(seen)
    press(user, "Dry run")
    for seen in ("40 accepted", "2 rejected", "42 in = 40 out + ", row_reasons()["empty_text"].meaning, "50.0 %"):
        await user.should_see(seen)
    await user.should_not_see("row 41")
    native(user, "button", **{"aria-label": "Show the rows: invalid_json, 1"})[0].click()
    for seen in ("row 41", "Rows rejected for invalid_json: 1–1 of 1", "{broken"):
        await user.should_see(seen)
    assert imports(project) == []  # nothing was added
    await user.should_not_see("Try again")

    commit = user.find(kind=Text, content="Commit 40 rows")
    commit.click()
    commit.click()
    await user.should_see("map.commit")
    assert [(run.task_id, run.state, run.actor) for run in tasks(project, operation="map.commit")] == [
        ("import-1", "queued", "page")
    ]
    await perform("import-1")
    await user.should_see("40 rows were added to the project")
    await user.should_see("2 were rejected: empty_text 1, invalid_json 1")
    (done,) = imports(project)
    assert (done.accepted_count, done.rejection_counts) == (40, {"invalid_json": 1, "empty_text": 1})
    with user:
        targets = {number: one.props["href"] for number, one in enumerate(user.find(kind=ui.link).elements)}
    rows = [target for target in targets.values() if target.startswith("/rows/")]
    assert len(rows) == 5
    assert f"/projects/{project}/rows?status=rejected&import=import-1&reason=invalid_json" in targets.values()
    await user.open(next(target for target in rows if target.endswith("-1")))
    await user.should_see("It counts in the project")


async def test_a_guess_that_is_not_sure_is_not_taken_without_the_tick(user, project):
    await user.open(f"/projects/{project}/data")
    await upload(user, [orjson.dumps(row) for row in UNSURE])
    await user.should_see("Take it although it is not sure")
    press(user, "Dry run")
    await user.should_see("low_confidence")
    await user.should_see("Next: Tick that you take it although it is not sure, or choose the columns yourself.")
    await user.should_not_see("Commit 3 rows")
    native(user, "input", type="checkbox")[0].trigger("change", True)
    await user.should_not_see("low_confidence")
    press(user, "Dry run")
    await user.should_see("Commit 3 rows")
    native(user, "input", type="checkbox")[0].trigger("change", False)
    await user.should_not_see("Commit 3 rows")  # what was dry run is not what the form says now
    native(user, "input", type="checkbox")[0].trigger("change", True)
    press(user, "Dry run")
    await user.should_see("Commit 3 rows")
    press(user, "Commit 3 rows")
    await user.should_see("import-1")
    (run,) = tasks(project, operation="map.commit")
    assert run.request["forced"] and run.request["confidence"] < 0.8


async def test_another_hypothesis_is_chosen_and_its_fields_stand_in_the_form(user, project):
    await user.open(f"/projects/{project}/data")
    await upload(user, LINES)
    await user.should_see("Dry run")
    first, second = native(user, "input", type="radio")[:2]
    (one,), (other,) = first.elements, second.elements
    assert one.props["value"] == "label_to_classification" and "checked" in one.props
    second.trigger("change")
    assert "checked" in other.props and "checked" not in one.props
    (select,) = native(user, "select")[0].elements
    assert selected(select) == other.props["value"] != one.props["value"]
    native(user, "select")[0].trigger("change", "label_to_classification")
    assert "checked" in one.props and "checked" not in other.props


async def test_the_rows_behind_a_reason_are_paged_and_a_dropped_reason_goes_with_the_commit(user, project):
    await user.open(f"/projects/{project}/data")
    await upload(user, LINES + [b"{broken"] * 120)
    await user.should_see("Dry run")
    press(user, "Dry run")
    await user.should_see("Commit 40 rows")
    native(user, "button", **{"aria-label": "Show the rows: invalid_json, 121"})[0].click()
    await user.should_see("Rows rejected for invalid_json: 1–10 of 121")
    await user.should_see("A dry run keeps the first 100 of a reason")
    press(user, "Next rows")
    await user.should_see("Rows rejected for invalid_json: 11–20 of 121")
    await user.should_see("row 53")
    native(user, "input", **{"aria-label": "Drop invalid_json"})[0].trigger("change", True)
    await user.should_not_see("Rows rejected for invalid_json")
    native(user, "input", **{"aria-label": "Drop all"})[0].trigger("change", True)
    native(user, "input", **{"aria-label": "Drop empty_text"})[0].trigger("change", False)
    press(user, "Commit 40 rows")
    await user.should_see("import-1")
    (run,) = tasks(project, operation="map.commit")
    assert run.request["drop_reasons"] == ["invalid_json"]


async def test_a_mapping_that_a_person_names_needs_no_tick_and_an_option_and_the_limit_are_taken(user, project):
    await user.open(f"/projects/{project}/data")
    await upload(user, LINES)
    await user.should_see("Dry run")
    selects = native(user, "select")
    selects[1].trigger("change", "label")
    selects[2].trigger("change", "text")
    user.find(kind=ui.input, content="allowed_labels").type("a dull film number 30,a dull film number 31")
    native(user, "input", id="limit")[0].trigger("change", "nine")
    press(user, "Dry run")
    await user.should_see("Give a whole number from 1, or none.")
    native(user, "input", id="limit")[0].trigger("change", "41")
    press(user, "Dry run")
    await user.should_see("named by you")
    await user.should_see("label_not_allowed")
    await user.should_see("41 of the source's 42 rows, drawn from all of it")


async def test_an_optional_column_that_the_person_leaves_out_is_left_out(user, project):
    rows = [{"instruction": f"Sum up {n}", "input": f"a long text {n}", "output": f"short {n}"} for n in range(12)]
    await user.open(f"/projects/{project}/data")
    await upload(user, [orjson.dumps(row) for row in rows])
    await user.should_see("Dry run")
    shown = [next(iter(one.elements)) for one in native(user, "select")]
    chosen = {index: value for index, one in enumerate(shown) if (value := selected(one))}
    optional = next(index for index in chosen if "no column" in [each.text for each in options(shown[index])])
    native(user, "select")[optional].trigger("change", "")
    for tick in native(user, "input", type="checkbox"):
        tick.trigger("change", True)
    press(user, "Dry run")
    await user.should_see("Commit 12 rows")
    press(user, "Commit 12 rows")
    await user.should_see("import-1")
    (run,) = tasks(project, operation="map.commit")
    assert chosen[optional] not in run.request["field_map"].values()


def options(select: Element) -> list[Text]:
    return list(select.default_slot.children)


def selected(select: Element) -> str:
    return next((one.props["value"] for one in options(select) if "selected" in one.props), "")


async def test_with_rows_in_the_project_the_wizard_waits_behind_its_button_and_an_address_opens_it(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}/data")
    await user.should_see("60 rows count, out of 1 import; 2 were rejected.")
    (wizard,) = [one for one in user.client.elements.values() if one.props.get("id") == "wizard"]
    assert not wizard.visible
    native(user, "button", **{"aria-controls": "wizard"})[0].click()
    assert wizard.visible and not native(user, "button", **{"aria-controls": "wizard"})
    (close,) = [one for one in wizard.descendants() if isinstance(one, Text) and one.text == "Close"]
    UserInteraction(user, {close}, None).click()
    assert not wizard.visible
    await user.open(f"/projects/{walk.project}/data?source=sample:movie-review")
    await user.should_see("did you mean movie-reviews?")


async def test_a_broken_locator_shows_its_problem_in_place_and_stays_in_the_field(user, project):
    await user.open(f"/projects/{project}/data")
    for locator, code, cause, step in (
        ("reviews.csv", "unknown_scheme", "did you mean csv:reviews.csv?", "Next: "),
        ("jsonl:/etc/passwd", "path_outside_project", "the API reads uploaded files", "Upload the file"),
        ("sample:movie-review", "source_not_found", "did you mean movie-reviews?", ""),
    ):
        await look(user, locator)
        for seen in (code, cause, step):
            await user.should_see(seen)
        (field,) = user.find(kind=ui.input, content="Or name a source").elements
        assert field.value == locator
    await user.should_not_see("unknown_scheme")
    await user.should_not_see("Dry run")


async def test_an_import_is_undone_by_a_second_click_that_says_what_will_change(user, walk):
    first, second = walk.imported(), walk.imported(count=20)
    await user.open(f"/projects/{walk.project}/data")
    found = {one.import_run: one for one in imports(walk.project)}
    rows = found[first].accepted_count
    every = sum(one.accepted_count for one in found.values())
    native(user, "button", **{"aria-label": f"Undo {first}"})[0].click()
    await user.should_see(f"Its {rows:,} rows will count no more; prepare leaves them out.")
    await user.should_see(f"Rows of the project: {every:,} → {every - rows:,}")
    assert tasks(walk.project, operation="import.undo") == []
    press(user, f"Undo {first} now")
    await user.should_see("import.undo")
    await perform("undo-1")
    await user.should_see(f"{first} is undone by undo-1: its {rows:,} rows count no more.")
    assert not native(user, "button", **{"aria-label": f"Undo {first}"})
    assert native(user, "button", **{"aria-label": f"Undo {second}"})


async def test_rejected_rows_go_out_and_come_back_mended(user, walk):
    walk.imported(broken=2)
    await user.open(f"/projects/{walk.project}/data")
    (out,) = native(user, "a", download="import-1-rejected.jsonl")
    (element,) = out.elements
    lines = (await user.http_client.get(f"http://127.0.0.1{element.props['href']}")).content.splitlines()
    assert len(lines) == 2
    native(user, "button", **{"aria-label": "Reimport mended rows of import-1"})[0].click()
    await user.should_see("mend what stands under raw")
    await upload(user, [b'{"row_id": "r0-1", "raw": {}}'], "strange.jsonl", field=1)
    await user.should_see("the mended rows are not those of this import")
    mended = [
        orjson.dumps({**orjson.loads(line), "text": "", "raw": {"text": f"a fine film {n}", "label": "positive"}})
        for n, line in enumerate(lines)
    ]
    await upload(user, mended, "mended.jsonl", field=1)
    await user.should_see("map.commit")
    await perform("import-2")
    await user.should_see("2 rows were added to the project")
    await user.should_see("mends import-1")


async def test_an_import_from_elsewhere_appears_by_itself(user, walk):
    await user.open(f"/projects/{walk.project}/data")
    walk.imported()
    await user.should_see("jsonl:reviews-60.jsonl")


async def test_a_commit_that_fails_says_why_and_can_be_tried_again(user, project):
    await user.open(f"/projects/{project}/data")
    await upload(user, LINES)
    await user.should_see("Dry run")
    press(user, "Dry run")
    await user.should_see("Commit 40 rows")
    press(user, "Commit 40 rows")
    await user.should_see("map.commit")
    execute.cancel("test", "import-1")
    await user.should_see("was cancelled")
    press(user, "Try again")
    await user.should_see("import-2")
