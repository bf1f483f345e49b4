import pytest
from sqlalchemy import event

from brewslm.errors import StageError
from brewslm.observe.status import StageState, StatusView, status
from brewslm.pipeline import runs
from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from brewslm.store.database import transaction
from brewslm.store.files import run_folder, write_json
from brewslm.store.locks import lock
from brewslm.store.tables import DeploymentVersion, EmitGap, Run, Slot

DONE, NEEDS_YOU, NOT_BEGUN = StageState.DONE, StageState.NEEDS_YOU, StageState.NOT_BEGUN


def states(shown: StatusView) -> dict[str, StageState]:
    return {cell.id: cell.state for cell in shown.stages}


def figures(shown: StatusView) -> dict[str, str]:
    return {cell.id: cell.figure for cell in shown.stages if cell.figure}


def cell(shown: StatusView, stage: str):
    return next(one for one in shown.stages if one.id == stage)


def test_an_empty_project_has_begun_nothing_and_is_told_to_import(project):
    shown = status(project)
    assert set(states(shown).values()) == {NOT_BEGUN} and [one.number for one in shown.stages] == list(range(1, 12))
    assert figures(shown) == {} and shown.next.stage == "map_commit" and "--commit" in shown.next.command


def test_an_unknown_project_is_refused():
    with pytest.raises(StageError) as refused:
        status(9)
    assert refused.value.reason.code == "unknown_project"


def test_the_map_fills_stage_by_stage_with_the_figure_that_matters(walk):
    walk.imported(60, broken=2)
    shown = status(walk.project)
    assert [one.state for one in shown.stages[:4]] == [DONE] * 4
    assert figures(shown)["ingest"] == "60 rows of 1 source" and figures(shown)["map_commit"] == "60 rows"
    assert cell(shown, "ingest").counts["unparseable"] == 2
    assert cell(shown, "map_preview").counts == {"rejected": 2, "invalid_json": 2}
    assert figures(shown)["introspect"].startswith("confidence 0.")
    assert all(one.since is not None for one in shown.stages[:4])
    assert shown.next.command == f"brewslm prepare --project {walk.project}"

    ids = walk.prepared()
    shown = status(walk.project)
    assert states(shown)["prepare"] is DONE and figures(shown)["prepare"].startswith("v1: ")
    assert cell(shown, "prepare").counts["eval"] == len(ids["eval"]) == 10
    assert shown.next.stage == "train"

    experiment = walk.trained([ids["train"]])
    shown = status(walk.project)
    assert figures(shown)["train"] == f"{experiment}: loss 0.125" and figures(shown)["preflight"] == "passed"
    assert shown.next.command == f"brewslm evaluate --experiment {experiment}"

    walk.evaluated(experiment, {}, promotable=True)
    assert status(walk.project).next.command == f"brewslm export --experiment {experiment}"
    export = walk.exported(experiment)
    shown = status(walk.project)
    assert figures(shown)["export"] == "2 artifacts" and shown.next.command == f"brewslm deploy create --export {export}"

    with transaction() as session:
        version = DeploymentVersion(
            project_id=walk.project,
            slot="default",
            version=1,
            export_id=export,
            variant="gguf-q8_0",
            target="local",
            actor="test",
        )
        session.add(version)
    shown = status(walk.project)
    assert states(shown)["deploy"] is NEEDS_YOU and shown.next.command == f"brewslm deploy promote {version.id}"
    with transaction() as session:
        session.get_one(DeploymentVersion, version.id).state = "promoted"
        session.add(Slot(project_id=walk.project, name="default", version_id=version.id))
    shown = status(walk.project)
    assert states(shown)["deploy"] is DONE and figures(shown)["deploy"] == "default: v1"
    assert set(states(shown).values()) == {DONE, NOT_BEGUN} and states(shown)["clean"] is NOT_BEGUN
    assert "predict --deployment default" in shown.next.command


def test_a_missed_gate_needs_a_person(walk):
    walk.imported()
    ids = walk.prepared()
    walk.evaluated(walk.trained([ids["train"]]), {}, promotable=False)
    shown = status(walk.project)
    assert states(shown)["evaluate"] is NEEDS_YOU and shown.next.stage == "train" and "gates" in shown.next.reason


def test_rows_that_came_after_the_manifest_ask_for_another(walk):
    walk.imported()
    walk.prepared()
    walk.manifest_age(minutes=5)
    assert "were added after v1" in status(walk.project).next.reason


def test_a_failed_run_is_shown_with_its_reason_and_comes_first(project):
    with pytest.raises(RunFailed):
        call("test", CleanRequest(project=project))
    walked = status(project)
    assert states(walked)["clean"] is StageState.FAILED and figures(walked)["clean"] == "nothing_to_clean"
    assert walked.next.stage == "clean" and "documents add" in walked.next.command


def test_of_many_runs_few_are_read(project):
    with transaction() as session:
        session.add_all(
            Run(
                id=f"import-{number}", kind="import", number=number, operation="map.commit", project_id=project, actor="cli:ana",
                state="succeeded", request={},
            )
            for number in range(1, 301)
        )  # fmt: skip
    read: list[str] = []

    def note(run, _context):
        read.append(run.id)

    event.listen(Run, "load", note)
    try:
        status(project)
    finally:
        event.remove(Run, "load", note)
    assert "import-300" in read and len(read) < 10


def test_a_request_that_was_turned_away_does_not_hide_what_is_done(project, tmp_path):
    (tmp_path / "a.txt").write_text("The garden lay behind the house, and rain had fallen on it for more than a week.")
    call("test", AddRequest(project=project, paths=[str(tmp_path / "a.txt")]))
    assert (states(status(project))["clean"], figures(status(project))["clean"]) == (NEEDS_YOU, "1 document to clean")
    call("test", CleanRequest(project=project))
    with pytest.raises(RunFailed):
        call("test", AddRequest(project=project, paths=[str(tmp_path / "gone.txt")]))
    shown = status(project)
    assert states(shown)["clean"] is DONE and cell(shown, "clean").counts["documents"] == 1


def test_a_running_stage_shows_its_progress_and_a_cut_off_one_needs_a_person(walk):
    walk.imported()
    walk.prepared()
    run_id = walk.run("exp", "train.run", state="running")
    write_json(run_folder(run_id) / "progress.json", {"done": 16, "total": 25, "unit": "step", "figures": {"loss": 0.4}})
    with lock(runs.run_lock_path(run_id)):
        shown = status(walk.project)
        assert states(shown)["train"] is StageState.RUNNING and figures(shown)["train"] == "64%"
        assert cell(shown, "train").progress["figures"] == {"loss": 0.4}
        assert shown.next.command == f"brewslm task show {run_id}"
    shown = status(walk.project)
    assert states(shown)["train"] is NEEDS_YOU and shown.next.command == f"brewslm train --resume {run_id}"


def test_a_preflight_with_blockers_needs_a_person(walk):
    walk.imported()
    walk.prepared()
    findings = [{"severity": "blocker"}, {"severity": "warning"}]
    walk.run("preflight", "preflight.run", result={"passed": False, "findings": findings})
    shown = status(walk.project)
    assert states(shown)["preflight"] is NEEDS_YOU and figures(shown)["preflight"] == "1 blocker"


def test_gaps_of_the_stream_are_shown(project):
    with transaction() as session:
        session.add(EmitGap(ts="2026-01-01", project_id=project, reason_code="x", error="y"))
        session.add(EmitGap(ts="2026-01-01", project_id=project + 1, reason_code="x", error="y"))
    assert status(project).gaps == 1
