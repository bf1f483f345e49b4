"""A flipped byte in any prepared file is refused, by name, by every stage after prepare."""

import pytest

from brewslm.pipeline.execute import RunFailed, call
from brewslm.stages.deploy.changes import CreateRequest
from brewslm.stages.deploy.promote import PromoteRequest
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.export import ExportRequest
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.prepare import ActivateRequest, PrepareRequest
from brewslm.stages.train import TrainRequest
from brewslm.store.files import project_folder
from tests.experiments import adopt_bundle, make_experiment
from tests.synthetic import add_rows, reviews

pytestmark = pytest.mark.usefixtures("warm_children")

STAGES = ("prepare", "activate", "preflight", "train", "evaluate", "export", "promote")


@pytest.fixture
def requests(project, tiny_model, tiny_adapter, tiny_bundle):
    add_rows(project, reviews(20))
    trained = make_experiment(project, tiny_model, tiny_adapter)
    deployment = call("test", CreateRequest(export=adopt_bundle(trained, tiny_bundle))).result["deployment"]
    base = f"path:{tiny_model}"
    return dict(
        zip(
            STAGES,
            (
                PrepareRequest(project=project), ActivateRequest(project=project, version=1),
                PreflightRequest(project=project, base_model=base), TrainRequest(project=project, base_model=base),
                EvaluateRequest(experiment=trained.id), ExportRequest(experiment=trained.id),
                PromoteRequest(deployment=deployment),
            ),
            strict=True,
        )
    )  # fmt: skip


@pytest.mark.parametrize("name", ["train.jsonl", "eval.jsonl", "manifest.json"])
def test_every_stage_names_the_file(project, requests, name):
    path = project_folder(project) / "prepared" / "v1" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    said = {}
    for stage, request in requests.items():
        with pytest.raises(RunFailed) as refused:
            call("test", request)
        reason = refused.value.error.reason
        # train and evaluate tell it as events of their own, which name it in their error
        said[stage] = (getattr(reason, "file", None) or str(refused.value.error)).count(name)
    assert said == dict.fromkeys(STAGES, 1)
