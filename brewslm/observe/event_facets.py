"""How events can be told apart, with how many there are of each: counted among the newest ones, however many there are in all."""

from collections import Counter

from pydantic import BaseModel

from brewslm.audit.filters import EventFilter
from brewslm.observe.event_index import find
from brewslm.store.database import reading
from brewslm.store.records import project_of

LOOKED_AT = 2_000
_OWN = {"stage": "stage", "severity": "severity", "code": "reason_code", "actor": "actor"}
"""Field of the filter → of the event."""


class EventFacets(BaseModel):
    """How many events have which value, each counted with every filter but its own; the most frequent first.

    Attributes:
        looked_at: So many of the newest events that fit, whatever their stage, severity, code and actor, were counted.
        is_all: There are no more of them.
    """

    looked_at: int
    is_all: bool
    stage: dict[str, int]
    severity: dict[str, int]
    code: dict[str, int]
    actor: dict[str, int]


def event_facets(wanted: EventFilter) -> EventFacets:
    """What there is to choose from.

    Raises:
        StageError(UnknownProject): There is none of this number.
    """
    with reading() as session:
        if wanted.project:
            project_of(session, wanted.project)
        wide = wanted.model_copy(update=dict.fromkeys(_OWN))
        seen = [{own: str(getattr(one, name)) for own, name in _OWN.items()} for one in find(session, wide, limit=LOOKED_AT + 1)]
    held = {own: str(value) for own in _OWN if (value := getattr(wanted, own)) is not None}
    looked = seen[:LOOKED_AT]
    counts = {
        own: Counter(one[own] for one in looked if all(one[other] == value for other, value in held.items() if other != own))
        for own in _OWN
    }
    return EventFacets(
        looked_at=len(looked), is_all=len(seen) <= LOOKED_AT, **{own: dict(each.most_common()) for own, each in counts.items()}
    )
