"""gold.draft: open the first version of a gold set, or the next one, which starts with all that the one before it has."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.eval import GoldSetDrafted
from brewslm.reasons.refusals import GoldDraftOpen
from brewslm.stages.contract import ProjectRequest
from brewslm.stages.prepare.gold.rows import label_of, rows_of
from brewslm.store import tables

GoldName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]


class GoldDraftRequest(ProjectRequest):
    """Open a draft of this gold set: its first version, or the one after the newest, which must be locked."""

    name: GoldName


def draft(request: GoldDraftRequest, session: Session, run: tables.Run) -> Sequence[Reason]:
    """Write the draft; rows of the version before it are taken over with what was said of them.

    Raises:
        StageError(GoldDraftOpen): It has a draft.
    """
    mine = tables.GoldSet.project_id == request.project, tables.GoldSet.name == request.name
    former = session.scalars(select(tables.GoldSet).where(*mine).order_by(tables.GoldSet.version.desc())).first()
    if former is not None and former.state == "draft":
        raise StageError(GoldDraftOpen(), where=label_of(former))
    made = tables.GoldSet(
        project_id=request.project, name=request.name, version=former.version + 1 if former else 1, run_id=run.id,
        task_profile=former.task_profile if former else None, adapter_preset=former.adapter_preset if former else None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    rows = _taken_over(session, former, made, run.id) if former else 0
    run.result = {"gold_set": label_of(made), "rows": rows}
    return [GoldSetDrafted(gold_set=label_of(made), rows=rows)]


def _taken_over(session: Session, former: tables.GoldSet, made: tables.GoldSet, run_id: str) -> int:
    rows = rows_of(session, former)
    for row in rows:
        copy = tables.GoldRow(gold_set_id=made.id, row_id=row.row_id, origin=row.origin, payload=row.payload)
        session.add(copy)
        session.flush()
        for one in row.reviews:
            session.add(
                tables.GoldReview(
                    gold_row_id=copy.id, reviewer=one.reviewer, verdict=one.verdict, payload=one.payload, settles=one.settles,
                    run_id=run_id,
                )
            )  # fmt: skip
    return len(rows)
