import pytest

from brewslm.audit.filters import EventFilter
from brewslm.errors import StageError
from brewslm.observe.events import event, events
from brewslm.observe.timeline import SHOWN, timeline
from brewslm.pipeline import execute
from brewslm.pipeline.execute import RunFailed
from brewslm.pipeline.runs import run_lock_path
from brewslm.reasons import REGISTRY
from brewslm.stages.clean import CleanRequest
from brewslm.store.files import run_folder
from brewslm.store.locks import lock
from tests.observe.stream import write


def shape(nodes) -> list:
    """Each run with its events' ids, and its parts."""
    return [(node.run, [event.id for event in node.events], shape(node.parts)) for node in nodes]


def test_a_runs_events_stand_under_it_and_its_parts_under_their_parent(project):
    write(
        project,
        [
            {"run": "autopilot-1"},
            {"run": "exp-1", "parent": "autopilot-1"},
            {"run": "exp-2"},
            {"run": "eval-1", "parent": "exp-1", "severity": "error"},
            {"run": "exp-1", "parent": "autopilot-1"},
            {"run": None},
        ],
    )
    found = timeline(project)
    autopilot = ("autopilot-1", [1], [("exp-1", [2, 5], [("eval-1", [4], [])])])
    assert shape(found.trees) == [(None, [6], []), autopilot, ("exp-2", [3], [])]
    assert (found.older, found.newer) == (None, None)
    assert found.trees[1].parts[0].parts[0].severities == {"error": 1}
    assert shape(timeline(project, wanted=EventFilter(run="exp-1")).trees) == autopilot[2]
    assert shape(timeline(project, wanted=EventFilter(severity="error")).trees) == [
        ("autopilot-1", [], [("exp-1", [], [("eval-1", [4], [])])])
    ]
    assert shape(timeline(project, wanted=EventFilter(text="eval-1")).trees) == [
        ("autopilot-1", [], [("exp-1", [], [("eval-1", [4], [])])])
    ]


def test_pages_of_trees_meet_both_ways_though_trees_grow_across_them(project):
    made = []
    for number in range(60):
        made += [{"run": f"exp-{number}"}, {"run": f"exp-{number // 2}"}, {"run": f"eval-{number}", "parent": f"exp-{number}"}]
    write(project, made)
    whole = [tree.run for tree in timeline(project, limit=100).trees]
    assert sorted(whole) == sorted({f"exp-{number}" for number in range(60)})
    back, cursor, pages = [], None, []
    while cursor is not None or not pages:
        page = timeline(project, before=cursor, limit=7)
        pages.append(page)
        back += [tree.run for tree in page.trees]
        cursor = page.older
    assert back == whole and pages[0].newer is None
    forth, page = pages[-1].trees, pages[-1]
    while page.newer is not None:
        page = timeline(project, after=page.newer, limit=7)
        forth = page.trees + forth
    assert [tree.run for tree in forth] == whole


def test_a_run_with_many_events_shows_its_newest_and_counts_them_all(project):
    write(project, [{"run": "exp-1", "severity": "warning" if n % 2 else "info"} for n in range(50)])
    (tree,) = timeline(project).trees
    assert [one.id for one in tree.events] == list(range(51 - SHOWN, 51)) and tree.fitting == 50
    assert tree.severities == {"info": 25, "warning": 25}
    (tree,) = timeline(project, wanted=EventFilter(severity="warning")).trees
    assert tree.fitting == 25 and {one.severity for one in tree.events} == {"warning"}


def test_runs_that_name_each_other_as_parents_are_shown_once(project):
    write(
        project, [{"run": "exp-1", "parent": "exp-2"}, {"run": "exp-2", "parent": "exp-1"}, {"run": "exp-3", "parent": "exp-3"}]
    )
    trees = timeline(project).trees
    assert [tree.run for tree in trees] == ["exp-3", "exp-1"] and [part.run for part in trees[1].parts] == ["exp-2"]


def test_an_event_of_a_real_run_leads_to_its_problem_its_log_and_its_cause(project):
    with pytest.raises(RunFailed):
        execute.call("ana", CleanRequest(project=project))
    (failed,) = events(project)
    run_folder("clean-1").mkdir(parents=True, exist_ok=True)
    (run_folder("clean-1") / "log.txt").write_text("what it printed\n")
    found = event(failed.id)
    assert found.problem is not None and found.problem["code"] and found.previous_hash == "0" * 64
    assert found.causes == list(getattr(REGISTRY[found.reason_code], "causes", ()))
    assert [(lead.what, lead.path) for lead in found.leads] == [
        ("run", "/api/tasks/clean-1"),
        ("log", "/api/tasks/clean-1/log"),
        ("timeline", f"/api/projects/{project}/timeline?run=clean-1"),
    ]
    assert (found.before, found.after) == (None, None)


def test_an_event_knows_its_neighbours_in_its_own_chain(project):
    first, last = write(project, [{}, {}])
    write(0, [{}])
    assert [(event(one).before, event(one).after) for one in (first, last)] == [(None, last), (first, None)]


def test_a_run_that_nobody_holds_any_more_is_shown_as_interrupted(project, walk):
    run = walk.run("exp", "train.run", state="running")
    write(project, [{"run": run}])
    assert timeline(project).trees[0].state == "interrupted"
    with lock(run_lock_path(run), wait=False):
        assert timeline(project).trees[0].state == "running"


def test_an_import_leads_to_its_rejected_rows(project, walk):
    run = walk.imported()
    (imported,) = events(project)
    found = {lead.what: lead for lead in event(imported.id).leads}
    assert found["rejected rows"].path == f"/api/imports/{run}/rejected"
    assert found["rejected rows"].command == f"brewslm rejected export {run}"


def test_rows_that_a_payload_names_are_led_to(project):
    (at,) = write(project, [{"payload": {"row_ids": ["r1", "r2"], "manifest_version": 3, "deployment_version_id": 4}}])
    assert [lead.command for lead in event(at).leads] == [
        f"brewslm manifest show --project {project} 3",
        f"brewslm deploy list --project {project}",
        "brewslm row show r1",
        "brewslm row show r2",
    ]


def test_a_timeline_of_no_project_is_refused():
    with pytest.raises(StageError) as refused:
        timeline(9)
    assert refused.value.reason.code == "unknown_project"
