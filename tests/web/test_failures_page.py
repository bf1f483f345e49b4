import pytest
from nicegui import ui

from brewslm.audit import emit_event
from brewslm.observe.clusters import clusters
from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed
from brewslm.reasons.training import TrainingOom, TrainingResumed
from brewslm.stages.clean import CleanRequest
from brewslm.web.count_chart import BARS_SHOWN, every
from brewslm.web.failure import EVENTS

pytestmark = pytest.mark.anyio


def links(user) -> dict[str, str]:
    with user:
        found = sorted(user.find(kind=ui.link).elements, key=lambda one: one.id)
    return {one.props.get("aria-label") or one.text: one.props["href"] for one in found}


def broke(project: int, signature: str, count: int = 1) -> None:
    for number in range(count):
        reason = TrainingOom(signature=signature, experiment_id=f"exp-{number}", error=f"it broke as {signature}")
        emit_event(reason, project_id=project, actor="test", run_id=f"exp-{number}")


async def test_where_nothing_failed_it_says_so(user, project):
    await user.open(f"/projects/{project}/failures")
    await user.should_see("Nothing has failed in this project.")
    await user.open(f"/projects/{project}/failures?days=7")
    await user.should_see("No failure fits.")


async def test_one_fault_is_told_once_with_how_often_and_opens_to_its_runs(user, project):
    broke(project, "aa", 3)
    broke(project, "bb")
    await user.open(f"/projects/{project}/failures")
    for seen in ("it broke as aa", "3 times", "once", "training_oom", "new this week", "Next: Close what else uses memory"):
        await user.should_see(seen)
    (one,) = (one for one in clusters(project) if one.count == 3)
    assert links(user)["it broke as aa"] == f"/projects/{project}/failures/{one.id}"
    await user.open(f"/projects/{project}/failures/{one.id}")
    for seen in ("Met 3 times", "It likely comes from", "another program took memory", "nothing to hold it against yet"):
        await user.should_see(seen)
    assert [f"/projects/{project}/events?run=exp-{number}" in links(user).values() for number in range(4)] == [True] * 3 + [False]


async def test_the_filters_keep_each_other_and_warnings_are_asked_for(user, project):
    broke(project, "aa")
    emit_event(TrainingResumed(experiment_id="exp-1", attempt=2, from_step=1), project_id=project, actor="test", run_id="exp-1")
    await user.open(f"/projects/{project}/failures?stage=training&days=30")
    await user.should_not_see("training_resumed")
    with user:
        chips = [one.props["href"] for one in user.find(kind=ui.link).elements]
    both = f"/projects/{project}/failures?stage=training&days=30&warnings=True"
    assert both in chips
    await user.open(both)
    await user.should_see("training_resumed")
    await user.open(f"/projects/{project}/failures?stage=eval&days=30")
    await user.should_see("No failure fits.")


async def test_what_changed_before_the_next_success_is_shown_field_by_field(user, walk):
    with pytest.raises(RunFailed):
        execute.call("ana", CleanRequest(project=walk.project))
    walk.run("clean", "clean.run", request={"project": walk.project, "pii": "block"})
    (one,) = clusters(walk.project)
    await user.open(f"/projects/{walk.project}/failures/{one.id}")
    for seen in ("has succeeded since", "In what was asked", "block", "clean-1", "clean-2"):
        await user.should_see(seen)


async def test_the_runs_of_a_cluster_are_read_page_by_page(user, project):
    broke(project, "aa", EVENTS + 3)
    (one,) = clusters(project)
    await user.open(f"/projects/{project}/failures/{one.id}")
    await user.should_see(f"{EVENTS} of {EVENTS + 3} events")
    await user.open(links(user)["Older"])
    await user.should_see(f"3 of {EVENTS + 3} events")
    await user.open(links(user)["Newer"])
    await user.should_see(f"{EVENTS} of {EVENTS + 3} events")
    answer = await user.http_client.get(f"/projects/{project}/failures/{'0' * 12}")
    assert answer.status_code == 404 and "unknown_failure" in answer.text


def test_days_without_an_event_stand_between_those_with_one():
    assert every([("2026-02-27", 2), ("2026-03-02", 1)], "day") == [
        ("2026-02-27", 2), ("2026-02-28", 0), ("2026-03-01", 0), ("2026-03-02", 1),
    ]  # fmt: skip
    assert every([("2026-03-01T23", 2), ("2026-03-02T01", 1)], "hour")[1] == ("2026-03-02T00", 0)
    assert len(every([("2020-01-01", 1), ("2026-01-01", 1)], "day")) == BARS_SHOWN
