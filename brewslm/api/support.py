"""Support bundles: made as a task, fetched by a link that ends by itself."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import FileResponse

from brewslm.api.work import Fields, Key, asked, queue
from brewslm.observe.support import (
    SupportBundleView,
    SupportContents,
    linked_file,
    support_bundle,
    support_bundles,
    support_contents,
)
from brewslm.pipeline.runs import RunView
from brewslm.pipeline.support import SupportBundleRequest
from brewslm.pipeline.support.bundle import MEGABYTES

router = APIRouter(prefix="/api", tags=["support"])


class SupportBundleFields(Fields):
    """See support.bundle."""

    run: str | None = None
    megabytes: int = MEGABYTES


@router.post("/projects/{project}/support-bundles", operation_id="support.bundle", status_code=202)
def make(project: int, response: Response, fields: SupportBundleFields | None = None, key: Key = None) -> RunView:
    """Write a support bundle: redacted, without any row's text, readable offline."""
    return queue(asked(SupportBundleRequest, project=project, **dict(fields or {})), key, response)


@router.get("/projects/{project}/support-contents", operation_id="support.contents")
def contents(project: int, run: str | None = None) -> SupportContents:
    """What a bundle would hold if it were made now; nothing is made."""
    return support_contents(project, run)


@router.get("/projects/{project}/support-bundles", operation_id="support.list")
def listed(project: int) -> list[SupportBundleView]:
    """The project's bundles, newest first."""
    return support_bundles(project)


@router.get("/support-bundles/{task_id}", operation_id="support.link")
def link(task_id: str) -> SupportBundleView:
    """A bundle, with a new link to its file that is good for a day."""
    return support_bundle(task_id)


@router.get("/support-bundles/{task_id}/file", operation_id="support.download", response_class=FileResponse)
def download(task_id: str, token: Annotated[str, Query(max_length=1000)]) -> FileResponse:
    """The zip, by the link of support.link; 410 when the link is over, 403 when it is not ours."""
    path = linked_file(task_id, token)
    return FileResponse(path, media_type="application/zip", filename=path.name, headers={"Cache-Control": "no-store"})
