"""What pages read can be read over the API: the same function answers both."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import text

from brewslm.audit import emit_event
from brewslm.observe.deployments import slots
from brewslm.observe.document_text import document_text
from brewslm.observe.goals import goals
from brewslm.observe.modelstory import model_story
from brewslm.observe.playground import playables
from brewslm.observe.trace import trace_steps
from brewslm.observe.training_offer import training_offer
from brewslm.observe.trainings import trainings
from brewslm.pipeline.execute import call
from brewslm.reasons.training import TrainingOom
from brewslm.stages.clean import CleanRequest
from brewslm.stages.documents import AddRequest
from brewslm.store.database import transaction
from tests.cli.test_views import run
from tests.drift import promoted_version
from tests.observe.conftest import walk  # noqa: F401 - a project that walks through the stages
from tests.stages.clean.cleaning import letter
from tests.web.trainings import freeze, write_steps


@pytest.fixture
def lived(walk, tiny_base, tmp_path):
    """A project with a training of three steps, a promoted version, and a cleaned document."""
    walk.imported()
    promoted_version(walk.project, tiny_base, tmp_path)
    freeze("exp-1")
    write_steps("exp-1", [["a"], ["b", "c"], ["d"]])
    (tmp_path / "letter.md").write_text(f"{letter(1)}\n\nPlease write to anna@example.com about it, and we shall answer soon.\n")
    call("test", AddRequest(project=walk.project, paths=[str(tmp_path / "letter.md")]))
    call("test", CleanRequest(project=walk.project))
    return walk.project


READS: dict[str, Callable[[int], object]] = {
    "/projects/{0}/training": trainings,
    "/projects/{0}/training?before=2&limit=1": lambda project: trainings(project, 2, 1),
    "/projects/{0}/training/offer": training_offer,
    "/projects/{0}/training/offer?manifest=1&recipe=classification": lambda project: training_offer(
        project, manifest=1, recipe="classification"
    ),
    "/experiments/exp-1/steps?before=3&limit=1": lambda _project: trace_steps("exp-1", 3, 1),
    "/projects/{0}/slots": slots,
    "/projects/{0}/playground/models": playables,
    "/projects/{0}/documents/1/text?start=5": lambda project: document_text(project, 1, 5),
    "/models/deployment-1": lambda _project: model_story("deployment-1"),
    "/goals": lambda _project: goals(),
}


def plain(found: object) -> object:
    return [plain(one) for one in found] if isinstance(found, list) else json.loads(found.model_dump_json())


def test_each_read_of_a_page_is_answered_by_the_api(client, lived):
    for path, read in READS.items():
        answer = client.get(f"/api{path.format(lived)}")
        assert answer.status_code == 200, (path, answer.text)
        assert answer.json() == plain(read(lived)) and answer.json(), path
    steps = client.get("/api/experiments/exp-1/steps?before=3&limit=1").json()
    assert (steps["total"], [one["row_ids"] for one in steps["steps"]], steps["older"]) == (3, [["b", "c"]], 2)
    assert "email" in [one["kind"] for one in client.get(f"/api/projects/{lived}/documents/1/text").json()["pieces"]]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/projects/9/training", 404, "unknown_project"), ("/projects/1/training?before=0", 422, "invalid_request"),
        (f"/projects/1/training?before={'9' * 30}", 422, "invalid_request"), ("/projects/9/slots", 404, "unknown_project"),
        ("/projects/1/training/offer?recipe=nonsense", 422, "invalid_request"), ("/models/exp-9", 404, "unknown_run"),
        ("/projects/1/training/offer?base_model=path:/etc", 403, "path_outside_project"),
        ("/experiments/exp-9/steps", 404, "unknown_run"), ("/projects/9/playground/models", 404, "unknown_project"),
        ("/projects/1/documents/7/text", 404, "unknown_row"), ("/projects/9/events/gaps", 404, "unknown_project"),
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused_with_its_reason(client, project, path, status, code):
    answer = client.get(f"/api{path}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_an_event_that_could_not_be_written_is_told(client, project):
    address = f"/api/projects/{project}/events/gaps"
    assert client.get(address).json() == []
    with transaction() as session:
        session.execute(text("CREATE TRIGGER broken BEFORE INSERT ON run_events BEGIN SELECT RAISE(ABORT, 'no'); END"))
    emit_event(TrainingOom(experiment_id="exp-1", error="x"), project_id=project, actor="ana", run_id="exp-1")
    (gap,) = client.get(address).json()
    assert (gap["reason_code"], gap["lost_code"], gap["run_id"], gap["actor"]) == ("event_lost", "training_oom", "exp-1", "ana")


def test_commands_list_slots_and_experiments(lived):
    assert "gguf-q8_0" in run("deploy", "slots", "--project", str(lived))
    (slot,) = json.loads(run("deploy", "slots", "--project", str(lived), "--json"))
    assert (slot["name"], slot["answering"]["version"]) == ("default", 1)
    shown = run("experiment", "list", "--project", str(lived), "--limit", "1")
    newest = trainings(lived, limit=1)
    assert newest.runs[0].id in shown and ("--before" in shown) == (newest.older is not None)
    assert json.loads(run("experiment", "list", "--project", str(lived), "--json")) == plain(trainings(lived, limit=20))
    run("experiment", "list", "--project", "9", code=1)
