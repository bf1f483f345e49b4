"""Stages 1 to 5: sources, mapping, documents, cleaning."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, UploadFile

from brewslm.api.uploads import kept, readable, uploads_folder
from brewslm.api.work import ACTOR, Fields, Key, asked, queue
from brewslm.observe.connectors import ConnectorView, MapperView, connectors, mappers
from brewslm.observe.document_text import DocumentText, document_text
from brewslm.observe.documents import DocumentView, documents
from brewslm.observe.health import HealthReport, data_health
from brewslm.observe.projects import project_view
from brewslm.pipeline.importing import Imported, import_rows, introspect_locator, planned_import
from brewslm.pipeline.mapping_choice import ImportRequest
from brewslm.pipeline.runs import RunView
from brewslm.stages.clean import CleanRequest, Policy, PresetName
from brewslm.stages.documents import AddRequest
from brewslm.stages.ingest import IngestRequest
from brewslm.stages.introspect import Introspection
from brewslm.stages.mapping import CommitRequest

router = APIRouter(prefix="/api", tags=["data"])


class LocatorFields(Fields):
    """A source; a path in it is taken from the uploads."""

    locator: str


class IngestFields(LocatorFields):
    """See ingest.run."""

    limit: Annotated[int | None, Query(ge=1)] = None


class ImportFields(LocatorFields):
    """As `brewslm map`: `auto` takes the proposal, or `mapper` and `field_map` say the mapping outright."""

    mapper: str | None = None
    field_map: dict[str, str] = {}
    config: int | None = None
    auto: bool = False
    force: bool = False
    limit: Annotated[int | None, Query(ge=1)] = None
    drop: list[str] = []
    gold: bool = False


class CleanFields(Fields):
    """See clean.run."""

    preset: PresetName = "documents"
    pii: Policy = "redact"


@router.get("/dataset-import/sources", operation_id="source.list")
def sources() -> list[ConnectorView]:
    """The schemes of source locators, and the samples."""
    return connectors()


@router.get("/dataset-import/mappers", operation_id="mapper.list")
def known_mappers() -> list[MapperView]:
    """The mappers, their fields and options."""
    return mappers()


@router.post("/dataset-import/introspect", operation_id="introspect")
def introspect(fields: LocatorFields) -> Introspection:
    """What a source's columns are, and how they could be mapped. A read: it needs no project, and writes nothing."""
    return introspect_locator(readable(fields.locator))


@router.post("/projects/{project}/ingest", operation_id="ingest.run", status_code=202)
def ingest(project: int, fields: IngestFields, response: Response, key: Key = None) -> RunView:
    """Keep a source in the project, by the hash of its content."""
    return queue(asked(IngestRequest, project=project, locator=readable(fields.locator), limit=fields.limit), key, response)


@router.post("/projects/{project}/dataset-import/preview", operation_id="map.preview")
def preview(project: int, fields: ImportFields) -> Imported:
    """Dry run: every row mapped, none appended. The source is kept in the project."""
    return import_rows(ACTOR, _import(project, fields))


@router.post("/projects/{project}/dataset-import/run", operation_id="map.commit", status_code=202)
def commit(project: int, fields: ImportFields, response: Response, key: Key = None) -> RunView:
    """Map a source, and append its rows. A mapping that is not sure enough is refused before anything is queued."""
    planned = planned_import(ACTOR, _import(project, fields))
    return queue(asked(CommitRequest, **planned.request.model_dump()), key, response)


@router.get("/projects/{project}/documents", operation_id="documents.list")
def listed(project: int) -> list[DocumentView]:
    """The project's documents, and what cleaning found in them."""
    return documents(project)


@router.get("/projects/{project}/documents/{document}/text", operation_id="documents.text")
def text(project: int, document: int, start: Annotated[int, Query(ge=0)] = 0) -> DocumentText:
    """A stretch of a cleaned document, from a character on; what stands for personal data has its kind beside it."""
    return document_text(project, document, start)


@router.post("/projects/{project}/documents", operation_id="documents.add", status_code=202)
def add(project: int, files: list[UploadFile], response: Response, key: Key = None) -> RunView:
    """Upload documents into the project: PDF, .docx, HTML, .eml, Markdown, text."""
    project_view(project)
    paths = [str(uploads_folder() / kept(file).path) for file in files]
    return queue(asked(AddRequest, project=project, paths=paths), key, response)


@router.post("/projects/{project}/clean", operation_id="clean.run", status_code=202)
def clean(project: int, response: Response, fields: CleanFields | None = None, key: Key = None) -> RunView:
    """Clean all documents of the project anew."""
    return queue(asked(CleanRequest, project=project, **dict(fields or CleanFields())), key, response)


@router.get("/projects/{project}/data-health", operation_id="data.health")
def health(project: int) -> HealthReport:
    """What is wrong with the project's data, from import to manifest, and what to do about it."""
    return data_health(project)


def _import(project: int, fields: ImportFields) -> ImportRequest:
    given: dict[str, Any] = dict(fields) | {"locator": readable(fields.locator)}
    return asked(ImportRequest, project=project, **given)
