"""The filters that were kept, and what is asked with one of them."""

from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import select

from brewslm.audit.filters import CallFilter, EventFilter
from brewslm.errors import StageError, did_you_mean
from brewslm.reasons.refusals import UnknownFilter
from brewslm.store.database import reading
from brewslm.store.tables import SavedFilter

F = TypeVar("F", EventFilter, CallFilter)


class SavedFilterView(BaseModel):
    """A kept filter.

    Attributes:
        of: "events" or "calls".
        actor: Who kept it.
    """

    name: str
    of: str
    filter: dict[str, Any]
    actor: str
    created_at: datetime


def saved_filters() -> list[SavedFilterView]:
    """All of them, by name."""
    with reading() as session:
        found = session.scalars(select(SavedFilter).order_by(SavedFilter.name))
        return [
            SavedFilterView(name=one.name, of=one.of, filter=one.filter, actor=one.actor, created_at=one.created_at)
            for one in found
        ]


def saved_filter(name: str) -> SavedFilterView:
    """One of them.

    Raises:
        StageError(UnknownFilter): None has this name.
    """
    every = saved_filters()
    for one in every:
        if one.name == name:
            return one
    raise StageError(
        UnknownFilter(), where=name, cause=did_you_mean(name, [one.name for one in every]) if every else "none is kept"
    )


def with_saved(wanted: F, name: str | None) -> F:
    """A filter on top of a kept one: what it says itself goes first.

    Raises:
        StageError(UnknownFilter): None has this name, or it is not for these.
    """
    if name is None:
        return wanted
    kept = saved_filter(name)
    of = "events" if isinstance(wanted, EventFilter) else "calls"
    if kept.of != of:
        raise StageError(UnknownFilter(), where=name, cause=f"it is a filter of {kept.of}")
    return type(wanted).model_validate(kept.filter | wanted.model_dump(exclude_none=True))
