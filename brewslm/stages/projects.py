"""project.create and project.change: a place for one team's data, and the base model that it is measured for."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.models.catalogue import check_locator
from brewslm.reasons import Reason
from brewslm.reasons.refusals import RunConflict
from brewslm.settings import settings
from brewslm.stages.contract import ProjectRequest, Request
from brewslm.store.files import project_folder
from brewslm.store.records import project_of
from brewslm.store.tables import Project, Run


class CreateRequest(Request):
    """A new project of this name; names are unique.

    Attributes:
        base_model: Its locator; left out: BREWSLM_BASE_MODEL, which is SmolLM2 from its package unless it was set.
    """

    name: str
    base_model: str | None = None


class ChangeRequest(ProjectRequest):
    """Give the project another base model. What was prepared for the former one must be prepared again."""

    base_model: str


def record(request: CreateRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write the project, and give the run its number.

    Raises:
        StageError(RunConflict): The name is taken.
        StageError(BaseModelNotFound): There is no such base model.
    """
    if session.scalar(select(Project.id).where(Project.name == request.name)) is not None:
        raise StageError(RunConflict(), f"project {request.name} was not created", cause="the name is taken")
    base = request.base_model or settings().base_model
    check_locator(base)
    project = Project(name=request.name, base_model=base)
    session.add(project)
    session.flush()
    run.project_id, run.result = project.id, {"project": project.id, "name": project.name, "base_model": base}
    project_folder(project.id).mkdir(parents=True, exist_ok=True)
    return ()


def change(request: ChangeRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write the base model; the run keeps the former one.

    Raises:
        StageError(BaseModelNotFound): There is no such base model.
    """
    check_locator(request.base_model)
    project = project_of(session, request.project)
    run.result = {"base_model": request.base_model, "former_base_model": project.base_model}
    project.base_model = request.base_model
    return ()
