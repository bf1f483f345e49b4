"""Stages 3 and 4: the dry run and the commit, which are one and the same `map_rows` with other files in its hands."""

from brewslm.stages.mapping.commit import CommitRequest, CommitResult
from brewslm.stages.mapping.job import MapJob, MapRequest, resolve
from brewslm.stages.mapping.preview import Preview, preview

__all__ = ["CommitRequest", "CommitResult", "MapJob", "MapRequest", "Preview", "preview", "resolve"]
