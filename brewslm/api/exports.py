"""Stage 10's bundles: what is in each, and its files."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from brewslm.observe.compression import promotions
from brewslm.observe.export_formats import FormatView, export_formats
from brewslm.observe.exports import BundleView, ExportView, bundle, bundle_file, exports

router = APIRouter(prefix="/api", tags=["deployment"])


@router.get("/projects/{project}/exports", operation_id="export.list")
def listed(
    project: int, before: int | None = None, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[ExportView]:  # fmt: skip
    """The project's exports, newest first, those that failed or still run among them."""
    return exports(project, before, limit)


@router.get("/exports/{export}", operation_id="export.show")
def one(export: str) -> BundleView:
    """One export: its variants, its files with size and hash, and its smoke-check trace."""
    return bundle(export)


@router.get("/exports/{export}/files/{path:path}", operation_id="export.download", response_class=FileResponse)
def download(export: str, path: str) -> FileResponse:
    """A file of the bundle, whole or in parts (Range)."""
    file = bundle_file(export, path)
    return FileResponse(file, filename=file.name)


@router.get("/experiments/{experiment_id}/formats", operation_id="export.formats")
def formats(experiment_id: str) -> list[FormatView]:
    """Every format, its size in about, and why this model can't have it."""
    return export_formats(experiment_id)


@router.get("/exports/{export}/promotions", operation_id="export.promotions")
def may_be_promoted(export: str) -> dict[str, str]:
    """Variant → why a deployment of it would not be promoted now; "" where nothing speaks against it."""
    return promotions(export)
