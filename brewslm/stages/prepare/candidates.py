"""Every row of the project as prepare sees it, in one order: the rows of the synthetic file, then the chunks of documents."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from brewslm.handlers import handler_if_any
from brewslm.media import is_media
from brewslm.rows import RowFile, RowReason
from brewslm.rows.forgetting import is_forgotten
from brewslm.rows.manifest import OutputSchema
from brewslm.stages.prepare.adapters import AdapterPreset, as_text
from brewslm.stages.prepare.columns import SourceColumn
from brewslm.stages.prepare.contexts import Passages
from brewslm.stages.prepare.job import PrepareJob

CHUNK_PROFILE = "language_modeling"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One row.

    Attributes:
        adapted: Its canonical fields; {} where there is a reason.
        group: What must stay on one side with it; "" for its own text.
        origin: The import that it came from; "clean" for a chunk.
    """

    row_id: str
    adapted: dict[str, Any]
    reason: RowReason | None
    group: str
    is_gold: bool
    origin: str


class Candidates:
    """Reads the same rows, in the same order, as often as they are asked for; in constant memory."""

    def __init__(self, job: PrepareJob, preset: AdapterPreset) -> None:
        self._job, self._preset = job, preset
        self._handler = handler_if_any(preset.task_profile, OutputSchema(scoring_mode=preset.scoring_mode))
        self._gold = {one.run_id for one in job.imports if one.is_gold}
        self._passages = Passages(job.chunks, job.request.contexts) if job.request.contexts else None

    @property
    def grouped(self) -> bool:
        """Whether rows of one group stay on one side; a time is none."""
        return self._job.request.group_by is not None

    def __iter__(self) -> Iterator[Candidate]:
        request = self._job.request
        column = request.time_by or (request.group_by if request.group_by != "document" else None)
        groups = SourceColumn(self._job.imports, column) if column else None
        for row in RowFile(self._job.synthetic).rows(self._job.spans):
            group = groups.of(row) if groups else ""
            yield self._candidate(row["row_id"], row["task_profile"], row["payload"], group, row["import_run"])
        for chunk in RowFile(self._job.chunks).rows():
            document = f"document {chunk['document']}"
            yield self._candidate(chunk["row_id"], CHUNK_PROFILE, {"text": chunk["text"]}, document, "clean")

    def _candidate(self, row_id: str, profile: str, payload: dict[str, Any], group: str, origin: str) -> Candidate:
        if is_forgotten(payload) or payload == {"text": ""}:
            return Candidate(row_id, {}, RowReason.FORGOTTEN, group, origin in self._gold, origin)
        adapted = None
        if profile in self._preset.accepts:
            if self._passages and "context" not in payload and "question" in payload:
                payload = self._passages.added(payload)
            adapted = self._preset.adapt(payload)
        reason = None
        if adapted is None:
            reason = RowReason.PROFILE_MISMATCH
        elif not self._preset.target(adapted).strip():
            reason = RowReason.NOTHING_SUPERVISED
        elif self._handler is not None:
            reason = self._handler.check(adapted)
        return Candidate(row_id, adapted or {}, reason, group, origin in self._gold, origin)


def dominant_profile(job: PrepareJob) -> str:
    """The task profile of most rows; that of chunks where there are no other rows."""
    seen: Counter[str] = Counter(row["task_profile"] for row in RowFile(job.synthetic).rows(job.spans))
    return min(seen, key=lambda profile: (-seen[profile], profile)) if seen else CHUNK_PROFILE


def fitting_preset(job: PrepareJob, known: Mapping[str, AdapterPreset]) -> str:
    """Of presets of one task profile the one that reads most rows; of equal ones the first by name."""
    read: Counter[str] = Counter()
    for row in RowFile(job.synthetic).rows(job.spans):
        read.update(
            name
            for name, preset in known.items()
            if row["task_profile"] in preset.accepts and preset.adapt(row["payload"]) is not None
        )
    return min(known, key=lambda name: (-read[name], name))


def texts_in(adapted: dict[str, Any]) -> str:
    """All that a row says in words, for what reads it as one text."""
    return "\n".join(as_text(value) for value in adapted.values() if not is_media(value))
