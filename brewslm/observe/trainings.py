"""Read-only views of training runs for those who look: what each was told, what it came to, and how it compares."""

from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers.base import Metric
from brewslm.models.environment import Environment
from brewslm.models.recipe import Recipe
from brewslm.observe.experiments import OPERATION
from brewslm.observe.tasks import run_view
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest
from brewslm.stages.evaluate.scorecard import SCHEMA
from brewslm.stages.train.checkpoints import best, checkpoints
from brewslm.store.database import reading
from brewslm.store.files import project_folder, read_json, run_folder
from brewslm.store.records import project_of, run_of
from brewslm.store.tables import Evaluation, Export, Run

PAGE = 20
MOST_COMPARED = 5
SYSTEM = "tuned"


class Measurement(BaseModel):
    """What an evaluation measured of an experiment.

    Attributes:
        metric_id: The primary metric; `metric` is the experiment's own figure on it. None in scorecards of former versions.
        measured: What was measured in the experiment's place, such as an export's variant; "" of the experiment itself.
    """

    evaluation: str
    eval_pack: str
    promotable: bool
    metric_id: str | None
    metric: Metric | None
    measured: str = ""


class TrainingView(BaseModel):
    """A training run.

    Attributes:
        number: Of "exp-7" 7: what a page of them is asked for by.
        recipe: That it was frozen with; None before it begins, and of an older version.
        plan: Of preflight's plans, the one that changed the recipe.
        newest: The newest measurement of the experiment itself.
    """

    id: str
    number: int
    task: RunView
    base_model: str | None = None
    manifest_version: int | None = None
    recipe: Recipe | None = None
    plan: str | None = None
    loss: float | None = None
    dev_loss: float | None = None
    newest: Measurement | None = None

    @property
    def seconds(self) -> float | None:
        """From its beginning to its end; None before its end."""
        task = self.task
        return (task.ended_at - task.started_at).total_seconds() if task.ended_at and task.started_at else None

    def told(self) -> dict[str, Any]:
        """All that a person may choose of it: base model, manifest, and the recipe's settings."""
        recipe = self.recipe.model_dump(mode="json") if self.recipe else {}
        return {"base_model": self.base_model, "manifest": self.manifest_version, "recipe": recipe.pop("id", None), **recipe}


class TrainingsPage(BaseModel):
    """Some training runs, newest first; `older` and `newer` are what to ask for the pages beside it, None at an end."""

    runs: list[TrainingView]
    total: int
    older: int | None
    newer: bool


class CheckpointView(BaseModel):
    """A checkpoint that stands on the disk; `best` is the one that became the adapter, or would now."""

    step: int
    dev_loss: float | None
    best: bool


class TrainingDetail(TrainingView):
    """With what stands behind it and what came of it."""

    checkpoints: list[CheckpointView]
    evaluations: list[Measurement]
    exports: list[str]
    environment: Environment | None = None


