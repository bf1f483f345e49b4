"""Stages 7 to 9: preflight, train (and autopilot), evaluate; experiments, and asking one."""

import threading
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from brewslm.api.uploads import readable, readable_file, readable_path
from brewslm.api.work import ACTOR, Fields, Key, accepted, asked, queue
from brewslm.errors import StageError
from brewslm.handlers.eval_pack import DEFAULT_PACK
from brewslm.observe.experiments import ExperimentDetail, ExperimentView, experiment, experiments
from brewslm.observe.models import BaseModelView, base_models
from brewslm.observe.predict import Answer, Input, ask_deployment, ask_experiment
from brewslm.observe.trace import TracePage, trace
from brewslm.pipeline import execute
from brewslm.pipeline.autopilot import AutopilotRequest
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest
from brewslm.stages.contract import PlanName
from brewslm.stages.evaluate import EvaluateRequest
from brewslm.stages.evaluate.judging import JudgeRequest
from brewslm.stages.preflight import PreflightRequest
from brewslm.stages.train import ReproduceRequest, TrainRequest
from brewslm.stages.train.sinks import SinkName

router = APIRouter(prefix="/api", tags=["training"])
_one_loaded_model = threading.Lock()


class ModelFields(Fields):
    """What preflight, train and autopilot share."""

    base_model: str | None = None
    recipe: str | None = None
    settings: dict[str, str] = {}
    eval_pack: str = DEFAULT_PACK

    def given(self) -> dict[str, object]:
        """The fields that were sent, with every path held against what the API may read."""
        sent = {name: getattr(self, name) for name in self.model_fields_set}
        for name in ("base_model", "eval_pack"):
            if sent.get(name):
                sent[name] = readable_path(sent[name])
        return sent


class PreflightFields(ModelFields):
    """See preflight.run."""

    manifest_version: int | None = None
    runtime: str | None = None
    export_formats: list[str] | None = None
    probe: bool = False


class AutopilotFields(ModelFields):
    """See autopilot.run."""

    one_click: bool = True
    task_profile: str | None = None
    train_rows: int | None = None
    eval_rows: int | None = None
    timeout_minutes: float | None = None
    fail_open: bool = False


class TrainFields(AutopilotFields):
    """See train.run; with `autopilot`, autopilot.run: then it prepares first, and takes no manifest_version."""

    autopilot: bool = False
    one_click: bool = False
    manifest_version: int | None = None
    export_formats: list[str] | None = None
    plan: PlanName | None = None
    log_to: SinkName | None = None


class ResumeFields(Fields):
    """A time limit from now on, in place of the one that the run was begun with."""

    timeout_minutes: Annotated[float | None, Field(gt=0)] = None


class ReproduceFields(Fields):
    """See train.reproduce."""

    timeout_minutes: float | None = None


class EvaluateFields(Fields):
    """See evaluate.run. A `path:` of target is of a file that was uploaded, or that the API may read."""

    eval_pack: str = DEFAULT_PACK
    gold_set: str | None = None
    judge: JudgeRequest | None = None
    target: str | None = None


class PredictFields(Fields):
    """Texts, or objects with the task's input field, for an experiment or a deployment (a slot, or a version's number)."""

    inputs: Annotated[list[Input], Field(min_length=1, max_length=256)]
    experiment: str | None = None
    deployment: str | None = None
    project: int | None = None


@router.get("/models", operation_id="model.list")
def models() -> list[BaseModelView]:
    """The base models that are known by name, and what their weights take in memory, computed."""
    return base_models()


@router.post("/projects/{project}/preflight", operation_id="preflight.run", status_code=202)
def preflight(project: int, response: Response, fields: PreflightFields | None = None, key: Key = None) -> RunView:
    """Say beforehand whether this training can work here."""
    return queue(asked(PreflightRequest, project=project, **(fields or PreflightFields()).given()), key, response)


@router.post("/projects/{project}/training/run", operation_id="train.run", status_code=202)
def train(project: int, response: Response, fields: TrainFields | None = None, key: Key = None) -> RunView:
    """Train on the prepared rows; with {"autopilot": true}, prepare first, and evaluate and export afterwards."""
    given = (fields or TrainFields()).given()
    request = AutopilotRequest if given.pop("autopilot", False) else TrainRequest
    if request is TrainRequest and not given.get("one_click"):
        given.pop("one_click", None)
    return queue(asked(request, project=project, **given), key, response)


@router.post("/projects/{project}/autopilot/run", operation_id="autopilot.run", status_code=202)
def autopilot(project: int, response: Response, fields: AutopilotFields | None = None, key: Key = None) -> RunView:
    """Prepare, preflight, train, evaluate and export."""
    return queue(asked(AutopilotRequest, project=project, **(fields or AutopilotFields()).given()), key, response)


@router.get("/projects/{project}/experiments", operation_id="experiment.list")
def listed(project: int) -> list[ExperimentView]:
    """The project's training runs, newest first."""
    return experiments(project)


@router.get("/experiments/{experiment_id}", operation_id="experiment.show")
def show(experiment_id: str) -> ExperimentDetail:
    """One training run, its evaluations and exports."""
    return experiment(experiment_id)


@router.get("/experiments/{experiment_id}/trace", operation_id="experiment.trace")
def live_trace(experiment_id: str, after: Annotated[int, Query(ge=0)] = 0) -> TracePage:
    """Loss and eval figures step by step, from a cursor on: for a chart that grows."""
    return trace(experiment_id, after)


@router.post("/experiments/{experiment_id}/resume", operation_id="experiment.resume", status_code=202)
def resume(experiment_id: str, response: Response, fields: ResumeFields | None = None) -> RunView:
    """Go on from the last complete checkpoint."""
    limit = (fields or ResumeFields()).timeout_minutes
    return accepted(execute.look(execute.resume(ACTOR, experiment_id, detach=True, timeout_minutes=limit)), response)


@router.post("/experiments/{experiment_id}/reproduce", operation_id="train.reproduce", status_code=202)
def reproduce(experiment_id: str, response: Response, fields: ReproduceFields | None = None, key: Key = None) -> RunView:
    """Train an experiment again from its record, beside it, and compare the weights by hash."""
    given = (fields or ReproduceFields()).model_dump(exclude_unset=True)
    return queue(asked(ReproduceRequest, experiment=experiment_id, **given), key, response)


@router.post("/experiments/{experiment_id}/evaluate", operation_id="evaluate.run", status_code=202)
def evaluate(experiment_id: str, response: Response, fields: EvaluateFields | None = None, key: Key = None) -> RunView:
    """Measure an experiment beside its base and baselines on the held-out rows, or on those of a locked gold set."""
    given = dict(fields or EvaluateFields())
    given["eval_pack"] = readable_path(given["eval_pack"])
    if given["judge"] is not None and given["judge"].labels is not None:
        given["judge"] = given["judge"].model_copy(update={"labels": readable_file(given["judge"].labels)})
    given["target"] = readable(given["target"]) if given["target"] else None
    return queue(asked(EvaluateRequest, experiment=experiment_id, **given), key, response)


@router.post("/predict", operation_id="predict")
def predict(fields: PredictFields) -> list[Answer]:
    """Ask a deployment, or a trained experiment (whose model is loaded for it, one at a time)."""
    if (fields.experiment is None) == (fields.deployment is None):
        raise StageError(InvalidRequest(), "Nothing was asked", cause="name either an experiment or a deployment")
    if fields.experiment is None:
        return ask_deployment(fields.deployment or "", fields.inputs, fields.project)
    with _one_loaded_model:
        return ask_experiment(fields.experiment, fields.inputs, readable_file)
