import re

import pytest
from nicegui import ui

from brewslm.audit import emit_event
from brewslm.observe.events import PAGE
from brewslm.reasons.deployment import DeploymentPromoteBlocked
from brewslm.reasons.training import TrainingOom

pytestmark = pytest.mark.anyio


def emit(project: int, count: int = 1, run: str | None = None) -> None:
    for number in range(count):
        reason = DeploymentPromoteBlocked(deployment_version_id=1000 + number, slot="default", error="x")
        emit_event(reason, project_id=project, actor="test", run_id=run)


def rows(user) -> list[str]:
    """The version of each event that is shown, in order."""
    with user:
        shown = [one.text for one in user.find(kind=ui.element).elements if isinstance(getattr(one, "text", None), str)]
    return sorted((text for text in shown if re.fullmatch(r"1,\d{3}", text)), reverse=True)


def href(user, text: str) -> str:
    return next(one.props["href"] for one in user.find(text, kind=ui.link).elements if one.text == text)


async def test_without_events_it_says_so(user, project):
    await user.open(f"/projects/{project}/events")
    await user.should_see("No event fits.")
    await user.should_not_see("Older")


async def test_an_event_is_told_with_its_meaning_its_payload_and_its_run(user, project):
    emit(project, run="deploy-1")
    await user.open(f"/projects/{project}/events")
    for seen in ("deployment_promote_blocked", "A version was not promoted", "deployment · #1 · by test", "deploy-1", "1,000"):
        await user.should_see(seen)


async def test_the_list_is_filtered_by_stage_severity_and_run(user, project):
    emit(project, run="deploy-1")
    emit_event(TrainingOom(experiment_id="exp-1", error="x"), project_id=project, actor="test", run_id="exp-1")
    for query, there, away in (
        ("stage=training", "training_oom", "deployment_promote_blocked"),
        ("severity=warning", "deployment_promote_blocked", "training_oom"),
        ("run=exp-1", "training_oom", "deployment_promote_blocked"),
    ):
        await user.open(f"/projects/{project}/events?{query}")
        await user.should_see(there)
        await user.should_not_see(away)
    assert href(user, "training").endswith("events?stage=training&run=exp-1")  # filters are kept together


async def test_pages_follow_each_other_without_a_gap_and_without_a_repeat(user, project):
    emit(project, 2 * PAGE + 5)
    await user.open(f"/projects/{project}/events?severity=warning")
    seen = [rows(user)]
    await user.should_not_see("Newer")
    for _ in range(2):
        await user.open(href(user, "Older"))
        seen.append(rows(user))
    assert [len(page) for page in seen] == [PAGE, PAGE, 5] and len(set().union(*seen)) == 2 * PAGE + 5
    await user.should_not_see("Older")
    await user.open(href(user, "Newer"))
    assert rows(user) == seen[1]
    await user.open(href(user, "Newer"))
    assert rows(user) == seen[0]
    await user.should_not_see("Newer")
    assert href(user, "Newest").endswith("events?severity=warning")


async def test_newer_events_are_announced_and_the_list_stands_still(user, project):
    emit(project)
    await user.open(f"/projects/{project}/events")
    emit(project, 2)
    await user.should_see("2 new: show them")
    assert rows(user) == ["1,000"]


async def test_an_address_that_asks_for_nonsense_is_a_page_with_its_reason(user, project):
    for query in ("stage=nope", "severity=loud", "before=x", "before=0", "after=-1"):
        answer = await user.http_client.get(f"/projects/{project}/events?{query}")
        assert answer.status_code == 422 and "invalid_request" in answer.text, query