def trainings(project: int, before: int | None = None, limit: int = PAGE) -> TrainingsPage:
    """A page of a project's training runs.

    Args:
        before: Only those with a smaller number.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    query = select(Run).where(Run.project_id == project, Run.operation == OPERATION).order_by(Run.number.desc())
    with reading() as session:
        project_of(session, project)
        every = select(func.count(), func.min(Run.number), func.max(Run.number))
        total, first, newest = session.execute(every.where(Run.project_id == project, Run.operation == OPERATION)).one()
        asked = query if before is None else query.where(Run.number < before)
        found = [_view(session, run) for run in session.scalars(asked.limit(limit))]
    last = found[-1].number if found else 0
    return TrainingsPage(
        runs=found, total=total, older=last if found and first < last else None, newer=bool(found) and newest > found[0].number,
    )  # fmt: skip


def training(run_id: str) -> TrainingDetail:
    """One of them.

    Raises:
        StageError(UnknownRun): There is none of this id.
        StageError(InvalidRequest): It is a run of another operation.
    """
    with reading() as session:
        run = _training_run(session, run_id)
        found = _view(session, run)
        exports = select(Export.run_id).where(Export.experiment_id == run_id).order_by(Export.created_at)
        evaluations, made = _measurements(session, run_id), list(session.scalars(exports))
    folder = project_folder(run.project_id or 0) / "experiments" / run_id / "checkpoints"
    kept = checkpoints(folder)
    told = (run.result or {}).get("environment")
    return TrainingDetail(
        **dict(found), evaluations=evaluations, exports=made,
        checkpoints=[CheckpointView(step=one.said.step, dev_loss=one.said.dev_loss, best=one == best(kept)) for one in kept],
        environment=Environment.model_validate(told) if told else None,
    )  # fmt: skip


def trainings_by_id(ids: list[str]) -> list[TrainingView]:
    """Two to five training runs of one project, to be held against each other, in the order that was asked for.

    Raises:
        StageError(UnknownRun): There is none of an id.
        StageError(InvalidRequest): They are too few or too many, of several projects, or one is a run of another operation.
    """
    asked = list(dict.fromkeys(ids))
    if not 2 <= len(asked) <= MOST_COMPARED:
        cause = f"a comparison takes two to {MOST_COMPARED} different training runs"
        raise StageError(InvalidRequest(), "These can't be compared", where=", ".join(ids), cause=cause)
    with reading() as session:
        found = [_view(session, _training_run(session, one)) for one in asked]
    projects = {one.task.project for one in found}
    if len(projects) > 1:
        raise StageError(InvalidRequest(), "These can't be compared", where=", ".join(ids), cause="they are of several projects")
    return found


def _training_run(session: Session, run_id: str) -> Run:
    run = run_of(session, run_id)
    if run.operation != OPERATION:
        cause = f"it is a run of {run.operation}"
        raise StageError(InvalidRequest(), f"{run_id} is no training run", where=run_id, cause=cause)
    return run


def _view(session: Session, run: Run) -> TrainingView:
    task, result = run_view(run), run.result or {}
    frozen = _frozen(run.id)
    figures = (task.progress or {}).get("figures", {})
    own = [one for one in _measurements(session, run.id) if not one.measured]
    return TrainingView(
        id=run.id, number=run.number, task=task, base_model=frozen.get("base_model") or run.request.get("base_model"),
        manifest_version=result.get("manifest_version") or frozen.get("manifest_version"), recipe=frozen.get("recipe"),
        plan=frozen.get("plan"), loss=result.get("final_train_loss", figures.get("loss")), dev_loss=result.get("best_dev_loss"),
        newest=own[-1] if own else None,
    )  # fmt: skip


def _frozen(run_id: str) -> dict[str, Any]:
    """What the job says that can be shown; {} before there is one."""
    path = run_folder(run_id) / "job.json"
    job = read_json(path).get("job", {}) if path.exists() else {}
    train = job.get("train", {})
    if not train:
        return {}
    try:
        recipe = Recipe.model_validate(train["recipe"])
    except (KeyError, ValidationError):  # of an older version
        recipe = None
    manifest = str(train.get("manifest_path", "")).split("/")
    version = manifest[-2].removeprefix("v") if len(manifest) > 1 else ""
    return {
        "recipe": recipe, "plan": job.get("plan"), "base_model": train.get("base", {}).get("locator"),
        "manifest_version": int(version) if version.isdecimal() else None,
    }  # fmt: skip


def _measurements(session: Session, experiment: str) -> list[Measurement]:
    """Oldest first."""
    query = select(Evaluation).where(Evaluation.experiment_id == experiment).order_by(Evaluation.created_at)
    return [measurement(one) for one in session.scalars(query)]


def measurement(evaluation: Evaluation) -> Measurement:
    """What an evaluation's table row says in short."""
    card = evaluation.scorecard
    metric = None
    if card.get("schema_version") == SCHEMA:
        metric = card["systems"][SYSTEM]["metrics"].get(card["primary_metric"])
    measured = card.get("measured")
    return Measurement(
        evaluation=evaluation.run_id, eval_pack=evaluation.eval_pack, promotable=evaluation.promotable,
        metric_id=card["primary_metric"] if metric else None, metric=Metric.model_validate(metric) if metric else None,
        measured=measured["name"] if measured and measured["kind"] != "experiment" else "",
    )  # fmt: skip
