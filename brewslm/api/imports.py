"""What was imported, taking it back, and the rows that were rejected."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from brewslm.api.uploads import readable
from brewslm.api.work import ACTOR, Fields, Key, asked, queue
from brewslm.observe.imports import ConfigView, ImportView, as_lines, configs, imports, rejected_rows
from brewslm.pipeline.mapping_choice import row_reasons
from brewslm.pipeline.mending import planned_reimport
from brewslm.pipeline.runs import RunView
from brewslm.stages.mapping.undo import UndoRequest

router = APIRouter(prefix="/api", tags=["data"])


class ReimportFields(Fields):
    """Mended rows: mended: and the path that an upload answered."""

    locator: str


@router.get("/projects/{project}/imports", operation_id="import.list")
def listed(project: int) -> list[ImportView]:
    """The project's imports, undone ones too, oldest first."""
    return imports(project)


@router.get("/projects/{project}/import-configs", operation_id="import.configs")
def used_configs(project: int) -> list[ConfigView]:
    """The mappings that imports used."""
    return configs(project)


@router.post("/imports/{import_run}/undo", operation_id="import.undo", status_code=202)
def undo(import_run: str, response: Response, key: Key = None) -> RunView:
    """Take an import's rows out again: they count no more, and can be imported anew."""
    return queue(asked(UndoRequest, import_run=import_run), key, response)


@router.get(
    "/imports/{import_run}/rejected",
    operation_id="rejected.export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/jsonl": {}}, "description": "One rejected row a line"}},
)
def rejected(import_run: str, reason: Annotated[list[str], Query()] = []) -> StreamingResponse:  # noqa: B006 - FastAPI copies it
    """The rows that an import rejected, as JSON lines to be mended; those of some reasons, or all."""
    chosen = {one.value for one in row_reasons(reason)}
    return StreamingResponse(as_lines(rejected_rows(import_run, chosen)), media_type="application/jsonl")


@router.post("/imports/{import_run}/reimport", operation_id="rejected.reimport", status_code=202)
def reimport(import_run: str, fields: ReimportFields, response: Response, key: Key = None) -> RunView:
    """Import mended rows with the mapping of the import that rejected them."""
    return queue(planned_reimport(ACTOR, import_run, readable(fields.locator)), key, response)
