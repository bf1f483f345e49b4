"""gold.lock: freeze the draft. From then on its hash is what it is, and prepare keeps its rows out of train."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import Field
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.eval import GoldSetLocked
from brewslm.reasons.refusals import GoldOneReviewer, GoldRowsDisputed, GoldRowsUnreviewed, GoldSetEmpty
from brewslm.rows import Ledger
from brewslm.rows.gold import GOLD_FILE, ROWS_FILE, GoldManifest
from brewslm.rows.manifest import PreparedFile
from brewslm.stages.contract import ProjectRequest
from brewslm.stages.prepare.gold.draft import GoldName
from brewslm.stages.prepare.gold.rows import ReviewedRow, agreement, draft_of, label_of, rows_of
from brewslm.store import tables
from brewslm.store.files import new_folder, project_folder, sha256, write_atomic, write_json

MOST_NAMED = 5
"""Rows that a refusal names."""


class GoldLockRequest(ProjectRequest):
    """Lock the draft of a gold set.

    Attributes:
        reviewers: How many people must have looked at each row; with 1 nobody checked, and the locked set says so.
    """

    name: GoldName
    reviewers: int = Field(default=2, ge=1, le=10)


def lock(request: GoldLockRequest, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Write gold.jsonl and gold.json, and enter their hash.

    Raises:
        StageError(UnknownGoldSet, GoldSetIsLocked, GoldSetEmpty): There is nothing to lock.
        StageError(GoldOneReviewer, GoldRowsUnreviewed, GoldRowsDisputed): People are not done with it.
    """
    gold_set = draft_of(session, request.project, request.name)
    rows = rows_of(session, gold_set)
    _ready(gold_set, rows, request.reviewers)
    kept = [row for row in rows if row.state != "rejected"]
    if not kept:
        raise StageError(GoldSetEmpty(), where=label_of(gold_set), cause=f"{len(rows):,} rows were drawn, and all rejected")
    path = Path("gold") / f"{gold_set.name}-v{gold_set.version}"
    with new_folder(project_folder(request.project) / path) as folder:
        write_atomic(folder / ROWS_FILE, b"".join(orjson.dumps(_line(row)) + b"\n" for row in kept))
        manifest = _manifest(gold_set, rows, kept, folder / ROWS_FILE, request.reviewers)
        write_json(folder / GOLD_FILE, manifest.model_dump(mode="json"))
        digest = sha256(folder / GOLD_FILE)
    gold_set.state, gold_set.path, gold_set.sha256, gold_set.locked_by = "locked", str(path / GOLD_FILE), digest, run.id
    kappas = [pair.kappa for pair in manifest.agreement if pair.kappa is not None]
    run.result = {"gold_set": label_of(gold_set), "sha256": digest, **manifest.model_dump(mode="json", include=_SHOWN)}
    return [
        GoldSetLocked(
            gold_set=label_of(gold_set), sha256=digest, rows=len(kept), rejected=len(rows) - len(kept),
            reviewers=len(manifest.reviewers), kappa=min(kappas, default=None),
        )
    ]  # fmt: skip


_SHOWN = {"rows", "corrected", "reviewers", "agreement", "ledger"}


def _ready(gold_set: tables.GoldSet, rows: Sequence[ReviewedRow], reviewers: int) -> None:
    if not rows:
        raise StageError(GoldSetEmpty(), where=label_of(gold_set), cause="no row was drawn yet")
    people = set[str]().union(*(row.reviewers for row in rows))
    waiting = [row.row_id for row in rows if len(row.reviewers) < reviewers]
    if reviewers > 1 and len(people) == 1 and all(row.reviewers for row in rows):
        cause = f"{people.pop()} reviewed all {len(rows):,} rows, and nobody else any"
        raise StageError(GoldOneReviewer(), where=label_of(gold_set), cause=cause)
    if waiting:
        cause = f"{len(waiting):,} of {len(rows):,} rows were not reviewed by {reviewers}: {_some(waiting)}"
        raise StageError(GoldRowsUnreviewed(), where=label_of(gold_set), cause=cause)
    disputed = [row.row_id for row in rows if row.state == "disputed"]
    if disputed:
        raise StageError(GoldRowsDisputed(), where=label_of(gold_set), cause=f"{len(disputed):,} rows: {_some(disputed)}")


def _some(row_ids: Sequence[str]) -> str:
    return ", ".join(row_ids[:MOST_NAMED]) + (" …" if len(row_ids) > MOST_NAMED else "")


def _line(row: ReviewedRow) -> dict[str, Any]:
    line = {"row_id": row.row_id, "payload": row.judged}
    return line | ({"former": row.payload} if row.judged != row.payload else {})


def _manifest(
    gold_set: tables.GoldSet, rows: Sequence[ReviewedRow], kept: Sequence[ReviewedRow], path: Path, reviewers: int
) -> GoldManifest:
    assert gold_set.task_profile is not None and gold_set.adapter_preset is not None
    rejected = len(rows) - len(kept)
    return GoldManifest(
        project=gold_set.project_id, name=gold_set.name, version=gold_set.version, task_profile=gold_set.task_profile,
        adapter_preset=gold_set.adapter_preset, created_at=gold_set.created_at.isoformat(timespec="seconds"),
        reviewers=sorted(set[str]().union(*(row.reviewers for row in rows))), wanted_reviewers=reviewers,
        agreement=agreement(rows, gold_set), corrected=sum(row.state == "corrected" for row in kept),
        rows=len(kept), file=PreparedFile(path=ROWS_FILE, sha256=sha256(path), size_bytes=path.stat().st_size),
        ledger=Ledger(rows_in=len(rows), rows_out=len(kept), rejected={"gold_rejected": rejected} if rejected else {}),
    )  # fmt: skip
