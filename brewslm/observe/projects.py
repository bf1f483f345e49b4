"""Read-only views of projects."""

from datetime import datetime

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.store.database import reading
from brewslm.store.records import project_of
from brewslm.store.tables import Project


class ProjectView(BaseModel):
    """A project as every face shows it."""

    id: int
    name: str
    base_model: str
    active_manifest: int | None
    created_at: datetime


def projects() -> list[ProjectView]:
    """Every project, oldest first."""
    with reading() as session:
        return [_view(project) for project in session.scalars(select(Project).order_by(Project.id))]


def project_view(project_id: int) -> ProjectView:
    """One project.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        return _view(project_of(session, project_id))


def _view(project: Project) -> ProjectView:
    return ProjectView(
        id=project.id,
        name=project.name,
        base_model=project.base_model,
        active_manifest=project.active_manifest,
        created_at=project.created_at,
    )
