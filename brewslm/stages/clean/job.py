"""clean.run: what is asked, what is frozen, what is left."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from brewslm.errors import StageError
from brewslm.filters.preset import CleaningPreset, cleaning_preset
from brewslm.models.catalogue import base_model
from brewslm.reasons.refusals import BaseModelNotFound, NothingToClean
from brewslm.rows.identity import canonical
from brewslm.rows.reasons import RowReason
from brewslm.stages.clean.personal import Policy
from brewslm.stages.contract import Job, ProjectRequest, Result
from brewslm.store.records import Records
from brewslm.store.secrets import secret_path
from brewslm.store.tables import Document

PresetName = Literal["documents", "web"]


class CleanRequest(ProjectRequest):
    """Clean all documents of the project anew.

    Attributes:
        preset: The rules: `documents` for a team's own, `web` for crawled pages.
        pii: What to do with personal data: put a placeholder such as [EMAIL] in its place, or a stand-in that is the same for
            the same value, or turn the document away.
    """

    preset: PresetName = "documents"
    pii: Policy = "redact"


@dataclass(frozen=True, slots=True)
class RawDocument:
    """A document as it was added; `path` is relative to the project's folder. A job holds all of them, so they are small."""

    id: int
    path: str
    content_hash: str
    media_type: str
    size_bytes: int
    is_forgotten: bool = False


class CleanJob(Job):
    """The documents and every figure that decides about them.

    Attributes:
        folder: The project's.
        documents: By their ids, ascending.
        preset_sha256: Of the preset's figures and the rules' name.
        pii_key: Where the project's secret is; the key itself stands in no job.
        base_model: Chunks are measured in its tokens.
        tokenizer: Its tokenizer.json.
    """

    folder: Path
    documents: list[RawDocument]
    pii: Policy
    pii_key: Path
    preset_name: PresetName
    preset: CleaningPreset
    preset_sha256: str
    base_model: str
    tokenizer: Path
    tokenizer_sha256: str


class CleanResult(Result):
    """What stands in `cleaned/`; each document's report is in the run's folder, and then in the document's row.

    Attributes:
        size_bytes: Of all documents.
        pii_findings: By type, over all documents.
        blocked, blocked_ids: Documents that the policy `block` turned away: how many, and the first of them.
        blocked_findings: By type, in those.
        judged: Documents that the outlier check looked at.
        outliers, outlier_ids: How many are far from the others, and the first of them.
        outlier_threshold: The share of the judged that may be.
    """

    preset: PresetName
    preset_sha256: str
    pii: Policy
    base_model: str
    size_bytes: int
    chunks: int
    pii_findings: dict[str, int]
    blocked: int
    blocked_ids: list[int]
    blocked_findings: dict[str, int]
    judged: int
    outliers: int
    outlier_ids: list[int]
    outlier_threshold: float


def resolve(request: CleanRequest, records: Records) -> CleanJob:
    """All documents, in the order in which they were added, and the tokenizer of the project's base model.

    Raises:
        StageError(NothingToClean): The project has none.
        StageError(BaseModelNotFound): The base model is gone, or has no tokenizer.json.
    """
    query = select(Document).where(Document.project_id == records.project_id).order_by(Document.id)
    documents = [
        RawDocument(one.id, one.path, one.content_hash, one.media_type, one.size_bytes, one.reason == RowReason.FORGOTTEN.value)
        for one in records.session.scalars(query)
    ]
    if not documents:
        raise StageError(NothingToClean(), where=f"project {records.project_id}")
    base, preset = base_model(records.base_locator(None)), cleaning_preset()
    tokenizer = base.folder / "tokenizer.json"
    if not tokenizer.is_file():
        raise StageError(BaseModelNotFound(), where=base.locator, cause="it has no tokenizer.json to measure chunks with")
    return CleanJob(
        folder=records.folder,
        documents=documents,
        pii=request.pii,
        pii_key=secret_path(records.project_id, "pii"),
        preset_name=request.preset,
        preset=preset,
        preset_sha256=_hash(preset, request.preset),
        base_model=base.locator,
        tokenizer=tokenizer,
        tokenizer_sha256=base.tokenizer_sha256,
    )


def _hash(preset: CleaningPreset, name: str) -> str:
    return hashlib.sha256(canonical({"name": name, "preset": preset.model_dump(mode="json")})).hexdigest()
