"""clean.run, stage 5: the project's documents → cleaned text, chunks, and what was found in each document."""

import hashlib
import math
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.filters.base import CleanedText, Filter, first_reason
from brewslm.filters.boilerplate import trim
from brewslm.filters.chunks import Chunk, chunks
from brewslm.filters.keep import GoodEnough, HasText, NoPersonalData, NotSeen
from brewslm.filters.language import LanguageAllowed, language_of
from brewslm.filters.mend import mend
from brewslm.filters.outliers import outliers
from brewslm.filters.pii import find_pii, redact
from brewslm.filters.preset import CleaningPreset, cleaning_preset
from brewslm.filters.quality import quality
from brewslm.filters.ruleset import ruleset
from brewslm.filters.words import WordStatistics
from brewslm.processes.context import Context
from brewslm.readers import Unreadable
from brewslm.readers.bounded import read_bounded
from brewslm.reasons import Reason
from brewslm.reasons.cleaning import CleaningCompleted, CleaningOutlierThresholdExceeded, CleaningPiiBlock
from brewslm.reasons.refusals import NothingToClean
from brewslm.rows import LedgerKeeper, RowReason, row_id
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.files import new_folder, project_folder, run_folder, sha256
from brewslm.store.records import Records
from brewslm.store.tables import Document, Run

CHUNKS = "chunks.jsonl"
Policy = Literal["redact", "block"]


class CleanRequest(ProjectRequest):
    """Clean all documents of the project anew.

    Attributes:
        pii: What to do with personal data: put a placeholder such as [EMAIL] in its place, or turn the document away.
    """

    pii: Policy = "redact"


class RawDocument(BaseModel):
    """A document as it was added."""

    model_config = ConfigDict(frozen=True)

    id: int
    path: Path
    content_hash: str
    media_type: str


class CleanJob(Job):
    """The documents and every figure that decides about them."""

    documents: list[RawDocument]
    pii: Policy
    preset: CleaningPreset


class DocumentReport(BaseModel):
    """What cleaning found in one document.

    Attributes:
        reason: Why it was turned away; None when it was kept.
        path: The cleaned text, relative to the project's folder.
        text_hash: SHA-256 of the cleaned text as UTF-8.
        findings: [{type, start, end}], in characters of the cleaned text, where the placeholders stand; under the policy
            `block` in characters of the mended text. Never a value.
        quality: 0 to 1, and its parts.
        markdown: Whether headings are lines that begin with `#`.
        notes: What the reader counted, such as pages without text.
    """

    model_config = ConfigDict(frozen=True)

    document: int
    reason: RowReason | None
    path: str | None = None
    text_hash: str | None = None
    raw_characters: int = 0
    markdown: bool = False
    notes: dict[str, int] = {}
    characters: int = 0
    chunks: int = 0
    mended_lines: int = 0
    trimmed_lines: int = 0
    findings: list[dict[str, Any]] = []
    quality: float = 0.0
    quality_parts: dict[str, float] = {}


class CleanResult(Result):
    """What stands in `cleaned/`, document by document."""

    pii: Policy
    documents: list[DocumentReport]
    chunks: int
    outlier_ids: list[int]
    judged: int
    """Documents that the outlier check looked at."""
    outlier_threshold: float
    """The share of them that may be outliers."""

    def shown(self) -> dict[str, Any]:
        """Without the documents: each has its report in its own row."""
        return self.model_dump(mode="json", exclude={"documents"})


def resolve(request: CleanRequest, records: Records) -> CleanJob:
    """All documents, in the order in which they were added.

    Raises:
        StageError(NothingToClean): The project has none.
    """
    query = select(Document).where(Document.project_id == records.project_id).order_by(Document.id)
    documents = [
        RawDocument(
            id=one.id,
            path=records.folder / one.path,
            content_hash=one.content_hash,
            media_type=one.media_type,
        )
        for one in records.session.scalars(query)
    ]
    if not documents:
        raise StageError(NothingToClean(), where=f"project {records.project_id}")
    return CleanJob(documents=documents, pii=request.pii, preset=cleaning_preset())


