"""Read-only views of deployment versions."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import case, func, select

from brewslm.errors import StageError
from brewslm.plugins import broken
from brewslm.reasons.refusals import UnknownDeployment
from brewslm.serving.endpoints import failure_of, locate
from brewslm.serving.targets import GROUP, TARGETS, Lacking, Servable, target_of
from brewslm.stages.deploy.changes import ENDPOINT
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion, Export, Slot


class DeploymentView(BaseModel):
    """A version as every face shows it.

    Attributes:
        slot: The name of its endpoint: with the project it is the slot.
        settings: Of its target: those that were given.
        predecessor: The version that it superseded, to which a rollback returns.
        problem: Why its keeper could not start it, the last time it tried.
        base_url: Its own model server, while that is up.
        smoke: What the live smoke check found when it was promoted.
    """

    id: int
    project: int
    slot: str
    version: int
    state: str
    export: str
    variant: str
    target: str
    settings: dict[str, Any]
    predecessor: int | None
    actor: str
    smoke: dict[str, Any] | None
    base_url: str | None
    problem: str | None
    created_at: datetime
    changed_at: datetime


class TargetView(BaseModel):
    """What can serve an export.

    Attributes:
        settings: What `deploy create --set` may say, as JSON Schema's properties.
        problem: Why a plugin of this name could not be loaded; nothing else of it is known then.
    """

    name: str
    meaning: str
    settings: dict[str, Any] = {}
    problem: str | None = None


def targets() -> list[TargetView]:
    """Every target, then the plugins that could not be loaded."""
    known = [
        TargetView(name=one.name, meaning=one.meaning, settings=one.Settings.model_json_schema().get("properties", {}))
        for one in TARGETS.values()
    ]
    lost = [TargetView(name=one.entry_point, meaning=one.error, problem=one.error) for one in broken(GROUP)]
    return known + lost


class PlanView(BaseModel):
    """What would be launched for a version.

    Attributes:
        plan: The text, such as a SkyPilot task; "" where the target launches nothing elsewhere.
        lacking: What the target has not got here; "" where nothing.
    """

    deployment: int
    target: str
    plan: str
    lacking: str
    next_step: str


def plan(deployment: int) -> PlanView:
    """What its target would launch, and what it lacks for that.

    Raises:
        StageError(UnknownDeployment): There is no such version.
        StageError(UnknownTarget): Its target was a plugin's, and is not there any more.
    """
    with reading() as session:
        found = session.get(DeploymentVersion, deployment)
        if found is None:
            raise StageError(UnknownDeployment(), where=f"deployment {deployment}")
        servable = Servable.of(found, session.get_one(Export, found.export_id))
    target = target_of(servable.target)
    lacking = target.lacking(servable) or Lacking("", "")
    return PlanView(
        deployment=deployment, target=target.name, plan=target.plan(servable), lacking=lacking.cause, next_step=lacking.next_step
    )


def deployments(
    project: int, slot: str | None = None, before: int | None = None, limit: int | None = None
) -> list[DeploymentView]:  # fmt: skip
    """The project's versions, newest first.

    Args:
        slot: Only this one's.
        before: Only versions with a smaller id.
        limit: At most so many.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    table = DeploymentVersion
    query = select(table).where(table.project_id == project).order_by(table.id.desc()).limit(limit)
    if slot is not None:
        query = query.where(table.slot == slot)
    if before is not None:
        query = query.where(table.id < before)
    with reading() as session:
        project_of(session, project)
        return [_view(one) for one in session.scalars(query)]


class SlotView(BaseModel):
    """An endpoint of a project.

    Attributes:
        answering: The version that it points to; None while none is promoted.
        versions, pending: How many there are, and how many of them wait to be promoted or rejected.
    """

    project: int
    name: str
    answering: DeploymentView | None
    versions: int
    pending: int


def slots(project: int) -> list[SlotView]:
    """The project's endpoints, by name; "default" first.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    table = DeploymentVersion
    counted = (
        select(table.slot, func.count(), func.sum(case((table.state == "pending", 1), else_=0)))
        .where(table.project_id == project)
        .group_by(table.slot)
        .order_by(table.slot != ENDPOINT, table.slot)
    )
    with reading() as session:
        project_of(session, project)
        at = {one.name: one.version_id for one in session.scalars(select(Slot).where(Slot.project_id == project))}
        return [
            SlotView(
                project=project, name=name, versions=versions, pending=pending,
                answering=_view(session.get_one(table, at[name])) if at.get(name) else None,
            )
            for name, versions, pending in session.execute(counted).tuples()
        ]  # fmt: skip


def _view(one: DeploymentVersion) -> DeploymentView:
    live = locate(one.id)
    return DeploymentView(
        id=one.id, project=one.project_id, slot=one.slot, version=one.version, state=one.state, export=one.export_id,
        variant=one.variant, target=one.target, settings=one.settings, predecessor=one.predecessor_id, actor=one.actor,
        smoke=one.smoke, base_url=live.base_url if live else None, problem=None if live else failure_of(one.id),
        created_at=one.created_at, changed_at=one.changed_at,
    )  # fmt: skip
