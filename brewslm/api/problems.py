"""Every error of the API as application/problem+json (RFC 9457), with the reason code as its type."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from brewslm.errors import StageError
from brewslm.pipeline.execute import RunFailed
from brewslm.reasons.refusals import InvalidRequest, MethodNotAllowed, RouteNotFound
from brewslm.reasons.system import RequestFailed

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """A problem document.

    Attributes:
        type: urn:brewslm:reason: and the code.
        code: The reason code; stable.
        title: What failed.
        detail: Where, and the measured cause.
        next_step: One thing to do.
        payload: The reason's fields.
        task_id: The run that failed, when there was one.
        errors: Each field that is not right, for invalid_request.
    """

    type: str
    code: str
    title: str
    status: int
    detail: str
    next_step: str
    payload: dict[str, Any]
    task_id: str | None = None
    errors: list[dict[str, str]] | None = None


def register(app: FastAPI) -> None:
    """Have the app answer every error so."""
    app.add_exception_handler(StageError, _stage_error)
    app.add_exception_handler(RunFailed, _run_failed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def respond(error: StageError, headers: dict[str, str] | None = None, **more: Any) -> JSONResponse:
    """The error as a response."""
    return JSONResponse(error.problem() | more, error.reason.status, headers=headers, media_type=MEDIA_TYPE)


def fields_of(error: RequestValidationError) -> list[dict[str, str]]:
    """Each field with its message; never the value that was sent, which may be anybody's data."""
    found = []
    for each in error.errors():
        place = [str(part) for part in each["loc"] if part not in ("body", "query", "path", "header")]
        found.append({"field": ".".join(place) or "body", "message": str(each["msg"])})
    return found


def _stage_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StageError)
    return respond(error)


def _run_failed(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RunFailed)
    return respond(error.error, task_id=error.view.task_id)


def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    fields = fields_of(error)
    said = "; ".join(f"{each['field']}: {each['message']}" for each in fields)
    problem = StageError(InvalidRequest(), "The request is not valid", cause=said, next_step="Mend the named fields.")
    return respond(problem, errors=fields)


def _http(request: Request, error: Exception) -> JSONResponse:
    """What the framework itself refuses: no such route, or not with this method, or a body that can't be read."""
    assert isinstance(error, HTTPException)
    reason = {404: RouteNotFound(), 405: MethodNotAllowed()}.get(error.status_code, InvalidRequest())
    problem = StageError(reason, where=f"{request.method} {request.url.path}", cause="" if reason.status < 406 else error.detail)
    return respond(problem, dict(error.headers or {}))


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the log has it, the caller gets none of our internals."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return respond(StageError(RequestFailed(error=type(error).__name__)))