def run(job: CleanJob, context: Context) -> CleanResult:
    """Clean into the run's own folder: `record` puts it in its place when all went well."""
    keeper = LedgerKeeper()
    policy: tuple[Filter, ...] = (NoPersonalData(),) if job.pii == "block" else ()
    judges = (LanguageAllowed(job.preset.language.languages), *ruleset(job.preset.rules["documents"]))
    filters: tuple[Filter, ...] = (HasText(), *policy, *judges, GoodEnough(job.preset.minimum_quality), NotSeen())
    reports: list[DocumentReport] = []
    with new_folder(context.folder / "cleaned") as folder, (folder / CHUNKS).open("wb") as lines:
        for document in context.track(job.documents, len(job.documents), "documents"):
            keeper.enter()
            report, text = _clean(document, job, filters)
            if report.reason is not None:
                keeper.reject(report.reason)
            else:
                keeper.accept()
                (folder / f"{document.id}.txt").write_text(text, encoding="utf-8", newline="")
                parts = list(chunks(text, job.preset.chunk, report.markdown))
                lines.writelines(_line(document, report, index, part) for index, part in enumerate(parts))
                report = report.model_copy(update={"chunks": len(parts)})
            reports.append(report)
    judged = [report for report in reports if report.characters]
    return CleanResult(
        ledger=keeper.closed(),
        pii=job.pii,
        documents=reports,
        chunks=sum(report.chunks for report in reports),
        outlier_ids=_outlier_ids(judged, job.preset),
        judged=len(judged),
        outlier_threshold=job.preset.outlier.share,
    )


def _clean(document: RawDocument, job: CleanJob, filters: tuple[Filter, ...]) -> tuple[DocumentReport, str]:
    """One document's report, and its cleaned text ("" when it was turned away)."""
    if not document.path.is_file() or sha256(document.path) != document.content_hash:
        return DocumentReport(document=document.id, reason=RowReason.SOURCE_CHANGED), ""
    try:
        read = read_bounded(document.path, document.media_type)
    except Unreadable as refused:
        return DocumentReport(document=document.id, reason=refused.reason), ""
    mended = mend(read.text)
    trimmed = trim(mended, read.page_starts, job.preset)
    text, findings = trimmed.text, find_pii(trimmed.text, job.preset.pii)
    if job.pii == "redact":
        text, findings = redact(text, findings)
    words = WordStatistics(text)
    measured = quality(words, trimmed.share)
    language = language_of(text, job.preset.language).code
    reason = first_reason(filters, CleanedText(text, findings, measured, words, language))
    report = DocumentReport(
        document=document.id,
        reason=reason,
        path=None if reason else f"cleaned/{document.id}.txt",
        text_hash=None if reason else hashlib.sha256(text.encode()).hexdigest(),
        raw_characters=len(read.text),
        markdown=read.markdown,
        notes=read.notes,
        characters=len(text),
        mended_lines=mended.changed_lines,
        trimmed_lines=sum(trimmed.kinds.values()),
        findings=[asdict(finding) for finding in findings],
        quality=measured.score,
        quality_parts={name: round(part, 3) for name, part in asdict(measured).items()},
    )
    return report, "" if reason else text


def _line(document: RawDocument, report: DocumentReport, index: int, part: Chunk) -> bytes:
    """A chunk is (document, offsets); its row_id holds for as long as the cleaned text is the same."""
    assert report.text_hash is not None
    line = {"row_id": row_id(report.text_hash, part.start), "document": document.id, "index": index, **asdict(part)}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _outlier_ids(judged: list[DocumentReport], preset: CleaningPreset) -> list[int]:
    """Documents far from the others in quality, or in length on a logarithmic scale."""
    if len(judged) < preset.outlier.minimum_documents:
        return []
    lengths = [math.log(report.characters) for report in judged]
    qualities = [report.quality for report in judged]
    far = {*outliers(lengths, preset.outlier.deviations), *outliers(qualities, preset.outlier.deviations)}
    return [judged[place].document for place in sorted(far)]


def record(result: CleanResult, session: Session, run: Run) -> Sequence[Reason]:
    """Put the cleaned folder in its place and write each document's findings."""
    assert run.project_id is not None and result.ledger is not None
    for report in result.documents:
        document = session.get_one(Document, report.document)
        document.reason = report.reason
        document.cleaned = report.model_dump(mode="json", exclude={"document", "reason"})
    session.flush()
    _install(run_folder(run.id) / "cleaned", project_folder(run.project_id) / "cleaned")
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
    findings: Counter[str] = Counter(one["type"] for report in result.documents for one in report.findings)
    blocked = [report for report in result.documents if report.reason is RowReason.PII_BLOCK]
    reasons: list[Reason] = [
        CleaningCompleted(
            documents=result.ledger.rows_out,
            rejected=result.ledger.rejected,
            chunks=result.chunks,
            pii_findings=dict(findings),
            ledger=result.ledger.counts(),
        )
    ]
    if blocked:
        found = Counter(one["type"] for report in blocked for one in report.findings)
        reasons.append(CleaningPiiBlock(document_ids=[report.document for report in blocked], findings=dict(found)))
    share = len(result.outlier_ids) / result.judged if result.judged else 0.0
    if share > result.outlier_threshold:
        reasons.append(
            CleaningOutlierThresholdExceeded(
                documents=result.judged,
                outliers=len(result.outlier_ids),
                share=round(share, 4),
                threshold=result.outlier_threshold,
                document_ids=result.outlier_ids,
            )
        )
    return reasons
