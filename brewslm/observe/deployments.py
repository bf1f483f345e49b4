"""Read-only views of deployment versions."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.serving import locate
from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import DeploymentVersion


class DeploymentView(BaseModel):
    """A version as every face shows it.

    Attributes:
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
    actor: str
    smoke: dict[str, int] | None
    base_url: str | None
    created_at: datetime
    changed_at: datetime


def deployments(project: int) -> list[DeploymentView]:
    """The project's versions, newest first.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    table = DeploymentVersion
    with reading() as session:
        project_of(session, project)
        return [_view(one) for one in session.scalars(select(table).where(table.project_id == project).order_by(table.id.desc()))]


def _view(one: DeploymentVersion) -> DeploymentView:
    live = locate(one.id)
    return DeploymentView(
        id=one.id, project=one.project_id, slot=one.slot, version=one.version, state=one.state, export=one.export_id,
        variant=one.variant, target=one.target, actor=one.actor, smoke=one.smoke, base_url=live.base_url if live else None,
        created_at=one.created_at, changed_at=one.changed_at,
    )  # fmt: skip
