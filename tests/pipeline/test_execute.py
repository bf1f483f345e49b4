"""The promises of the one doorway, kept with two tiny operations: one runs here, the other in a child process."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError

from brewslm.errors import StageError
from brewslm.pipeline import execute, runs
from brewslm.pipeline.execute import RunFailed, call
from brewslm.pipeline.lifecycle import _BY_REQUEST, OPERATIONS
from brewslm.processes.child import LIBRARIES
from brewslm.reasons import Reason
from brewslm.store.database import reading, transaction
from brewslm.store.files import read_json, run_folder, write_json
from brewslm.store.locks import lock
from brewslm.store.tables import AuditEntry, Project, Run, RunEvent
from tests.probe import SECRET, HeavyProbeRequest, ProbeRequest
from tests.running import PATIENCE_SECONDS

pytestmark = pytest.mark.usefixtures("probes")
KINDS = [pytest.param(ProbeRequest, "probe", id="light"), pytest.param(HeavyProbeRequest, "heavy", id="heavy")]


def events() -> list[Reason]:
    with reading() as session:
        found = session.scalars(select(RunEvent).order_by(RunEvent.id))
        return [Reason.read(event.reason_code, orjson.loads(event.payload)) for event in found]


def codes() -> list[str]:
    return [event.code for event in events()]


def projects() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Project.name).order_by(Project.id)))


def test_a_heavy_operations_child_finds_the_settings_of_its_libraries(project, monkeypatch):
    wanted = replace(OPERATIONS["probe.heavy"], libraries=LIBRARIES | {"A_LIBRARY_READS": "this"})
    monkeypatch.setitem(OPERATIONS, wanted.name, wanted)
    monkeypatch.setitem(_BY_REQUEST, wanted.request, wanted)
    done = call("ana", HeavyProbeRequest(project=project, action="libraries"))
    assert read_json(run_folder(done.task_id) / "environment.json")["A_LIBRARY_READS"] == "this"


def audit_entries() -> list[tuple[str, str | None, str]]:
    with reading() as session:
        found = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        return [(entry.operation, entry.run_id, entry.outcome) for entry in found]


@pytest.mark.parametrize(("request_type", "kind"), KINDS)
def test_a_run_that_succeeds_writes_tables_state_and_events_together(project, request_type, kind):
    shown = []
    view = call("ana", request_type(project=project, action="finish"), on_progress=lambda *told: shown.append(told))
    assert (view.task_id, view.state, view.attempt, view.actor) == (f"{kind}-1", "succeeded", 1, "ana")
    assert view.result["ledger"] == {"rows_in": 2, "rows_out": 2, "rejected": {}} and view.problem is None
    assert projects()[-1] == f"made by {kind}-1"
    assert codes() == ["training_resumed", "training_resumed"]  # one told in mid-run, one with the result
    assert shown[0][:3] == (1, 2, "step") and shown[0][3]["loss"] == 0.5
    assert read_json(run_folder(view.task_id) / "job.json")["job"] == {"action": "finish"}
    assert audit_entries()[-1] == (f"probe.{'light' if kind == 'probe' else 'heavy'}", f"{kind}-1", "accepted")


@pytest.mark.parametrize(("request_type", "kind"), KINDS)
@pytest.mark.parametrize(
    ("action", "problem"),
    [("crash", "crashed"), ("memory", "oom"), ("refuse", "source_not_found"), ("refuse early", "source_not_found")],
)
def test_a_run_that_fails_has_its_reason_and_no_word_of_a_row(project, request_type, kind, action, problem):
    with pytest.raises(RunFailed) as failed:
        call("ana", request_type(project=project, action=action))
    view, event = failed.value.view, events()[-1]
    assert (view.state, view.result) == ("failed", None)
    assert event.code == "training_runtime_error" and event.error.startswith(f"{problem}: ")
    assert event.last_step == (0 if action == "refuse early" else 1)
    expected = "source_not_found" if "refuse" in action else "training_runtime_error"
    assert view.problem["title"] != "" and "no reason code of its own" not in view.problem["title"]
    assert view.problem["code"] == failed.value.error.reason.code == expected
    assert projects() == ["a project"]
    with reading() as session:
        kept = [str(view.problem), *session.scalars(select(RunEvent.payload))]
    assert not any(SECRET in text for text in kept)


def test_a_child_killed_from_outside_is_told_as_such(project):
    with pytest.raises(RunFailed) as failed:
        call("ana", HeavyProbeRequest(project=project, action="kill"))
    assert failed.value.view.state == "failed"
    assert events()[-1].error.startswith("killed: ") and "SIGKILL" in events()[-1].error


def test_a_child_past_its_time_limit_is_told_as_such(project):
    with pytest.raises(RunFailed) as failed:
        call("ana", HeavyProbeRequest(project=project, action="wait", limit=0.5))
    assert failed.value.view.state == "failed" and events()[-1].error.startswith("timeout: ")


def test_a_run_that_failed_and_the_event_of_it_are_written_together_or_not_at_all(project):
    """A process that is killed between the two would leave a failure that nobody is told of."""
    with transaction() as session:
        when = "WHEN NEW.severity = 'error' BEGIN SELECT RAISE(ROLLBACK, 'gone'); END"
        session.execute(text(f"CREATE TRIGGER gone AFTER INSERT ON run_events {when}"))
    with pytest.raises(SQLAlchemyError):
        call("ana", ProbeRequest(project=project, action="refuse early"))
    assert execute.look("probe-1").state == "interrupted"
    with transaction() as session:
        session.execute(text("DROP TRIGGER gone"))
    with pytest.raises(RunFailed):
        execute.perform("probe-1")
    assert execute.look("probe-1").state == "failed" and codes().count("training_runtime_error") == 1


@pytest.mark.parametrize(("request_type", "kind"), KINDS)
def test_the_failure_event_survives_the_rollback_of_what_failed_to_be_recorded(project, request_type, kind):
    with pytest.raises(RunFailed) as failed:
        call("ana", request_type(project=project, action="fail to record"))
    assert failed.value.view.state == "failed" and projects() == ["a project"]
    assert codes() == ["training_resumed", "training_runtime_error"]
    assert SECRET in (run_folder(f"{kind}-1") / "log.txt").read_text()  # in the run's own log, and nowhere else


@pytest.mark.parametrize(("request_type", "kind"), KINDS)
def test_a_running_run_can_be_cancelled(project, request_type, kind):
    def stop(*_told):
        if execute.look(f"{kind}-1").state == "running":
            with transaction() as session:
                session.get_one(Run, f"{kind}-1").cancel_requested = True

    with pytest.raises(RunFailed) as failed:
        call("ana", request_type(project=project, action="wait"), on_progress=stop)
    assert failed.value.view.state == "cancelled" and events()[-1].error.startswith("cancelled: ")


def test_ctrl_c_cancels_the_run_and_is_passed_on(project):
    with pytest.raises(KeyboardInterrupt):
        call("ana", ProbeRequest(project=project, action="interrupt"))
    assert execute.look("probe-1").state == "cancelled"


def test_a_queued_run_is_cancelled_at_once_and_never_performed(project):
    queued = execute.queue("ana", ProbeRequest(project=project, action="finish"))
    assert queued.state == "queued"
    assert execute.cancel("bo", queued.task_id).state == "cancelled"
    with pytest.raises(RunFailed):
        execute.perform(queued.task_id)
    assert projects() == ["a project"] and codes() == ["training_runtime_error"]
    with pytest.raises(StageError) as refused:
        execute.cancel("bo", queued.task_id)
    assert refused.value.reason.code == "run_conflict"


def test_the_same_key_gives_the_same_run_and_a_different_request_conflicts(project):
    first = call("ana", ProbeRequest(project=project, action="finish"), idempotency_key="k")
    again = call("ana", ProbeRequest(project=project, action="finish"), idempotency_key="k")
    assert again == first and projects() == ["a project", "made by probe-1"]
    for request in (ProbeRequest(project=project, action="crash"), HeavyProbeRequest(project=project, action="finish")):
        with pytest.raises(StageError) as refused:
            call("ana", request, idempotency_key="k")
        assert refused.value.reason.code == "idempotency_conflict"
    assert [outcome for _, _, outcome in audit_entries()][-2:] == ["idempotency_conflict"] * 2


def test_a_refusal_leaves_an_audit_entry_and_nothing_else():
    with pytest.raises(StageError) as refused:
        call("ana", ProbeRequest(project=7, action="finish"))
    assert refused.value.reason.code == "unknown_project"
    assert audit_entries() == [("probe.light", None, "unknown_project")] and codes() == []
    with reading() as session:
        assert session.scalars(select(Run)).all() == []


def test_performing_twice_changes_nothing_twice(project):
    first = call("ana", ProbeRequest(project=project, action="finish"))
    assert execute.perform(first.task_id) == first
    assert projects() == ["a project", "made by probe-1"] and len(codes()) == 2


def test_only_the_first_close_counts(project):
    call("ana", ProbeRequest(project=project, action="finish"))
    with transaction() as session:
        assert not runs.close(session, "probe-1", "failed", problem={})
        assert not runs.start(session, "probe-1")
    assert execute.look("probe-1").state == "succeeded"


def test_a_run_closed_by_another_in_the_meantime_records_nothing(project):
    def close(*_told):
        with transaction() as session:
            runs.close(session, "probe-1", "succeeded", result={"by": "another"})

    view = call("ana", ProbeRequest(project=project, action="finish"), on_progress=close)
    assert view.result == {"by": "another"} and projects() == ["a project"] and codes() == ["training_resumed"]


def test_a_running_run_that_nobody_executes_is_interrupted_and_can_be_resumed(project):
    execute.queue("ana", ProbeRequest(project=project, action="finish"))
    with transaction() as session:
        assert runs.start(session, "probe-1")
    with lock(runs.run_lock_path("probe-1")):
        assert execute.look("probe-1").state == "running"
        with pytest.raises(StageError) as refused:
            execute.perform("probe-1")
        assert refused.value.reason.code == "run_conflict"
        with pytest.raises(StageError):
            execute.resume("bo", "probe-1")
    assert execute.look("probe-1").state == "interrupted"
    view = execute.perform(execute.resume("bo", "probe-1"))
    assert (view.state, view.attempt) == ("succeeded", 2) and audit_entries()[-1][1:] == ("probe-1", "resumed")


def test_a_run_that_was_made_ready_again_is_not_lost_while_its_former_executor_still_tells_of_its_end(project):
    """A worker takes it up once: were it refused then, nobody would perform it."""
    run_id = execute.queue("ana", ProbeRequest(project=project, action="finish")).task_id
    with ThreadPoolExecutor(1) as worker:
        with lock(runs.run_lock_path(run_id)):
            taken = worker.submit(execute.perform, run_id)
            with pytest.raises(TimeoutError):
                taken.result(0.3)
        assert taken.result(PATIENCE_SECONDS).state == "succeeded"


def test_a_failed_run_can_be_resumed_and_one_that_succeeded_can_not(project):
    with pytest.raises(RunFailed):
        call("ana", ProbeRequest(project=project, action="crash"))
    with pytest.raises(RunFailed):  # it crashes again, as a second attempt
        execute.perform(execute.resume("bo", "probe-1"))
    assert execute.look("probe-1").attempt == 2
    call("ana", ProbeRequest(project=project, action="finish"))
    with pytest.raises(StageError) as refused:
        execute.resume("bo", "probe-2")
    assert refused.value.reason.code == "run_conflict"
    with pytest.raises(StageError) as unknown:
        execute.resume("bo", "probe-9")
    assert unknown.value.reason.code == "unknown_run"


def test_a_heavy_run_whose_closing_was_cut_off_takes_the_result_that_its_child_left(project):
    queued = execute.queue("ana", HeavyProbeRequest(project=project, action="crash"))
    write_json(run_folder(queued.task_id) / "result.json", {"ledger": None, "pid": 1, "action": "finish"})
    assert execute.perform(queued.task_id).result["pid"] == 1  # the job would have crashed


def test_a_second_attempt_of_a_heavy_run_works_on_the_frozen_job(project):
    with pytest.raises(RunFailed):
        call("ana", HeavyProbeRequest(project=project, action="crash"))
    path = run_folder("heavy-1") / "job.json"
    write_json(path, read_json(path) | {"job": {"action": "finish"}})
    assert execute.perform(execute.resume("ana", "heavy-1")).result["action"] == "finish"


def test_a_killed_runner_leaves_an_interrupted_run_that_another_finishes(project):
    code = f"""
import sys
from tests import probe
from brewslm.pipeline.execute import call
probe.register()
call("ana", probe.HeavyProbeRequest(project={project}, action="wait"), on_progress=lambda *told: print("waiting", flush=True))
"""
    runner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert runner.stdout.readline() == b"waiting\n"
    assert execute.look("heavy-1").state == "running"
    runner.kill()
    runner.communicate()
    assert execute.look("heavy-1").state == "interrupted"
    path = run_folder("heavy-1") / "job.json"
    write_json(path, read_json(path) | {"job": {"action": "finish"}})
    view = execute.perform(execute.resume("bo", "heavy-1"))
    assert (view.state, view.attempt) == ("succeeded", 2) and projects()[-1] == "made by heavy-1"


def test_runs_are_numbered_by_kind(project):
    ids = [call("ana", ProbeRequest(project=project, action="finish")).task_id for _ in range(3)]
    assert ids == ["probe-1", "probe-2", "probe-3"]
    assert call("ana", HeavyProbeRequest(project=project, action="finish")).task_id == "heavy-1"
