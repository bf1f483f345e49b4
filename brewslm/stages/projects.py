"""project.create: a place for one team's data."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.refusals import RunConflict
from brewslm.stages.contract import Request
from brewslm.store.files import project_folder
from brewslm.store.tables import Project, Run


class CreateRequest(Request):
    """A new project of this name; names are unique."""

    name: str


def record(request: CreateRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write the project, and give the run its number.

    Raises:
        StageError(RunConflict): The name is taken.
    """
    if session.scalar(select(Project.id).where(Project.name == request.name)) is not None:
        raise StageError(RunConflict(), f"project {request.name} was not created", cause="the name is taken")
    project = Project(name=request.name)
    session.add(project)
    session.flush()
    run.project_id, run.result = project.id, {"project": project.id, "name": project.name}
    project_folder(project.id).mkdir(parents=True, exist_ok=True)
    return ()
