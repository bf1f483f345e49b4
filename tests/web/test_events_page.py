import pytest
from nicegui import ui

from brewslm.audit import emit_event
from brewslm.audit.filters import EventFilter
from brewslm.observe.events import events
from brewslm.observe.savedfilters import saved_filters
from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed
from brewslm.reasons.deployment import DeploymentPromoteBlocked
from brewslm.reasons.training import TrainingOom
from brewslm.stages.clean import CleanRequest
from brewslm.store.database import transaction
from brewslm.store.tables import Run, now
from brewslm.web.events import TREES
from tests.observe.stream import write
from tests.web.test_projects_page import tell

pytestmark = pytest.mark.anyio


def emit(project: int, count: int = 1, run: str | None = None) -> None:
    for number in range(count):
        reason = DeploymentPromoteBlocked(deployment_version_id=1000 + number, slot="default", error="x")
        emit_event(reason, project_id=project, actor="test", run_id=run)


def links(user) -> dict[str, str]:
    """Accessible name of each link → where it leads."""
    with user:
        found = sorted(user.find(kind=ui.link).elements, key=lambda one: one.id)
    return {one.props.get("aria-label") or one.text: one.props["href"] for one in found}


def runs_shown(user) -> list[str]:
    with user:
        found = sorted(user.find(kind=ui.link).elements, key=lambda one: one.id)
    return [one.text for one in found if one.text.startswith("exp-") and one.props["href"].endswith(f"?run={one.text}")]


async def test_without_events_it_says_what_writes_the_first(user, project):
    await user.open(f"/projects/{project}/events")
    await user.should_see("Nothing has happened yet")
    assert links(user)["Import rows"] == f"/projects/{project}/data"
    await user.open(f"/projects/{project}/events?severity=error")
    await user.should_see("No event fits.")
    assert links(user)["Show everything"] == f"/projects/{project}/events"


async def test_a_run_is_told_with_its_parts_its_events_and_what_they_say(user, walk):
    run = walk.imported()
    write(
        walk.project,
        [{"run": "autopilot-1"}, {"run": "exp-1", "parent": "autopilot-1", "code": "training_oom", "severity": "error"}],
    )
    await user.open(f"/projects/{walk.project}/events")
    for seen in ("map.commit", "succeeded", "1 error", "2 told why not", "training_oom", "Training ran out of memory"):
        await user.should_see(seen)
    found = links(user)
    assert found[run] == f"/projects/{walk.project}/events?run={run}"
    (imported,) = events(walk.project, run=run)
    assert f"/projects/{walk.project}/events/{imported.id}" in found.values()


async def test_what_is_filtered_by_can_be_taken_away_one_by_one(user, project):
    emit(project, run="deploy-1")
    emit_event(TrainingOom(experiment_id="exp-1", error="x"), project_id=project, actor="test", run_id="exp-1")
    for query, there, away in (
        ("stage=training", "training_oom", "deployment_promote_blocked"),
        ("severity=warning", "deployment_promote_blocked", "training_oom"),
        ("run=exp-1", "training_oom", "deployment_promote_blocked"),
        ("text=exp", "training_oom", "deployment_promote_blocked"),
    ):
        await user.open(f"/projects/{project}/events?{query}")
        await user.should_see(there)
        await user.should_not_see(away)
    await user.open(f"/projects/{project}/events?stage=training&run=exp-1")
    assert links(user)["Take away the filter Stage: training"].endswith("/events?run=exp-1")


async def test_pages_of_trees_follow_each_other_without_a_gap_and_without_a_repeat(user, project):
    write(project, [{"run": f"exp-{number}"} for number in range(2 * TREES + 5)])
    await user.open(f"/projects/{project}/events?stage=training")
    seen = [runs_shown(user)]
    await user.should_not_see("Newer")
    for _ in range(2):
        await user.open(links(user)["Older"])
        seen.append(runs_shown(user))
    assert [len(page) for page in seen] == [TREES, TREES, 5] and len(set().union(*seen)) == 2 * TREES + 5
    await user.should_not_see("Older")
    for page in (seen[1], seen[0]):
        await user.open(links(user)["Newer"])
        assert runs_shown(user) == page
    assert links(user)["Newest"].endswith("events?stage=training")


async def test_newer_events_are_announced_and_the_list_stands_still(user, project):
    emit(project)
    await user.open(f"/projects/{project}/events")
    emit(project, 2)
    await user.should_see("2 new: show them")
    assert sum(one.endswith("/events/1") for one in links(user).values()) == 1
    assert not any(one.endswith("/events/2") for one in links(user).values())


async def test_a_run_that_ends_meanwhile_says_so_where_it_stands(user, walk):
    run = walk.run("exp", "train.run", state="paused")
    write(walk.project, [{"run": run}])
    await user.open(f"/projects/{walk.project}/events")
    await user.should_see("paused")
    with transaction() as session:
        one = session.get_one(Run, run)
        one.state, one.ended_at = "cancelled", now()
    await user.should_see("cancelled")
    await user.should_not_see("paused")


async def test_a_filter_is_kept_and_forgotten_with_a_second_click(user, project):
    emit(project)
    await user.open(f"/projects/{project}/events?severity=warning")
    tell(user, "filter-name", "change", "not promoted!")
    user.find("Keep it").click()
    await user.should_see("first a letter or a digit")
    tell(user, "filter-name", "keydown", "not promoted")
    await user.should_see("Forget the filter not promoted")
    (kept,) = saved_filters()
    assert (kept.of, kept.filter, kept.actor) == ("events", {"severity": "warning"}, "page")
    await user.open(f"/projects/{project}/events")
    assert links(user)["not promoted"].endswith("events?severity=warning")
    await user.open(links(user)["not promoted"])
    user.find("Forget the filter not promoted").click()
    await user.should_see("is everybody's in this home")
    user.find("Forget not promoted now").click()
    await user.should_see("Keep this filter")
    assert saved_filters() == []


async def test_an_event_has_a_page_with_its_cause_its_way_on_and_its_place_in_the_chain(user, project):
    emit(project)
    with pytest.raises(RunFailed):
        execute.call("ana", CleanRequest(project=project))
    (failed,) = events(wanted=EventFilter(project=project, run="clean-1"))
    await user.open(f"/projects/{project}/events/{failed.id}")
    for seen in (failed.reason_code, failed.meaning, failed.remedy, "Where to look", "brewslm task show clean-1", failed.hash):
        await user.should_see(seen)
    found = links(user)
    assert found["run clean-1"] == f"/projects/{project}/runs/clean-1"
    assert found["The event before"] == f"/projects/{project}/events/1" and "The event after" not in found
    for other in ("99", "x", "9" * 30):
        answer = await user.http_client.get(f"/projects/{project}/events/{other}")
        assert answer.status_code == 404 and "unknown_event" in answer.text


async def test_the_event_of_an_import_leads_to_its_rejected_rows(user, walk):
    run = walk.imported()
    (imported,) = events(wanted=EventFilter(project=walk.project, run=run))
    await user.open(f"/projects/{walk.project}/events/{imported.id}")
    await user.should_see("Where to look")
    assert links(user)["rejected rows"] == f"/projects/{walk.project}/rows?status=rejected&import={run}"
    await user.open(links(user)["rejected rows"])
    await user.should_see("2 rejected")
