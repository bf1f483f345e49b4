"""Projects."""

from fastapi import APIRouter, Response

from brewslm.api.uploads import readable_path
from brewslm.api.work import ACTOR, Fields, Key, asked, queue
from brewslm.errors import StageError
from brewslm.observe.forgetting import forget_plan
from brewslm.observe.goals import GoalView, goals
from brewslm.observe.projects import ProjectView, project_view, projects
from brewslm.observe.rowpassport import RowPassport, row_passport
from brewslm.observe.status import StatusView, status
from brewslm.pipeline import execute
from brewslm.pipeline.forget import ForgetPlan, ForgetRequest
from brewslm.pipeline.runs import RunView
from brewslm.reasons.refusals import InvalidRequest
from brewslm.stages.projects import ChangeRequest, CreateRequest

router = APIRouter(prefix="/api", tags=["projects"])


class ForgetFields(Fields):
    """See row.forget; `confirm` is the row's id."""

    confirm: str
    equal: bool = False


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


@router.get("/goals", operation_id="goal.list")
def known_goals() -> list[GoalView]:
    """What a model can be made to do: each task profile in words, what its rows hold, and the base models for it."""
    return goals()


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


@router.get("/rows/{row_id}/forgetting", operation_id="row.forget_plan")
def planned_forgetting(row_id: str, equal: bool = False) -> ForgetPlan:
    """What forgetting the row would change, and what has seen it. It changes nothing."""
    return forget_plan(row_id, equal)


@router.post("/rows/{row_id}/forgetting", operation_id="row.forget", status_code=202)
def forget(row_id: str, fields: ForgetFields, response: Response, key: Key = None) -> RunView:
    """Remove the row's text wherever it lies in its project. It can't be undone, so the body says the id once more."""
    if fields.confirm != row_id:
        cause = "confirm has to be the row's id"
        raise StageError(InvalidRequest(), "The row was not forgotten", where=row_id, cause=cause)
    return queue(asked(ForgetRequest, row_id=row_id, equal=fields.equal), key, response)
