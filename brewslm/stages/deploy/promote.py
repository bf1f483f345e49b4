"""deploy.promote: verdict, then a live smoke check, then one commit that moves the slot."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.models.formats import rounds_much
from brewslm.processes.context import Context
from brewslm.reasons import Reason
from brewslm.reasons.deployment import DeploymentPromoteBlocked
from brewslm.rows.manifest import PreparedData
from brewslm.stages.contract import Request
from brewslm.stages.deploy.changes import changed, export_of, version_in
from brewslm.stages.deploy.switch import SwitchJob, SwitchResult, job_for, made_ready, move_slot
from brewslm.store.records import Records, experiment_of
from brewslm.store.tables import DataManifest, DeploymentVersion, Evaluation, Export, Run

ENOUGH_ROWS = 200
"""Eval rows, or all where there are fewer, on which a variant that rounds much must have been measured: of a handful, a paired
test calls nothing worse."""


class PromoteRequest(Request):
    """Let a pending version answer under its slot."""

    deployment: int


def resolve(request: PromoteRequest, records: Records) -> SwitchJob:
    """Hold the version against the newest verdict of its experiment.

    Raises:
        StageError(DeploymentStateConflict): It is not pending.
        StageError(DeploymentPromoteBlocked): There is no evaluation, or its gates were not met, or the variant is worse than its
            export's F16, or rounds much and was measured by nobody.
    """
    version = version_in(records.session, request.deployment, "pending")
    must_be_promotable(version, records.session)
    return job_for(version, records)


def must_be_promotable(version: DeploymentVersion, session: Session) -> Evaluation:
    """The newest evaluation that speaks for a version, by a pack that promotes.

    Raises:
        StageError(DeploymentPromoteBlocked): As `resolve`.
    """
    experiment = export_of(session, version.export_id).experiment_id
    about = evaluations_about(version, session)
    newest = next((one for one in about if one.scorecard.get("pack_promotes", True)), None)
    if newest is None or not newest.promotable:
        cause = f"{newest.run_id} says that {experiment} is not promotable" if newest else f"{experiment} was not evaluated"
        if newest is None and about:
            cause = f"{about[0].run_id} is by the pack {about[0].eval_pack}, which is for tries and promotes nothing"
        raise _blocked(version, cause)
    _not_worse(version, newest, session)
    return newest


def evaluations_about(version: DeploymentVersion, session: Session) -> list[Evaluation]:
    """Those that speak for a version, newest first."""
    experiment = export_of(session, version.export_id).experiment_id
    every = session.scalars(
        select(Evaluation)
        .join(Run, Run.id == Evaluation.run_id)
        .where(Evaluation.experiment_id == experiment)
        .order_by(Run.number.desc())
    )
    return [one for one in every if speaks_for(one, version)]


def _not_worse(version: DeploymentVersion, newest: Evaluation, session: Session) -> None:
    """A variant that a comparison found worse than its export's F16 answers nowhere, whatever the gates said of the weights.

    One that rounds much is promoted once it was measured itself: by a comparison, or by an evaluation of that very file.
    """
    name, export = f"{version.export_id}:{version.variant}", export_of(session, version.export_id)
    comparison = export.comparison or {"n": 0, "variants": []}
    own = next((one for one in comparison["variants"] if one["variant"] == version.variant), None)
    if own is not None and own["difference"] is not None and own["difference"]["worse"]:
        cause = f"{name} is worse than its reference by {abs(own['difference']['value']):.3f}"
        raise _blocked(version, cause, f"Deploy another variant: brewslm export compare {version.export_id}")
    if not rounds_much(version.variant) or _is_of_the_file(newest):
        return
    least = min(ENOUGH_ROWS, _eval_rows(export, session))
    if own is None or comparison["n"] < least:
        few = f"{name} was measured on {comparison['n']} rows, and {least} are needed" if own else f"nobody measured {name}"
        cause = f"{few}: the verdict is of the weights that it was rounded from"
        raise _blocked(version, cause, f"Measure it: brewslm export compare {version.export_id}")


def _eval_rows(export: Export, session: Session) -> int:
    manifest = session.get_one(DataManifest, experiment_of(session, export.experiment_id).manifest_id)
    return int(manifest.rows.get("eval", 0))


def _blocked(version: DeploymentVersion, cause: str, next_step: str = "") -> StageError:
    reason = DeploymentPromoteBlocked(deployment_version_id=version.id, slot=version.slot, error=cause)
    return StageError(reason, f"{version.slot} v{version.version} was not promoted", cause=cause, next_step=next_step)


def run(job: SwitchJob, context: Context) -> SwitchResult:
    """Make it ready and ask it, once it is known that what it learnt from, and was measured on, is still what it was.

    Raises:
        StageError(ManifestMismatch): A prepared file was changed, so that the verdict stands on nothing.
        StageError(DeploymentSmokeFailed): It does not answer as the exported file did.
    """
    context.check()
    PreparedData(job.manifest, job.manifest_sha256)
    return made_ready(job, context)


def record(result: SwitchResult, session: Session, run: Run) -> Sequence[Reason]:
    """The commit that is the switch: pending → promoted, and the former version promoted → superseded."""
    version = version_in(session, result.version_id, "pending")
    former = move_slot(version, result, session, leaves="superseded")
    version.predecessor_id = former.id if former else None
    return changed(version, run, "promote", _name(former), _name(version))


def _name(version: DeploymentVersion | None) -> str | None:
    return f"v{version.version}" if version else None


def speaks_for(evaluation: Evaluation, version: DeploymentVersion) -> bool:
    """Whether an evaluation is of what the version would serve: the experiment's own weights, or the very file of its export.

    One of another checkpoint, of another variant, or of whatever answers at some address, promotes nothing and hinders nothing.
    """
    if not _is_of_the_file(evaluation):
        return True
    measured = evaluation.scorecard["measured"]
    return (measured["export"], measured["variant"]) == (version.export_id, version.variant)


def _is_of_the_file(evaluation: Evaluation) -> bool:
    """Rather than of the experiment's own weights."""
    measured = evaluation.scorecard.get("measured")
    return measured is not None and measured["kind"] != "experiment"
