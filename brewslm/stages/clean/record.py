"""Put the cleaned folder in its place, and each document's report in its row."""

import shutil
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from sqlalchemy import update
from sqlalchemy.orm import Session

from brewslm.reasons import Reason
from brewslm.reasons.cleaning import CleaningCompleted, CleaningOutlierThresholdExceeded, CleaningPiiBlock
from brewslm.stages.clean.job import CleanResult
from brewslm.stages.clean.run import WORKPLACE
from brewslm.stages.clean.workplace import reports
from brewslm.store.files import project_folder, run_folder
from brewslm.store.tables import Document, Run

_BATCH = 200


def record(result: CleanResult, session: Session, run: Run) -> Sequence[Reason]:
    """Write the reports as they are read, and swap the folders: the former results stand until the transaction does."""
    assert run.project_id is not None
    folder = run_folder(run.id) / WORKPLACE
    rows = (
        {"id": one.document, "reason": one.reason, "cleaned": one.model_dump(mode="json", exclude={"document", "reason"})}
        for one in reports(folder)
    )
    while batch := list(islice(rows, _BATCH)):
        session.execute(update(Document), batch)
    session.flush()
    _install(folder / "cleaned", project_folder(run.project_id) / "cleaned")
    return _reasons(result)


def _install(made: Path, place: Path) -> None:
    """Swap the folders; a repeated execution finds it done."""
    if not made.exists():
        return
    old = place.with_name(".cleaned.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    made.rename(place)
    shutil.rmtree(old, ignore_errors=True)


def _reasons(result: CleanResult) -> list[Reason]:
    assert result.ledger is not None
    reasons: list[Reason] = [
        CleaningCompleted(
            documents=result.ledger.rows_out,
            rejected=result.ledger.rejected,
            chunks=result.chunks,
            pii_findings=result.pii_findings,
            ledger=result.ledger.counts(),
            preset=result.preset,
            preset_sha256=result.preset_sha256,
            pii=result.pii,
        )
    ]
    if result.blocked:
        reasons.append(
            CleaningPiiBlock(documents=result.blocked, document_ids=result.blocked_ids, findings=result.blocked_findings)
        )
    share = result.outliers / result.judged if result.judged else 0.0
    if share > result.outlier_threshold:
        reasons.append(
            CleaningOutlierThresholdExceeded(
                documents=result.judged,
                outliers=result.outliers,
                share=round(share, 4),
                threshold=result.outlier_threshold,
                document_ids=result.outlier_ids,
            )
        )
    return reasons
