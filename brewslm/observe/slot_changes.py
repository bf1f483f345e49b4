"""What promoting, rejecting or rolling back a version would change, before anybody does it: from which model to which."""

from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers.base import Metric
from brewslm.handlers.gates import GateOutcome
from brewslm.metrics.intervals import paired_share_difference
from brewslm.observe.evaluations import comparison
from brewslm.stages.deploy.changes import version_in, version_of
from brewslm.stages.deploy.promote import evaluations_about, must_be_promotable
from brewslm.stages.deploy.rollback import RollbackRequest, predecessor_of
from brewslm.stages.evaluate.scorecard import SCHEMA, Scorecard
from brewslm.store.database import reading
from brewslm.store.records import Records
from brewslm.store.tables import DeploymentVersion, Experiment, Export, Slot

Action = Literal["promote", "reject", "rollback"]
AFTER = {"promote": "promoted", "reject": "rejected", "rollback": "rolled_back"}


class VersionModel(BaseModel):
    """A version and the model behind it.

    Attributes:
        name: Such as "default v2".
        size_bytes: Of what is served; None where its export does not say.
        evaluation: The newest that speaks for it, whose primary metric is `metric`; None where it was not measured.
    """

    deployment: int
    name: str
    state: str
    export: str
    variant: str
    experiment: str
    base_model: str
    size_bytes: int | None
    evaluation: str | None
    metric_name: str = ""
    metric: Metric | None = None
    n: int = 0


class RightRows(BaseModel):
    """Rows that are right under the one that comes, less those under the one that goes, as a share of the same n rows.

    Attributes:
        low, high: The 95 % interval of the difference.
        fixed, broken: Rows that only the one that comes, or only the one that goes, had right.
    """

    value: float
    low: float
    high: float
    n: int
    fixed: int
    broken: int


class SlotChange(BaseModel):
    """What an action would do to a version and its slot.

    Attributes:
        state_before, state_after: Of the version that is acted on.
        before, after: What answers now, and what would; None of nothing.
        difference: None where the two were not asked the same rows: `not_compared` says why, "" where there is nothing to hold
            against each other.
        gates: Of the evaluation that speaks for the one that comes.
        refusal: Why it would be refused, as a problem document; None where nothing hinders it before the live smoke check.
    """

    deployment: int
    name: str
    action: Action
    slot: str
    state_before: str
    state_after: str
    before: VersionModel | None
    after: VersionModel | None
    difference: RightRows | None = None
    not_compared: str = ""
    gates: list[GateOutcome] = []
    refusal: dict[str, Any] | None = None


def slot_change(deployment: int, action: Action) -> SlotChange:
    """What the action would change now. Nothing is changed, and no model is asked.

    Raises:
        StageError(UnknownRun): There is no such version.
    """
    with reading() as session:
        version = version_of(session, deployment)
        slot = session.get(Slot, (version.project_id, version.slot))
        answering = session.get(DeploymentVersion, slot.version_id) if slot and slot.version_id else None
        comes, refusal = answering, None
        try:
            comes = _comes(version, action, answering, session)
        except StageError as refused:
            refusal = refused.problem()
            comes = version if action == "promote" else answering
        before, after = (_model(one, session) if one else None for one in (answering, comes))
        gates = _gates(comes, session) if comes and action != "reject" else []
        change = SlotChange(
            deployment=version.id, name=f"{version.slot} v{version.version}", action=action, slot=version.slot,
            state_before=version.state, state_after=AFTER[action], before=before, after=after, gates=gates, refusal=refusal,
        )  # fmt: skip
    if before is None or after is None or before.deployment == after.deployment:
        return change
    return change.model_copy(update=_held(before, after))


def _comes(
    version: DeploymentVersion, action: Action, answering: DeploymentVersion | None, session: Session
) -> DeploymentVersion | None:
    """Which version would answer.

    Raises:
        StageError: The action would be refused.
    """
    if action == "rollback":
        records = Records(session, "", version.project_id, "")
        return predecessor_of(RollbackRequest(deployment=version.id), records)
    version_in(session, version.id, "pending")
    if action == "reject":
        return answering
    must_be_promotable(version, session)
    return version


def _model(version: DeploymentVersion, session: Session) -> VersionModel:
    export = session.get_one(Export, version.export_id)
    found = VersionModel(
        deployment=version.id, name=f"{version.slot} v{version.version}", state=version.state, export=version.export_id,
        variant=version.variant, experiment=export.experiment_id, evaluation=None,
        base_model=session.get_one(Experiment, export.experiment_id).base_model,
        size_bytes=export.artifacts.get(version.variant, {}).get("size_bytes"),
    )  # fmt: skip
    evaluation, card = _measured(version, session)
    if card is None:
        return found
    figures = {"metric_name": card.primary_metric, "metric": card.primary("tuned"), "n": card.n}
    return found.model_copy(update={"evaluation": evaluation} | figures)


def _gates(version: DeploymentVersion, session: Session) -> list[GateOutcome]:
    card = _measured(version, session)[1]
    return card.gates if card else []


def _measured(version: DeploymentVersion, session: Session) -> tuple[str | None, Scorecard | None]:
    """The newest evaluation that speaks for it and whose scorecard this version of ours reads."""
    about = evaluations_about(version, session)
    newest = next((one for one in about if one.scorecard.get("schema_version") == SCHEMA), None)
    return (newest.run_id, Scorecard.model_validate(newest.scorecard)) if newest else (None, None)


def _held(before: VersionModel, after: VersionModel) -> dict[str, Any]:
    """The one that comes against the one that goes, row by row."""
    lacking = next((one.name for one in (before, after) if one.evaluation is None), None)
    if lacking:
        return {"not_compared": f"{lacking} was not measured"}
    if before.evaluation == after.evaluation:
        return {"not_compared": f"both serve the weights of {after.experiment}, which {after.evaluation} measured"}
    try:
        found = comparison([str(before.evaluation), str(after.evaluation)])
    except StageError as error:
        return {"not_compared": f"{error.what}: {error.cause}" if error.cause else error.what}
    other = found.evaluations[1]
    fixed, broken = len(other.fixed), len(other.broken)
    low, high = paired_share_difference(fixed, broken, found.n)
    value = (fixed - broken) / found.n if found.n else 0.0
    return {"difference": RightRows(value=value, low=low, high=high, n=found.n, fixed=fixed, broken=broken)}
