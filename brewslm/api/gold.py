"""Gold sets: draft, import, review, lock, and looking at them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from brewslm.api.uploads import readable_path
from brewslm.api.work import ACTOR, Fields, Key, asked, queue
from brewslm.observe.gold import GoldRowView, GoldSetView, gold_rows, gold_set, gold_sets
from brewslm.pipeline import execute
from brewslm.pipeline.runs import RunView
from brewslm.rows.gold import RowState
from brewslm.stages.prepare.gold import (
    GoldDraftRequest,
    GoldImportRequest,
    GoldLockRequest,
    GoldReviewRequest,
    RowJudgement,
)

router = APIRouter(prefix="/api/projects/{project}/gold-sets", tags=["gold sets"])


class GoldDraftFields(Fields):
    """See gold.draft."""

    name: str


class GoldImportFields(Fields):
    """See gold.import."""

    manifest_version: int | None = None
    import_run: str | None = None
    adapter: str = "auto"
    rows: int | None = None
    sample: Literal["random", "stratified"] = "random"
    by: str | None = None
    seed: int = 42


class GoldReviewFields(Fields):
    """See gold.review."""

    reviewer: str
    reviews: list[RowJudgement]
    settle: bool = False


class GoldLockFields(Fields):
    """See gold.lock."""

    reviewers: int = 2


@router.get("", operation_id="gold.list")
def listed(project: int) -> list[GoldSetView]:
    """Every version of every gold set, with how far its review has come."""
    return gold_sets(project)


@router.post("", operation_id="gold.draft", status_code=201)
def draft(project: int, fields: GoldDraftFields, key: Key = None) -> GoldSetView:
    """Open the first version, or the next one, of a gold set."""
    execute.call(ACTOR, asked(GoldDraftRequest, project=project, name=fields.name), idempotency_key=key)
    return gold_set(project, fields.name)


@router.get("/{name}", operation_id="gold.show")
def show(project: int, name: str, version: int | None = None) -> GoldSetView:
    """One version, the newest when none is named: rows by state, reviewers, and how far they agree."""
    return gold_set(project, name, version)


@router.get("/{name}/rows", operation_id="gold.rows")
def rows(
    project: int, name: str, version: int | None = None, state: RowState | None = None, reviewer: str | None = None,
    offset: Annotated[int, Query(ge=0)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[GoldRowView]:  # fmt: skip
    """Rows of a version; with `reviewer`, those that wait for this person, without what others said."""
    return gold_rows(project, name, version, state, reviewer, offset, limit)


@router.post("/{name}/import", operation_id="gold.import", status_code=202)
def import_rows(project: int, name: str, response: Response, fields: GoldImportFields | None = None, key: Key = None) -> RunView:
    """Draw rows into the draft."""
    given: dict[str, Any] = dict(fields or GoldImportFields())
    if given["adapter"].endswith((".yaml", ".yml")):
        given["adapter"] = readable_path(given["adapter"])
    return queue(asked(GoldImportRequest, project=project, name=name, **given), key, response)


@router.post("/{name}/review", operation_id="gold.review")
def review(project: int, name: str, fields: GoldReviewFields, key: Key = None) -> GoldSetView:
    """Judge rows of the draft, all or none of them."""
    execute.call(ACTOR, asked(GoldReviewRequest, project=project, name=name, **dict(fields)), idempotency_key=key)
    return gold_set(project, name)


@router.post("/{name}/lock", operation_id="gold.lock")
def lock(project: int, name: str, fields: GoldLockFields | None = None, key: Key = None) -> GoldSetView:
    """Freeze the draft: prepare keeps its rows out of train from now on."""
    request = asked(GoldLockRequest, project=project, name=name, **dict(fields or GoldLockFields()))
    execute.call(ACTOR, request, idempotency_key=key)
    return gold_set(project, name)
