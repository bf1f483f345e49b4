import pytest
from nicegui import ui

from brewslm.pipeline import execute, runs
from brewslm.pipeline.execute import call
from brewslm.processes.context import PAUSE
from brewslm.stages.prepare import PrepareRequest
from brewslm.stages.projects import CreateRequest
from brewslm.stages.train import TrainRequest
from brewslm.store.database import transaction
from brewslm.store.files import run_folder
from brewslm.store.locks import lock
from brewslm.store.tables import Run
from tests.web.trainings import checkpoint, freeze, measured, press, state, trained, write_steps

pytestmark = pytest.mark.anyio


@pytest.fixture
def ready(walk):
    """Rows are prepared."""
    walk.imported()
    walk.prepared()
    return walk


def links(user) -> dict[str, str]:
    with user:
        return {one.props.get("aria-label") or one.text: one.props["href"] for one in user.find(kind=ui.link).elements}


async def test_without_a_training_there_is_one_thing_to_do(user, project):
    await user.open(f"/projects/{project}/runs")
    await user.should_see("No model was trained yet.")
    assert links(user)["Configure a training"] == f"/projects/{project}/training"


async def test_every_run_is_shown_with_what_it_was_told_and_what_it_came_to(user, ready, card):
    first = trained(ready, [["a"], ["b"]], epochs=3.0)
    evaluation = measured(ready, first, card)
    trained(ready, [["a"]], method="full")
    execute.queue("test", TrainRequest(project=ready.project))
    await user.open(f"/projects/{ready.project}/runs")
    for said in (
        "3 training runs",
        "queued",
        "lora, rank 16 · 3 epochs · rate 0.0005 · 16 rows a step",
        "full · 1 epoch",
        "0.111",
    ):
        await user.should_see(said)
    found = links(user)
    assert found[first] == f"/projects/{ready.project}/runs/{first}"
    assert found["accuracy 90.2 % (86.9 % to 92.8 %)"].endswith(f"/evaluation?evaluation={evaluation}")


async def test_a_page_of_runs_is_read_from_a_cursor(user, ready, monkeypatch):
    monkeypatch.setattr("brewslm.observe.trainings.trainings.__defaults__", (None, 2))
    ids = [trained(ready, [["a"]]) for _ in range(3)]
    await user.open(f"/projects/{ready.project}/runs")
    await user.should_see("exp-3 to exp-2 of 3")
    assert ids[0] not in links(user)
    await user.open(links(user)["Older"])
    await user.should_see("exp-1 to exp-1 of 3")
    assert links(user)["Newest"] == f"/projects/{ready.project}/runs"


async def test_two_runs_are_compared_at_an_address(user, ready, card):
    one, two = trained(ready, [["a"], ["b"]]), trained(ready, [["a"]], lora_r=32)
    measured(ready, one, card)
    measured(ready, two, card)
    await user.open(f"/projects/{ready.project}/runs?compare={one},{two}")
    await user.should_see("exp-1, exp-2 compared")
    await user.should_see("lora_r")
    await user.should_not_see("lora_alpha")  # only what differs
    with user:
        chart = next(iter(user.find(kind=ui.echart).elements))
    assert [(line["id"], len(line["data"])) for line in chart.options["series"]] == [("exp-1", 2), ("exp-2", 1)]
    assert links(user)["Compare their answers row by row"].endswith("/evaluation?evaluation=eval-1&against=eval-2")


async def test_a_trained_run_shows_its_charts_checkpoints_settings_and_steps(user, ready, card):
    run = trained(ready, [["r1-1"], ["r1-2", "r1-3"]], epochs=2.0)
    checkpoint(ready, run, 1, 0.3)
    checkpoint(ready, run, 2, 0.2)
    measured(ready, run, card)
    await user.open(f"/projects/{ready.project}/runs/{run}")
    for said in (
        "32 rows · 2 steps", "702 tok/s", "33 in = 32 out + ", "best", "preset 1", "promotable",
        "exp-1, succeeded: loss 0.5 at step 2", "exp-1, succeeded: gradient norm 1.5 at step 2", "memory 3.0 GB at step 2",
    ):  # fmt: skip
        await user.should_see(said)
    with user:
        assert len(user.find(kind=ui.echart).elements) == 5
    found = links(user)
    assert found["Evaluate checkpoint 2"].endswith(f"/evaluation?experiment={run}&target=checkpoint-2")
    await user.open(found["Step 2: show its rows"])
    await user.should_see("Rows of step 2")
    assert links(user)["r1-3"] == "/rows/r1-3"


async def test_a_run_that_ended_well_and_kept_no_result_is_shown_without_figures(user, ready):
    run = trained(ready, [["a"]])
    with transaction() as session:
        session.get_one(Run, run).result = None
    await user.open(f"/projects/{ready.project}/runs/{run}")
    await user.should_see("What it came to was not kept with the run.")
    assert links(user)["The model's passport"] == f"/models/{run}"
    await user.open(f"/projects/{ready.project}/runs")
    assert run in links(user)


async def test_settings_are_held_against_another_run(user, ready):
    one, two = trained(ready, [["a"]]), trained(ready, [["a"]], learning_rate=0.125)
    await user.open(f"/projects/{ready.project}/runs/{two}?against={one}")
    await user.should_see("exp-1 → exp-2")
    await user.should_see("learning_rate")
    await user.should_see("0.125")


async def test_a_queued_run_is_cancelled_by_a_second_click_and_resumed_by_another(user, ready):
    run = execute.queue("test", TrainRequest(project=ready.project)).task_id
    await user.open(f"/projects/{ready.project}/runs/{run}")
    await user.should_see("a worker takes it when it is free")
    press(user, "Cancel")
    await user.should_see("exp-1: queued → cancelled, within about two seconds.")
    assert state(run) == "queued"
    user.find("Cancel exp-1 now").click()
    await user.should_see("nobody was executing it")
    assert state(run) == "cancelled"
    press(user, "Resume")
    await user.should_see("Resume exp-1 now")
    user.find("Resume exp-1 now").click()
    await user.should_see("exp-1 is queued.")
    assert state(run) == "queued"


async def test_a_running_run_is_paused_by_a_second_click_and_grows(user, ready):
    run = ready.run("exp", "train.run", state="running", request=TrainRequest(project=ready.project).model_dump(mode="json"))
    freeze(run)
    write_steps(run, [["a"]])
    with lock(runs.run_lock_path(run), wait=False):
        await user.open(f"/projects/{ready.project}/runs/{run}")
        await user.should_see("exp-1, running: loss 1 at step 1")
        write_steps(run, [["b"]], first=2)
        await user.should_see("exp-1, running: loss 0.5 at step 2")
        press(user, "Pause")
        await user.should_see("exp-1: running → paused.")
        user.find("Pause exp-1 now").click()
        await user.should_see("exp-1 waits after its present step.")

        assert (run_folder(run) / PAUSE).exists()


async def test_a_run_that_failed_says_why_and_what_next(user, ready):
    with pytest.raises(execute.RunFailed):
        call("test", PrepareRequest(project=ready.project, eval_rows=10**6))
    await user.open(f"/projects/{ready.project}/runs/prepare-2")
    await user.should_see("What was asked")
    await user.should_see("failed")
    await user.should_see("Next:")


async def test_a_run_of_another_project_is_not_shown_here(user, ready):
    trained(ready, [["a"]])
    call("test", CreateRequest(name="other"))
    answer = await user.http_client.get("/projects/2/runs/exp-1")
    assert answer.status_code == 404 and "it is no run of this project" in answer.text
