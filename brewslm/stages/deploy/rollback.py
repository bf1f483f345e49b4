"""deploy.rollback: back to the version that answered before this one."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.deployment import DeploymentRollbackNoPredecessor
from brewslm.stages.contract import Request
from brewslm.stages.deploy.changes import changed, version_in, version_of
from brewslm.stages.deploy.switch import SwitchJob, SwitchResult, job_for, made_ready, move_slot
from brewslm.store.records import Records
from brewslm.store.tables import DeploymentVersion, Run, now


class RollbackRequest(Request):
    """Take a promoted version back; the one that it superseded answers again."""

    deployment: int


def resolve(request: RollbackRequest, records: Records) -> SwitchJob:
    """Find the predecessor: of the slot's superseded versions, the one that was superseded last.

    Raises:
        StageError(DeploymentStateConflict): The version is not promoted.
        StageError(DeploymentRollbackNoPredecessor): Nothing answered before it.
    """
    version = version_in(records.session, request.deployment, "promoted")
    table = DeploymentVersion
    predecessor = records.session.scalars(
        select(table)
        .where(table.project_id == version.project_id, table.slot == version.slot, table.state == "superseded")
        .order_by(table.changed_at.desc(), table.id.desc())
    ).first()
    if predecessor is None:
        cause = "no superseded version is in this slot"
        reason = DeploymentRollbackNoPredecessor(deployment_version_id=version.id, slot=version.slot, error=cause)
        raise StageError(reason, f"{version.slot} v{version.version} was not rolled back", cause=cause)
    return job_for(predecessor, records)


def run(job: SwitchJob, context: Context) -> SwitchResult:
    """Make the predecessor ready and ask it: a rollback onto a broken file would take the slot down.

    Raises:
        StageError(DeploymentSmokeFailed): It does not answer as the exported file did.
    """
    context.check()
    return made_ready(job)


def record(result: SwitchResult, session: Session, run: Run) -> Sequence[Reason]:
    """The commit that is the switch: promoted → rolled_back, and superseded → promoted."""
    predecessor = version_of(session, result.version_id)
    rolled_back = move_slot(predecessor, result, session)
    assert rolled_back is not None
    rolled_back.state, rolled_back.changed_at = "rolled_back", now()
    return changed(predecessor, run, "rollback", f"v{rolled_back.version}", f"v{predecessor.version}")
