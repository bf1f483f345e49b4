"""Failure clusters: failed runs, told together where they are one fault."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from brewslm.observe.clusters import (
    PAGE,
    FailureCluster,
    FailureClusterDetail,
    FailureExemplar,
    cluster,
    clusters,
    occurrences,
)
from brewslm.reasons import Stage

router = APIRouter(prefix="/api", tags=["audit"])
Limit = Annotated[int, Query(ge=1, le=500)]
Since = Annotated[datetime | None, Query(description="Of this moment and later alone; without a zone, it is UTC.")]


@router.get("/failures", operation_id="failure.everywhere")
def everywhere(
    stage: Stage | None = None, code: str | None = None, since: Since = None, warnings: bool = False, limit: Limit = PAGE
) -> list[FailureCluster]:
    """Failure clusters of every project, those that were met last first."""
    return clusters(stage=stage, code=code, since=since, warnings=warnings, limit=limit)


@router.get("/projects/{project}/failures", operation_id="failure.list")
def listed(
    project: int,
    stage: Stage | None = None,
    code: str | None = None,
    since: Since = None,
    warnings: bool = False,
    limit: Limit = PAGE,
) -> list[FailureCluster]:
    """A project's failure clusters, those that were met last first."""
    return clusters(project, stage=stage, code=code, since=since, warnings=warnings, limit=limit)


@router.get("/projects/{project}/failures/{cluster_id}", operation_id="failure.show")
def show(project: int, cluster_id: str) -> FailureClusterDetail:
    """One cluster: its events, its counts over time, and what changed before the next success."""
    return cluster(cluster_id, project)


@router.get("/projects/{project}/failures/{cluster_id}/events", operation_id="failure.events")
def events(
    project: int, cluster_id: str, before: int | None = None, after: int | None = None, limit: Limit = PAGE
) -> list[FailureExemplar]:
    """A cluster's events, newest first; the page before or after an event's id."""
    return occurrences(cluster_id, project, before=before, after=after, limit=limit)
