"""gold.review: what a person says of rows of the draft."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.handlers import handler_if_any
from brewslm.reasons import Reason
from brewslm.reasons.eval import GoldRowsReviewed
from brewslm.reasons.refusals import GoldRowReviewed, InvalidRequest, UnknownGoldRow
from brewslm.rows.gold import RowVerdict
from brewslm.rows.manifest import OutputSchema
from brewslm.stages.contract import ProjectRequest
from brewslm.stages.prepare.gold.draft import GoldName
from brewslm.stages.prepare.gold.rows import ReviewedRow, draft_of, label_of, preset_of, rows_of
from brewslm.store import tables

Reviewer = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class RowJudgement(BaseModel):
    """One row's verdict.

    Attributes:
        fields: Where it is corrected, the fields that change, such as {"label": "positive"}.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    row_id: str
    verdict: RowVerdict
    fields: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _fields_of_a_correction(self) -> Self:
        if (self.verdict == "corrected") != bool(self.fields):
            raise ValueError("a corrected row names the fields that change, and no other does")
        return self


class GoldReviewRequest(ProjectRequest):
    """Judge rows of the draft, all or none of them.

    Attributes:
        reviewer: Who looked at them.
        settle: The verdicts end disputes, or mend a slip: they decide alone, and agreement is measured without them.
    """

    name: GoldName
    reviewer: Reviewer
    reviews: Annotated[list[RowJudgement], Field(min_length=1, max_length=1000)]
    settle: bool = False


def review(request: GoldReviewRequest, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Write the reviews.

    Raises:
        StageError(UnknownGoldSet, GoldSetIsLocked): There is no draft of this name.
        StageError(UnknownGoldRow): It has no row of this id.
        StageError(GoldRowReviewed): This reviewer judged the row before.
        StageError(InvalidRequest): The corrected row has a field that rows of it don't have, or can't be used.
    """
    gold_set = draft_of(session, request.project, request.name)
    rows = {row.row_id: row for row in rows_of(session, gold_set)}
    judged: set[str] = set()
    for one in request.reviews:
        row = rows.get(one.row_id)
        if row is None:
            raise StageError(UnknownGoldRow(), where=one.row_id, cause=f"{label_of(gold_set)} has {len(rows):,} others")
        earlier = any(said.reviewer == request.reviewer and not said.settles for said in row.reviews)
        if one.row_id in judged or (earlier and not request.settle):
            raise StageError(GoldRowReviewed(), where=one.row_id, cause=f"by {request.reviewer}")
        judged.add(one.row_id)
        session.add(
            tables.GoldReview(
                gold_row_id=row.id, reviewer=request.reviewer, verdict=one.verdict, payload=_corrected(gold_set, row, one),
                settles=request.settle, run_id=run.id,
            )
        )  # fmt: skip
    verdicts = Counter[str](one.verdict for one in request.reviews)
    run.result = {"gold_set": label_of(gold_set), "reviewer": request.reviewer, "verdicts": dict(verdicts)}
    return [
        GoldRowsReviewed(gold_set=label_of(gold_set), reviewer=request.reviewer, settled=request.settle, verdicts=dict(verdicts))
    ]


def _corrected(gold_set: tables.GoldSet, row: ReviewedRow, judgement: RowJudgement) -> dict[str, Any] | None:
    """The whole row with what changes; None where nothing does."""
    if judgement.fields is None:
        return None
    unknown = sorted(judgement.fields.keys() - row.payload.keys())
    if unknown:
        cause = f"its fields are {', '.join(sorted(row.payload))}"
        next_step = "Name fields that the row has; a row without one of them is rejected, not corrected."
        what = f"the row has no field {unknown[0]}"
        raise StageError(InvalidRequest(), what, where=row.row_id, cause=cause, next_step=next_step)
    payload = row.payload | judgement.fields
    if payload == row.payload:
        next_step = "Accept the row, or say what is different."
        raise StageError(InvalidRequest(), "the correction changes nothing", where=row.row_id, next_step=next_step)
    assert gold_set.task_profile is not None
    preset = preset_of(gold_set.task_profile, gold_set.adapter_preset)
    handler = handler_if_any(gold_set.task_profile, OutputSchema(scoring_mode=preset.scoring_mode))
    reason = handler.check(payload) if handler else None
    empty = [name for name in (preset.input_field, preset.target_field) if not str(payload.get(name, "-")).strip()]
    if reason is not None or empty:
        cause = reason.meaning if reason else f"its {empty[0]} is empty"
        next_step = reason.remedy if reason else "Say what is right, or reject the row."
        raise StageError(InvalidRequest(), "the corrected row can't be used", where=row.row_id, cause=cause, next_step=next_step)
    return payload
