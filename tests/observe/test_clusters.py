"""Failure clusters as they are read: grouped, counted, named."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from brewslm.api.app import create_app
from brewslm.audit import emit_event
from brewslm.cli.main import app
from brewslm.errors import StageError
from brewslm.observe.clusters import cluster, clusters, occurrences
from brewslm.observe.differences import differences
from brewslm.pipeline.execute import call
from brewslm.reasons import Reason
from brewslm.reasons.eval import EvalRuntimeError
from brewslm.reasons.training import TrainingOom, TrainingResumed, TrainingRuntimeError
from brewslm.stages.projects import CreateRequest
from brewslm.store.database import reading, transaction
from brewslm.store.tables import RunEvent, now
from tests.events import write_events


def oom(signature: str = "", error: str = "it broke", number: int = 1) -> TrainingOom:
    return TrainingOom(signature=signature, experiment_id=f"exp-{number}", error=error)


def emit(project: int, *reasons: Reason) -> None:
    for reason in reasons:
        emit_event(reason, project_id=project, actor="test", run_id=getattr(reason, "experiment_id", None))


def test_events_of_one_signature_are_one_cluster_in_every_project(project):
    other = call("test", CreateRequest(name="another")).project
    emit(
        project,
        oom("aa", number=1),
        oom("aa", number=2),
        oom("bb"),
        EvalRuntimeError(signature="aa", experiment_id="exp-1", error="x"),
    )
    emit(other, oom("aa", number=3))
    found = clusters()
    assert [(one.reason_code, one.count, one.projects) for one in found] == [
        ("training_oom", 3, [project, other]), ("eval_runtime_error", 1, [project]), ("training_oom", 1, [project]),
    ]  # fmt: skip
    assert [one.count for one in clusters(project)] == [1, 1, 2] and clusters(other)[0].id == found[0].id
    assert [one.count for one in clusters(stage="eval")] == [1] and [one.count for one in clusters(code="training_oom")] == [3, 1]
    assert len(clusters(limit=2)) == 2
    with pytest.raises(StageError) as unknown:
        clusters(9)
    assert unknown.value.reason.code == "unknown_project"


def test_events_without_a_signature_are_told_apart_by_their_words(project):
    emit(project, *(oom(error=f"RuntimeError at run.py:{number}") for number in range(300)), oom(error="ValueError at run.py:3"))
    assert [one.count for one in clusters(project)] == [1, 300]
    assert cluster(clusters(project)[1].id).series[0].count == 300


def test_what_is_no_failure_is_left_out_unless_warnings_are_asked_for(project):
    emit(project, oom("stopped"), TrainingResumed(experiment_id="exp-1", attempt=2, from_step=1))
    assert clusters(project) == []
    (warned,) = clusters(project, warnings=True)
    assert warned.reason_code == "training_resumed" and cluster(warned.id).count == 1


def test_a_trend_holds_the_last_seven_days_against_the_seven_before(project):
    def at(*days: float, code: str) -> list[tuple[datetime, Reason]]:
        return [(now() - timedelta(days=day), oom(code)) for day in days]

    write_events(project, [
        *at(40, 39, code="quiet"), *at(20, 9, 3, 2, 1, code="rising"), *at(20, 9, 8, 2, code="falling"),
        *at(20, 9, 8, 2, 1, code="steady"), *at(2, 1, code="new"),
    ])  # fmt: skip
    assert sorted(one.trend for one in clusters(project)) == ["falling", "new", "quiet", "rising", "steady"]
    by_hand = {(one.recent, one.before, one.count) for one in clusters(project)}
    assert by_hand == {(0, 0, 2), (3, 1, 5), (1, 2, 4), (2, 2, 5), (2, 0, 2)}
    assert sum(one.count for one in clusters(project, since=now() - timedelta(days=7))) == 8


def test_a_cluster_is_counted_by_the_hour_when_it_is_short_and_by_the_day_when_it_is_long(project):
    start = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    write_events(project, [(start + timedelta(hours=hour), oom("short")) for hour in (0, 0, 1, 5)])
    write_events(project, [(start + timedelta(days=day), oom("long")) for day in (0, 0, 1, 5)])
    details = {one.by: one for one in (cluster(each.id) for each in clusters(project))}
    assert [(bar.at, bar.count) for bar in details["hour"].series] == [
        ("2026-03-01T23", 2),
        ("2026-03-02T00", 1),
        ("2026-03-02T04", 1),
    ]
    assert [(bar.at, bar.count) for bar in details["day"].series] == [("2026-03-01", 2), ("2026-03-02", 1), ("2026-03-06", 1)]
    assert details["day"].first_seen.startswith("2026-03-01T23:30") and details["day"].last_seen.startswith("2026-03-06")


def test_the_newest_events_and_the_first_are_its_exemplars(project):
    emit(project, *(oom("aa", number=number) for number in range(1, 20)))
    (one,) = clusters(project)
    assert [each.run_id for each in cluster(one.id).exemplars] == ["exp-19", "exp-18", "exp-17", "exp-16", "exp-15", "exp-1"]
    with pytest.raises(StageError) as unknown:
        cluster("0" * 12)
    assert unknown.value.reason.code == "unknown_failure"


def test_a_clusters_events_are_read_page_by_page_either_way(project):
    emit(project, *(oom("aa", number=number) for number in range(1, 8)), oom("bb", number=9))
    one = clusters(project)[1].id
    first = occurrences(one, project, limit=3)
    second = occurrences(one, project, before=first[-1].event, limit=3)
    assert [each.run_id for each in first + second] == [f"exp-{number}" for number in (7, 6, 5, 4, 3, 2)]
    assert occurrences(one, project, after=second[0].event, limit=3) == first
    with pytest.raises(StageError) as unknown:
        occurrences("0" * 12, project)
    assert unknown.value.reason.code == "unknown_failure"


def test_failures_are_found_without_reading_the_other_events(project):
    emit(project, oom("aa"))
    with reading() as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM run_events WHERE severity IN ('error', 'critical')"
        )
        assert "run_events_failures" in str(plan.all())


def test_two_records_are_compared_field_by_field():
    before, after = {"a": {"b": 1, "c": [1, 2]}, "same": "x"}, {"a": {"b": 2, "c": [1, 2]}, "same": "x", "new": None, "n": 0}
    assert [(one.field, one.before, one.after) for one in differences(before, after)] == [("a.b", 1, 2), ("n", None, 0)]


cli = CliRunner()


def test_the_command_line_and_the_api_tell_the_same(project):
    emit(project, TrainingRuntimeError(signature="aa", experiment_id="exp-1", error="ValueError at run.py:3", last_step=3))
    (one,) = clusters(project)
    listed = cli.invoke(app, ["failures", "list", "--project", str(project)])
    assert listed.exit_code == 0 and one.id in listed.stdout and "training_runtime_error" in listed.stdout
    shown = cli.invoke(app, ["failures", "show", one.id])
    assert "  once, from " in shown.stdout and "ValueError at run.py:3" in shown.stdout and "exp-1" in shown.stdout
    with TestClient(create_app(with_worker=False), base_url="http://localhost") as client:
        over_http = client.get(f"/api/projects/{project}/failures", params={"stage": "training"}).json()
        assert (
            over_http == json.loads(cli.invoke(app, ["failures", "list", "--json"]).stdout) == client.get("/api/failures").json()
        )
        detail = client.get(f"/api/projects/{project}/failures/{one.id}").json()
        assert detail == json.loads(cli.invoke(app, ["failures", "show", one.id, "--project", str(project), "--json"]).stdout)
        assert client.get(f"/api/projects/{project}/failures/none").json()["code"] == "unknown_failure"
    assert cli.invoke(app, ["failures", "list", "--since", "2999-01-01"]).stdout == "no failure yet\n"
    assert cli.invoke(app, ["failures", "show", "none"]).exit_code == 1


def test_an_event_of_a_code_that_is_gone_is_a_cluster_too(project):
    emit(project, oom("aa"))
    with transaction() as session:
        event = session.query(RunEvent).one()
        session.add(
            RunEvent(**{name: getattr(event, name) for name in ("project_id", "ts", "stage", "severity", "run_id", "actor")},
                     sequence=2, reason_code="of_a_plugin", payload="{}", previous_hash=event.hash, hash="0" * 64)
        )  # fmt: skip
    assert {(one.reason_code, one.meaning == "") for one in clusters(project)} == {("training_oom", False), ("of_a_plugin", True)}
