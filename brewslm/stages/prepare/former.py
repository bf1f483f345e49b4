"""Which rows stood in the manifest before this one."""

from typing import TYPE_CHECKING, Any

from brewslm.errors import StageError
from brewslm.reasons.refusals import NotPrepared
from brewslm.rows import RowFile
from brewslm.rows.identity import id_parts, source_key
from brewslm.rows.manifest import PreparedData
from brewslm.stages.prepare.candidates import Candidates
from brewslm.stages.prepare.job import PrepareJob

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


def read_former(job: PrepareJob) -> PreparedData | None:
    """The manifest in use, whose split goes on; None where there is none, or none that this version of the product reads.

    Raises:
        StageError(ManifestMismatch): A file of it was changed, and it was not asked to draw the split anew.
    """
    if job.former is None or job.request.resplit:
        return None
    try:
        return PreparedData(job.former.path, job.former.sha256)
    except StageError as error:
        if isinstance(error.reason, NotPrepared):
            return None
        next_step = "Put the file back, or prepare with --resplit: rows may then change sides."
        raise StageError(
            error.reason, "the split in use can't go on", where=error.where, cause=error.cause, next_step=next_step
        ) from error


def standing_before(former: PreparedData | None, candidates: Candidates, rows: int) -> "Array":
    """For each candidate whether it was in train, dev or eval of the former manifest: booleans."""
    import numpy as np

    standing = np.zeros(rows, bool)
    if former is None:
        return standing
    folder = former.path.parent
    files = [RowFile(folder / split.path) for split in former.manifest.splits.values()]
    known: dict[int, list[Any]] = {}
    for place, candidate in enumerate(candidates):
        source, position = id_parts(candidate.row_id)
        key = source_key(source)
        if key not in known:
            everything = [(0, 1 << 62)]
            known[key] = [file.index.positions(key, everything) for file in files]
        at = np.array([position], "<u8")
        standing[place] = any(bool(found) and bool(found.has(at)[0]) for found in known[key])
    return standing
