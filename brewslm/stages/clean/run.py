"""The loop over all documents, and the sum over their reports."""

from collections.abc import Iterable
from pathlib import Path

from brewslm.errors import StageError
from brewslm.processes.context import Context
from brewslm.reasons.refusals import BaseModelNotFound
from brewslm.stages.clean.document import DocumentCleaner
from brewslm.stages.clean.job import CleanJob, CleanResult
from brewslm.stages.clean.report import DocumentReport
from brewslm.stages.clean.summary import Summary
from brewslm.stages.clean.workplace import Workplace, reports
from brewslm.store.files import sha256

WORKPLACE = "cleaning"
"""The folder of the run's own in which documents are cleaned; `record` puts what is in it in its place."""


def run(job: CleanJob, context: Context) -> CleanResult:
    """Clean every document, from the last finished one on where a former attempt was cut off.

    Raises:
        StageError(BaseModelNotFound): The base model's tokenizer is not the one that was resolved.
    """
    if not job.tokenizer.is_file() or sha256(job.tokenizer) != job.tokenizer_sha256:
        raise StageError(BaseModelNotFound(), where=job.base_model, cause="its tokenizer.json was changed")
    folder = context.folder / WORKPLACE
    _clean(job, folder, context)
    return _summed(job, reports(folder))


def _clean(job: CleanJob, folder: Path, context: Context) -> None:
    with Workplace(folder, job.preset.near_duplicate) as place:
        cleaner = DocumentCleaner(job, place.exact, place.near, place.text_of)
        for document in context.track(job.documents, len(job.documents), "documents"):
            if document.id > place.done:
                place.finish(cleaner.clean(document))
        place.complete()


def _summed(job: CleanJob, found: Iterable[DocumentReport]) -> CleanResult:
    summary = Summary()
    for report in found:
        summary.add(report)
    return summary.result(job)
