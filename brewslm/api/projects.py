"""Projects."""

from fastapi import APIRouter, Response

from brewslm.api.uploads import readable_path
from brewslm.api.work import ACTOR, Fields, Key, asked
from brewslm.observe.projects import ProjectView, project_view, projects
from brewslm.observe.rowpassport import RowPassport, row_passport
from brewslm.observe.status import StatusView, status
from brewslm.pipeline import execute
from brewslm.stages.projects import ChangeRequest, CreateRequest

router = APIRouter(prefix="/api", tags=["projects"])


class CreateFields(Fields):
    """See project.create."""

    name: str
    base_model: str | None = None


class ChangeFields(Fields):
    """See project.change."""

    base_model: str


@router.get("/projects", operation_id="project.list")
def listed() -> list[ProjectView]:
    """Every project, oldest first."""
    return projects()


@router.post("/projects", operation_id="project.create", status_code=201)
def create(fields: CreateFields, response: Response, key: Key = None) -> ProjectView:
    """Create a project. It is there at once: there is nothing to wait for."""
    made = execute.call(
        ACTOR,
        asked(CreateRequest, name=fields.name, base_model=fields.base_model and readable_path(fields.base_model)),
        idempotency_key=key,
    )
    assert made.project is not None
    response.headers["Location"] = f"/api/projects/{made.project}"
    return project_view(made.project)


@router.get("/projects/{project}", operation_id="project.show")
def show(project: int) -> ProjectView:
    """One project."""
    return project_view(project)


@router.patch("/projects/{project}", operation_id="project.change")
def change(project: int, fields: ChangeFields, key: Key = None) -> ProjectView:
    """Give the project another base model. What was prepared for the former one must be prepared again."""
    execute.call(ACTOR, asked(ChangeRequest, project=project, base_model=readable_path(fields.base_model)), idempotency_key=key)
    return project_view(project)


@router.get("/projects/{project}/status", operation_id="project.status")
def lifecycle(project: int) -> StatusView:
    """The lifecycle map: each stage, its figure, and the next best step."""
    return status(project)


@router.get("/rows/{row_id}", operation_id="row.show")
def row(row_id: str) -> RowPassport:
    """The life of one row: its source line, mapping, split, training steps, answers."""
    return row_passport(row_id)
