"""Read-only views of a project's gold sets."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.rows.gold import PairAgreement as PairAgreement  # what a set says of two reviewers: part of this view
from brewslm.rows.gold import RowState, RowVerdict
from brewslm.stages.prepare.gold.rows import ReviewedRow, agreement, label_of, rows_of
from brewslm.store.database import reading
from brewslm.store.records import gold_set_of, project_of
from brewslm.store.tables import GoldSet


class GoldSetView(BaseModel):
    """A version of a gold set.

    Attributes:
        gold_set: Such as "support@2".
        state: "draft" or "locked".
        rows: Rows by their state: unreviewed, accepted, corrected, rejected, disputed.
        reviewers: Rows that each reviewer looked at.
        agreement: Of each two reviewers, before anything was settled.
        sha256: Of its gold.json, once it is locked.
    """

    gold_set: str
    state: str
    task_profile: str | None
    rows: dict[str, int]
    reviewers: dict[str, int]
    agreement: list[PairAgreement]
    sha256: str | None
    locked_by: str | None
    created_at: datetime


class ReviewView(BaseModel):
    """What a reviewer said; `payload` is the whole row as it should be, where it was corrected."""

    reviewer: str
    verdict: RowVerdict
    payload: dict[str, Any] | None
    settles: bool


class GoldRowView(BaseModel):
    """A row; `judged` is how its reviewers left it."""

    row_id: str
    origin: str
    state: RowState
    payload: dict[str, Any]
    judged: dict[str, Any]
    reviews: list[ReviewView]


def gold_sets(project: int) -> list[GoldSetView]:
    """Every version of every gold set, by name, newest first.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        project_of(session, project)
        query = select(GoldSet).where(GoldSet.project_id == project).order_by(GoldSet.name, GoldSet.version.desc())
        return [_view(session, one) for one in session.scalars(query)]


def gold_set(project: int, name: str, version: int | None = None) -> GoldSetView:
    """One version, the newest when none is named.

    Raises:
        StageError(UnknownGoldSet): There is none.
    """
    with reading() as session:
        return _view(session, gold_set_of(session, project, name, version))


def gold_rows(
    project: int, name: str, version: int | None = None, state: str | None = None, reviewer: str | None = None,
    offset: int = 0, limit: int = 100,
) -> list[GoldRowView]:  # fmt: skip
    """Rows of a version, in the order in which they were drawn.

    Args:
        state: Only rows in this state.
        reviewer: Only rows that this person has not reviewed yet, and without what others said of them: who sees that agrees
            more easily.

    Raises:
        StageError(UnknownGoldSet): There is none.
    """
    with reading() as session:
        rows: Sequence[ReviewedRow] = rows_of(session, gold_set_of(session, project, name, version))
    if state is not None:
        rows = [row for row in rows if row.state == state]
    if reviewer is not None:
        rows = [row for row in rows if all(one.reviewer != reviewer or one.settles for one in row.reviews)]
    return [_row(row, blind=reviewer is not None) for row in rows[offset : offset + limit]]


def _view(session: Session, one: GoldSet) -> GoldSetView:
    rows = rows_of(session, one)
    people = Counter(name for row in rows for name in row.reviewers)
    return GoldSetView(
        gold_set=label_of(one), state=one.state, task_profile=one.task_profile,
        rows=dict(Counter[str](row.state for row in rows)), reviewers=dict(sorted(people.items())),
        agreement=agreement(rows, one), sha256=one.sha256, locked_by=one.locked_by, created_at=one.created_at,
    )  # fmt: skip


def _row(row: ReviewedRow, *, blind: bool) -> GoldRowView:
    if blind:
        return GoldRowView(
            row_id=row.row_id, origin=row.origin, state="unreviewed", payload=row.payload, judged=row.payload, reviews=[]
        )
    reviews = [
        ReviewView(reviewer=one.reviewer, verdict=one.verdict, payload=one.payload, settles=one.settles) for one in row.reviews
    ]
    return GoldRowView(
        row_id=row.row_id, origin=row.origin, state=row.state, payload=row.payload, judged=row.judged, reviews=reviews
    )
