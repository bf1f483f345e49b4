"""What the data health report is judged by, read from tables and row files once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.observe.health.limits import NAMED
from brewslm.observe.manifests import manifest
from brewslm.reasons.refusals import NotPrepared
from brewslm.rows import RowFile
from brewslm.rows.reasons import RowReason
from brewslm.store.database import reading
from brewslm.store.files import project_folder
from brewslm.store.records import imports_of, live_spans, project_of
from brewslm.store.tables import Document, Run, Source


@dataclass(frozen=True)
class ImportFacts:
    """An import that counts.

    Attributes:
        rows: That came in, those that could not be parsed included.
        unparseable, rejected: Rows by reason.
        rejected_ids: By reason, the first of them.
    """

    run_id: str
    locator: str
    rows: int
    unparseable: dict[str, int]
    rejected: dict[str, int]
    rejected_ids: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class DocumentFacts:
    """A cleaned or rejected document; findings by type."""

    id: int
    reason: str | None
    findings: dict[str, int] = field(default_factory=dict)
    rules_failed: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparedFacts:
    """The manifest in use.

    Attributes:
        rows: Of each split.
        rows_in: That prepare saw.
        rejected, rejected_ids: As of an import.
    """

    version: int
    task_profile: str
    rows: dict[str, int]
    rows_in: int
    rejected: dict[str, int]
    rejected_ids: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class HealthFacts:
    """One project at one moment.

    Attributes:
        profiles: Rows that count, by task profile.
        labels: Rows that have a label, by it.
    """

    project: int
    imports: Sequence[ImportFacts] = ()
    documents: Sequence[DocumentFacts] = ()
    profiles: dict[str, int] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    prepared: PreparedFacts | None = None


_UNPARSEABLE = frozenset(reason.value for reason in list(RowReason)[: list(RowReason).index(RowReason.MISSING_TEXT)])
"""What a connector says of a row, and no mapper: the first part of the list."""


def health_facts(project: int) -> HealthFacts:
    """Read them: the rows that count are read once, in constant memory.

    Raises:
        StageError(UnknownProject): There is none of this number.
        StageError(ManifestMismatch): A file of the manifest in use was changed.
    """
    folder = project_folder(project)
    with reading() as session:
        project_of(session, project)
        imports = _imports(session, project, folder)
        query = select(Document).where(Document.project_id == project, Document.cleaned.is_not(None)).order_by(Document.id)
        documents = [_document(one) for one in session.scalars(query) if one.cleaned is not None]
        spans = live_spans(session, project)
    profiles, labels = _shape(folder, spans)
    return HealthFacts(project, imports, documents, profiles, labels, _prepared(project, folder))


def _imports(session: Session, project: int, folder: Path) -> list[ImportFacts]:
    found = []
    for one in imports_of(session, project):
        run, source = session.get(Run, one.run_id), session.get(Source, one.source_id)
        if one.undone_by is None and run is not None and source is not None:
            counts: dict[str, int] = (run.result or {}).get("rejection_counts", {})
            found.append(
                ImportFacts(
                    run_id=one.run_id,
                    locator=source.locator,
                    rows=one.accepted_count + one.rejected_count,
                    unparseable={reason: count for reason, count in counts.items() if reason in _UNPARSEABLE},
                    rejected={reason: count for reason, count in counts.items() if reason not in _UNPARSEABLE},
                    rejected_ids=_first_ids(folder / "rejected" / f"{one.run_id}.jsonl", counts),
                )
            )
    return found


def _first_ids(path: Path, counts: dict[str, int]) -> dict[str, list[str]]:
    """The first rows of each reason; no further is read than it takes."""
    wanted = {reason: min(count, NAMED) for reason, count in counts.items() if count}
    found: dict[str, list[str]] = {reason: [] for reason in wanted}
    missing = sum(wanted.values())
    rows = RowFile(path).rows() if path.exists() else iter(())
    while missing and (row := next(rows, None)) is not None:
        ids = found.get(row["reason"])
        if ids is not None and len(ids) < wanted[row["reason"]]:
            ids.append(row["row_id"])
            missing -= 1
    return found


def _document(one: Document) -> DocumentFacts:
    report = one.cleaned or {}
    return DocumentFacts(one.id, one.reason, report.get("finding_counts", {}), tuple(report.get("rules_failed", ())))


def _shape(folder: Path, spans: list[tuple[int, int]]) -> tuple[dict[str, int], dict[str, int]]:
    profiles: Counter[str] = Counter()
    labels: Counter[str] = Counter()
    path = folder / "synthetic" / "synthetic.jsonl"
    for row in RowFile(path).rows(spans) if path.exists() and spans else ():
        profiles[row["task_profile"]] += 1
        label = row["payload"].get("label")
        if isinstance(label, str):
            labels[label] += 1
    return dict(profiles), dict(labels)


def _prepared(project: int, folder: Path) -> PreparedFacts | None:
    try:
        found = manifest(project).manifest
    except StageError as none:
        if not isinstance(none.reason, NotPrepared):
            raise
        return None
    ledger = found.ledger
    ids = _first_ids(folder / "prepared" / f"v{found.version}" / "rejected.jsonl", ledger.rejected)
    return PreparedFacts(found.version, found.task_profile, found.rows, ledger.rows_in, ledger.rejected, ids)
