import pytest
from pydantic import ValidationError
from sqlalchemy import select

from brewslm.asking import asking
from brewslm.audit.filters import CallFilter, EventFilter
from brewslm.errors import StageError
from brewslm.observe.event_facets import event_facets
from brewslm.observe.explorer import calls, facets
from brewslm.observe.savedfilters import saved_filter, saved_filters, with_saved
from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed, call, queue
from brewslm.stages.clean import CleanRequest
from brewslm.stages.saved_filters import DeleteRequest, SaveRequest
from brewslm.store.database import reading
from brewslm.store.tables import AuditEntry
from tests.observe.stream import write


@pytest.fixture
def asked(project) -> int:
    """A call that fails, one that waits, and one that is refused, each through another face; before them the project's own."""
    with asking("cli", "command-1"), pytest.raises(RunFailed):
        call("cli:ana", CleanRequest(project=project))
    with asking("api", "request-7"):
        queue("api", CleanRequest(project=project))
    with asking("web"), pytest.raises(StageError):
        queue("page", CleanRequest(project=9))
    return project


def told(found) -> list[tuple]:
    return [(one.actor, one.face, one.operation, one.run_id, one.outcome, one.run_state) for one in found]


def test_each_call_is_told_with_its_face_its_request_and_its_end(asked):
    refused, waiting, failed, created = calls()
    assert told([refused, waiting, failed]) == [
        ("page", "web", "clean.run", None, "unknown_project", None),
        ("api", "api", "clean.run", "clean-2", "accepted", "queued"),
        ("cli:ana", "cli", "clean.run", "clean-1", "accepted", "failed"),
    ]
    assert failed.problem == "cleaning_failed" or failed.problem
    assert failed.ended_at is not None and failed.request_id == "command-1" and waiting.request_id == "request-7"
    assert len(refused.request_id) == 32 and created.face == "python"


def test_without_a_word_of_the_face_the_actor_says_it(project):
    for actor in ("cli:bo", "api", "page", "schedule", "someone"):
        queue(actor, CleanRequest(project=project))
    assert [one.face for one in calls(project, limit=5)] == ["python", "schedule", "web", "api", "cli"]


def test_a_part_came_by_the_way_of_its_whole_whoever_performs_it(project):
    with asking("api", "request-1"):
        whole = queue("api", CleanRequest(project=project)).task_id
    with pytest.raises(RunFailed):
        call("api", CleanRequest(project=project), parent=whole)
    assert [(one.face, one.request_id) for one in calls(project, limit=2)] == [("api", "request-1")] * 2


@pytest.mark.parametrize("bad", ["", "a b", "x" * 101, "-x", "line\nbreak"])
def test_a_request_id_that_is_none_is_replaced(bad):
    with asking("api", bad) as now:
        assert now.request_id != bad and len(now.request_id) == 32


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"face": "cli"}, ["clean-1"]),
        ({"actor": "api"}, ["clean-2"]),
        ({"outcome": "unknown_project"}, [None]),
        ({"ended": "failed"}, ["clean-1"]),
        ({"request_id": "request-7"}, ["clean-2"]),
        ({"run": "clean-1"}, ["clean-1"]),
        ({"operation": "clean.run", "text": "ANA command"}, ["clean-1"]),
        ({"text": "clean_run"}, []),
        ({"text": "%"}, []),
        ({"since": "2100-01-01T00:00:00Z"}, []),
        ({"until": "2100-01-01T00:00:00Z", "text": "clean"}, [None, "clean-2", "clean-1"]),
    ],
)
def test_each_filter_leaves_its_own(asked, wanted, expected):
    assert [one.run_id for one in calls(wanted=CallFilter.model_validate(wanted))] == expected


def test_facets_count_with_every_filter_but_their_own(asked):
    found = facets(CallFilter(operation="clean.run", face="api"))
    assert found.total == 1 and found.face == {"api": 1, "cli": 1, "web": 1}
    assert found.operation == {"clean.run": 1} and found.run_state == {"queued": 1} and found.outcome == {"accepted": 1}
    assert facets(CallFilter(ended="queued")).run_state == {"failed": 1, "queued": 1, "succeeded": 1}


