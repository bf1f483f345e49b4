"""How a route asks for work: it is queued, and the answer is 202 with the task to poll."""

from typing import Annotated, Any, TypeVar

from fastapi import Header, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, ValidationError

from brewslm.api.problems import MEDIA_TYPE, Problem
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.stages.contract import Request

ACTOR = "api"
Asked = TypeVar("Asked", bound=BaseModel)

Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=200, description="The same key with the same request gives the same task again."),
]

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {"model": Problem, "description": "A problem document", "content": {MEDIA_TYPE: {}}}
}


class Fields(BaseModel):
    """A request's body: its operation's fields without what the address says. Unknown fields are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asked(request: type[Asked], **fields: Any) -> Asked:
    """The operation's request.

    Raises:
        RequestValidationError: A field is not right; answered as invalid_request, as for a body that is not right.
    """
    try:
        return request(**fields)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def queue(request: Request, key: str | None, response: Response) -> RunView:
    """Queue it; the response says where to poll."""
    return accepted(execute.queue(ACTOR, request, idempotency_key=key), response)


def accepted(view: RunView, response: Response) -> RunView:
    """202 with the task's address."""
    response.status_code = 202
    response.headers["Location"] = f"/api/tasks/{view.task_id}"
    return view
