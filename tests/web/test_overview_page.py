import pytest
from nicegui import ui

from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.stages.clean import CleanRequest
from brewslm.store.database import transaction
from brewslm.store.tables import Evaluation
from brewslm.web.lifecycle_map import way_to
from brewslm.web.overview import done_at, see
from brewslm.web.parts import Text
from brewslm.web.rail import run_address

pytestmark = pytest.mark.anyio


def links(user) -> dict[str, str]:
    """Accessible name of each link → where it leads."""
    with user:
        found = list(user.find(kind=ui.link).elements)
    return {one.props.get("aria-label") or one.text: one.props["href"] for one in found if "href" in one.props}


async def test_an_empty_project_shows_eleven_cells_and_what_to_do_first(user, project):
    await user.open(f"/projects/{project}")
    cells = {name: target for name, target in links(user).items() if "not begun" in name}
    assert len(cells) == 11
    [clean] = (target for name, target in cells.items() if name.startswith("05 Clean (optional): not begun."))
    assert clean == way_to(project, "clean")[0]
    assert links(user)["Import rows"] == f"/projects/{project}/data?new=1"
    await user.should_see("04 Commit: the project has no rows yet.")
    await user.should_see(f"brewslm map --project {project} --locator LOCATOR --auto --commit")
    for empty in ("Nothing has happened yet", "No experiment was trained yet", "No model was measured yet"):
        await user.should_see(empty)


async def test_autopilot_waits_for_rows(user, project):
    await user.open(f"/projects/{project}")
    await user.should_see("Autopilot needs rows")
    user.find(kind=Text, content="Run autopilot").click()
    await user.should_not_see("Start autopilot")


async def test_autopilot_says_what_will_happen_and_a_second_click_queues_it_once(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}")
    user.find(kind=Text, content="Run autopilot").click()
    await user.should_see("rows are frozen as a new data manifest")
    assert tasks(walk.project, operation="autopilot.run") == []
    start = user.find("Start autopilot")
    start.click()
    start.click()
    await user.should_see("is queued; a worker takes it")
    queued = tasks(walk.project, operation="autopilot.run")
    assert [(run.task_id, run.state, run.actor, run.request["one_click"]) for run in queued] == [
        ("autopilot-1", "queued", "page", True)
    ]
    user.find(kind=Text, content="Run autopilot").click()  # not while it has not ended
    await user.should_not_see("Start autopilot")


async def test_autopilot_that_is_not_wanted_queues_nothing(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}")
    user.find(kind=Text, content="Run autopilot").click()
    await user.should_see("Not now")
    user.find("Not now").click()
    await user.should_not_see("Start autopilot")
    assert tasks(walk.project, operation="autopilot.run") == []


async def test_a_project_that_was_evaluated_shows_its_loss_its_scorecard_and_its_events(user, walk, card):
    walk.imported(count=60, broken=2)
    walk.prepared()
    experiment = walk.trained([["a"], ["b"]])
    evaluation = walk.evaluated(experiment, {})
    with transaction() as session:
        session.get_one(Evaluation, evaluation).scorecard = card.model_dump(mode="json")
    await user.open(f"/projects/{walk.project}")
    await user.should_see("exp-1, succeeded: loss 0.5 at step 2")
    await user.should_see("exp-1, not promoted, on 400 held-out rows")
    await user.should_see("90.2 % (86.9 – 92.8)")
    await user.should_see("400 rows can tell 6.0 points between tuned and base")
    await user.should_see("2 of 4 gates met.")
    await user.should_see("undecided: too few rows to tell, optional")
    await user.should_see("74\u00a0won, 21\u00a0lost, p\u00a0<\u00a00.001")
    await user.should_see("dataset_prepared")
    with user:
        charts = sorted(user.find(kind=ui.echart).elements, key=lambda chart: chart.id)
    assert [len(chart.options["series"]) for chart in charts] == [2, 4]  # loss and dev loss; three intervals and the figures
    named = links(user)
    assert named[evaluation] == run_address(walk.project, evaluation)
    assert any(name.startswith("01 Ingest: done") and "60 rows onward" in name for name in named)


async def test_the_next_step_is_a_button_that_leads_to_where_it_is_done(user, walk):
    run = walk.run("exp", "train.run", state="failed", problem={"code": "training_oom", "next_step": "Use less."})
    await user.open(f"/projects/{walk.project}")
    await user.should_see(f"{run} failed: training_oom")
    assert links(user)[f"Look at {run}"] == run_address(walk.project, run)
    step = see(walk.project).view.next.model_copy(update={"what": "ask", "run": None, "stage": "deploy"})
    assert done_at(3, step)[0] in ("/projects/3/playground", "/projects/3/deployments", "/projects/3/events?stage=deployment")


async def test_what_runs_is_told_in_the_top_bar(user, walk):
    walk.imported()
    await user.open(f"/projects/{walk.project}")
    await user.should_see("0 running")
    execute.queue("test", CleanRequest(project=walk.project))
    await user.should_see("1 queued")
    assert links(user)["clean-1"] == run_address(walk.project, "clean-1")
    execute.cancel("test", "clean-1")
    await user.should_see("0 running")
    await user.should_see("Nothing runs or waits at this moment.")


async def test_an_import_that_happens_meanwhile_appears_by_itself(user, walk):
    await user.open(f"/projects/{walk.project}")
    await user.should_see("0 of 11 stages done")
    walk.imported()
    await user.should_see("4 of 11 stages done")
    await user.should_see("dataset_import_run")


async def test_an_unknown_project_is_a_page_with_its_reason_and_a_way_out(user, project):
    for address in ("/projects/99", "/projects/x", "/projects/99/events"):
        answer = await user.http_client.get(address)
        assert answer.status_code == 404 and "unknown_project" in answer.text and "All projects" in answer.text


async def test_a_look_that_finds_nothing_new_finds_the_same(walk):
    walk.imported()
    assert see(walk.project) == see(walk.project)  # or the page would be drawn again at every look
