"""Stage 6: prepare, and the data manifests."""

from typing import Any

from fastapi import APIRouter, Response

from brewslm.api.uploads import readable_path
from brewslm.api.work import ACTOR, Fields, Key, asked, queue
from brewslm.observe.adapters import AdapterView, adapters
from brewslm.observe.lmeval import LmEvalTask, lm_eval
from brewslm.observe.manifests import ManifestDiff, ManifestSummary, ManifestView, manifest, manifest_diff, manifests
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.stages.prepare import ActivateRequest, PrepareRequest

router = APIRouter(prefix="/api", tags=["data"])


class PrepareFields(Fields):
    """See prepare.run; `adapter` may be the path of a YAML file that the API may read."""

    task_profile: str | None = None
    adapter: str = "auto"
    train_rows: int | None = None
    dev_rows: int | None = None
    dev_share: float | None = None
    eval_rows: int | None = None
    eval_share: float | None = None
    seed: int = 42
    group_by: str | None = None
    time_by: str | None = None
    resplit: bool = False
    max_tokens: int | None = None
    pii: str = "report"
    contexts: int = 0


@router.get("/adapters", operation_id="adapter.list")
def known_adapters() -> list[AdapterView]:
    """The adapter presets: from a row's columns to the fields of a task profile."""
    return adapters()


@router.post("/projects/{project}/dataset/prepare", operation_id="prepare.run", status_code=202)
def prepare(project: int, response: Response, fields: PrepareFields | None = None, key: Key = None) -> RunView:
    """Freeze the project's rows as a data manifest."""
    given: dict[str, Any] = dict(fields or PrepareFields())
    if given["adapter"].endswith((".yaml", ".yml")):
        given["adapter"] = readable_path(given["adapter"])
    return queue(asked(PrepareRequest, project=project, **given), key, response)


@router.get("/projects/{project}/manifests", operation_id="manifest.list")
def listed(project: int) -> list[ManifestSummary]:
    """The project's data manifests, newest first."""
    return manifests(project)


@router.get("/projects/{project}/manifests/{version}", operation_id="manifest.show")
def show(project: int, version: int) -> ManifestView:
    """One version: the manifest, its statistics and its dataset card. Every file of it is verified."""
    return manifest(project, version)


@router.get("/projects/{project}/manifests/{version}/lm-eval", operation_id="manifest.lm_eval")
def as_lm_eval_task(project: int, version: int) -> LmEvalTask:
    """The held-out rows as a task of lm-evaluation-harness: its YAML, and the lines of the rows.jsonl that it reads."""
    return lm_eval(project, version)


@router.get("/projects/{project}/manifests/{before}/diff/{after}", operation_id="manifest.diff")
def diff(project: int, before: int, after: int) -> ManifestDiff:
    """What is different between two versions, row by row."""
    return manifest_diff(project, before, after)


@router.post("/projects/{project}/manifests/{version}/activate", operation_id="manifest.activate")
def activate(project: int, version: int, key: Key = None) -> ManifestView:
    """Take a version into use again."""
    execute.call(ACTOR, asked(ActivateRequest, project=project, version=version), idempotency_key=key)
    return manifest(project)
