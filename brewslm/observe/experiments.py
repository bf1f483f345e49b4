"""Read-only views of training runs and what came of them."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.observe.tasks import run_view
from brewslm.pipeline.runs import RunView
from brewslm.store.database import reading
from brewslm.store.records import project_of, run_of
from brewslm.store.tables import Evaluation, Experiment, Export, Run

OPERATION = "train.run"
REPRODUCTION = "train.reproduce"


class ExperimentView(BaseModel):
    """A training run, whether it ended well or not.

    Attributes:
        base_model, final_train_loss, adapter_sha256: None until it has ended well.
        evaluations: The id of each evaluation's run → whether it found the experiment promotable.
        exports: Ids of its exports.
        reproductions: The id of each run that trained it again → whether that gave the same weights.
    """

    id: str
    task: RunView
    base_model: str | None
    final_train_loss: float | None
    adapter_sha256: str | None
    evaluations: dict[str, bool]
    exports: list[str]
    reproductions: dict[str, bool]


class ExperimentDetail(ExperimentView):
    """With the newest scorecard."""

    scorecard: dict[str, Any] | None


def experiments(project: int) -> list[ExperimentView]:
    """The project's training runs, newest first.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    query = select(Run).where(Run.project_id == project, Run.operation == OPERATION).order_by(Run.number.desc())
    with reading() as session:
        project_of(session, project)
        return [_view(session, run) for run in session.scalars(query).all()]


def experiment(run_id: str) -> ExperimentDetail:
    """One training run.

    Raises:
        StageError(UnknownRun): There is none of this id.
    """
    with reading() as session:
        found = _view(session, run_of(session, run_id))
        newest = [session.get_one(Evaluation, each) for each in list(found.evaluations)[-1:]]
    return ExperimentDetail(**dict(found), scorecard=newest[0].scorecard if newest else None)


def _view(session: Session, run: Run) -> ExperimentView:
    trained = session.get(Experiment, run.id)
    evaluations = select(Evaluation).where(Evaluation.experiment_id == run.id).order_by(Evaluation.created_at)
    exports = select(Export).where(Export.experiment_id == run.id).order_by(Export.created_at)
    return ExperimentView(
        id=run.id, task=run_view(run),
        base_model=trained.base_model if trained else None,
        final_train_loss=trained.final_train_loss if trained else None,
        adapter_sha256=trained.adapter_sha256 if trained else None,
        evaluations={each.run_id: each.promotable for each in session.scalars(evaluations)},
        exports=[each.run_id for each in session.scalars(exports)],
        reproductions=_reproductions(session, run),
    )  # fmt: skip


def _reproductions(session: Session, run: Run) -> dict[str, bool]:
    ended = select(Run).where(Run.operation == REPRODUCTION, Run.project_id == run.project_id, Run.state == "succeeded")
    found = session.scalars(ended.order_by(Run.number)).all()
    return {each.id: bool((each.result or {})["reproduced"]) for each in found if each.request["experiment"] == run.id}
