"""filter.save and filter.delete: a filter of the timeline or of the explorer, kept under a name for everybody."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from brewslm.audit.filters import CallFilter, EventFilter
from brewslm.errors import StageError
from brewslm.reasons import Reason
from brewslm.reasons.refusals import UnknownFilter
from brewslm.stages.contract import Request
from brewslm.store.tables import Run, SavedFilter, now

Of = Literal["events", "calls"]
FILTERS: dict[str, type[EventFilter] | type[CallFilter]] = {"events": EventFilter, "calls": CallFilter}
FilterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}$")]


class SaveRequest(Request):
    """Keep a filter, in place of the former one of this name.

    Attributes:
        of: Of events (the timeline), or of calls (the explorer).
        filter: Its fields, such as {"severity": "error"}.
    """

    name: FilterName
    of: Of
    filter: dict[str, Any]

    @model_validator(mode="after")
    def _is_one(self) -> "SaveRequest":
        try:
            FILTERS[self.of].model_validate(self.filter)
        except ValidationError as error:
            said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
            raise ValueError(said) from None
        return self


class DeleteRequest(Request):
    """Forget a filter."""

    name: str


def save(request: SaveRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Write it, as it is understood."""
    kept = FILTERS[request.of].model_validate(request.filter).model_dump(mode="json", exclude_none=True)
    found = session.scalar(select(SavedFilter).where(SavedFilter.name == request.name))
    if found is None:
        session.add(SavedFilter(name=request.name, of=request.of, filter=kept, actor=run.actor))
    else:
        found.of, found.filter, found.actor, found.created_at = request.of, kept, run.actor, now()
    run.result = {"name": request.name, "of": request.of, "filter": kept}
    return ()


def delete(request: DeleteRequest, session: Session, run: Run) -> Sequence[Reason]:
    """Forget it; its run keeps what it was.

    Raises:
        StageError(UnknownFilter): None has this name.
    """
    found = session.scalar(select(SavedFilter).where(SavedFilter.name == request.name))
    if found is None:
        raise StageError(UnknownFilter(), where=request.name)
    session.delete(found)
    run.result = {"name": found.name, "of": found.of, "filter": found.filter}
    return ()
