"""What made a model, and what became of it, as the tables say it: at once, without computing a hash. For those: modelpassport."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.handlers.base import Metric
from brewslm.observe.modelpassport import Step, found_model, steps_of
from brewslm.stages.evaluate.scorecard import SCHEMA, Scorecard
from brewslm.store.database import reading
from brewslm.store.tables import DataManifest, DeploymentVersion, Evaluation, Experiment, Export, Run


class Measured(BaseModel):
    """An evaluation of the experiment.

    Attributes:
        of: What was measured: the experiment itself, or a file of its export.
        metric: None in a scorecard of a former version.
    """

    evaluation: str
    eval_pack: str
    promotable: bool
    of: str
    n: int = 0
    metric_name: str = ""
    metric: Metric | None = None
    created_at: datetime


class Made(BaseModel):
    """An export, and the versions that serve it.

    Attributes:
        variants: Its names, in the order in which they were made.
        deployments: (id, name, variant, state) of each.
    """

    export: str
    variants: list[str]
    deployments: list[tuple[int, str, str, str]]


class ModelStory(BaseModel):
    """Everything that made a model.

    Attributes:
        export, variant, deployment: Where the subject names them; deployment is such as "default v2".
        rows: Rows of each split.
        recipe: The request of the training run, without what was left to its defaults.
        environment: Device, threads, precision, libraries, as training recorded them; {} where it did not.
    """

    subject: str
    project: int
    experiment: str
    export: str | None
    variant: str | None
    deployment: str | None
    base_model: str
    base_sha256: str
    manifest: int
    manifest_sha256: str
    task_profile: str
    rows: dict[str, int]
    recipe: dict[str, Any]
    environment: dict[str, Any]
    adapter_sha256: str
    final_train_loss: float | None
    measured: list[Measured]
    made: list[Made]
    steps: list[Step]


def model_story(subject: str) -> ModelStory:
    """The story of "exp-3", "export-2", "export-2:gguf-q8_0" or "deployment-5".

    Raises:
        StageError(UnknownRun, NotTrained): There is no such experiment, export, variant or deployment.
        StageError(InvalidRequest): It is none of these.
    """
    with reading() as session:
        experiment, export, variant, version = found_model(subject, session)
        manifest = session.get_one(DataManifest, experiment.manifest_id)
        run = session.get_one(Run, experiment.run_id)
        return ModelStory(
            subject=subject, project=experiment.project_id, experiment=experiment.run_id,
            export=export.run_id if export else None, variant=variant,
            deployment=f"{version.slot} v{version.version}" if version else None,
            base_model=experiment.base_model, base_sha256=experiment.base_sha256, manifest=manifest.version,
            manifest_sha256=manifest.sha256, task_profile=manifest.task_profile, rows=manifest.rows,
            recipe={name: value for name, value in run.request.items() if value is not None and name != "project"},
            environment=(run.result or {}).get("environment") or {}, adapter_sha256=experiment.adapter_sha256,
            final_train_loss=experiment.final_train_loss, measured=_measured(experiment, session),
            made=_made(experiment, session), steps=list(steps_of(session, experiment, manifest, export, version)),
        )  # fmt: skip


def _measured(experiment: Experiment, session: Session) -> list[Measured]:
    query = select(Evaluation).where(Evaluation.experiment_id == experiment.run_id).order_by(Evaluation.created_at.desc())
    return [_one(each) for each in session.scalars(query)]


def _one(each: Evaluation) -> Measured:
    of = each.scorecard.get("measured") or {"kind": "experiment", "name": each.experiment_id}
    found = Measured(
        evaluation=each.run_id, eval_pack=each.eval_pack, promotable=each.promotable, of=of["name"], created_at=each.created_at
    )  # fmt: skip
    if each.scorecard.get("schema_version") != SCHEMA:
        return found
    card = Scorecard.model_validate(each.scorecard)
    return found.model_copy(update={"n": card.n, "metric_name": card.primary_metric, "metric": card.primary("tuned")})


def _made(experiment: Experiment, session: Session) -> list[Made]:
    exports = select(Export).where(Export.experiment_id == experiment.run_id).order_by(Export.created_at.desc())
    found = []
    for export in session.scalars(exports):
        versions = select(DeploymentVersion).where(DeploymentVersion.export_id == export.run_id).order_by(DeploymentVersion.id)
        named = [(one.id, f"{one.slot} v{one.version}", one.variant, one.state) for one in session.scalars(versions)]
        found.append(Made(export=export.run_id, variants=list(export.artifacts), deployments=named))
    return found
