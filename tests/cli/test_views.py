"""The commands that only read."""

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from brewslm.audit import bring_back, emit_event
from brewslm.cli.main import app
from brewslm.cli.status import MARKS, ago
from brewslm.observe.status import StageState
from brewslm.pipeline import execute
from brewslm.reasons import REGISTRY
from brewslm.reasons.cleaning import CleaningFailed
from brewslm.rows import RowReason
from brewslm.stages.clean import CleanRequest
from brewslm.store.database import transaction
from brewslm.store.tables import now
from tests.synthetic import add_rows

cli = CliRunner()


def run(*arguments: str, code: int = 0) -> str:
    done = cli.invoke(app, list(arguments))
    assert done.exit_code == code, done.output
    return done.stdout


def emit(project: int) -> None:
    emit_event(CleaningFailed(problem="crashed", error="ValueError"), project_id=project, actor="test", run_id="clean-1")


def test_status_names_every_stage_and_the_next_step(project):
    shown = run("status", "--project", str(project))
    assert shown.count("· not begun") == 11 and "next: brewslm map --project" in shown
    assert len(json.loads(run("status", "--project", str(project), "--json"))["stages"]) == 11
    assert set(MARKS) == {state.value for state in StageState}


def test_audit_tail_prints_ids_and_counts(project):
    assert "no event yet" in run("audit", "tail", "--project", str(project))
    emit(project)
    assert "cleaning_failed" in run("audit", "tail", "--project", str(project))
    (event,) = json.loads(run("audit", "tail", "--project", str(project), "--stage", "cleaning", "--json"))
    assert event["payload"] == {"problem": "crashed", "error": "ValueError"}
    assert json.loads(run("audit", "tail", "--severity", "info", "--json")) == []
    run("audit", "tail", "--stage", "gold", code=2)


def test_audit_verify_is_clean_until_somebody_edits_an_event_and_then_names_it(project):
    emit(project)
    emit(project)
    assert "the chain is whole" in run("audit", "verify", "--project", str(project))
    with transaction() as session:
        for name in session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all():
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text("UPDATE run_events SET payload = replace(payload, 'Value', 'Type') WHERE sequence = 2"))
    shown = run("audit", "verify", code=1)
    assert f"payload_edited: project {project}, sequence 2 (event 2): its payload is not what was written" in shown
    faults = json.loads(run("audit", "verify", "--project", str(project), "--json", code=1))["faults"]
    assert [fault["event_id"] for fault in faults] == [2]


def test_a_head_that_was_printed_is_verified_against(project, tmp_path):
    emit(project)
    kept = tmp_path / "head.json"
    kept.write_text(run("audit", "head", "--project", str(project)))
    emit(project)
    assert "the chain is whole" in run("audit", "verify", "--head", str(kept))
    told = json.loads(kept.read_text())
    assert (told["project"], told["name"], told["sequence"]) == (project, "a project", 1)
    kept.write_text(json.dumps(told | {"hash": "0" * 64}))
    assert f"rewritten: project {project}, sequence 1 (event 1)" in run("audit", "verify", "--head", str(kept), code=1)
    kept.write_text("{}")
    run("audit", "verify", "--head", str(kept), code=2)
    run("audit", "verify", "--head", str(tmp_path / "nothing"), code=2)
    run("audit", "head", "--project", "9", code=1)


def test_a_lost_event_is_shown_as_a_critical_gap_until_it_is_back(project):
    with transaction() as session:
        session.execute(text("CREATE TRIGGER broken BEFORE INSERT ON run_events BEGIN SELECT RAISE(ABORT, 'no'); END"))
    emit(project)
    shown = run("audit", "verify", "--project", str(project))
    assert "1 could not be written" in shown and "critical: event_lost: cleaning_failed of 20" in shown
    (gap,) = json.loads(run("audit", "verify", "--json"))["waiting"]
    assert (gap["severity"], gap["lost_code"], gap["error"]) == ("critical", "cleaning_failed", "IntegrityError")
    with transaction() as session:
        session.execute(text("DROP TRIGGER broken"))
    assert bring_back() == 1
    assert json.loads(run("audit", "verify", "--json"))["waiting"] == []


def test_one_reason_is_shown_with_all_that_is_known_of_it():
    shown = run("reasons", "event_lost")
    assert "critical" in shown and "the disk was full" in shown and "events: dict[str, int]" in shown
    run("reasons", "event_losst", code=2)


def test_audit_calls_tells_who_asked(project):
    execute.queue("ana", CleanRequest(project=project))
    assert "ana" in run("audit", "calls", "--project", str(project))
    assert json.loads(run("audit", "calls", "--json"))[0]["operation"] == "clean.run"


def test_tasks_are_listed_shown_and_cancelled(project):
    assert "no task yet" not in run("task", "list")
    execute.queue("ana", CleanRequest(project=project))
    assert "clean-1" in run("task", "list", "--project", str(project), "--state", "queued")
    assert "queued" in run("task", "show", "clean-1")
    assert "clean-1 is cancelled" in run("task", "cancel", "clean-1")
    assert json.loads(run("task", "show", "clean-1", "--json"))["state"] == "cancelled"
    assert "cleaning_failed" in run("task", "show", "clean-1")
    run("task", "cancel", "clean-1", code=1)
    assert "clean-1  clean.run  queued" in run("task", "resume", "clean-1", "--detach")
    assert json.loads(run("task", "show", "clean-9", "--json", code=1))["code"] == "unknown_run"


def test_row_show_tells_a_row_and_refuses_an_unknown_one(project):
    (row,) = add_rows(project, [{"text": "a lovely film", "label": "positive"}])
    shown = run("row", "show", row)
    assert "'a lovely film'" in shown and "import-1" in shown
    assert json.loads(run("row", "show", row, "--json"))["fates"][0]["payload"]["label"] == "positive"
    assert json.loads(run("row", "show", "r0", "--json", code=1))["code"] == "unknown_row"


def test_reasons_lists_every_code_of_runs_and_of_rows():
    found = json.loads(run("reasons", "--json"))
    assert sorted(one["code"] for one in found if one["kind"] == "run") == sorted(REGISTRY)
    assert [one["code"] for one in found if one["kind"] == "row"] == list(RowReason)
    shown = run("reasons")
    assert "training_oom" in shown and "identical_pair" in shown and RowReason.IDENTICAL_PAIR.remedy in shown


@pytest.mark.parametrize(("seconds", "said"), [(5, "just now"), (130, "2 min ago"), (7300, "2 h ago"), (200_000, "2 d ago")])
def test_a_moment_is_told_as_the_time_since(seconds, said):
    from datetime import timedelta

    assert ago(now() - timedelta(seconds=seconds)) == said and ago(None) == ""
