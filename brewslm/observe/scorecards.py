"""Scorecards: the one that a project is judged by (its promoted model's, or its newest until one is promoted), and every one."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.evaluations import evaluation_of
from brewslm.observe.trainings import Measurement, measurement
from brewslm.reasons.refusals import NotAnalysed
from brewslm.stages.evaluate.scorecard import SCHEMA, Scorecard
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion, Evaluation, Export, Run, Slot

PAGE = 50


class ScorecardView(BaseModel):
    """A scorecard, and whose it is.

    Attributes:
        evaluation: The run that measured it.
        deployment: Such as "default v2", where its model answers; None when it is not promoted.
    """

    evaluation: str
    deployment: str | None
    card: Scorecard


def scorecard(project: int) -> ScorecardView | None:
    """The newest scorecard of the model that is promoted; without one, the project's newest; None when nothing was measured.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        promoted = _promoted(session, project)
        for version, experiment in [*promoted, (None, None)]:
            query = select(Evaluation).where(Evaluation.project_id == project)
            if experiment is not None:
                query = query.where(Evaluation.experiment_id == experiment)
            newest = session.scalars(query.order_by(Evaluation.created_at.desc()))
            found = next((one for one in newest if _is_ours(one.scorecard, version)), None)
            if found is not None and found.scorecard.get("schema_version") == SCHEMA:  # an older version's says less
                where = f"{version.slot} v{version.version}" if version else None
                return ScorecardView(evaluation=found.run_id, deployment=where, card=Scorecard.model_validate(found.scorecard))
    return None


class EvaluationView(Measurement):
    """An evaluation in short.

    Attributes:
        number: Of "eval-7" 7: what a page of them is asked for by.
        missed: The required gates that were not met.
        rows_from: "eval", or "gold support@2"; n: how many rows.
    """

    number: int
    experiment: str
    n: int
    rows_from: str
    missed: list[str]
    created_at: datetime


class EvaluationsPage(BaseModel):
    """Some evaluations, newest first; `older` is what to ask for the next page, None at the end."""

    evaluations: list[EvaluationView]
    total: int
    older: int | None
    newer: bool


def evaluations(project: int, before: int | None = None, limit: int = PAGE) -> EvaluationsPage:
    """A page of a project's evaluations.

    Args:
        before: Only those with a smaller number.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    query = select(Evaluation, Run.number).join(Run, Run.id == Evaluation.run_id).where(Evaluation.project_id == project)
    query = query.order_by(Run.number.desc())
    with reading() as session:
        project_of(session, project)
        numbers = list(session.scalars(query.with_only_columns(Run.number)))
        asked = query if before is None else query.where(Run.number < before)
        found = [_view(one, number) for one, number in session.execute(asked.limit(limit))]
    last = found[-1].number if found else 0
    return EvaluationsPage(
        evaluations=found, total=len(numbers), older=last if any(number < last for number in numbers) else None,
        newer=bool(found) and numbers[0] > found[0].number,
    )  # fmt: skip


def scorecard_of(evaluation: str) -> ScorecardView:
    """One evaluation's.

    Raises:
        StageError(UnknownRun): There is no evaluation of this id.
        StageError(NotAnalysed): A former version made it.
    """
    found = evaluation_of(evaluation)
    if found.scorecard.get("schema_version") != SCHEMA:
        raise StageError(NotAnalysed(), where=evaluation, cause="a former version made its scorecard, which says less")
    return ScorecardView(evaluation=evaluation, deployment=None, card=Scorecard.model_validate(found.scorecard))


def _view(one: Evaluation, number: int) -> EvaluationView:
    card = one.scorecard
    return EvaluationView(
        **dict(measurement(one)), number=number, experiment=one.experiment_id, n=card.get("n", 0),
        rows_from=card.get("rows_from", "eval"), created_at=one.created_at,
        missed=[gate["gate_id"] for gate in card.get("gates", []) if gate.get("required", True) and not gate["met"]],
    )  # fmt: skip


def _is_ours(card: dict[str, Any], version: DeploymentVersion | None) -> bool:
    """Whether a scorecard is of an experiment itself, or of the very file that a version serves."""
    measured = card.get("measured")
    if measured is None or measured["kind"] == "experiment":
        return True
    return version is not None and (measured["export"], measured["variant"]) == (version.export_id, version.variant)


def _promoted(session: Session, project: int) -> list[tuple[DeploymentVersion | None, str | None]]:
    """Each version that a slot points at, with its experiment; the slot named default first."""
    query = (
        select(DeploymentVersion, Export.experiment_id)
        .join(Slot, Slot.version_id == DeploymentVersion.id)
        .join(Export, Export.run_id == DeploymentVersion.export_id)
        .where(Slot.project_id == project)
        .order_by(Slot.name != "default", Slot.name)
    )
    return [(version, experiment) for version, experiment in session.execute(query)]
