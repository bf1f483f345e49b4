"""The rows of a gold set with what was said of them, and how far its reviewers agree."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm import presets
from brewslm.errors import StageError
from brewslm.metrics.kappa import cohen_kappa
from brewslm.reasons.refusals import GoldSetIsLocked
from brewslm.rows.forgetting import is_forgotten
from brewslm.rows.gold import PairAgreement, RowReview, RowState, state_of
from brewslm.rows.identity import content_hash
from brewslm.stages.prepare.adapters import AdapterPreset, as_text
from brewslm.store import tables
from brewslm.store.records import gold_set_of


@dataclass(frozen=True)
class ReviewedRow:
    """A row of a gold set.

    Attributes:
        payload: As it was drawn.
        reviews: In the order in which they were given.
    """

    id: int
    row_id: str
    origin: str
    payload: dict[str, Any]
    reviews: list[RowReview]

    @property
    def state(self) -> RowState:
        """What its reviews make of it."""
        return state_of(self.reviews)[0]

    @property
    def judged(self) -> dict[str, Any]:
        """The payload as the reviewers left it."""
        return state_of(self.reviews)[1] or self.payload

    @property
    def reviewers(self) -> set[str]:
        """Who looked at it."""
        return {one.reviewer for one in self.reviews}


def draft_of(session: Session, project: int, name: str) -> tables.GoldSet:
    """The open draft of a gold set.

    Raises:
        StageError(UnknownGoldSet): There is no gold set of this name.
        StageError(GoldSetIsLocked): Its newest version is locked.
    """
    newest = gold_set_of(session, project, name)
    if newest.state != "draft":
        raise StageError(GoldSetIsLocked(), where=label_of(newest), cause=f"{newest.locked_by} locked it")
    return newest


def label_of(gold_set: tables.GoldSet) -> str:
    """Such as "support@2"."""
    return f"{gold_set.name}@{gold_set.version}"


def rows_of(session: Session, gold_set: tables.GoldSet) -> list[ReviewedRow]:
    """Every row of a version that was not forgotten, in the order in which they were drawn."""
    rows = tables.GoldRow
    mine = select(rows).where(rows.gold_set_id == gold_set.id).order_by(rows.id)
    said: dict[int, list[RowReview]] = defaultdict(list)
    query = (
        select(tables.GoldReview)
        .join(rows, rows.id == tables.GoldReview.gold_row_id)
        .where(rows.gold_set_id == gold_set.id)
        .order_by(tables.GoldReview.id)
    )
    for one in session.scalars(query):
        review = RowReview(one.reviewer, one.verdict, one.payload, one.settles)  # type: ignore[arg-type]  # a column holds text
        said[one.gold_row_id].append(review)
    left = (one for one in session.scalars(mine) if not is_forgotten(one.payload))
    return [ReviewedRow(one.id, one.row_id, one.origin, one.payload, said[one.id]) for one in left]


def preset_of(task_profile: str, adapter: str | None) -> AdapterPreset:
    """The adapter preset of a set's rows, which names the field with the right answer, and the label's.

    Args:
        adapter: Its name; where that is a file of somebody's, the first preset of the task profile stands for it.
    """
    if adapter in presets.names("adapters"):
        return presets.load("adapters", str(adapter), AdapterPreset)
    known = (presets.load("adapters", name, AdapterPreset) for name in presets.names("adapters"))
    return next(preset for preset in known if preset.task_profile == task_profile)


def agreement(rows: Sequence[ReviewedRow], gold_set: tables.GoldSet) -> list[PairAgreement]:
    """Of each two reviewers how far they agree on the rows that both reviewed; what settled a dispute does not count.

    Where the task has a label, their ratings are the label that each would give, or that the row is rejected. Elsewhere they are
    accepted, rejected, or corrected in this way: two different corrections don't agree.
    """
    profile = gold_set.task_profile
    label = preset_of(profile, gold_set.adapter_preset).stratify_by if profile else None
    first = [{one.reviewer: one for one in row.reviews if not one.settles} for row in rows]
    found = []
    for pair in combinations(sorted({name for one in first for name in one}), 2):
        both = [(row, said) for row, said in zip(rows, first, strict=True) if said.keys() >= set(pair)]
        ratings = [[_rating(row, said[name], label) for row, said in both] for name in pair]
        kappa = cohen_kappa(*ratings)
        found.append(
            PairAgreement(reviewers=pair, n=kappa.n, agreed=kappa.agreed, kappa=kappa.value, low=kappa.low, high=kappa.high)
        )
    return found


def _rating(row: ReviewedRow, review: RowReview, label: str | None) -> str:
    if review.verdict == "rejected":
        return "rejected"
    payload = review.payload or row.payload
    if label and label in payload:
        return f"label {as_text(payload[label])}"
    return review.verdict if review.payload is None else f"corrected {content_hash(review.payload)}"
