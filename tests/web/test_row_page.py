import anyio
import pytest
from nicegui import ui

from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.pipeline.execute import call
from brewslm.rows import RowFile
from brewslm.stages.mapping.undo import UndoRequest
from brewslm.store.files import project_folder

pytestmark = pytest.mark.anyio


async def test_a_row_tells_its_source_its_split_its_steps_and_its_answers(user, walk):
    walk.imported()
    ids = walk.prepared()
    experiment = walk.trained([[ids["train"][0]], ["other"], [ids["train"][0]]])
    walk.evaluated(experiment, {ids["eval"][0]: False})
    await user.open(f"/rows/{ids['train'][0]}")
    for seen in (
        "reviews-60.jsonl",
        "label_to_classification",
        "accepted",
        "It counts in the project",
        "v1",
        "train",
        "steps 1, 3",
    ):
        await user.should_see(seen)
    await user.should_see("No model was asked it.")
    await user.open(f"/rows/{ids['eval'][0]}")
    for seen in ("eval", "No experiment learned from it.", "tuned", "wrong", "negative"):
        await user.should_see(seen)


async def test_a_rejected_row_says_why_and_what_to_do(user, walk):
    run = walk.imported(broken=1)
    (row,) = RowFile(project_folder(walk.project) / "rejected" / f"{run}.jsonl").rows()
    await user.open(f"/rows/{row['row_id']}")
    for seen in ("it was rejected", "invalid_json", "The line is not valid JSON.", "Next: Mend the line in the source"):
        await user.should_see(seen)


async def test_a_row_whose_import_was_undone_says_by_which_run(user, walk):
    walk.imported()
    row = walk.prepared()["train"][0]
    call("test", UndoRequest(import_run="import-1"))
    await user.open(f"/rows/{row}")
    await user.should_see("its import was undone")
    with user:
        assert "undo-1" in [one.text for one in user.find(kind=ui.link).elements]


async def test_a_row_that_nobody_knows_is_a_page_with_its_reason(user, project):
    answer = await user.http_client.get("/rows/r0000000000000000-1")
    assert answer.status_code == 404 and "unknown_row" in answer.text


async def test_a_row_tells_its_line_and_its_mapping(user, walk):
    walk.imported()
    await user.open(f"/rows/{walk.prepared()['train'][0]}")
    for seen in ("As its source has it", "Mapping (configuration 1)", "mapped by"):
        await user.should_see(seen)


async def test_a_row_is_forgotten_by_typing_its_id_after_what_will_change_was_shown(user, walk):
    walk.imported()
    row = walk.prepared()["train"][0]
    await user.open(f"/rows/{row}")
    user.find("Show what would change").click()
    await user.should_see("it can't be undone")
    await user.should_see("v1: train")
    user.find(kind=ui.input).type("another")
    user.find("Forget 1 row").click()
    await user.should_see("Nothing was changed")
    assert tasks(walk.project, operation="row.forget") == []
    user.find(kind=ui.input).clear().type(row)
    user.find("Forget 1 row").click()
    await user.should_see("forget-1")
    await anyio.to_thread.run_sync(execute.perform, "forget-1")
    await user.should_see("1 row is forgotten by forget-1")
    await user.open(f"/rows/{row}")
    await user.should_see("by forget-1, asked by page; who it was stays")
    await user.should_not_see("Show what would change")