def test_facets_of_events_count_with_every_filter_but_their_own_among_the_newest(project, monkeypatch):
    written = [{"severity": "error", "code": "training_oom"}, {"severity": "error", "stage": "eval"}, {}, {"actor": "bo"}]
    write(project, written)
    found = event_facets(EventFilter(project=project, severity="error", stage="training"))
    assert (found.severity, found.stage) == ({"info": 2, "error": 1}, {"training": 1, "eval": 1})
    assert (found.code, found.actor, found.looked_at, found.is_all) == ({"training_oom": 1}, {"cli:ana": 1}, 4, True)
    monkeypatch.setattr("brewslm.observe.event_facets.LOOKED_AT", 3)
    newest = event_facets(EventFilter(project=project))
    assert (newest.looked_at, newest.is_all, newest.severity) == (3, False, {"info": 2, "error": 1})


def test_pages_of_calls_meet_both_ways(asked):
    every = calls()
    assert calls(limit=2) + calls(before=every[1].id) == every
    assert calls(after=every[-1].id, limit=2) == every[1:3]


def test_a_filter_is_kept_replaced_used_and_forgotten(project):
    call("ana", SaveRequest(name="failures", of="events", filter={"severity": "error", "project": project}))
    call("bo", SaveRequest(name="failures", of="events", filter={"severity": "error", "stage": "eval"}))
    call("bo", SaveRequest(name="refused", of="calls", filter={"outcome": "unknown_project"}))
    assert [(one.name, one.of, one.actor) for one in saved_filters()] == [
        ("failures", "events", "bo"),
        ("refused", "calls", "bo"),
    ]
    assert saved_filter("failures").filter == {"severity": "error", "stage": "eval"}
    assert with_saved(EventFilter(stage="training"), "failures") == EventFilter(stage="training", severity="error")
    for name, wanted in (("failure", EventFilter()), ("failures", CallFilter())):
        with pytest.raises(StageError) as unknown:
            with_saved(wanted, name)
        assert unknown.value.reason.code == "unknown_filter"
    call("ana", DeleteRequest(name="failures"))
    assert [one.name for one in saved_filters()] == ["refused"]
    with pytest.raises(RunFailed) as again:
        call("ana", DeleteRequest(name="failures"))
    assert again.value.error.reason.code == "unknown_filter"


@pytest.mark.parametrize("wrong", [{"severity": "dreadful"}, {"colour": "red"}, {"text": "--"}])
def test_a_filter_that_is_none_is_not_kept(wrong):
    with pytest.raises(ValidationError):
        SaveRequest(name="x", of="events", filter=wrong)


def test_cancelling_and_resuming_are_calls_like_any_other(project):
    with asking("api", "r-1"):
        execute.cancel("api", queue("api", CleanRequest(project=project)).task_id)
        execute.resume("api", "clean-1", detach=True)
    with reading() as session:
        found = session.scalars(select(AuditEntry).where(AuditEntry.request_id == "r-1").order_by(AuditEntry.id))
        assert [(one.operation, one.outcome) for one in found] == [
            ("clean.run", "accepted"), ("task.cancel", "accepted"), ("clean.run", "resumed"),
        ]  # fmt: skip


def test_what_is_refused_of_a_run_is_a_call_too(project):
    (created,) = calls()
    ended = created.run_id
    for change in (execute.cancel, execute.pause, execute.resume):
        for run_id in (ended, "exp-99"):
            with pytest.raises(StageError):
                change("ana", run_id)
    told = [(one.operation, one.outcome, one.project, one.run_id) for one in calls() if one.actor == "ana"]
    assert told[::-1] == [
        (operation, *end)
        for operation in ("task.cancel", "task.pause", "task.resume")
        for end in (("run_conflict", project, ended), ("unknown_run", None, None))
    ]
