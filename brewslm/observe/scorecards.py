"""The scorecard that a project is judged by: its promoted model's, or its newest experiment's until one is promoted."""

from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.stages.evaluate.scorecard import SCHEMA, Scorecard
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion, Evaluation, Export, Slot


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
