"""What is told of all documents together, in a few bytes a document."""

import math
from array import array
from collections import Counter

from brewslm.filters.outliers import outliers
from brewslm.rows.ledger import LedgerKeeper
from brewslm.rows.reasons import RowReason
from brewslm.stages.clean.job import CleanJob, CleanResult
from brewslm.stages.clean.report import DocumentReport

NAMED = 100
"""Documents that an event names; the rest it counts."""


class Summary:
    """Sums up reports, one by one."""

    def __init__(self) -> None:
        self._ledger = LedgerKeeper()
        self._size = self._chunks = self._blocked = 0
        self._findings: Counter[str] = Counter()
        self._blocked_findings: Counter[str] = Counter()
        self._blocked_ids: list[int] = []
        self._judged, self._lengths, self._qualities = array("q"), array("d"), array("d")

    def add(self, report: DocumentReport) -> None:
        """One document more."""
        self._ledger.enter()
        self._size += report.size_bytes
        self._chunks += report.chunks
        self._findings.update(report.finding_counts)
        if report.characters:
            self._judged.append(report.document)
            self._lengths.append(math.log(report.characters))
            self._qualities.append(report.quality)
        if report.reason is None:
            self._ledger.accept()
        else:
            self._ledger.reject(report.reason)
        if report.reason is RowReason.PII_BLOCK:
            self._blocked += 1
            self._blocked_findings.update(report.finding_counts)
            self._blocked_ids = [*self._blocked_ids, report.document][:NAMED]

    def result(self, job: CleanJob) -> CleanResult:
        """The sums."""
        far = self._outlier_ids(job)
        return CleanResult(
            ledger=self._ledger.closed(), preset=job.preset_name, preset_sha256=job.preset_sha256, pii=job.pii,
            base_model=job.base_model, size_bytes=self._size, chunks=self._chunks, pii_findings=dict(self._findings),
            blocked=self._blocked, blocked_ids=self._blocked_ids, blocked_findings=dict(self._blocked_findings),
            judged=len(self._judged), outliers=len(far), outlier_ids=far[:NAMED], outlier_threshold=job.preset.outlier.share,
        )  # fmt: skip

    def _outlier_ids(self, job: CleanJob) -> list[int]:
        """Documents far from the others in quality, or in length on a logarithmic scale."""
        preset = job.preset.outlier
        if len(self._judged) < preset.minimum_documents:
            return []
        far = {*outliers(self._lengths, preset.deviations), *outliers(self._qualities, preset.deviations)}
        return [self._judged[place] for place in sorted(far)]
