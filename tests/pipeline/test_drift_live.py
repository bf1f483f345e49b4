"""A deployment made worse on purpose is caught by the scheduled check, and taken back; one that isn't is left alone.

With a real model, its real server, and a cron that really ticks.
"""

import pytest
from sqlalchemy import select

from brewslm.models.gguf_writer import write_gguf
from brewslm.observe.drift import checks, schedules
from brewslm.pipeline.execute import call
from brewslm.serving import supervisor, wait_for
from brewslm.serving.supervisor import Supervisor
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.drift import CheckRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.deploy.schedule import ScheduleRequest
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json
from brewslm.store.tables import DriftReference, RunEvent, Slot
from tests.experiments import adopt_bundle, make_experiment
from tests.running import PATIENCE_SECONDS, until, working_here

EVERY_SECOND = "* * * * * *"


@pytest.fixture
def export(project, tiny_model, tiny_adapter, tiny_bundle):
    return adopt_bundle(make_experiment(project, tiny_model, tiny_adapter), tiny_bundle)


@pytest.fixture
def supervising(monkeypatch):
    """Starts a supervisor, and ends the one before it."""
    monkeypatch.setattr(supervisor, "DRAIN_SECONDS", 1.0)
    running = []

    def start():
        for one in running:
            one.stop()
        running.append(Supervisor())
        running[-1].start()

    yield start
    for one in running:
        one.stop()


def promoted(export, variant):
    version = call("ana", CreateRequest(export=export, variant=variant)).result["deployment"]
    call("ana", PromoteRequest(deployment=version))
    return version


def file_of(project, export, variant):
    folder = project_folder(project) / "exports" / export
    artifacts = {one["format"]: one for one in read_json(folder / "manifest.json")["artifacts"]}
    return folder / artifacts[variant]["path"]


def slot_version():
    with reading() as session:
        return session.scalars(select(Slot)).one().version_id


def told():
    with reading() as session:
        return list(session.scalars(select(RunEvent.reason_code).order_by(RunEvent.id)))


def test_a_version_made_worse_is_caught_by_the_schedule_and_taken_back_and_the_one_before_it_is_left_alone(
    project, export, tiny_model, supervising
):
    supervising()
    first, second = promoted(export, "gguf-f16"), promoted(export, "gguf-q8_0")
    request = ScheduleRequest(project=project, cron=EVERY_SECOND, rollback=True)
    with working_here("ana's"):
        call("ana", request)

        def looks(version, verdict):
            return [one for one in checks(project, version) if one.verdict == verdict]

        until(lambda: len(looks(second, "steady")) >= 2, "two steady looks")
        assert slot_version() == second and {one.actor for one in checks(project)} == {"schedule"}
        write_gguf(tiny_model, file_of(project, export, "gguf-q8_0"), name="worse", end_token=2)  # the model before its training
        supervising()
        wait_for(second, PATIENCE_SECONDS)
        until(lambda: looks(second, "drifted"), "the alarm")
        until(lambda: slot_version() == first, "the rollback")
        wait_for(first, PATIENCE_SECONDS)
        seen = len(looks(first, "steady"))
        until(lambda: len(looks(first, "steady")) >= seen + 2, "two steady looks at the one before it")
    caught = looks(second, "drifted")[0]
    assert (caught.n, caught.better) == (24, 0) and caught.worse >= 11 and caught.rollback["state"] == "succeeded"
    assert not looks(first, "drifted") and slot_version() == first
    every = told()
    assert every.count("deployment_drift_detected") == 1 and "deployment_checked" in every
    assert every.index("deployment_drift_detected") < len(every) - 1 - every[::-1].index("deployment_changed")
    assert schedules(project)[0].deployment == first


def test_the_reference_is_had_once_and_from_the_exported_file(project, export, supervising):
    supervising()
    version = promoted(export, "gguf-f16")
    first, second = (call("ana", CheckRequest(deployment=version)).result for _ in range(2))
    assert (first["verdict"], second["verdict"], second["look"]) == ("steady", "steady", 2)
    assert first["reference"]["taken_from"] == "file" and first["reference"] == second["reference"]
    assert first["value"] == first["before"] == 1.0 and first["reference"]["scoring"] == "constrained"
    with reading() as session:
        kept = session.scalars(select(DriftReference)).one()
    assert (project_folder(project) / kept.path).read_bytes().count(b"\n") == kept.rows == 24
