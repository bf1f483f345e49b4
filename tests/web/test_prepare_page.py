import pytest

from brewslm.observe.manifests import manifests
from brewslm.observe.tasks import tasks
from brewslm.pipeline.execute import call
from brewslm.stages.prepare import PrepareRequest
from brewslm.store.files import project_folder
from tests.web.test_data_page import native, perform, press

pytestmark = pytest.mark.anyio


def fill(user, **fields: str) -> None:
    for name, value in fields.items():
        (found,) = [*native(user, "input", id=name), *native(user, "select", id=name)]
        found.trigger("change", value)


async def test_rows_are_prepared_by_the_form_and_the_new_version_stands_in_the_table(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}/prepare")
    await user.should_see("Nothing was prepared yet")
    fill(user, eval_rows="10", dev_rows="4", train_rows="1,0")
    press(user, "Prepare the rows")
    await user.should_see("prepare.run")
    (run,) = tasks(walk.project, operation="prepare.run")
    assert (run.request["eval_rows"], run.request["train_rows"], run.request["seed"]) == (10, 10, 42)
    await perform(run.task_id)
    await user.should_see("Version 1 is frozen and in use")
    await user.should_see("60 in = 24 out + ")
    await user.should_see("train 10 · dev 4 · eval 10")


async def test_what_can_not_be_asked_is_said_at_the_field(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}/prepare")
    fill(user, eval_rows="nine", dev_rows="4", dev_share="0.1", eval_share="")
    press(user, "Prepare the rows")
    await user.should_see("It is a whole number.")
    (blamed,) = native(user, "input", **{"aria-invalid": "true"})
    assert next(iter(blamed.elements)).props["id"] == "eval_rows"
    fill(user, eval_rows="9")
    press(user, "Prepare the rows")
    await user.should_see("dev_rows and dev_share say the same twice: give one of them")
    assert tasks(walk.project, operation="prepare.run") == []


async def test_a_version_shows_its_ledger_its_leaks_its_lengths_and_its_balance_and_two_are_compared(user, walk):
    walk.imported()
    walk.prepared()
    call("test", PrepareRequest(project=walk.project, eval_rows=20, dev_rows=4, seed=7, resplit=True))
    await user.open(f"/projects/{walk.project}/prepare?version=2&compare=1")
    for seen in ("v2 is in use", "nothing leaks", "Token lengths", "v1 → v2", "Rows that changed sides", "seed", "drawn anew"):
        await user.should_see(seen)
    target = f"/projects/{walk.project}/rows?manifest=2&split=eval&label=positive"
    assert [one for one in user.client.elements.values() if one.props.get("href") == target]
    press(user, "Use v1")
    await user.should_see("Version in use: v2 → v1")
    press(user, "Use v1 now")
    await user.should_see("manifest.activate")
    (run,) = tasks(walk.project, operation="manifest.activate")
    await perform(run.task_id)
    await user.should_see("v1 is in use.")
    assert [one.version for one in manifests(walk.project) if one.is_active] == [1]


async def test_a_changed_file_is_said_in_place_and_a_version_that_is_none_too(user, walk):
    walk.imported()
    walk.prepared()
    with (project_folder(walk.project) / "prepared" / "v1" / "train.jsonl").open("ab") as file:
        file.write(b"{}\n")
    await user.open(f"/projects/{walk.project}/prepare")
    await user.should_see("manifest_mismatch")
    await user.open(f"/projects/{walk.project}/prepare?version=9")
    await user.should_see("there is no version 9")
