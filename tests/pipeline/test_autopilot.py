"""Autopilot: its parts in order, each a run of its own, and an end that names where it stopped."""

import threading
from contextlib import suppress

import orjson
import pytest
from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.observe.tasks import tasks
from brewslm.pipeline import execute
from brewslm.pipeline.autopilot import AutopilotRequest
from brewslm.pipeline.execute import RunFailed
from brewslm.pipeline.importing import import_rows
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.settings import settings
from brewslm.store.database import reading
from brewslm.store.locks import lock
from brewslm.store.tables import RunEvent
from tests.experiments import rows
from tests.running import PATIENCE_SECONDS, until


@pytest.fixture
def fill(project, tmp_path):
    """Give the project rows."""

    def filled() -> None:
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b"".join(orjson.dumps(row["payload"]) + b"\n" for row in rows(160)))
        import_rows("test", ImportRequest(project=project, locator=f"jsonl:{path}", auto=True, commit=True))

    return filled


def parts(task_id):
    return {part.operation: (part.state, part.attempt) for part in tasks(parent=task_id)}


def events(*stages):
    with reading() as session:
        found = session.scalars(select(RunEvent).order_by(RunEvent.id))
        return [
            (event.reason_code, event.run_id, event.parent_run_id, orjson.loads(event.payload))
            for event in found
            if event.stage in stages
        ]


def test_it_stops_at_the_part_that_failed_and_says_why(project):
    with pytest.raises(RunFailed) as failed:
        execute.call("ana", AutopilotRequest(project=project))
    assert (failed.value.view.state, failed.value.view.problem["code"]) == ("failed", "autopilot_stopped")
    assert failed.value.view.problem["next_step"].startswith("Commit rows first")  # that of the part, not of autopilot
    assert parts("autopilot-1") == {"prepare.run": ("failed", 1)}
    prepare, stopped = events("prepare", "autopilot")
    assert prepare[:3] == ("dataset_prep_failed", "prepare-1", "autopilot-1")
    assert stopped[:3] == ("autopilot_stopped", "autopilot-1", None)
    told = {"at": "prepare.run", "problem": "nothing_to_prepare", "error": "prepare-1 failed"}
    assert stopped[3] == told | {"signature": stopped[3]["signature"]}


def test_it_does_not_train_what_preflight_blocks_and_a_resume_repeats_only_what_failed(project, fill, tiny_model):
    request = AutopilotRequest(project=project, base_model=f"path:{tiny_model}", settings={"max_length": "2"})
    with pytest.raises(RunFailed):
        execute.call("ana", request)
    fill()
    with pytest.raises(RunFailed) as failed:
        execute.perform(execute.resume("ana", "autopilot-1"))
    assert parts("autopilot-1") == {"prepare.run": ("succeeded", 2), "preflight.run": ("succeeded", 1)}
    problem = failed.value.view.problem
    assert problem["payload"]["at"] == "preflight.run" and problem["next_step"]
    [(code, run_id, _, payload)] = events("training")
    assert (code, run_id) == ("training_dispatch_error", "autopilot-1") and payload["blockers"]
    with pytest.raises(RunFailed):
        execute.perform(execute.resume("ana", "autopilot-1"))
    assert parts("autopilot-1") == {"prepare.run": ("succeeded", 2), "preflight.run": ("succeeded", 1)}


def test_cancelling_it_cancels_the_part_that_runs(project, fill, tiny_model):
    fill()
    request = AutopilotRequest(project=project, base_model=f"path:{tiny_model}")

    def go() -> None:
        with suppress(RunFailed):
            execute.call("ana", request)

    with lock(settings().home / "locks" / "heavy"):  # training waits for it, for as long as the test likes
        thread = threading.Thread(target=go)
        thread.start()
        until(lambda: parts("autopilot-1").get("train.run") == ("running", 1), "training")
        execute.cancel("ana", "autopilot-1")
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()
    assert execute.look("autopilot-1").state == "cancelled"
    assert parts("autopilot-1")["train.run"] == ("cancelled", 1)
    told = [code for code, *_ in events("training", "autopilot")]
    assert told == ["training_cancelled", "autopilot_stopped"]
    assert events("autopilot")[0][3]["at"] == "train.run"


def test_cancelling_an_interrupted_one_closes_its_parts_too(project):
    request = AutopilotRequest(project=project)
    pilot = execute._open("ana", request, None, None, "running")
    from brewslm.stages.prepare import PrepareRequest

    part = execute._open("ana", PrepareRequest(project=project), f"{pilot}:prepare.run", pilot, "running")
    assert execute.look(part).state == "interrupted"
    assert execute.cancel("ana", pilot).state == execute.look(part).state == "cancelled"
    assert [code for code, *_ in events("prepare", "autopilot")] == ["dataset_prep_failed", "autopilot_stopped"]


def test_an_unknown_project_is_refused(home):
    with pytest.raises(StageError) as refused:
        execute.call("ana", AutopilotRequest(project=7))
    assert refused.value.reason.code == "unknown_project"
