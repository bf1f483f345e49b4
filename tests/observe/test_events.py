import pytest
from sqlalchemy import text

from brewslm.audit import emit_event
from brewslm.errors import StageError
from brewslm.observe.chains import verification
from brewslm.observe.events import events
from brewslm.observe.explorer import calls
from brewslm.observe.tasks import task, tasks
from brewslm.pipeline import execute
from brewslm.pipeline.execute import call
from brewslm.reasons import Severity, Stage
from brewslm.reasons.cleaning import CleaningFailed
from brewslm.reasons.training import TrainingResumed
from brewslm.stages.clean import CleanRequest
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import transaction


def resumed(project: int, number: int, parent: str | None = None) -> None:
    reason = TrainingResumed(experiment_id=f"exp-{number}", attempt=2, from_step=number)
    emit_event(reason, project_id=project, actor="test", run_id=f"exp-{number}", parent_run_id=parent)


def steps(found) -> list[int]:
    return [event.payload["from_step"] for event in found]


def test_a_timeline_shows_the_newest_events_oldest_first(project):
    for number in range(1, 6):
        resumed(project, number)
    assert steps(events(project)) == [1, 2, 3, 4, 5] and steps(events(project, limit=2)) == [4, 5]
    first = events(project, limit=1)[0]
    assert first.meaning.startswith("A training run that had been cut off") and first.sequence == 5 and len(first.hash) == 64


def test_pages_meet_without_a_gap_or_an_overlap(project):
    for number in range(1, 8):
        resumed(project, number)
    forth, back = [], []
    page = events(project, after=0, limit=3)
    while page:
        forth += page
        page = events(project, after=page[-1].id, limit=3)
    page = events(project, limit=3)
    while page:
        back = page + back
        page = events(project, before=page[0].id, limit=3)
    assert steps(forth) == steps(back) == list(range(1, 8))


def test_each_filter_leaves_its_own(project):
    other = call("test", CreateRequest(name="another")).project
    resumed(project, 1)
    resumed(other, 2)
    resumed(project, 3, parent="autopilot-1")
    emit_event(CleaningFailed(problem="crashed", error="x"), project_id=project, actor="test", run_id="clean-1")
    assert steps(events(other)) == [2] and len(events()) == 4
    assert [event.reason_code for event in events(project, stage=Stage.CLEANING)] == ["cleaning_failed"]
    assert [event.reason_code for event in events(project, severity=Severity.ERROR)] == ["cleaning_failed"]
    assert steps(events(project, run="autopilot-1")) == [3] and steps(events(project, run="exp-1")) == [1]
    with pytest.raises(StageError) as refused:
        events(9)
    assert refused.value.reason.code == "unknown_project"


def test_an_event_of_an_unknown_code_is_still_shown(project):
    resumed(project, 1)
    with transaction() as session:
        for name in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("UPDATE run_events SET reason_code = 'of_a_plugin_that_is_gone'"))
    (event,) = events(project)
    assert (event.reason_code, event.meaning) == ("of_a_plugin_that_is_gone", "")
    assert [fault.event_id for fault in verification(project).faults] == [event.id]


def test_runs_are_listed_newest_first_and_shown_one_by_one(project):
    for _ in range(3):
        execute.queue("ana", CleanRequest(project=project))
    execute.cancel("ana", "clean-2")
    assert [one.task_id for one in tasks(project)] == ["clean-3", "clean-2", "clean-1", "project-1"]
    assert [one.task_id for one in tasks(project, state="queued")] == ["clean-3", "clean-1"]
    assert [one.task_id for one in tasks(project, operation="clean.run", limit=1)] == ["clean-3"]
    assert task("clean-2").state == "cancelled"
    with transaction() as session:
        session.execute(text("UPDATE runs SET state = 'running' WHERE id = 'clean-1'"))
    assert tasks(project, state="running") == [] and [one.task_id for one in tasks(project, state="interrupted")] == ["clean-1"]
    with pytest.raises(StageError):
        task("clean-9")


def test_the_explorer_tells_who_asked_for_what_and_pages_on(project):
    execute.queue("ana", CleanRequest(project=project))
    with pytest.raises(StageError):
        execute.queue("bo", CleanRequest(project=9))
    newest, older, _ = found = calls()
    assert (newest.actor, newest.operation, newest.outcome, newest.project) == ("bo", "clean.run", "unknown_project", None)
    assert (older.actor, older.run_id, older.outcome) == ("ana", "clean-1", "accepted")
    assert calls(before=newest.id) == found[1:] and [call.run_id for call in calls(project)] == ["clean-1"]
